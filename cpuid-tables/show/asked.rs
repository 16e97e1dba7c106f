//! What a name asks of a machine: everything that [`find`] knows by name, as a question that has an answer.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::enlightenment::Enlightenment;
use super::find::{Found, find};
use super::msr::AboutMsr;
use super::vmx_bits;
use crate::bits::feature::Feature;
use crate::bits::field::Field;
use crate::bits::kernel_bits::VmxFeature;
use crate::bits::location::{Leaf, MsrBit, Subleaf};
use crate::bits::lookup::{LookupError, Named};
use crate::bits::release::LinuxRelease;
use crate::naming::{NoFeature, Place, feature_named, name_of, named};

/// A question about a machine that can be answered with yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked {
    /// Is the bit set?
    Bit(Named),
    /// Is the bit of an MSR set, which only a manual names?
    MsrBit(MsrBit, &'static str),
    /// Does the MSR exist?
    Msr(AboutMsr),
    /// Is the field other than 0?
    Field(Field),
    /// Does the leaf exist?
    Leaf(Leaf, Option<Subleaf>),
    /// Can a guest have the enlightenment?
    Enlightenment(Enlightenment),
}

/// The questions that a name or a location stands for: several where the name is ambiguous.
///
/// Whatever [`find`] knows by name is asked about. A register, a register's value and several names are not questions.
///
/// # Errors
///
/// [`NoFeature`]: nothing has the name, or it is not a question.
///
/// ```
/// use cpuid_tables::show::{Asked, asked};
///
/// assert_eq!(asked("kvmclock").map(|all| all.len()), Ok(2));
/// assert!(matches!(asked("hv-time").as_deref(), Ok([Asked::Enlightenment(_)])));
/// assert!(asked("no-such-thing").is_err());
/// ```
pub fn asked(text: &str) -> Result<Vec<Asked>, NoFeature> {
    match named(text) {
        Ok(bit) => return Ok(alloc::vec![Asked::Bit(bit)]),
        Err(LookupError::Ambiguous(all)) => {
            let all: Vec<Named> = all.iter().collect();
            return Ok(all
                .iter()
                .filter(|bit| !is_implied(**bit, &all))
                .map(|bit| Asked::Bit(*bit))
                .collect());
        }
        Err(LookupError::Unknown) => {}
    }
    if let Ok(feature) = feature_named(text) {
        return Ok(alloc::vec![Asked::Bit(Named::Feature(feature))]);
    }
    let mut found = find(text);
    if let Ok(place @ Place::Bits(..)) = text.parse::<Place>() {
        // A bit of a number is not a question.
        found.retain(|one| !matches!(one, Found::Field(field) if !is_at(*field, place)));
    }
    let mut all: Vec<Asked> = Vec::new();
    for one in &found {
        match question(one) {
            // Of an enlightenment that releases have differently, the newest counts.
            Some(Asked::Enlightenment(newer)) => {
                all.retain(|other| !matches!(other, Asked::Enlightenment(older) if older.name == newer.name));
                all.push(Asked::Enlightenment(newer));
            }
            Some(new) if !all.contains(&new) => all.push(new),
            _ => {}
        }
    }
    if !all.is_empty() {
        return Ok(all);
    }
    if let Some(Found::Property(property)) = found.first() {
        return Err(NoFeature::Setting(property.name));
    }
    let unknown = found.is_empty() && text.parse::<Place>().is_err();
    Err(if unknown { NoFeature::Unknown(text.to_string()) } else { NoFeature::Nothing(text.to_string()) })
}

/// True for one of several bits of a name that another of them stands for: a CPUID feature for the bits that Linux or VMX
/// has for it, and a VMX capability for the software-defined bit that Linux sets for it.
fn is_implied(bit: Named, all: &[Named]) -> bool {
    if all.iter().any(|bit| matches!(bit, Named::Feature(_))) {
        return !matches!(bit, Named::Feature(_));
    }
    let is_software = matches!(bit, Named::Software(_));
    is_software && vmx_bits::capability(bit).is_some_and(|vmx| all.contains(&Named::Vmx(vmx)))
}

