//! What a field's or feature's values mean when hosts are compared: which of two is the one that both can bear.
//!
//! A feature is a promise, and what both hosts keep is the bits of both, *and*-ed. Some bits are the contrary: they tell
//! that something is missing or works otherwise, and a guest that does not see them counts on it; these are *or*-ed. A
//! number is the smaller of two, or has to be equal, or says nothing that a guest depends on.
//!
//! What is not in the table below: a feature, a field of one bit and a bit that nobody describes are *and*-ed. A test sees
//! to it that every wider field that Linux describes is in it, and that no row is of something else.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

use core::fmt;

use crate::bits::description::{Part, describe};
use crate::bits::field::Field;
use crate::bits::location::{CpuidWord, Leaf};

mod msrs;
mod rows;

#[cfg(feature = "fleet")]
pub(crate) use msrs::combine_msr;
pub use msrs::{MsrMeaning, msr_meanings};

/// How two hosts' values become one that a guest can have on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Bits that promise something: those of both.
    And,
    /// Bits that tell of something missing or different: those of either.
    Or,
    /// A size, a count or a level of which less is safe.
    Min,
    /// The same, where 0 tells nothing.
    MinTold,
    /// One of which more is safe.
    Max,
    /// Nothing but the same will do.
    Equal,
    /// A description that no guest's correctness depends on; of two, the smaller.
    Smaller,
    /// A description that no guest's correctness depends on; of two, the larger.
    Larger,
    /// It follows from other fields, and is made anew from them.
    Follows,
    /// It tells of the machine, the vCPU or the moment; no guest's correctness depends on it.
    Ignore,
}

impl Rule {
    /// The value that a guest may have on both hosts; none when there is none. Where hosts differ in what does not
    /// matter, it is 0, which tells nothing.
    ///
    /// It does not depend on the order of hosts, however many there are.
    ///
    /// ```
    /// use cpuid_tables::fleet::Rule;
    ///
    /// assert_eq!((Rule::And.combine(6, 3), Rule::Or.combine(6, 3)), (Some(2), Some(7)));
    /// assert_eq!((Rule::Min.combine(6, 3), Rule::MinTold.combine(6, 0)), (Some(3), Some(6)));
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
            Rule::MinTold if less == 0 => Some(more),
            Rule::Min | Rule::MinTold | Rule::Smaller => Some(less),
            Rule::Max | Rule::Larger => Some(more),
            Rule::Equal => None,
            Rule::Follows | Rule::Ignore => Some(0),
        }
    }

    /// True when a guest may depend on the value that it was started with.
    #[must_use]
    pub const fn binds(self) -> bool {
        !matches!(self, Rule::Smaller | Rule::Larger | Rule::Follows | Rule::Ignore)
    }

    /// True when a guest that was started with a value can go on where the other is what there is.
    #[must_use]
    pub const fn bears(self, started: u32, there: u32) -> bool {
        match self {
            Rule::MinTold if started == 0 || there == 0 => true,
            _ => !self.binds() || matches!(self.combine(started, there), Some(both) if both == started),
        }
    }
}

/// Numbers that limit what a guest can do, such as the width of addresses, each with its rule; in a fixed order.
#[cfg(feature = "fleet")]
pub(crate) fn limits() -> impl Iterator<Item = (Field, Rule)> {
    rows::limits()
}

/// The manual's section that tells of a leaf, as far as a leaf has one of its own.
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
            _ => write!(f, "Linux, tools/arch/x86/kcpuid/cpuid.csv, leaf {leaf:#x}"),
        }
    }
}

/// What some bits of a register are, and what to do with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// What is known of them; none for bits that nobody describes.
    pub part: Option<Part>,
    /// Which bits.
    pub mask: u32,
    /// How their values are combined, as a number shifted down to bit 0.
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

/// Why a feature's bits are and-ed.
const PROMISE: &str = "a guest uses what it sees";
/// And those of which nothing is known.
const UNKNOWN: &str = "nobody describes it; most bits promise something";

/// Everything that a register holds: each of its 32 bits is in exactly one of them.
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
    let rest = !parts_of(word).fold(0, |all, (mask, _)| all | mask);
    let undescribed = (rest != 0).then_some((rest, None));
    parts_of(word).chain(undescribed).map(move |(mask, part)| {
        let feature = matches!(part, Some(Part::Feature(_)));
        let (rule, reason) = rows::find(word, mask, feature)
            .unwrap_or((Rule::And, if part.is_some() { PROMISE } else { UNKNOWN }));
        Meaning { part, mask, rule, reason }
    })
}

/// What is described, and what only the table knows; where the table takes several fields for one, that one.
fn parts_of(word: CpuidWord) -> impl Iterator<Item = (u32, Option<Part>)> {
    let own = move || {
        let described = move |mask| describe(word).any(|part| part.mask() == mask);
        rows::fields(word).filter(move |field| !described(field.mask()))
    };
    let taken = own().fold(0, |all, field| all | field.mask());
    let described = describe(word).filter(move |part| part.mask() & taken == 0);
    let described = described.map(|part| (part.mask(), Some(part)));
    own().map(|field| (field.mask(), Some(Part::Field(field)))).chain(described)
}

/// Fields that the table knows, of bits that nobody else describes.
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

    /// Every register of which anything is known, and some more.
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
        use Rule::{And, Equal, Follows, Ignore, Larger, Max, Min, MinTold, Or, Smaller};
        const VALUES: [u32; 6] = [0, 1, 2, 3, 7, 8];
        let triples = (0..216).map(|n| (VALUES[n % 6], VALUES[n / 6 % 6], VALUES[n / 36]));
        for rule in [And, Or, Min, MinTold, Max, Smaller, Larger, Follows, Ignore, Equal] {
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
