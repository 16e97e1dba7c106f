//! Whether a guest that was started in one place can go on in another.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{bit_list, name_of, number};
use crate::description::Part;
use crate::fleet::{Meaning, Rule, meanings};
use crate::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::table::{CpuidEntry, CpuidRead};

/// Something that stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// In which register.
    pub word: CpuidWord,
    /// What it is, and by which rule it is compared.
    pub meaning: Meaning,
    /// The value that the guest was started with, as a number shifted down to bit 0.
    pub started: u32,
    /// The value that there is where it is to go.
    pub there: u32,
}

/// What keeps a guest that was started with a table from going on where another is what there is, such as what KVM there
/// supports; in order of places, none if it can go.
///
/// Each bit is compared by its own meaning ([`meanings`]): a promise has to be kept, a bit that tells of something missing
/// must not be new, a number is compared as its use wants it. What the guest was not shown cannot stand in the way.
#[must_use]
pub fn obstacles(started: &[CpuidEntry], there: &[CpuidEntry]) -> Vec<Obstacle> {
    let keys: BTreeSet<(Leaf, Subleaf)> =
        started.iter().chain(there).map(|entry| (entry.function, entry.subleaf())).collect();
    let words = keys
        .into_iter()
        .flat_map(|(leaf, subleaf)| Register::ALL.map(|register| CpuidWord { leaf, subleaf, register }));
    let in_word = |word: CpuidWord| {
        let (from, to) = (CpuidRead::word(started, word), CpuidRead::word(there, word));
        let stands = move |meaning: &Meaning| {
            let (from, to) = (meaning.read(from), meaning.read(to));
            let shown = meaning.rule != Rule::Equal || from != 0;
            shown && !meaning.rule.bears(from, to)
        };
        let obstacle = move |meaning: Meaning| Obstacle {
            word,
            meaning,
            started: meaning.read(from),
            there: meaning.read(to),
        };
        if from == to { None } else { Some(meanings(word).filter(stands).map(obstacle)) }
    };
    words.filter_map(in_word).flatten().collect()
}

impl Obstacle {
    /// What it is called: a feature, a field, or bits by their numbers.
    #[must_use]
    pub fn name(&self) -> String {
        match self.meaning.part {
            Some(Part::Feature(feature)) => name_of(feature).to_string(),
            Some(Part::Field(field)) => field.name().to_string(),
            None => {
                let low = self.meaning.mask.trailing_zeros();
                let bits = (self.started & !self.there) << low;
                format!("unknown bits {}", bit_list(bits))
            }
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> String {
        let (low, high) = (self.meaning.mask.trailing_zeros(), 31 - self.meaning.mask.leading_zeros());
        match self.meaning.part {
            Some(_) if low == high => format!("{}[{low}]", self.word),
            Some(_) if high - low < 31 => format!("{}[{high}:{low}]", self.word),
            _ => self.word.to_string(),
        }
    }
}

impl fmt::Display for Obstacle {
    /// Name, place, what the guest has and what there is, and why that matters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, place) = (self.name(), self.place());
        let told = |value: u32| match self.meaning.part {
            Some(Part::Field(field)) => number::tell(field, value),
            _ => format!("{value:#x}"),
        };
        let single = self.meaning.mask.is_power_of_two() || self.meaning.part.is_none();
        match self.meaning.rule {
            Rule::And if single => write!(f, "{name} ({place}): the guest has it, B does not"),
            Rule::Or if single => {
                write!(f, "{name} ({place}): not shown to the guest, and B has it; {}", self.meaning.reason)
            }
            rule => {
                let why = match rule {
                    Rule::Min | Rule::MinTold => "must not be less",
                    Rule::Max => "must not be more",
                    Rule::And => "must have the same bits",
                    Rule::Or => "must not have more bits",
                    _ => "must be the same",
                };
                let (started, there, reason) = (told(self.started), told(self.there), self.meaning.reason);
                write!(f, "{name} ({place}): the guest has {started}, B {there}, which {why}: {reason}")
            }
        }
    }
}
