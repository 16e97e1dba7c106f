//! How to combine and compare the values of fields and features of several hosts.
//!
//! A feature is a promise: two hosts keep those that both have, so its bits are *and*-ed. Some bits are the opposite:
//! they announce that something is missing or behaves differently, and a guest that does not see them relies on it.
//! These are *or*-ed. For a number, the smaller value is safe, or the values must be equal, or no guest depends on
//! it.
//!
//! Features, one-bit fields and undescribed bits without a row in the table below are *and*-ed. A test checks that
//! every wider field that Linux describes has a row, and that every row describes such a field.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.
//!
//! ```
//! use cpuid_tables::meaning::{Rule, meanings};
//! use cpuid_tables::{CpuidWord, Leaf, Register, Subleaf};
//!
//! // The physical address width: a guest that moves between two hosts can have the smaller one.
//! let widths = CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Eax);
//! let physical = meanings(widths).find(|meaning| meaning.mask == 0xff).expect("a row");
//! assert_eq!((physical.rule, physical.rule.combine(46, 39)), (Rule::Min, Some(39)));
//! ```

use alloc::vec::Vec;
use core::fmt;

use crate::bits::description::{Part, describe};
use crate::bits::field::Field;
use crate::bits::location::{CpuidWord, Leaf};

mod msrs;
mod rows;

#[cfg(feature = "fleet")]
pub(crate) use msrs::combine_msr;
pub use msrs::{MsrMeaning, msr_meanings};

/// How to combine two hosts' values into one that a guest can have on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Bits that promise something: the bits of both.
    And,
    /// Bits that announce something missing or different: the bits of either.
    Or,
    /// A size, a count or a level; smaller is safe.
    Min,
    /// Like `Min`, but 0 carries no information.
    MinNonZero,
    /// A number; larger is safe.
    Max,
    /// The values must be equal.
    Equal,
    /// A description on which no guest depends for correctness; the smaller of two.
    Smaller,
    /// A description on which no guest depends for correctness; the larger of two.
    Larger,
    /// Derived from other fields, and computed again from them.
    Follows,
    /// Specific to the machine, the vCPU or the moment; no guest depends on it for correctness.
    Ignore,
}

impl Rule {
    /// The value that a guest may have on both hosts; `None` if there is none. Values that differ without consequence
    /// become 0, which carries no information.
    ///
    /// The order of hosts does not matter, however many there are.
    ///
    /// ```
    /// use cpuid_tables::fleet::Rule;
    ///
    /// assert_eq!((Rule::And.combine(6, 3), Rule::Or.combine(6, 3)), (Some(2), Some(7)));
    /// assert_eq!((Rule::Min.combine(6, 3), Rule::MinNonZero.combine(6, 0)), (Some(3), Some(6)));
    /// assert_eq!((Rule::Equal.combine(6, 3), Rule::Ignore.combine(6, 3)), (None, Some(0)));
    /// ```
    #[must_use]
    pub const fn combine(self, one: u32, other: u32) -> Option<u32> {
        if one == other {
            return Some(one);
        }
        let (less, more) = if one < other { (one, other) } else { (other, one) };
        match self {
            Rule::And => Some(one & other),
            Rule::Or => Some(one | other),
            Rule::MinNonZero if less == 0 => Some(more),
            Rule::Min | Rule::MinNonZero | Rule::Smaller => Some(less),
            Rule::Max | Rule::Larger => Some(more),
            Rule::Equal => None,
            Rule::Follows | Rule::Ignore => Some(0),
        }
    }

    /// True if a guest may depend on the value that it was started with.
    #[must_use]
    pub const fn binds(self) -> bool {
        !matches!(self, Rule::Smaller | Rule::Larger | Rule::Follows | Rule::Ignore)
    }

    /// True if a guest that was started with one value can continue where the value is `there`.
    #[must_use]
    pub const fn bears(self, started: u32, there: u32) -> bool {
        match self {
            Rule::MinNonZero if started == 0 || there == 0 => true,
            _ => !self.binds() || matches!(self.combine(started, there), Some(both) if both == started),
        }
    }
}

/// Numbers that limit a guest, such as address widths, each with its rule; in a fixed order.
#[cfg(feature = "fleet")]
pub(crate) fn limits() -> impl Iterator<Item = (Field, Rule)> {
    rows::limits()
}

/// The manual section that describes a leaf, if a leaf has its own.
///
/// ```
/// use cpuid_tables::{Leaf, fleet::section};
///
/// assert_eq!(section(Leaf(7)).to_string(), "Intel SDM volume 2A, CPUID, leaf 07H");
/// assert_eq!(section(Leaf(0x8000_0008)).to_string(), "AMD APM volume 3, appendix E, Fn8000_0008");
/// ```
#[must_use]
pub fn section(leaf: Leaf) -> impl fmt::Display {
    Section(leaf)
}

struct Section(Leaf);

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Leaf(leaf) = self.0;
        let (high, low) = (leaf >> 16, leaf & 0xffff);
        match high {
            0 => write!(f, "Intel SDM volume 2A, CPUID, leaf {low:02X}H"),
            0x8000 => write!(f, "AMD APM volume 3, appendix E, Fn{high:04X}_{low:04X}"),
            0x4000 => f.write_str("Linux, Documentation/virt/kvm/x86/cpuid.rst"),
            _ => write!(f, "Linux, tools/arch/x86/kcpuid/cpuid.csv, leaf {}", self.0),
        }
    }
}

/// What some bits of a register mean, and how to combine them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meaning {
    /// The feature or field; `None` for undescribed bits.
    pub part: Option<Part>,
    /// The bits.
    pub mask: u32,
    /// How to combine their values, shifted down to bit 0.
    pub rule: Rule,
    /// Why.
    pub reason: &'static str,
}

