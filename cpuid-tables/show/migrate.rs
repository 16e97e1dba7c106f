//! Whether a running guest can migrate to another host.

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

/// An obstacle to migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Different vendors.
    Vendor {
        /// The guest's vendor.
        started: Vendor,
        /// The target's vendor.
        there: Vendor,
    },
    /// Bits of a register.
    Bits(BitsObstacle),
}

/// Bits of a register that prevent migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitsObstacle {
    /// The register.
    pub word: CpuidWord,
    /// The meaning of the bits, and the rule that compares them.
    pub meaning: Meaning,
    /// The value that the guest was started with, shifted down to bit 0.
    pub started: u32,
    /// The target's value.
    pub there: u32,
}

/// The obstacles that keep a guest started with one table from migrating to a host with another, such as the features
/// that KVM supports there. In order of location; empty if the guest can migrate.
///
/// Each bit is compared by its own meaning ([`meanings`]): a feature must be present on the target, a bit that
/// announces a missing feature must not be new, and a number is compared by its rule. Bits that the guest did not see
/// are not obstacles. Details of a feature that the target lacks are not listed either, since the feature itself is.
#[must_use]
pub fn obstacles(started: &[CpuidEntry], there: &[CpuidEntry]) -> Vec<Obstacle> {
    let keys: BTreeSet<(Leaf, Subleaf)> =
        started.iter().chain(there).map(|entry| (entry.function, entry.subleaf())).collect();
    let vendor = |table: &[CpuidEntry]| table.vendor().filter(|vendor| vendor.0 != [0; 12]);
    let vendors = vendor(started).zip(vendor(there)).filter(|(started, there)| started != there);
    let vendor = vendors.map(|(started, there)| Obstacle::Vendor { started, there });
    let words = keys
        .into_iter()
        .flat_map(|(leaf, subleaf)| Register::ALL.map(|register| CpuidWord { leaf, subleaf, register }));
    let bits = words.filter(|word| !is_vendor(*word)).flat_map(|word| in_word(word, started, there));
    vendor.into_iter().chain(bits.map(Obstacle::Bits)).collect()
}

/// Registers that hold a part of the vendor.
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
    let is_obstacle = |obstacle: &BitsObstacle| {
        let rule = obstacle.meaning.rule;
        let compared = rule != Rule::Equal || (obstacle.started != 0 && !absent);
        compared && !rule.bears(obstacle.started, obstacle.there)
    };
    meanings(word).map(obstacle).filter(is_obstacle).collect()
}

impl Obstacle {
    /// Its name: a feature, a field, or bit numbers.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Obstacle::Vendor { .. } => "vendor".to_string(),
            Obstacle::Bits(bits) => bits.name(),
        }
    }
}

impl Obstacle {
    /// True for a feature that every KVM emulates, whether or not it reports it: Linux 6.12 leaves the TSC deadline
    /// timer out of its supported features, 7.3 does not. If the target is a KVM's supported table, this is not an
    /// obstacle.
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

    /// Its location.
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
    /// Name, location, the guest's and the target's value, and why the difference matters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Vendor { started, there } => {
                write!(
                    f,
                    "vendor: the guest has {started}, but B {there}; their instructions and MSRs differ"
                )
            }
            Obstacle::Bits(bits) => bits.fmt(f),
        }
    }
}

impl fmt::Display for BitsObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, place, reason) = (self.name(), self.place(), self.meaning.reason);
        let text = |value: u32| match self.meaning.part {
            Some(Part::Field(field)) => number::describe(field, value),
            _ => format!("{value:#x}"),
        };
        let single = self.meaning.mask.is_power_of_two() || self.meaning.part.is_none();
        let difference = match self.meaning.rule {
            Rule::And if single => return write!(f, "{name} ({place}): the guest has it, but B does not"),
            Rule::Or if single => {
                return write!(f, "{name} ({place}): B has it, but the guest does not expect it; {reason}");
            }
            Rule::Min | Rule::MinTold => "below",
            Rule::Max => "above",
            Rule::And => "without all bits of",
            Rule::Or => "with bits beyond",
            _ => "different from",
        };
        let (started, there) = (text(self.started), text(self.there));
        write!(f, "{name} ({place}): B has {there}, {difference} the guest's {started}: {reason}")
    }
}
