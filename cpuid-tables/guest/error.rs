//! Errors of building a table: QEMU would fail too.

use alloc::string::{String, ToString};
use core::fmt;

use super::filtered::Filtered;
use crate::bits::location::Leaf;
use crate::bits::release::QemuRelease;
use alloc::vec::Vec;

/// Invalid topology counts.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopologyError {
    /// A count is 0.
    Zero,
    /// The machine has no such level; its count must be 1.
    Unsupported(&'static str),
    /// This release of QEMU does not know the level.
    Unknown(&'static str),
    /// The product of all levels is not the maximum number of vCPUs.
    Product {
        /// The product; `None` if it does not fit 32 bits.
        product: Option<u32>,
        /// The maximum number of vCPUs.
        max_cpus: u32,
    },
    /// More initial vCPUs than the maximum.
    TooManyAtStart {
        /// The initial number.
        cpus: u32,
        /// The maximum.
        max_cpus: u32,
    },
    /// More vCPUs of a socket than the 32-bit entry point of SMBIOS describes.
    TooManyForSmbios {
        /// The socket's vCPUs.
        vcpus: u32,
        /// The limit.
        most: u32,
    },
    /// More vCPUs than the machine type supports.
    TooManyForMachine {
        /// The maximum number of vCPUs.
        max_cpus: u32,
        /// The machine type's limit.
        machine: u32,
    },
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TopologyError::Zero => f.write_str("CPU topology counts must be non-zero"),
            TopologyError::Unsupported(level) => {
                write!(f, "this machine does not support {level}: expected 1")
            }
            TopologyError::Unknown(level) => write!(f, "this release of QEMU does not know {level}"),
            TopologyError::Product { product: Some(product), max_cpus } => write!(
                f,
                "sockets, dies, modules, cores and threads make {product} vCPUs, not maxcpus={max_cpus}"
            ),
            TopologyError::Product { product: None, .. } => {
                f.write_str("sockets, dies, modules, cores and threads make more than 4294967295 vCPUs")
            }
            TopologyError::TooManyAtStart { cpus, max_cpus } => {
                write!(f, "cpus={cpus} exceeds maxcpus={max_cpus}")
            }
            TopologyError::TooManyForSmbios { vcpus, most } => write!(
                f,
                "a socket has {vcpus} vCPUs, but this machine's SMBIOS supports at most {most}: smbios-entry-point-type=64 supports more"
            ),
            TopologyError::TooManyForMachine { max_cpus, machine } => {
                write!(f, "{max_cpus} vCPUs requested, but the machine type supports at most {machine}")
            }
        }
    }
}

debug_by_message!(TopologyError);

impl core::error::Error for TopologyError {}

