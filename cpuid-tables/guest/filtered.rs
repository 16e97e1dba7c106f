//! Requested features that a guest does not get, in QEMU's words and with the reason.

use core::fmt;

use super::behaviour::{Behaviour, number};
use crate::bits::feature::Feature;
use crate::bits::location::{Bit, CpuidWord, WordSource};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::QemuRelease;
use crate::generated::guest_tables::GUESTS;

/// Why a feature is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Neither KVM nor the CPU has it.
    HostLacks,
    /// It is one of KVM's own, and KVM does not offer it.
    KvmsOwnLacks,
    /// The CPU has it, but KVM does not offer it.
    KvmLacks,
    /// KVM offers it, but QEMU drops it, such as TSX on a Haswell.
    QemuDrops,
    /// KVM's value of the MSR lacks it.
    MsrLacks,
    /// It depends on another feature, which was not requested or is missing.
    Needs,
    /// KVM's processor trace has less than QEMU's fixed description.
    ProcessorTrace,
    /// Leaf 0x14 is above the highest leaf.
    Level,
    /// MPX and APX exclude each other: it is MPX.
    ConflictsWithApx,
    /// MPX and APX exclude each other: it is APX.
    ConflictsWithMpx,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::HostLacks => "the host's CPU does not have it",
            Reason::KvmsOwnLacks => "the host's KVM does not offer it",
            Reason::KvmLacks => "the host's CPU has it, but its KVM does not offer it",
            Reason::QemuDrops => "the host's KVM offers it, but QEMU drops it on this host or machine",
            Reason::MsrLacks => "KVM's value of the MSR does not have it",
            Reason::Needs => "a feature on which it depends was not requested, or is missing",
            Reason::ProcessorTrace => "KVM's processor trace has less than QEMU's description",
            Reason::Level => "the highest leaf is below 0x14",
            Reason::ConflictsWithApx | Reason::ConflictsWithMpx => {
                "APX uses MPX's part of the XSAVE area, so QEMU removes both"
            }
        })
    }
}

/// A requested feature that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Filtered {
    /// Its word.
    pub source: WordSource,
    /// Its bit.
    pub bit: Bit,
    /// QEMU's name for it, if it has one.
    pub name: Option<&'static str>,
    /// The release, whose wording the text has.
    pub release: QemuRelease,
    /// Why it is missing.
    pub reason: Reason,
}

/// A release's name for a bit.
pub(crate) fn name_of(release: QemuRelease, source: WordSource, bit: Bit) -> Option<&'static str> {
    match source {
        WordSource::Cpuid(word) => Feature::at(word.bit(bit)).and_then(|bit| bit.qemu_name(release)),
        WordSource::Msr(msr) => MsrFeature::at(msr.bit(bit)).and_then(|bit| bit.qemu_name(release)),
    }
}

impl fmt::Display for Filtered {
    /// In the release's words, then the reason: `host doesn't support requested feature: CPUID.07H:EBX.avx512f [bit 16]: ...`,
    /// from 10.1 on `CPUID[eax=07h,ecx=00h].EBX.avx512f [bit 16]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", QemuWords(self), self.reason)
    }
}

/// A [`Filtered`] feature in QEMU's words only.
struct QemuWords<'f>(&'f Filtered);

impl fmt::Display for QemuWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.0.reason {
            Reason::Needs => "This feature depends on other features that were not requested",
            Reason::Level => "Intel PT need CPUID leaf 0x14",
            Reason::ConflictsWithApx => "this feature conflicts with APX",
            Reason::ConflictsWithMpx => "this feature conflicts with MPX",
            _ => "host doesn't support requested feature",
        };
        write!(f, "{prefix}: ")?;
        let names_subleaves = Behaviour::from_series(number(self.0.release)).names_subleaves;
        match self.0.source {
            WordSource::Cpuid(word) if names_subleaves => {
                write!(f, "{}", WithSubleaf(word, has_subleaf(self.0.release, self.0.source)))?;
            }
            WordSource::Cpuid(word) => write!(f, "CPUID.{:02X}H:{}", word.leaf.0, word.register)?,
            WordSource::Msr(msr) if names_subleaves => write!(f, "MSR({:02X}h)", msr.0)?,
            WordSource::Msr(msr) => write!(f, "MSR({:02X}H)", msr.0)?,
        }
        if let Some(name) = self.0.name {
            write!(f, ".{name}")?;
        }
        write!(f, " [bit {}]", self.0.bit.0)
    }
}

/// True if QEMU names a word with its subleaf.
fn has_subleaf(release: QemuRelease, source: WordSource) -> bool {
    GUESTS[release.index()].words.iter().any(|row| row.source == Some(source) && row.has_subleaf)
}

/// A word in the form that QEMU has since 10.1, with or without its subleaf: `CPUID[eax=07h,ecx=00h].EBX`,
/// `CPUID[eax=01h].ECX`.
struct WithSubleaf(CpuidWord, bool);

impl fmt::Display for WithSubleaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CpuidWord { leaf, subleaf, register } = self.0;
        write!(f, "CPUID[eax={:02X}h", leaf.0)?;
        if self.1 {
            write!(f, ",ecx={:02X}h", subleaf.0)?;
        }
        write!(f, "].{register}")
    }
}
