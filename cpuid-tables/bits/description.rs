//! The contents of any leaf's registers: fields described by Linux, features from all sources, and bits that only a
//! manual names.
//!
//! A bit is either a [`Feature`] or part of a [`Field`]. Only a field of several subleaves may include a subleaf in
//! which its bit is a feature; [`describe`] then returns the feature there.

use super::feature::Feature;
use super::field::Field;
use super::location::{Bit, CpuidWord, Leaf};
use super::name_hash::fold_eq;
use super::own_fields;
use super::packed_fields::{PackedFields, packed};
use crate::field::LEAVES;

/// The fields that Linux describes.
static FIELDS: PackedFields = packed!(LEAVES);

impl Field {
    /// Every field that Linux describes, by leaf, subleaves, register and bits.
    pub fn all() -> impl Iterator<Item = Field> {
        FIELDS.all()
    }

    /// The fields of one leaf.
    pub fn in_leaf(leaf: Leaf) -> impl Iterator<Item = Field> {
        FIELDS.in_leaf(leaf)
    }

    /// The fields of one register, by bit.
    pub fn at(word: CpuidWord) -> impl Iterator<Item = Field> {
        let mut starting = [None; 32];
        in_register(word).for_each(|field| start(&mut starting, field));
        starting.into_iter().flatten()
    }

    /// The fields with this short name, which is unique within a leaf, and bits that only a manual names; ignores case and
    /// `-_.`.
    ///
    /// ```
    /// use cpuid_tables::{Field, field};
    ///
    /// let mut named = Field::named("cache-type");
    /// assert_eq!(named.next(), Some(field::leaf_4::CACHE_TYPE));
    /// assert_eq!(named.next(), Some(field::leaf_8000001d::CACHE_TYPE));
    /// assert_eq!(named.next(), None);
    /// ```
    pub fn named(name: &str) -> impl Iterator<Item = Field> {
        Field::all().chain(own_fields::all()).filter(move |field| fold_eq(field.name(), name))
    }
}

/// The meaning of some bits of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// A number, or a bit that is not a feature.
    Field(Field),
    /// A feature's bit.
    Feature(Feature),
}

impl Part {
    /// The field's short name or the feature's constant.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Part::Field(field) => field.name(),
            Part::Feature(feature) => feature.name(),
        }
    }

    /// Its bits in the register, as a mask.
    #[must_use]
    pub const fn mask(self) -> u32 {
        match self {
            Part::Field(field) => field.mask(),
            Part::Feature(feature) => feature.mask(),
        }
    }

    /// Its value in the register: 0 or 1 for a feature.
    #[must_use]
    pub const fn read(self, register: u32) -> u32 {
        (register & self.mask()) >> self.mask().trailing_zeros()
    }
}

/// The parts of a register, from the lowest bit; empty for an undescribed register.
///
/// ```
/// use cpuid_tables::{CpuidWord, Register, describe, Leaf, Subleaf};
///
/// let (eax, value) = (CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Eax), 0x0034_3030);
/// let decoded: Vec<String> =
///     describe(eax).map(|part| format!("{} = {}", part.name(), part.read(value))).collect();
/// assert_eq!(decoded, ["phys_addr_bits = 48", "virt_addr_bits = 48", "guest_phys_addr_bits = 52"]);
///
/// // Set bits that no table describes.
/// let known = describe(eax).fold(0, |known, part| known | part.mask());
/// assert_eq!(value & !known, 0);
/// ```
pub fn describe(word: CpuidWord) -> impl Iterator<Item = Part> {
    // The field that starts at each bit.
    let mut starting = [None; 32];
    let mut taken = 0;
    for field in in_register(word) {
        start(&mut starting, field);
        taken |= field.mask();
    }
    own_fields::at(word).filter(|own| own.mask() & taken == 0).for_each(|own| start(&mut starting, own));
    let features = Feature::mask_in(word);
    (0..32).zip(starting).flat_map(move |(bit, field)| {
        let feature = if features >> bit & 1 != 0 { Feature::at(word.bit(Bit(bit))) } else { None };
        let field = field.filter(|field| feature.is_none() || field.width() > 1);
        feature.map(Part::Feature).into_iter().chain(field.map(Part::Field))
    })
}

/// Linux's fields of a register.
fn in_register(word: CpuidWord) -> impl Iterator<Item = Field> {
    FIELDS.in_leaf(word.leaf).filter(move |field| field.is_in(word))
}

/// Puts a field at its lowest bit, unless another one is there.
fn start(starting: &mut [Option<Field>; 32], field: Field) {
    if let Some(at @ None) = starting.get_mut(usize::from(*field.bits().start())) {
        *at = Some(field);
    }
}
