//! Why there is no table: QEMU would have ended with an error, too.

use alloc::string::{String, ToString};
use core::fmt;

use super::report::Filtered;
use crate::bits::release::QemuRelease;
use alloc::vec::Vec;

/// Numbers that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopologyError {
    /// A number is 0.
    Zero,
    /// The machine has no such level; its number must be 1.
    Unsupported(&'static str),
    /// The product of all levels is not the number of vCPUs that there may be.
    Product {
        /// The product; none if it does not fit 32 bits.
        product: Option<u32>,
        /// How many vCPUs there may be.
        max_cpus: u32,
    },
    /// More vCPUs at the start than there may be.
    TooManyAtStart {
        /// At the start.
        cpus: u32,
        /// There may be.
        max_cpus: u32,
    },
    /// More than the machine type takes.
    TooManyForMachine {
        /// There may be.
        max_cpus: u32,
        /// The machine type takes.
        machine: u32,
    },
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TopologyError::Zero => f.write_str("a number of the CPU topology is 0"),
            TopologyError::Unsupported(level) => write!(f, "this machine has no {level}: expected 1"),
            TopologyError::Product { product: Some(product), max_cpus } => write!(
                f,
                "sockets, dies, modules, cores and threads make {product} vCPUs, not maxcpus={max_cpus}"
            ),
            TopologyError::Product { product: None, .. } => {
                f.write_str("sockets, dies, modules, cores and threads make more vCPUs than can be counted")
            }
            TopologyError::TooManyAtStart { cpus, max_cpus } => {
                write!(f, "{cpus} vCPUs at the start, and maxcpus={max_cpus}")
            }
            TopologyError::TooManyForMachine { max_cpus, machine } => {
                write!(f, "{max_cpus} vCPUs, and the machine type takes at most {machine}")
            }
        }
    }
}

impl core::error::Error for TopologyError {}

