//! A difference that prevents a move, or that a guest notices: its name, its location and its text.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use super::blocker::{Blocker, Blocking};
use crate::bits::description::Part;
use crate::bits::location::{Bit, CpuidWord, Msr};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::QemuRelease;
use crate::meaning::{Meaning, Rule};
use crate::show::msr::is_control;
use crate::show::{bit_list, name_of, number};
use crate::table::Vendor;

/// A difference between what the guest was promised and what the destination has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// Another vendor.
    Vendor {
        /// The guest's.
        started: Vendor,
        /// The destination's.
        there: Vendor,
    },
    /// Bits of a register.
    Bits(BitsObstacle),
    /// Bits of a feature MSR.
    Msr(MsrObstacle),
    /// What QEMU does not migrate.
    Blocker(Blocker),
}

/// Bits of a register that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BitsObstacle {
    /// The register.
    pub word: CpuidWord,
    /// What the bits are, and the rule by which they are compared.
    pub meaning: Meaning,
    /// The guest's value, shifted down to bit 0.
    pub started: u32,
    /// The destination's value, shifted down to bit 0.
    pub there: u32,
}

/// A bit of a feature MSR that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsrObstacle {
    /// The MSR.
    pub msr: Msr,
    /// The bits.
    pub mask: u64,
    /// The rule by which they are compared.
    pub rule: Rule,
    /// The guest's value of these bits, in place.
    pub started: u64,
    /// The destination's value of these bits, in place.
    pub there: u64,
    /// Why they matter.
    pub reason: &'static str,
}

impl Obstacle {
    /// Its name: a feature, a field, or bits by their numbers.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Obstacle::Vendor { .. } => "vendor".to_string(),
            Obstacle::Bits(bits) => bits.name(),
            Obstacle::Msr(bits) => bits.name(),
            Obstacle::Blocker(blocker) => blocker.name().to_string(),
        }
    }

    /// QEMU's name of the feature that the guest would lose; `None` if it is something else.
    pub(super) fn qemu_name(&self) -> Option<&'static str> {
        match self {
            Obstacle::Bits(BitsObstacle { meaning, .. }) => match meaning.part {
                Some(Part::Feature(feature)) => feature.qemu_name(QemuRelease::NEWEST),
                _ => None,
            },
            Obstacle::Msr(bits) => bits.feature()?.qemu_name(QemuRelease::NEWEST),
            Obstacle::Vendor { .. } | Obstacle::Blocker(_) => None,
        }
    }

    pub(super) fn is_vmx(&self) -> bool {
        matches!(self, Obstacle::Msr(MsrObstacle { msr: Msr(0x480..=0x4ff), .. }))
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

impl MsrObstacle {
    /// The feature at its bit. Of a VMX control, the upper half states that the bit may be 1.
    fn feature(&self) -> Option<MsrFeature> {
        let bit = self.mask.is_power_of_two().then(|| self.mask.trailing_zeros())?;
        let bit = if is_control(self.msr) { bit % 32 } else { bit };
        MsrFeature::at(self.msr.bit(Bit(bit.to_le_bytes()[0])))
    }

    fn name(&self) -> String {
        match self.feature() {
            Some(feature) => feature.qemu_name(QemuRelease::NEWEST).unwrap_or(feature.name()).to_string(),
            None => self.place(),
        }
    }

    /// Its location: `MSR 0x48b[43]`.
    #[must_use]
    pub fn place(&self) -> String {
        let (low, high) = (self.mask.trailing_zeros(), 63 - self.mask.leading_zeros());
        let (low, high) = if is_control(self.msr) { (low % 32, high % 32) } else { (low, high) };
        if low == high { format!("{}[{low}]", self.msr) } else { format!("{}[{high}:{low}]", self.msr) }
    }
}

impl fmt::Display for Obstacle {
    /// Name, place, the two values, and why they matter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Vendor { started, there } => {
                write!(
                    f,
                    "vendor: the guest has {started}, but B {there}; their instructions and MSRs differ"
                )
            }
            Obstacle::Bits(bits) => bits.fmt(f),
            Obstacle::Msr(bits) => bits.fmt(f),
            Obstacle::Blocker(blocker) => blocker.fmt(f),
        }
    }
}

impl fmt::Display for BitsObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, place, reason) = (self.name(), self.place(), self.meaning.reason);
        let shown = |value: u32| match self.meaning.part {
            Some(Part::Field(field)) => number::describe(field, value),
            _ => format!("{value:#x}"),
        };
        let single = self.meaning.mask.is_power_of_two() || self.meaning.part.is_none();
        let difference = match self.meaning.rule {
            Rule::And if single => return write!(f, "{name} ({place}): the guest has it, but B does not"),
            Rule::Or if single => {
                return write!(
                    f,
                    "{name} ({place}): B has it, but the guest was started without it; {reason}"
                );
            }
            Rule::Min | Rule::MinNonZero => "below",
            Rule::Max => "above",
            Rule::And => "without all bits of",
            Rule::Or => "with bits beyond",
            _ => "different from",
        };
        let (started, there) = (shown(self.started), shown(self.there));
        write!(f, "{name} ({place}): B has {there}, {difference} the guest's {started}: {reason}")
    }
}

impl Blocker {
    /// Its location, or the setting.
    #[must_use]
    pub fn place(&self) -> String {
        match self.what {
            Blocking::Bit(at, _) => format!("{}[{}]", at.word, at.bit.0),
            Blocking::Leaf(leaf, _) => format!("leaf {leaf}"),
            Blocking::Setting(name, value) => format!("{name}={value}"),
        }
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason;
        match self.what {
            Blocking::Setting(..) => write!(f, "{}", self.place())?,
            _ => write!(f, "{} ({})", self.name(), self.place())?,
        }
        match (self.lifted_by, self.is_lifted) {
            (Some(setting), Some(true)) => {
                return write!(
                    f,
                    ": QEMU migrates it with the guest's {setting}, where B has that or can scale to it"
                );
            }
            (None, _) => write!(f, ": QEMU migrates no guest with it")?,
            (Some(setting), Some(false)) => {
                write!(f, ": QEMU migrates no guest with it and without {setting}=HZ")?
            }
            (Some(setting), None) => write!(
                f,
                ": QEMU migrates no guest with it, unless it was started with {setting}=HZ, which is not stated here"
            )?,
        }
        write!(f, ": {reason}")
    }
}

impl fmt::Display for MsrObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, place) = (self.name(), self.place());
        let shown = if name == place { place } else { format!("{name} ({place})") };
        match self.rule {
            Rule::And => write!(f, "{shown}: the guest has it, but B does not"),
            Rule::Or => write!(f, "{shown}: B has it, but the guest was started without it; {}", self.reason),
            _ => {
                let (started, there) = (self.started, self.there);
                write!(f, "{shown}: the guest has {started:#x}, B {there:#x}: {}", self.reason)
            }
        }
    }
}
