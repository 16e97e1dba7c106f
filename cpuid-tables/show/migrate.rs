//! Whether a guest that was started in one place can go on in another.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{bit_list, name_of, number};
use crate::bits::description::Part;
use crate::bits::kvm_treatment::KvmTreatment;
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::bits::release::LinuxRelease;
use crate::meaning::{Meaning, Rule, meanings};
use crate::table::{CpuidEntry, CpuidRead, Vendor};

/// Something that stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Another vendor.
    Vendor {
        /// The guest's.
        started: Vendor,
        /// The one that there is.
        there: Vendor,
    },
    /// Bits of a register.
    Bits(BitsObstacle),
}

/// Bits of a register that stand in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitsObstacle {
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
/// must not be new, a number is compared as its use wants it. What the guest was not shown cannot stand in the way; nor can
/// the details of something that there is not at all, since what announces it does.
#[must_use]
pub fn obstacles(started: &[CpuidEntry], there: &[CpuidEntry]) -> Vec<Obstacle> {
    let keys: BTreeSet<(Leaf, Subleaf)> =
        started.iter().chain(there).map(|entry| (entry.function, entry.subleaf())).collect();
    let told = |table: &[CpuidEntry]| table.vendor().filter(|vendor| vendor.0 != [0; 12]);
    let vendors = told(started).zip(told(there)).filter(|(started, there)| started != there);
    let vendor = vendors.map(|(started, there)| Obstacle::Vendor { started, there });
    let words = keys
        .into_iter()
        .flat_map(|(leaf, subleaf)| Register::ALL.map(|register| CpuidWord { leaf, subleaf, register }));
    let bits = words.filter(|word| !is_vendor(*word)).flat_map(|word| in_word(word, started, there));
    vendor.into_iter().chain(bits.map(Obstacle::Bits)).collect()
}

/// Registers that hold a part of the vendor's name.
fn is_vendor(word: CpuidWord) -> bool {
    [Leaf::BASIC, Leaf::EXTENDED].contains(&word.leaf) && word.register != Register::Eax
}

fn in_word(word: CpuidWord, started: &[CpuidEntry], there: &[CpuidEntry]) -> Vec<BitsObstacle> {
    let (from, to) = (CpuidRead::word(started, word), CpuidRead::word(there, word));
    if from == to {
        return Vec::new();
    }
    let absent = there.registers(word.leaf, word.subleaf).unwrap_or_default() == Registers::ZERO;
    let obstacle = |meaning: Meaning| BitsObstacle {
        word,
        meaning,
        started: meaning.read(from),
        there: meaning.read(to),
    };
    let stands = |obstacle: &BitsObstacle| {
        let rule = obstacle.meaning.rule;
        let compared = rule != Rule::Equal || (obstacle.started != 0 && !absent);
        compared && !rule.bears(obstacle.started, obstacle.there)
    };
    meanings(word).map(obstacle).filter(stands).collect()
}

impl Obstacle {
    /// What it is called: a feature, a field, or bits by their numbers.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Obstacle::Vendor { .. } => "vendor".to_string(),
            Obstacle::Bits(bits) => bits.name(),
        }
    }
}

impl Obstacle {
    /// True for a feature that any KVM emulates, whether it says so or not: Linux 6.12 leaves the TSC deadline timer out of
    /// what it supports, 7.3 does not. Where it is a KVM's answer that was compared with, this does not stand in the way.
    #[must_use]
    pub fn is_emulated_by_kvm(&self) -> bool {
        let Obstacle::Bits(BitsObstacle {
            meaning: Meaning { part: Some(Part::Feature(feature)), .. }, ..
        }) = self
        else {
            return false;
        };
        feature.kvm(LinuxRelease::NEWEST) == KvmTreatment::Emulated
    }
}

impl BitsObstacle {
    fn name(&self) -> String {
        match self.meaning.part {
            Some(Part::Feature(feature)) => name_of(feature).to_string(),
            Some(Part::Field(field)) => field.name().to_string(),
            None => {
                let bits = (self.started & !self.there) << self.meaning.mask.trailing_zeros();
                let plural = if bits.is_power_of_two() { "" } else { "s" };
                format!("unknown bit{plural} {}", bit_list(bits))
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
        match self {
            Obstacle::Vendor { started, there } => {
                write!(f, "vendor: the guest has {started}, B {there}, whose instructions and MSRs differ")
            }
            Obstacle::Bits(bits) => bits.fmt(f),
        }
    }
}

impl fmt::Display for BitsObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, place, reason) = (self.name(), self.place(), self.meaning.reason);
        let told = |value: u32| match self.meaning.part {
            Some(Part::Field(field)) => number::tell(field, value),
            _ => format!("{value:#x}"),
        };
        let single = self.meaning.mask.is_power_of_two() || self.meaning.part.is_none();
        let why = match self.meaning.rule {
            Rule::And if single => return write!(f, "{name} ({place}): the guest has it, B does not"),
            Rule::Or if single => {
                return write!(f, "{name} ({place}): B has it, the guest does not know of it; {reason}");
            }
            Rule::Min | Rule::MinTold => "must not be less",
            Rule::Max => "must not be more",
            Rule::And => "must have the same bits",
            Rule::Or => "must not have more bits",
            _ => "must be the same",
        };
        let (started, there) = (told(self.started), told(self.there));
        write!(f, "{name} ({place}): the guest has {started}, B {there}, which {why}: {reason}")
    }
}
