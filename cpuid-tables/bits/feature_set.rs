//! Sets of hardware features, laid out as the registers that CPUID returns.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, BitXor, BitXorAssign, Sub, SubAssign};

use super::feature::{Feature, register_at, register_of};
use super::location::CpuidWord;
use crate::generated::bit_tables::KNOWN;

/// Number of registers that hold a feature.
const REGISTERS: usize = KNOWN.len();

/// A set of [`Feature`]s: one 32-bit word for each CPUID register that holds any.
///
/// Testing for a constant takes one load and one test. Only known bits are ever set, so a set contains nothing but
/// its features.
///
/// ```
/// use cpuid_tables::{CpuidWord, FeatureSet, Register, feature, Leaf, Subleaf};
///
/// let mut guest = FeatureSet::new();
/// guest.insert(feature::AVX2);
/// assert_eq!(guest.word(CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx)), 1 << 5);
/// assert!((guest & FeatureSet::ALL).contains(feature::AVX2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FeatureSet([u32; REGISTERS]);

/// Defines one operation on two sets, word by word.
macro_rules! operation {
    ($(#[$about:meta])* $name:ident, |$a:ident, $b:ident| $result:expr) => {
        $(#[$about])*
        #[must_use]
        pub const fn $name(mut self, other: FeatureSet) -> FeatureSet {
            let mut i = 0;
            while i < REGISTERS {
                let ($a, $b) = (self.0[i], other.0[i]);
                self.0[i] = $result;
                i += 1;
            }
            self
        }
    };
}

impl Feature {
    /// Every feature, by location.
    pub fn all() -> impl Iterator<Item = Feature> {
        FeatureSet::ALL.into_iter()
    }
}

impl FeatureSet {
    /// Every feature.
    pub const ALL: FeatureSet = FeatureSet(KNOWN);

    /// No feature.
    #[must_use]
    pub const fn new() -> FeatureSet {
        FeatureSet([0; REGISTERS])
    }

    /// True when the feature is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(&self, feature: Feature) -> bool {
        self.0[feature.register_index()] & feature.mask() != 0
    }

    /// Adds a feature; true if it was absent.
    #[inline]
    pub const fn insert(&mut self, feature: Feature) -> bool {
        let fresh = !self.contains(feature);
        self.0[feature.register_index()] |= feature.mask();
        fresh
    }

    /// Removes a feature; true if it was present.
    #[inline]
    pub const fn remove(&mut self, feature: Feature) -> bool {
        let there = self.contains(feature);
        self.0[feature.register_index()] &= !feature.mask();
        there
    }

    /// The set with an additional feature, for constants.
    #[must_use]
    pub const fn with(mut self, feature: Feature) -> FeatureSet {
        self.insert(feature);
        self
    }

    operation!(/// What is in one or the other; also `|`.
        union, |a, b| a | b);
    operation!(/// What is in both; also `&`.
        intersection, |a, b| a & b);
    operation!(/// What is in this one and not in the other; also `-`.
        difference, |a, b| a & !b);
    operation!(/// What is in exactly one; also `^`.
        symmetric_difference, |a, b| a ^ b);

    /// True if every feature of this set is also in the other.
    #[must_use]
    pub const fn is_subset(&self, other: &FeatureSet) -> bool {
        self.difference(*other).is_empty()
    }

    /// True if every feature of the other set is also in this one.
    #[must_use]
    pub const fn is_superset(&self, other: &FeatureSet) -> bool {
        other.is_subset(self)
    }

    /// True when no feature is in both.
    #[must_use]
    pub const fn is_disjoint(&self, other: &FeatureSet) -> bool {
        self.intersection(*other).is_empty()
    }

    /// Number of features in the set.
    #[must_use]
    pub const fn len(&self) -> usize {
        let (mut count, mut i) = (0, 0);
        while i < REGISTERS {
            count += self.0[i].count_ones() as usize;
            i += 1;
        }
        count
    }

    /// True when no feature is in the set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let mut i = 0;
        while i < REGISTERS {
            if self.0[i] != 0 {
                return false;
            }
            i += 1;
        }
        true
    }

    /// A register's value; 0 if it holds no known feature.
    #[must_use]
    pub const fn word(&self, word: CpuidWord) -> u32 {
        match register_of(word) {
            Some(register) => self.0[register],
            None => 0,
        }
    }

    /// Sets a register's features from its value, and returns the bits that are not known features.
    #[must_use = "bits that are not known features, which the set does not contain"]
    pub const fn set_word(&mut self, word: CpuidWord, value: u32) -> u32 {
        match register_of(word) {
            Some(register) => {
                self.0[register] = value & KNOWN[register];
                value & !KNOWN[register]
            }
            None => value,
        }
    }

    /// Every register that holds a feature, in order, with its value.
    pub fn words(&self) -> impl Iterator<Item = (CpuidWord, u32)> + '_ {
        self.0.iter().enumerate().map(|(register, &value)| (register_at(register), value))
    }

    /// The features, by location.
    #[must_use]
    pub const fn iter(&self) -> FeatureSetIter {
        FeatureSetIter { left: *self, register: 0 }
    }
}

/// The features of a set, by location.
#[derive(Clone, Debug)]
pub struct FeatureSetIter {
    left: FeatureSet,
    register: u16,
}

impl Iterator for FeatureSetIter {
    type Item = Feature;

    fn next(&mut self) -> Option<Feature> {
        loop {
            let bits = self.left.0.get_mut(usize::from(self.register))?;
            if *bits == 0 {
                self.register += 1;
                continue;
            }
            let [bit, ..] = bits.trailing_zeros().to_le_bytes();
            *bits &= *bits - 1;
            return Some(Feature(self.register * 32 + u16::from(bit)));
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.len(), Some(self.left.len()))
    }
}

impl ExactSizeIterator for FeatureSetIter {}
impl FusedIterator for FeatureSetIter {}

impl IntoIterator for FeatureSet {
    type Item = Feature;
    type IntoIter = FeatureSetIter;
    fn into_iter(self) -> FeatureSetIter {
        self.iter()
    }
}

impl IntoIterator for &FeatureSet {
    type Item = Feature;
    type IntoIter = FeatureSetIter;
    fn into_iter(self) -> FeatureSetIter {
        self.iter()
    }
}

impl Default for FeatureSet {
    fn default() -> FeatureSet {
        FeatureSet::new()
    }
}

impl FromIterator<Feature> for FeatureSet {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> FeatureSet {
        let mut set = FeatureSet::new();
        set.extend(features);
        set
    }
}

impl Extend<Feature> for FeatureSet {
    fn extend<I: IntoIterator<Item = Feature>>(&mut self, features: I) {
        features.into_iter().for_each(|feature| {
            self.insert(feature);
        });
    }
}

/// Defines an operator and its assignment form by a method.
macro_rules! operator {
    ($operator:ident, $method:ident, $assign:ident, $assign_method:ident, $by:ident) => {
        impl $operator for FeatureSet {
            type Output = FeatureSet;
            fn $method(self, other: FeatureSet) -> FeatureSet {
                self.$by(other)
            }
        }

        impl $assign for FeatureSet {
            fn $assign_method(&mut self, other: FeatureSet) {
                *self = self.$by(other);
            }
        }
    };
}

operator!(BitOr, bitor, BitOrAssign, bitor_assign, union);
operator!(BitAnd, bitand, BitAndAssign, bitand_assign, intersection);
operator!(Sub, sub, SubAssign, sub_assign, difference);
operator!(BitXor, bitxor, BitXorAssign, bitxor_assign, symmetric_difference);

impl fmt::Debug for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}