/// True where a field has exactly the bits of a place.
fn is_at(field: Field, place: Place) -> bool {
    matches!(place, Place::Bits(_, low, high) if field.bits() == (low.0..=high.0))
}

fn question(found: &Found) -> Option<Asked> {
    match found {
        Found::Bit(about) => Some(Asked::Bit(about.named)),
        Found::Field(field) => Some(Asked::Field(*field)),
        Found::Leaf(leaf, subleaf, _) => Some(Asked::Leaf(*leaf, *subleaf)),
        Found::LinuxBit(_, release, there) if *release == LinuxRelease::NEWEST => {
            there.first().map(|bit| Asked::Bit(*bit))
        }
        Found::Msr(about) => Some(Asked::Msr(*about)),
        Found::MsrBit(at, name) => Some(Asked::MsrBit(*at, name)),
        Found::MsrBits(bits) if bits.low == bits.high => {
            Some(Asked::MsrBit(bits.about.msr.bit(bits.low), bits.about.name))
        }
        Found::Enlightenment(enlightenment) => Some(Asked::Enlightenment(enlightenment.clone())),
        _ => None,
    }
}

impl Asked {
    /// Its name for people: [`name_of`] for a feature.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Asked::Bit(Named::Feature(feature)) => name_of(*feature).to_string(),
            Asked::Bit(other) => other.name().to_string(),
            Asked::MsrBit(_, name) => (*name).to_string(),
            Asked::Msr(about) => about.name.to_string(),
            Asked::Field(field) => field.name().to_string(),
            Asked::Leaf(leaf, None) => format!("leaf {leaf}"),
            Asked::Leaf(leaf, Some(subleaf)) => format!("leaf {leaf}, subleaf {}", subleaf.0),
            Asked::Enlightenment(enlightenment) => enlightenment.name.to_string(),
        }
    }

    /// Where it is, or what it is.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Asked::Bit(bit) => super::About::new(*bit).place(),
            Asked::MsrBit(at, _) => at.to_string(),
            Asked::Msr(about) => about.msr.to_string(),
            Asked::Field(field) => format!("{field:?}"),
            Asked::Leaf(..) => self.name(),
            Asked::Enlightenment(enlightenment) => enlightenment.places().join(", "),
        }
    }

    /// The bits of MSRs that answer it; all of them are needed. Empty for what is not in an MSR.
    #[must_use]
    pub fn msr_bits(&self) -> Vec<MsrBit> {
        match self {
            Asked::Bit(bit) => vmx_bits::places(*bit),
            Asked::MsrBit(at, _) => alloc::vec![*at],
            _ => Vec::new(),
        }
    }

    /// The capability by which Linux's `vmx flags` answer it.
    #[must_use]
    pub fn capability(&self) -> Option<VmxFeature> {
        match self {
            Asked::Bit(bit) => vmx_bits::capability(*bit),
            _ => None,
        }
    }

    /// The CPUID feature that it is, if it is one.
    #[must_use]
    pub const fn feature(&self) -> Option<Feature> {
        match self {
            Asked::Bit(Named::Feature(feature)) => Some(*feature),
            _ => None,
        }
    }

    /// Why only some sources state it, for a message.
    #[must_use]
    pub fn stated_by(&self) -> Option<&'static str> {
        match self {
            Asked::Bit(Named::Software(_) | Named::Bug(_)) if self.msr_bits().is_empty() => {
                Some("only Linux decides it: /proc/cpuinfo states it")
            }
            Asked::Bit(Named::Software(_) | Named::Bug(_) | Named::Vmx(_) | Named::Msr(_))
            | Asked::MsrBit(..)
            | Asked::Msr(_) => Some("it is in an MSR: a recorded host states it"),
            Asked::Enlightenment(one) if one.bits.is_empty() => {
                Some("it sets no bit by itself, so that no table states it")
            }
            Asked::Enlightenment(_) => {
                Some("it is in Hyper-V's leaves: a guest's table or a recorded host states it")
            }
            _ => None,
        }
    }
}
