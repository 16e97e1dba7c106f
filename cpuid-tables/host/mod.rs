//! A host as a VMM sees it: what its KVM answers, what its CPU answers, and which MSRs and capabilities there are.
//!
//! Everything that depends on a host takes a [`Host`], so that it runs on recorded ones too. With the feature `kvm`,
//! `Host::this_machine` reads a real one.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::bits::location::Msr;
use crate::table::CpuidEntry;

#[cfg(feature = "kvm")]
mod as_kvm;
mod capability;
mod compare;
mod enumerate;
#[cfg(feature = "kvm")]
mod instruction;
mod recorded;
#[cfg(feature = "kvm")]
mod this_machine;

pub use capability::Capability;
pub use compare::{CpuDifference, compare_cpus};
pub use enumerate::enumerate;
#[cfg(feature = "kvm")]
pub use instruction::{Instruction, instruction};
pub use recorded::{HostFile, HostFileError};
#[cfg(feature = "kvm")]
pub use this_machine::{cpus, read_all_cpus, read_cpu, read_first_cpu};

/// A host's answers, from a real one or from text files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// What `KVM_GET_SUPPORTED_CPUID` answers, in KVM's order.
    pub supported: Vec<CpuidEntry>,
    /// What the CPUID instruction answers on it.
    pub instruction: Vec<CpuidEntry>,
    /// Feature MSRs with their values, those that `KVM_GET_MSR_FEATURE_INDEX_LIST` names.
    pub msrs: BTreeMap<Msr, u64>,
    /// What `KVM_CHECK_EXTENSION` answers on the system's file descriptor, by `KVM_CAP_*` number.
    pub capabilities: BTreeMap<u32, i64>,
    /// What `KVM_GET_SUPPORTED_HV_CPUID` answers; none where KVM lacks it.
    pub hyperv: Option<Vec<CpuidEntry>>,
    /// What `KVM_GET_EMULATED_CPUID` answers; none where it was not recorded.
    pub emulated: Option<Vec<CpuidEntry>>,
    /// XSAVE components that a guest may use: `KVM_X86_XCOMP_GUEST_SUPP`. None where KVM lacks it.
    pub guest_xcomponents: Option<u64>,
    /// Frequency of a vCPU's time stamp counter in kHz, unless it is set: `KVM_GET_TSC_KHZ`. None where it is not known.
    pub tsc_khz: Option<u32>,
    /// Machine check capabilities: `KVM_X86_GET_MCE_CAP_SUPPORTED`, as `IA32_MCG_CAP` has them. None where they are not
    /// known.
    pub mce_capabilities: Option<u64>,
}
