//! Parsing and printing of feature names.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::bare_name::bare_name;
use super::{Place, pasted};
use crate::bits::feature::Feature;
use crate::bits::kernel_bits::{Bug, SoftwareFeature, VmxFeature};
use crate::bits::lookup::{LookupError, Named};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::{LinuxRelease, QemuRelease};

/// The bit that a name refers to: by [`lookup`](crate::lookup), or else by QEMU's additional names, QEMU's `CPUID_*` macros, and the
/// names of other projects and manuals. A line of QEMU output with one bit refers to that bit.
///
/// # Errors
///
/// [`LookupError`]: the name is unknown, or refers to several bits.
///
/// ```
/// use cpuid_tables::{Named, feature, naming::named};
///
/// assert_eq!(named("SSE3"), Ok(Named::Feature(feature::XMM3)));
/// ```
pub fn named(name: &str) -> Result<Named, LookupError> {
    match bare_name(name.trim()) {
        Err(LookupError::Unknown) => pasted::only_bit_in(name.trim()),
        found => found,
    }
}

/// Why no CPUID feature was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoFeature {
    /// Neither a name in any release nor a location.
    Unknown(String),
    /// A location at which no release has a feature.
    Nothing(String),
    /// Several features share the name.
    Ambiguous(String, Vec<Feature>),
    /// The name is known, but not in a CPUID register.
    Elsewhere(Named),
    /// A property of QEMU's `-cpu` that is not a feature.
    Setting(&'static str),
}

impl fmt::Display for NoFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoFeature::Unknown(name) => {
                write!(f, "unknown feature `{name}`: no release of Linux, KVM or QEMU has it")
            }
            NoFeature::Nothing(place) => write!(f, "no known feature at {place}"),
            NoFeature::Ambiguous(name, all) => {
                write!(f, "`{name}` is ambiguous: it may be")?;
                for (at, feature) in all.iter().enumerate() {
                    let before = if at == 0 { "" } else { " or" };
                    write!(f, "{before} {feature} at {}", feature.location())?;
                }
                Ok(())
            }
            NoFeature::Setting(name) => {
                write!(f, "`{name}` is a property of QEMU's -cpu, not a feature: no table states it")
            }
            NoFeature::Elsewhere(named) => {
                let what = match named {
                    Named::Software(_) => "a feature that Linux defines in software",
                    Named::Bug(_) => "a bug that Linux tracks",
                    Named::Vmx(_) => "a VMX capability, which is in MSRs",
                    Named::Msr(_) => "a bit of an MSR",
                    Named::Feature(_) => "a feature",
                };
                write!(f, "{} is {what}, not a bit of a CPUID register", named.name())
            }
        }
    }
}

impl core::error::Error for NoFeature {}

/// The CPUID feature that a name or a location refers to: any name that [`lookup`](crate::lookup) accepts, or a bit as [`Place`]
/// parses it.
///
/// Unlike [`lookup`](crate::lookup), a name shared by a CPUID feature and other bits returns the feature.
///
/// # Errors
///
/// [`NoFeature`]: there is none, or several.
///
/// ```
/// use cpuid_tables::{feature, naming::feature_named};
///
/// assert_eq!(feature_named("X86_FEATURE_AVX2"), Ok(feature::AVX2));
/// assert_eq!(feature_named("7.0.ebx[5]"), Ok(feature::AVX2));
/// assert!(feature_named("kvmclock").is_err());
/// ```
pub fn feature_named(text: &str) -> Result<Feature, NoFeature> {
    match named(text) {
        Err(LookupError::Unknown) => of_place(text),
        found => only_feature(text, found),
    }
}

/// The only feature among the results.
fn only_feature(text: &str, found: Result<Named, LookupError>) -> Result<Feature, NoFeature> {
    match found {
        Ok(Named::Feature(feature)) => Ok(feature),
        Ok(other) => Err(NoFeature::Elsewhere(other)),
        Err(LookupError::Ambiguous(all)) => {
            let features: Vec<Feature> = all.iter().filter_map(hardware).collect();
            match (features.as_slice(), all.iter().next()) {
                ([only], _) => Ok(*only),
                ([], Some(other)) => Err(NoFeature::Elsewhere(other)),
                _ => Err(NoFeature::Ambiguous(text.to_string(), features)),
            }
        }
        Err(LookupError::Unknown) => Err(NoFeature::Unknown(text.to_string())),
    }
}