impl Meaning {
    /// Its value in a register.
    #[must_use]
    pub const fn read(&self, register: u32) -> u32 {
        (register & self.mask) >> self.mask.trailing_zeros()
    }
}

/// Why a feature's bits are *and*-ed.
const PROMISE: &str = "a guest uses what it sees";
/// Why undescribed bits are.
const UNKNOWN: &str = "undescribed; most bits promise something";

/// The parts of a register: each of its 32 bits is in exactly one of them.
///
/// ```
/// use cpuid_tables::fleet::{Rule, meanings};
/// use cpuid_tables::{CpuidWord, Register, Leaf, Subleaf};
///
/// let all: Vec<_> = meanings(CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Eax)).collect();
/// assert_eq!(all[0].rule, Rule::Min); // the width of physical addresses
/// assert_eq!(all.iter().fold(0, |bits, meaning| bits | meaning.mask), u32::MAX);
/// ```
pub fn meanings(word: CpuidWord) -> impl Iterator<Item = Meaning> {
    let mut parts = parts_of(word);
    let rest = !parts.iter().fold(0, |all, (mask, _)| all | mask);
    parts.extend((rest != 0).then_some((rest, None)));
    parts.into_iter().map(move |(mask, part)| {
        let feature = matches!(part, Some(Part::Feature(_)));
        let (rule, reason) = rows::find(word, mask, feature)
            .unwrap_or((Rule::And, if part.is_some() { PROMISE } else { UNKNOWN }));
        Meaning { part, mask, rule, reason }
    })
}

/// Described parts, and parts that only the table has; where a row covers several fields, only the row's part.
fn parts_of(word: CpuidWord) -> Vec<(u32, Option<Part>)> {
    let described: Vec<(u32, Option<Part>)> = describe(word).map(|part| (part.mask(), Some(part))).collect();
    let is_described = |field: &Field| described.iter().any(|(mask, _)| *mask == field.mask());
    let own = rows::fields(word).filter(|field| !is_described(field));
    let mut parts: Vec<_> = own.map(|field| (field.mask(), Some(Part::Field(field)))).collect();
    let taken = parts.iter().fold(0, |all, (mask, _)| all | mask);
    parts.extend(described.into_iter().filter(|(mask, _)| mask & taken == 0));
    parts
}

/// Fields that only the table has, of otherwise undescribed bits.
#[cfg(feature = "show")]
pub(crate) fn own_fields(word: CpuidWord) -> impl Iterator<Item = Field> {
    let known = describe(word).fold(0, |all, part| all | part.mask());
    rows::fields(word).filter(move |field| field.mask() & known == 0)
}

#[cfg(test)]
mod tests {
    use super::{Rule, meanings};
    use crate::bits::description::Part;
    use crate::bits::feature_set::FeatureSet;
    use crate::bits::field::Field;
    use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};

    /// Every described register, and some more.
    fn words() -> impl Iterator<Item = CpuidWord> {
        let of_fields = Field::all().flat_map(|field| {
            let registers = field.subleaves().map(move |at| (field.leaf().0, at));
            registers.flat_map(|(leaf, at)| {
                Register::ALL.map(|register| CpuidWord::new(Leaf(leaf), Subleaf(at), register))
            })
        });
        of_fields.chain(FeatureSet::ALL.words().map(|(word, _)| word))
    }

    #[test]
    fn every_bit_is_in_one_meaning_and_numbers_have_one_piece() {
        for word in words() {
            let mut seen = 0;
            for meaning in meanings(word) {
                assert_eq!(seen & meaning.mask, 0, "{word}: {meaning:?}");
                seen |= meaning.mask;
                let one_piece = (meaning.mask >> meaning.mask.trailing_zeros()).trailing_ones();
                let whole = one_piece == meaning.mask.count_ones();
                let by_bit = matches!(meaning.rule, Rule::And | Rule::Ignore | Rule::Equal);
                assert!(whole || by_bit, "{word}: {meaning:?}");
            }
            assert_eq!(seen, u32::MAX, "{word}");
        }
    }

    #[test]
    fn a_feature_s_bit_is_no_number() {
        for word in words() {
            for meaning in meanings(word).filter(|meaning| matches!(meaning.part, Some(Part::Feature(_)))) {
                assert!(
                    matches!(meaning.rule, Rule::And | Rule::Or | Rule::Equal | Rule::Ignore),
                    "{word}: {meaning:?}"
                );
            }
        }
    }

    #[test]
    fn combining_does_not_depend_on_the_order_and_what_comes_out_is_borne() {
        use Rule::{And, Equal, Follows, Ignore, Larger, Max, Min, MinNonZero, Or, Smaller};
        const VALUES: [u32; 6] = [0, 1, 2, 3, 7, 8];
        let triples = (0..216).map(|n| (VALUES[n % 6], VALUES[n / 6 % 6], VALUES[n / 36]));
        for rule in [And, Or, Min, MinNonZero, Max, Smaller, Larger, Follows, Ignore, Equal] {
            for (a, b, c) in triples.clone() {
                let fold = |x, y, z| rule.combine(x, y).and_then(|both| rule.combine(both, z));
                assert_eq!(fold(a, b, c), fold(c, b, a), "{rule:?}");
                assert_eq!(fold(a, b, c), fold(b, a, c), "{rule:?}");
                if let Some(all) = fold(a, b, c) {
                    for there in [a, b, c] {
                        assert!(rule.bears(all, there), "{rule:?}: {all} of {a}, {b}, {c} on {there}");
                    }
                }
            }
        }
    }
}