/// Why a guest's table cannot be built. It fails where QEMU fails, with messages of its own.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The tables have this release of QEMU, but this library does not know its code: it knows 7.2 to 11.1.
    Release(QemuRelease),
    /// `-cpu` is empty.
    NoModel,
    /// The release has no such CPU model.
    UnknownModel(String),
    /// The release has no such machine type.
    UnknownMachine(String),
    /// An unknown machine option.
    MachineOption(String),
    /// An unknown property of KVM's accelerator.
    AccelOption(String),
    /// An unknown option of `-smp`.
    SmpOption(String),
    /// The CPU has no such property.
    UnknownProperty {
        /// The CPU, by its requested name.
        cpu: String,
        /// The property.
        property: String,
    },
    /// A property that the release has but this library does not know: a newer QEMU's.
    NotModelled(String),
    /// A value that a setting does not accept.
    Value {
        /// The setting.
        name: String,
        /// The value.
        value: String,
        /// The accepted values.
        expected: &'static str,
    },
    /// The topology is invalid on this machine.
    Topology(TopologyError),
    /// KVM supports fewer vCPUs.
    TooManyVcpus {
        /// The requested number.
        wanted: u32,
        /// KVM's maximum.
        max: i64,
    },
    /// An APIC id that the machine type's board cannot plug.
    ApicId {
        /// The last vCPU's id.
        id: u32,
        /// The highest supported id.
        max: u32,
    },
    /// An APIC id above 254 on a CPU without x2APIC.
    ApicIdNeedsX2apic(u32),
    /// APIC ids above 254 need KVM's x2APIC API.
    X2apicApi,
    /// A topology id of `-cpu` that differs from the vCPU's.
    TopologyId {
        /// The property.
        property: &'static str,
        /// The requested value.
        asked: u32,
        /// The vCPU's value.
        is: u32,
    },
    /// With `enforce`: the host lacks features.
    Enforced(Vec<Filtered>),
    /// Branch records without a PMU, or in a format other than the host's.
    LbrFormat {
        /// The requested format.
        asked: u32,
        /// The host's; `None` without a PMU.
        host: Option<u32>,
    },
    /// A physical address width out of range.
    PhysBits {
        /// The property.
        property: &'static str,
        /// Its value.
        bits: u32,
        /// The largest; `None` for a 32-bit CPU, whose width cannot be set.
        max: Option<u32>,
    },
    /// A version of AVX10 that QEMU does not know.
    Avx10Version {
        /// The requested version; for `host` and `max` without one, the host's.
        asked: u8,
        /// The newest that it knows.
        max: u8,
    },
    /// `legacy-cache=off` on a CPU without caches of its own.
    NoCaches(String),
    /// The machine's cache topology shares a lower cache among more threads than a higher one.
    CacheLevels,
    /// A Hyper-V feature that KVM lacks.
    HypervUnsupported(&'static str),
    /// A Hyper-V feature without another one.
    HypervNeeds {
        /// The feature.
        feature: &'static str,
        /// Its dependency.
        needs: &'static str,
    },
    /// Hyper-V features, but KVM's Hyper-V support is unknown.
    HypervUnknown,
    /// The TSC frequency cannot be set: KVM cannot scale it, and the host's frequency differs or is unknown.
    TscFrequency {
        /// In kHz.
        asked: u64,
        /// In kHz, if known.
        host: Option<u32>,
    },
    /// More entries than QEMU supports; the first leaf and subleaf that do not fit.
    TooManyEntries(u32, u32),
    /// A highest leaf outside all ranges: QEMU would loop forever.
    Level(u32),
    /// An XSAVE component whose size on the host differs from QEMU's.
    XsaveSize {
        /// Its number.
        component: u32,
        /// QEMU's size.
        qemu: u32,
        /// The host's size.
        host: u32,
    },
    /// An XSAVE component that the host does not describe although it describes one that is saved with it: QEMU
    /// aborts.
    XsaveArea(u32),
    /// `kernel-irqchip=off` on a CPU with an APIC.
    UserspaceApic,
    /// `x-vendor-cpuid-only-v2` without `x-vendor-cpuid-only`.
    VendorOnly,
    /// KVM has fewer banks of machine checks than a CPU needs.
    MachineCheckBanks {
        /// The CPU's number.
        needed: i64,
        /// KVM's number; not positive if it has no machine checks.
        has: i64,
    },
    /// A capability that QEMU requires and this KVM lacks, by its number.
    KvmLacks(u32),
    /// `lmce`, which this KVM lacks.
    LocalMachineCheck,
    /// A machine option that this KVM does not support.
    MachineUnsupported(&'static str),
    /// An amount of memory that the machine type does not take.
    Memory {
        /// In bytes.
        size: u64,
        /// What it takes.
        expected: &'static str,
    },
    /// The CPU cannot address the board's memory and PCI hole.
    AddressSpace {
        /// Its physical address width.
        phys_bits: u32,
        /// The highest address that the board uses.
        needed: u64,
    },
    /// `node-id` on a machine without NUMA nodes.
    NodeId(u32),
    /// The host's vendor, leaf 0, has bytes that are 0: QEMU aborts.
    HostVendor,
    /// The builder has no host.
    NoHost,
}

impl BuildError {
    pub(super) fn value(name: &str, value: &str, expected: &'static str) -> BuildError {
        BuildError::Value { name: name.to_string(), value: value.to_string(), expected }
    }
}

impl From<TopologyError> for BuildError {
    fn from(error: TopologyError) -> BuildError {
        BuildError::Topology(error)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Release(release) => {
                write!(f, "unsupported QEMU release {release}: the supported ones are 7.2 to 11.1")
            }
            BuildError::NoModel => f.write_str("-cpu does not name a CPU model"),
            BuildError::UnknownModel(name) => write!(f, "unknown CPU model `{name}`"),
            BuildError::UnknownMachine(name) => write!(f, "unknown machine type `{name}`"),
            BuildError::SmpOption(option) => write!(
                f,
                "unknown -smp option `{option}`: expected cpus, sockets, dies, modules, cores, threads or maxcpus"
            ),
            BuildError::AccelOption(name) => write!(f, "KVM's accelerator has no property `{name}`"),
            BuildError::MachineOption(option) => write!(f, "unknown option `{option}` of this machine"),
            BuildError::UnknownProperty { cpu, property } => {
                write!(f, "`{cpu}` has no property `{property}`")
            }
            BuildError::NotModelled(name) => {
                write!(f, "the property `{name}` is not supported by this library")
            }
            BuildError::Value { name, value, expected } => {
                write!(f, "`{name}` is `{value}`: expected {expected}")
            }
            BuildError::Topology(error) => error.fmt(f),
            BuildError::ApicId { id, max } => {
                write!(f, "the last vCPU's APIC id is {id}, but this machine type supports at most {max}")
            }
            BuildError::ApicIdNeedsX2apic(id) => {
                write!(f, "APIC id {id} needs the feature x2apic, which this CPU does not have")
            }
            BuildError::TooManyVcpus { wanted, max } => {
                write!(f, "{wanted} vCPUs requested, but this KVM supports at most {max}")
            }
            BuildError::X2apicApi => {
                f.write_str("APIC ids above 254 need KVM_CAP_X2APIC_API, which this KVM lacks")
            }
            BuildError::TopologyId { property, asked, is } => {
                write!(f, "`{property}` is {asked}, but a vCPU has {is}")
            }
            BuildError::Enforced(filtered) => {
                write!(f, "the host lacks {} of the enforced features", filtered.len())
            }
            BuildError::LbrFormat { asked, host: None } => {
                write!(f, "branch record format {asked:#x} needs pmu=on")
            }
            BuildError::LbrFormat { asked, host: Some(host) } => {
                write!(f, "branch record format {asked:#x} differs from the host's format {host:#x}")
            }
            BuildError::PhysBits { property, bits, max: Some(u32::MAX) } => {
                write!(f, "`{property}` is {bits}: expected at least 32")
            }
            BuildError::PhysBits { property, bits, max: Some(max) } => {
                write!(f, "`{property}` is {bits}: expected 32 to {max}")
            }
            BuildError::PhysBits { property, max: None, .. } => {
                write!(f, "`{property}` cannot be set on a 32-bit CPU")
            }
            BuildError::Avx10Version { asked, max } => {
                write!(f, "`avx10-version` is {asked}: expected at most {max}")
            }
            BuildError::NoCaches(cpu) => write!(f, "`{cpu}` has only the legacy caches"),
            BuildError::CacheLevels => {
                f.write_str("a lower-level cache is shared by more processors than a higher-level one")
            }
            BuildError::HypervUnsupported(feature) => write!(f, "this KVM does not support `{feature}`"),
            BuildError::HypervNeeds { feature, needs } => write!(f, "`{feature}` needs `{needs}`"),
            BuildError::HypervUnknown => {
                f.write_str("this KVM's Hyper-V support is unknown: the host needs a .hv file")
            }
            BuildError::TscFrequency { asked, host: Some(host) } => {
                write!(
                    f,
                    "the TSC cannot run at {asked} kHz: the host's runs at {host} kHz, and KVM cannot scale it"
                )
            }
            BuildError::TscFrequency { asked, host: None } => {
                write!(
                    f,
                    "the TSC cannot run at {asked} kHz: the host's frequency is unknown, and KVM cannot scale it"
                )
            }
            BuildError::TooManyEntries(leaf, subleaf) => {
                write!(
                    f,
                    "QEMU supports at most 100 entries, and has no room for leaf {}, subleaf {subleaf}",
                    Leaf(*leaf)
                )
            }
            BuildError::Level(level) => {
                write!(f, "the highest leaf {} is outside all leaf ranges", Leaf(*level))
            }
            BuildError::XsaveSize { component, qemu, host } => {
                write!(f, "XSAVE component {component} has {host} bytes on the host, but QEMU expects {qemu}")
            }
            BuildError::XsaveArea(component) => {
                write!(f, "the host does not describe XSAVE component {component}, on which others depend")
            }
            BuildError::KvmLacks(number) => {
                write!(f, "this KVM lacks the capability {number}, which this QEMU requires")
            }
            BuildError::MachineCheckBanks { needed, has } => {
                write!(f, "this KVM has {has} banks of machine checks: expected at least {needed}")
            }
            BuildError::UserspaceApic => f.write_str("kernel-irqchip=off conflicts with an in-kernel APIC"),
            BuildError::VendorOnly => f.write_str("`x-vendor-cpuid-only-v2` needs `x-vendor-cpuid-only`"),
            BuildError::LocalMachineCheck => f.write_str("this KVM does not support `lmce`"),
            BuildError::MachineUnsupported(option) => {
                write!(f, "this KVM does not support the machine option `{option}`")
            }
            BuildError::Memory { size, expected } => write!(f, "memory of {size} bytes: expected {expected}"),
            BuildError::AddressSpace { phys_bits, needed } => write!(
                f,
                "the board uses addresses up to {needed:#x}, which {phys_bits} physical address bits do not reach: \
                 set phys-bits, or use a smaller memory or another machine type"
            ),
            BuildError::NodeId(asked) => {
                write!(f, "`node-id` is {asked}, but without NUMA nodes every vCPU has 0")
            }
            BuildError::HostVendor => f.write_str("the host's vendor in leaf 0 has bytes that are 0"),
            BuildError::NoHost => f.write_str("the builder has no host"),
        }
    }
}

debug_by_message!(BuildError);

impl core::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            BuildError::Topology(error) => Some(error),
            _ => None,
        }
    }
}
