//! What a guest does not get although it was asked for, in QEMU's words, with our reason.

use alloc::string::String;
use core::fmt;

use super::behaviour::Release;
use crate::bits::feature::Feature;
use crate::bits::location::{Bit, CpuidWord, WordSource};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::QemuRelease;
use crate::table::IndexedLeaf;

/// Why a feature is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Neither KVM offers it nor does the CPU have it.
    HostLacks,
    /// It is one of KVM's own, and KVM does not offer it.
    KvmsOwnLacks,
    /// The CPU has it, and KVM does not offer it.
    KvmLacks,
    /// KVM's value of the MSR lacks it.
    MsrLacks,
    /// It needs another feature, which was not asked for or is lacking.
    Needs,
    /// What KVM offers of processor trace is less than QEMU's fixed description of it.
    ProcessorTrace,
    /// Leaf 0x14 is above the highest leaf.
    Level,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::HostLacks => "the host's CPU does not have it",
            Reason::KvmsOwnLacks => "the host's KVM does not offer it",
            Reason::KvmLacks => "the host's CPU has it, its KVM does not offer it",
            Reason::MsrLacks => "KVM's value of the MSR does not have it",
            Reason::Needs => "what it needs was not asked for, or is lacking itself",
            Reason::ProcessorTrace => "KVM offers less of processor trace than QEMU's description says",
            Reason::Level => "the highest leaf is below 0x14",
        })
    }
}

/// A feature that was asked for and is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Filtered {
    /// The word that it is in.
    pub source: WordSource,
    /// Its bit.
    pub bit: Bit,
    /// QEMU's name for it, if it has one.
    pub name: Option<&'static str>,
    /// The release, whose form the words have.
    pub release: QemuRelease,
    /// Why it is not there.
    pub reason: Reason,
}

impl Filtered {
    pub(super) fn new(release: QemuRelease, source: WordSource, bit: u8, reason: Reason) -> Filtered {
        let name = match source {
            WordSource::Cpuid(word) => Feature::at(word.bit(Bit(bit))).and_then(|bit| bit.qemu_name(release)),
            WordSource::Msr(msr) => MsrFeature::at(msr.bit(Bit(bit))).and_then(|bit| bit.qemu_name(release)),
        };
        Filtered { source, bit: Bit(bit), name, release, reason }
    }
}

/// A line of QEMU's about the CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A feature that was asked for and is not there.
    Filtered(Filtered),
    /// Another version of AVX10 than the one asked for, 0 for none.
    Avx10 {
        /// Asked for.
        asked: u8,
        /// What the guest gets.
        gets: Option<u8>,
    },
    /// `+name` or `-name`, and `name=` after it.
    Ambiguous(String),
    /// Another width of physical addresses than the host's.
    PhysBits {
        /// The host's.
        host: u32,
        /// Asked for.
        asked: u32,
    },
    /// Several threads to a core of an AMD CPU without TOPOEXT.
    Threads(u32),
    /// Only twelve characters of this `hv-vendor-id` are taken.
    HypervVendor(String),
    /// A number of the topology is 0, which a newer QEMU refuses.
    ZeroTopology,
    /// APICs outside of KVM, which a newer QEMU refuses.
    UserspaceApic,
    /// More vCPUs than KVM recommends.
    ManyVcpus {
        /// How many are wanted.
        wanted: u32,
        /// Those that there may ever be, not those that there are at the start.
        hot_pluggable: bool,
        /// How many KVM recommends.
        recommended: i64,
    },
}

impl fmt::Display for Filtered {
    /// As the release says it, then the reason: `host doesn't support requested feature: CPUID.07H:EBX.avx512f [bit 16]: ...`,
    /// since 10.1 `CPUID[eax=07h,ecx=00h].EBX.avx512f [bit 16]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", QemuWords(self), self.reason)
    }
}

/// A [`Filtered`] feature in QEMU's words alone.
struct QemuWords<'f>(&'f Filtered);

impl fmt::Display for QemuWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.0.reason {
            Reason::Needs => "This feature depends on other features that were not requested",
            Reason::Level => "Intel PT need CPUID leaf 0x14",
            _ => "host doesn't support requested feature",
        };
        write!(f, "{prefix}: ")?;
        let names_subleaves = Release::new(self.0.release).behaviour.names_subleaves;
        match self.0.source {
            WordSource::Cpuid(word) if names_subleaves => write!(f, "{}", WithSubleaf(word))?,
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

/// A word in the form that QEMU has since 10.1: `CPUID[eax=07h,ecx=00h].EBX`, `CPUID[eax=01h].ECX`.
struct WithSubleaf(CpuidWord);

impl fmt::Display for WithSubleaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CpuidWord { leaf, subleaf, register } = self.0;
        write!(f, "CPUID[eax={:02X}h", leaf.0)?;
        if IndexedLeaf::get(leaf).is_some() {
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
            Warning::Ambiguous(name) => {
                write!(f, "`{name}` is set with a sign and with a value: the sign is what counts")
            }
            Warning::PhysBits { host, asked } => {
                write!(f, "phys-bits is {asked}, and the host's CPU has {host} physical bits")
            }
            Warning::Threads(threads) => {
                write!(f, "{threads} threads to a core, and this AMD CPU has no topoext to tell of them")
            }
            Warning::HypervVendor(text) => {
                write!(f, "hv-vendor-id=`{text}`: twelve characters of it are taken")
            }
            Warning::ZeroTopology => {
                f.write_str("a number of the topology is 0, which QEMU since 9.0 refuses")
            }
            Warning::UserspaceApic => {
                f.write_str("APICs are not in the kernel, which QEMU since 8.0 refuses")
            }
            Warning::ManyVcpus { wanted, hot_pluggable, recommended } => {
                let kind = if *hot_pluggable { "vCPUs at most" } else { "vCPUs" };
                write!(f, "{wanted} {kind}, and KVM recommends no more than {recommended}")
            }
        }
    }
}