const fn hardware(named: Named) -> Option<Feature> {
    match named {
        Named::Feature(feature) => Some(feature),
        _ => None,
    }
}

fn of_place(text: &str) -> Result<Feature, NoFeature> {
    let nothing = || NoFeature::Nothing(text.to_string());
    match text.parse() {
        Ok(Place::Bits(word, low, high)) if low == high => Feature::at(word.bit(low)).ok_or_else(nothing),
        Ok(Place::LinuxBit(at)) => {
            let newest_first = LinuxRelease::ALL.into_iter().rev();
            let mut found = newest_first.map(|release| release.feature_at(at.word, at.bit));
            let known = found.find(|found| *found != Err(LookupError::Unknown));
            only_feature(text, known.ok_or_else(nothing)?)
        }
        Ok(_) => Err(nothing()),
        Err(_) => Err(NoFeature::Unknown(text.to_string())),
    }
}

/// A feature's name for display, which [`feature_named`] accepts: the flag of `/proc/cpuinfo` if any release has one,
/// else QEMU's name, else the constant's.
///
/// ```
/// use cpuid_tables::{feature, naming::name_of};
///
/// assert_eq!((name_of(feature::XMM3), name_of(feature::SPEC_CTRL)), ("pni", "spec-ctrl"));
/// ```
#[must_use]
pub fn name_of(feature: Feature) -> &'static str {
    let flag = LinuxRelease::ALL.into_iter().rev().find_map(|release| feature.flag(release));
    let newest_first = QemuRelease::ALL.into_iter().rev();
    let qemu = newest_first.filter_map(|release| feature.qemu_names(release).next()).next();
    let fits = |name: &&'static str| feature_named(name) == Ok(feature);
    flag.filter(fits).or_else(|| qemu.filter(fits)).unwrap_or_else(|| feature.name())
}

/// The usual name of a bit outside CPUID: the flag of `/proc/cpuinfo`, or QEMU's name; of a feature, [`name_of`].
#[must_use]
pub fn usual_name(bit: Named) -> &'static str {
    match bit {
        Named::Feature(feature) => name_of(feature),
        Named::Msr(msr) => {
            let newest_first = QemuRelease::ALL.into_iter().rev();
            newest_first.filter_map(|release| msr.qemu_names(release).next()).next().unwrap_or(bit.name())
        }
        _ => LinuxRelease::ALL.into_iter().rev().find_map(|release| bit.flag(release)).unwrap_or(bit.name()),
    }
}

/// The bits outside CPUID with a usual name: `ept` is a software-defined feature and a VMX capability.
#[must_use]
pub fn bits_outside(name: &str) -> Vec<Named> {
    let software = SoftwareFeature::all().map(Named::Software);
    let bugs = Bug::all().map(Named::Bug);
    let vmx = VmxFeature::all().map(Named::Vmx);
    let msrs = MsrFeature::all().map(Named::Msr);
    software.chain(bugs).chain(vmx).chain(msrs).filter(|bit| usual_name(*bit) == name).collect()
}

/// At most five feature names similar to an unknown one, for a message.
#[must_use]
pub fn names_near(name: &str) -> Vec<&'static str> {
    near(name, Feature::all().map(name_of))
}

/// At most five of the known names that are similar to an unknown one, the nearest first.
pub fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // A pasted text is not a misspelled name.
    const LONGEST: usize = 128;
    if name.len() > LONGEST {
        return Vec::new();
    }
    let wanted: String = fold(name).collect();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|known| {
            let known_folded: String = fold(known).collect();
            let distance = distance(&wanted, &known_folded);
            let contains = wanted.len() > 2 && known_folded.contains(&wanted);
            let is_contained = known_folded.len() > 3 && wanted.contains(&known_folded);
            (contains || is_contained || distance <= 1 + wanted.len() / 5).then_some((distance, known))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(5).map(|(_, name)| name).collect()
}

fn fold(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase())
}

/// The number of letters to insert, delete or change (Levenshtein). The crate strsim has this function, but needs the standard
/// library, and this module is compiled without it.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, a) in a.chars().enumerate() {
        let mut diagonal = core::mem::replace(&mut row[0], at + 1);
        for (column, &b) in b.iter().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
