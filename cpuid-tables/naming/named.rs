//! Names of features as people know them, both ways.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::Place;
use crate::bits::feature::Feature;
use crate::bits::lookup::{LookupError, Named, lookup};
use crate::bits::release::{LinuxRelease, QemuRelease};

/// Names that QEMU takes besides those of its tables (`x86_cpu_initfn()` of target/i386/cpu.c, 7.2 to 10.2), and which
/// feature is meant, by its flag.
static ALIASES: &[(&str, &str)] =
    &[("ffxsr", "fxsr_opt"), ("i64", "lm"), ("pclmuldq", "pclmulqdq"), ("sse3", "pni"), ("xd", "nx")];

/// Names of libvirt's that neither Linux nor QEMU has (`src/cpu_map/x86_features.xml`, 11.3), and the flag of the same bit.
static LIBVIRT_NAMES: &[(&str, &str)] =
    &[("cmt", "cqm"), ("mbm_local", "cqm_mbm_local"), ("mbm_total", "cqm_mbm_total")];

/// What a name stands for, aliases included: [`lookup`], where it knows the name.
///
/// # Errors
///
/// [`LookupError`]: no such name, or one that stands for several bits.
///
/// ```
/// use cpuid_tables::{Named, feature, show::named};
///
/// assert_eq!(named("SSE3"), Ok(Named::Feature(feature::XMM3)));
/// ```
pub fn named(name: &str) -> Result<Named, LookupError> {
    let name = name.trim();
    let alias = ALIASES.iter().chain(LIBVIRT_NAMES).find(|(alias, _)| alias.eq_ignore_ascii_case(name));
    match (lookup(name), alias) {
        (Err(LookupError::Unknown), Some((_, flag))) => lookup(flag),
        (found, _) => found,
    }
}

/// Why no CPUID feature was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoFeature {
    /// No name of any release, and no place.
    Unknown(String),
    /// A place without a feature, as far as any release knows.
    Nothing(String),
    /// Several features are called so.
    Ambiguous(String, Vec<Feature>),
    /// The name is known, and no CPUID register has a bit for it.
    Elsewhere(Named),
}

impl fmt::Display for NoFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoFeature::Unknown(name) => write!(f, "no release of Linux, KVM or QEMU has a feature `{name}`"),
            NoFeature::Nothing(place) => write!(f, "no feature is known at {place}"),
            NoFeature::Ambiguous(name, all) => {
                write!(f, "`{name}` is ambiguous: it is")?;
                for (at, feature) in all.iter().enumerate() {
                    let before = if at == 0 { "" } else { " or" };
                    write!(f, "{before} {feature} at {}", feature.location())?;
                }
                Ok(())
            }
            NoFeature::Elsewhere(named) => {
                let what = match named {
                    Named::Software(_) => "a feature that Linux defines in software",
                    Named::Bug(_) => "a bug that Linux knows",
                    Named::Vmx(_) => "a VMX capability, which MSRs tell",
                    Named::Msr(_) => "a bit of an MSR",
                    Named::Feature(_) => "a feature",
                };
                write!(f, "{} is {what}: no CPUID register has a bit for it", named.name())
            }
        }
    }
}

impl core::error::Error for NoFeature {}

/// The CPUID feature that a name or a place stands for: any name that [`lookup`] takes, or a bit as [`Place`] reads it.
///
/// Other than [`lookup`], a name that is a CPUID feature's and something else's too is the feature's.
///
/// # Errors
///
/// [`NoFeature`]: none, or several.
///
/// ```
/// use cpuid_tables::{feature, show::feature_named};
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

/// The one feature among what was found.
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

/// A feature's name as people know it, and as [`feature_named`] finds it again: the flag of `/proc/cpuinfo` if any release
/// has one, else QEMU's name, else the constant's.
///
/// ```
/// use cpuid_tables::{feature, show::name_of};
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

/// Names that are near to one that is not known, for a message: at most five.
#[must_use]
pub fn names_near(name: &str) -> Vec<&'static str> {
    let wanted: String = fold(name).collect();
    let mut near: Vec<(usize, &'static str)> = Feature::all()
        .map(name_of)
        .filter_map(|known| {
            let known_folded: String = fold(known).collect();
            let distance = distance(&wanted, &known_folded);
            let contains = wanted.len() > 2 && known_folded.contains(&wanted);
            (contains || distance <= 1 + wanted.len() / 5).then_some((distance, known))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(5).map(|(_, name)| name).collect()
}

fn fold(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase())
}

/// How many letters must be put in, taken out or changed.
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
