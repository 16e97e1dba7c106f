//! Requested features that a guest does not get, in QEMU's words and with the reason.

use alloc::string::String;
use core::fmt;

use super::behaviour::{Behaviour, number};
use super::parse::global::GlobalOption;
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

/// A warning of QEMU about the CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A requested feature that is missing.
    Filtered(Filtered),
    /// The version of AVX10 differs from the requested one; 0 for none.
    Avx10 {
        /// The requested version.
        asked: u8,
        /// The guest's version.
        gets: Option<u8>,
    },
    /// A model or a machine type of a [program](super::QemuProgram) sets a property that the nearest release does not
    /// have: its effect is not known, and not in the table.
    NotModelled {
        /// The property.
        property: String,
        /// Its value.
        value: String,
    },
    /// The machine is a confidential guest's (SEV, TDX), for which QEMU builds another table: this one is that of the same
    /// guest without encryption.
    Confidential,
    /// A global property of a CPU that does not exist.
    NoSuchCpu(GlobalOption),
    /// Both `+name` or `-name` and `name=` are set.
    Ambiguous(String),
    /// The physical address width differs from the host's.
    PhysBits {
        /// The host's width.
        host: u32,
        /// The requested width.
        asked: u32,
    },
    /// Several threads per core of an AMD CPU without TOPOEXT.
    Threads(u32),
    /// Bits of `IA32_MCG_CAP` that KVM lacks.
    MachineChecks(u64),
    /// Only twelve characters of this `hv-vendor-id` are used.
    HypervVendor(String),
    /// A topology count is 0, which a newer QEMU refuses.
    ZeroTopology,
    /// APICs outside KVM, which a newer QEMU refuses.
    UserspaceApic,
    /// A CPU newer than `isapc`, by its name.
    IsapcCpu(String),
    /// More vCPUs than KVM recommends.
    ManyVcpus {
        /// The requested number.
        wanted: u32,
        /// The number is the maximum, not the initial one.
        hot_pluggable: bool,
        /// The number that KVM recommends.
        recommended: i64,
    },
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

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LACKS: &str = "host doesn't support requested feature";
        match self {
            Warning::Filtered(filtered) => filtered.fmt(f),
            Warning::Avx10 { asked, gets: Some(gets) } => {
                write!(f, "{LACKS}: avx10.{asked}. Adjust to avx10.{gets}")
            }
            Warning::Avx10 { asked, gets: None } => write!(f, "{LACKS}: avx10.{asked}."),
            Warning::NotModelled { property, value } => write!(
                f,
                "the program sets `{property}` to `{value}`, whose effect is not known and not in the table"
            ),
            Warning::Confidential => f.write_str(
                "QEMU builds another table for a confidential guest: this one is that of the same guest without it; \
                 `check --target` says what the firmware or the module makes of it",
            ),
            Warning::NoSuchCpu(GlobalOption { driver, property, .. }) => {
                write!(f, "no CPU's type is `{driver}`: its global property `{property}` has no effect")
            }
            Warning::Ambiguous(name) => {
                write!(f, "`{name}` is set both with a sign and with a value: the sign takes precedence")
            }
            Warning::PhysBits { host, asked } => {
                write!(f, "phys-bits is {asked}, but the host's CPU has {host} physical bits")
            }
            Warning::Threads(threads) => {
                write!(f, "{threads} threads per core, but this AMD CPU has no topoext to describe them")
            }
            Warning::MachineChecks(bits) => write!(f, "this KVM lacks the bits {bits:#x} of IA32_MCG_CAP"),
            Warning::HypervVendor(text) => {
                write!(f, "hv-vendor-id=`{text}`: only the first twelve characters are used")
            }
            Warning::ZeroTopology => f.write_str("a CPU topology count is 0, which QEMU since 9.0 refuses"),
            Warning::UserspaceApic => {
                f.write_str("APICs are not in the kernel, which QEMU since 8.0 refuses")
            }
            Warning::IsapcCpu(cpu) => write!(f, "`{cpu}` is deprecated for the machine type isapc"),
            Warning::ManyVcpus { wanted, hot_pluggable, recommended } => {
                let kind = if *hot_pluggable { "hot-pluggable vCPUs" } else { "vCPUs" };
                write!(f, "{wanted} {kind}, but KVM recommends at most {recommended}")
            }
        }
    }
}
