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

use crate::description::{Part, describe};
use crate::location::CpuidWord;

mod rows;

/// How two hosts' values become one that a guest can have on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Bits that promise something: those of both.
    And,
    /// Bits that tell of something missing or different: those of either.
    Or,
    /// A size, a count or a level of which less is safe.
    Min,
    /// One of which more is safe.
    Max,
    /// Nothing but the same will do.
    Equal,
    /// It tells of the machine, the vCPU or the moment; no guest's correctness depends on it.
    Ignore,
}

impl Rule {
    /// The value that a guest may have on both hosts; none when there is none. Where it does not matter, it is the first.
    ///
    /// ```
    /// use cpuid_tables::fleet::Rule;
    ///
    /// assert_eq!((Rule::And.combine(6, 3), Rule::Or.combine(6, 3)), (Some(2), Some(7)));
    /// assert_eq!((Rule::Min.combine(6, 3), Rule::Equal.combine(6, 3)), (Some(3), None));
    /// ```
    #[must_use]
    pub const fn combine(self, one: u32, other: u32) -> Option<u32> {
        match self {
            Rule::And => Some(one & other),
            Rule::Or => Some(one | other),
            Rule::Min => Some(if one < other { one } else { other }),
            Rule::Max => Some(if one > other { one } else { other }),
            Rule::Equal if one != other => None,
            Rule::Equal | Rule::Ignore => Some(one),
        }
    }

    /// True when a guest that was started with a value can go on where the other is what there is.
    #[must_use]
    pub const fn bears(self, started: u32, there: u32) -> bool {
        match self {
            Rule::Ignore => true,
            _ => matches!(self.combine(started, there), Some(both) if both == started),
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
/// use cpuid_tables::{CpuidWord, Register};
///
/// let all: Vec<_> = meanings(CpuidWord::new(0x8000_0008, 0, Register::Eax)).collect();
/// assert_eq!(all[0].rule, Rule::Min); // the width of physical addresses
/// assert_eq!(all.iter().fold(0, |bits, meaning| bits | meaning.mask), u32::MAX);
/// ```
pub fn meanings(word: CpuidWord) -> impl Iterator<Item = Meaning> {
    let mut told = 0;
    let parts = parts_of(word).filter(move |(mask, _)| {
        let fresh = told & mask == 0;
        told |= mask;
        fresh
    });
    let rest = !parts_of(word).fold(0, |all, (mask, _)| all | mask);
    let undescribed = (rest != 0).then_some((rest, None));
    parts.chain(undescribed).map(move |(mask, part)| {
        let feature = matches!(part, Some(Part::Feature(_)));
        let (rule, reason) = rows::find(word, mask, feature)
            .unwrap_or((Rule::And, if part.is_some() { PROMISE } else { UNKNOWN }));
        Meaning { part, mask, rule, reason }
    })
}

/// What is described, and what only the table knows.
fn parts_of(word: CpuidWord) -> impl Iterator<Item = (u32, Option<Part>)> {
    let described = describe(word).map(|part| (part.mask(), Some(part)));
    let known = describe(word).fold(0, |all, part| all | part.mask());
    let own = rows::fields(word).filter(move |field| field.mask() & known == 0);
    described.chain(own.map(|field| (field.mask(), Some(Part::Field(field)))))
}