/// Why a guest's table cannot be built. Where QEMU ends with an error, so does this; the words are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// The tables have this release of QEMU, but what its code does is not known to this library: that is known from 7.2
    /// to 10.2.
    Release(QemuRelease),
    /// `-cpu` names no CPU.
    NoModel,
    /// The release has no such CPU.
    UnknownModel(String),
    /// The release has no such machine type.
    UnknownMachine(String),
    /// A machine's option that is not known.
    MachineOption(String),
    /// The CPU has no such property.
    UnknownProperty {
        /// The CPU, as it was asked for.
        cpu: String,
        /// The property.
        property: String,
    },
    /// A property that the release has and this library does not know: a newer QEMU's.
    NotModelled(String),
    /// A value that a setting does not take.
    Value {
        /// The setting.
        name: String,
        /// The value.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// The numbers of processors make no sense on this machine.
    Topology(TopologyError),
    /// KVM takes fewer vCPUs.
    TooManyVcpus {
        /// How many are wanted.
        wanted: u32,
        /// How many there may be.
        max: i64,
    },
    /// An APIC id that the machine type's board cannot plug.
    ApicId {
        /// The last vCPU's.
        id: u32,
        /// The highest that it can.
        max: u32,
    },
    /// An APIC id above 254 on a CPU without x2APIC.
    ApicIdNeedsX2apic(u32),
    /// APIC ids above 254 need KVM's x2APIC API.
    X2apicApi,
    /// A topology id of `-cpu` that is not that of each vCPU.
    TopologyId {
        /// The property.
        property: &'static str,
        /// The value that was asked for.
        asked: u32,
        /// The value that a vCPU has.
        is: u32,
    },
    /// With `enforce`: the host lacks features.
    Enforced(Vec<Filtered>),
    /// Branch records without a PMU, or in another format than the host's.
    LbrFormat {
        /// The format that was asked for.
        asked: u32,
        /// The host's; none where there is no PMU.
        host: Option<u32>,
    },
    /// A width of physical addresses out of range.
    PhysBits {
        /// The property.
        property: &'static str,
        /// Its value.
        bits: u32,
        /// The largest; none for a 32-bit CPU, which takes no width.
        max: Option<u32>,
    },
    /// `legacy-cache=off` on a CPU without caches of its own.
    NoCaches(String),
    /// The cache topology of the machine puts a lower cache above a higher one.
    CacheLevels,
    /// A Hyper-V feature that KVM lacks.
    HypervUnsupported(&'static str),
    /// A Hyper-V feature without another one.
    HypervNeeds {
        /// The feature.
        feature: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// Hyper-V features, and nothing is known of what KVM answers for them.
    HypervUnknown,
    /// The TSC frequency cannot be set: KVM cannot scale, and the host's differs or is not known.
    TscFrequency {
        /// In kHz.
        asked: u64,
        /// In kHz, if known.
        host: Option<u32>,
    },
    /// More entries than QEMU takes; at this leaf and subleaf it gives up.
    TooManyEntries(u32, u32),
    /// A highest leaf above all ranges: QEMU would not come to an end.
    Level(u32),
    /// An XSAVE component that the host gives another size.
    XsaveSize {
        /// Its number.
        component: u32,
        /// The size that QEMU has.
        qemu: u32,
        /// The size that the host has.
        host: u32,
    },
    /// `kernel-irqchip=off`, and the CPU has an APIC.
    UserspaceApic,
    /// `x-vendor-cpuid-only-v2` without `x-vendor-cpuid-only`.
    VendorOnly,
    /// `lmce`, which this KVM lacks.
    LocalMachineCheck,
    /// The builder was given no host.
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
                write!(f, "what the code of QEMU {release} does is not known: it is from 7.2 to 10.2")
            }
            BuildError::NoModel => f.write_str("-cpu names no CPU"),
            BuildError::UnknownModel(name) => write!(f, "there is no CPU model `{name}`"),
            BuildError::UnknownMachine(name) => write!(f, "there is no machine type `{name}`"),
            BuildError::MachineOption(option) => write!(f, "`{option}` is no option of this machine"),
            BuildError::UnknownProperty { cpu, property } => {
                write!(f, "`{cpu}` has no property `{property}`")
            }
            BuildError::NotModelled(name) => {
                write!(f, "what the property `{name}` does is not known to this library")
            }
            BuildError::Value { name, value, expected } => {
                write!(f, "`{name}` is `{value}`: expected {expected}")
            }
            BuildError::Topology(error) => error.fmt(f),
            BuildError::ApicId { id, max } => {
                write!(f, "the last vCPU's APIC id is {id}, and this machine type can plug up to {max}")
            }
            BuildError::ApicIdNeedsX2apic(id) => {
                write!(f, "APIC id {id} needs the feature x2apic, which this CPU does not have")
            }
            BuildError::TooManyVcpus { wanted, max } => {
                write!(f, "{wanted} vCPUs, and this KVM takes at most {max}")
            }
            BuildError::X2apicApi => {
                f.write_str("APIC ids above 254 need KVM_CAP_X2APIC_API, which this KVM lacks")
            }
            BuildError::TopologyId { property, asked, is } => {
                write!(f, "`{property}` is {asked}, but that of a vCPU is {is}")
            }
            BuildError::Enforced(filtered) => {
                write!(f, "the host lacks {} of the features that are enforced", filtered.len())
            }
            BuildError::LbrFormat { asked, host: None } => {
                write!(f, "branch records of format {asked:#x} need pmu=on")
            }
            BuildError::LbrFormat { asked, host: Some(host) } => {
                write!(f, "branch records have format {asked:#x}, but the host's have {host:#x}")
            }
            BuildError::PhysBits { property, bits, max: Some(max) } => {
                write!(f, "`{property}` is {bits}: expected 32 to {max}")
            }
            BuildError::PhysBits { property, max: None, .. } => {
                write!(f, "`{property}` cannot be set on a 32-bit CPU")
            }
            BuildError::NoCaches(cpu) => write!(f, "`{cpu}` has no caches but the legacy ones"),
            BuildError::CacheLevels => {
                f.write_str("a lower cache is shared by more processors than a higher one")
            }
            BuildError::HypervUnsupported(feature) => write!(f, "this KVM does not support `{feature}`"),
            BuildError::HypervNeeds { feature, needs } => write!(f, "`{feature}` needs `{needs}`"),
            BuildError::HypervUnknown => {
                f.write_str("what this KVM answers for Hyper-V is not known: the host needs a .hv file")
            }
            BuildError::TscFrequency { asked, host: Some(host) } => {
                write!(f, "a TSC of {asked} kHz: the host's has {host} kHz, and KVM cannot scale it")
            }
            BuildError::TscFrequency { asked, host: None } => {
                write!(f, "a TSC of {asked} kHz: the host's frequency is not known, and KVM cannot scale it")
            }
            BuildError::TooManyEntries(leaf, subleaf) => {
                write!(f, "QEMU takes 100 entries, and has no room for leaf {leaf:#x}, subleaf {subleaf:#x}")
            }
            BuildError::Level(level) => write!(f, "a highest leaf of {level:#x} is in no range of leaves"),
            BuildError::XsaveSize { component, qemu, host } => {
                write!(
                    f,
                    "XSAVE component {component} has {host} bytes on the host, and QEMU takes it for {qemu}"
                )
            }
            BuildError::UserspaceApic => {
                f.write_str("the CPU has an APIC, which is KVM's: kernel-irqchip=off cannot be")
            }
            BuildError::VendorOnly => f.write_str("`x-vendor-cpuid-only-v2` needs `x-vendor-cpuid-only`"),
            BuildError::LocalMachineCheck => f.write_str("this KVM does not support `lmce`"),
            BuildError::NoHost => f.write_str("the builder was given no host"),
        }
    }
}

impl core::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            BuildError::Topology(error) => Some(error),
            _ => None,
        }
    }
}
