//! A host as a VMM sees it: its KVM's tables, its CPU's table, its MSRs and its capabilities.
//!
//! Functions that depend on a host take a [`Host`], so that they also run on recorded hosts. With the feature `kvm`,
//! `Host::this_machine` reads the current machine.
//!
//! ```
//! use cpuid_tables::host::{Host, HostFile, enumerate};
//! use cpuid_tables::{Leaf, Msr, Registers};
//!
//! // A recording: lines of leaf, index, flags and the four registers, and lines of MSR and value.
//! let mut host = Host::default();
//! host.read(HostFile::Supported, "supported 7 0 1 0 20 0 0")?;
//! host.read(HostFile::Msrs, "10a 1c")?;
//! assert_eq!((host.supported[0].function, host.msrs[&Msr(0x10a)]), (Leaf(7), 0x1c));
//!
//! // Any source of CPUID's answers; here a processor with leaves 0 and 1.
//! let cpu = enumerate(|leaf, _| match leaf.0 {
//!     0 => Registers::new(1, 0x756e_6547, 0x6c65_746e, 0x4965_6e69),
//!     1 => Registers::new(0x0008_06f8, 0, 0, 0x0788_abfd),
//!     _ => Registers::ZERO,
//! });
//! assert_eq!(cpu.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::bits::location::Msr;
use crate::table::CpuidEntry;

#[cfg(feature = "kvm")]
mod as_kvm;
mod compare;
mod enumerate;
mod instruction;
mod recorded;
#[cfg(feature = "kvm")]
mod this_machine;

pub use crate::capability::Capability;
pub use compare::{CpuDifference, compare_cpus};
pub use enumerate::enumerate;
pub use instruction::{Instruction, instruction};
pub use recorded::{HostFile, HostFileError};
#[cfg(feature = "kvm")]
pub use this_machine::{cpus, read_all_cpus, read_cpu, read_first_cpu};

/// A host's data, from a real machine or from text files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The entries of `KVM_GET_SUPPORTED_CPUID`, in KVM's order.
    pub supported: Vec<CpuidEntry>,
    /// The entries of the CPUID instruction.
    pub instruction: Vec<CpuidEntry>,
    /// Feature MSRs with their values: those in `KVM_GET_MSR_FEATURE_INDEX_LIST`.
    pub msrs: BTreeMap<Msr, u64>,
    /// The MSRs that KVM saves and restores, in its order: `KVM_GET_MSR_INDEX_LIST`. `None` if not recorded.
    pub saved_msrs: Option<Vec<Msr>>,
    /// The values of `KVM_CHECK_EXTENSION` on the system's file descriptor, by `KVM_CAP_*` number.
    pub capabilities: BTreeMap<u32, i64>,
    /// The entries of `KVM_GET_SUPPORTED_HV_CPUID`; `None` if KVM lacks it.
    pub hyperv: Option<Vec<CpuidEntry>>,
    /// The entries of `KVM_GET_EMULATED_CPUID`; `None` if not recorded.
    pub emulated: Option<Vec<CpuidEntry>>,
    /// XSAVE components that a guest may use: `KVM_X86_XCOMP_GUEST_SUPP`. `None` if KVM lacks it.
    pub guest_xcomponents: Option<u64>,
    /// The default frequency of a vCPU's time stamp counter in kHz: `KVM_GET_TSC_KHZ`. `None` if unknown.
    pub tsc_khz: Option<u32>,
    /// Machine check capabilities: `KVM_X86_GET_MCE_CAP_SUPPORTED`, in the format of `IA32_MCG_CAP`. `None` if
    /// unknown.
    pub mce_capabilities: Option<u64>,
}
