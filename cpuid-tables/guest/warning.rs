//! QEMU's warnings about a guest.

use alloc::string::String;
use core::fmt;

use super::filtered::Filtered;
use super::parse::global::GlobalOption;

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
