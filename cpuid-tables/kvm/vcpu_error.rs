//! Why KVM does not take a vCPU's table: `kvm_set_cpuid()` and `kvm_check_cpuid()` of Linux's `arch/x86/kvm/cpuid.c`,
//! releases 6.1 to 7.3.

use core::fmt;

use super::changes::Change;
use super::error::{Errno, KvmError};
use crate::table::{CpuidEntry, CpuidTable};

/// KVM does not take a vCPU's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VcpuError {
    /// E2BIG, or more than the 256 entries that any KVM takes.
    TooMany {
        /// How many there are.
        count: usize,
        /// The first that is beyond what KVM takes, as far as that is known.
        first: Option<CpuidEntry>,
    },
    /// EPERM: XSAVE components that the process has to ask for before there is a vCPU.
    NotPermitted {
        /// The entry: 0xD.0.
        entry: CpuidEntry,
        /// The components that it shows and the process has not asked for.
        components: u64,
    },
    /// EINVAL: a width of linear addresses that KVM does not know.
    AddressWidth {
        /// The entry: 0x80000008.
        entry: CpuidEntry,
        /// The width, in bits.
        width: u32,
    },
    /// EINVAL: the vCPU has run, or has a nested guest's state, and the table is not the one that it has.
    HasRun {
        /// The first thing that differs, one that KVM does not change itself if there is any.
        first: Change,
    },
    /// Another error of `KVM_SET_CPUID2`.
    Set(Errno),
    /// An error of `KVM_GET_CPUID2`.
    Get(Errno),
    /// The system has no memory for the tables.
    Memory(KvmError),
}

impl fmt::Display for VcpuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VcpuError::TooMany { count, first: Some(entry) } => write!(
                f,
                "{count} entries, and KVM takes {}: {} is the first too many; drop entries that answer zeros",
                CpuidTable::MAX,
                Named(entry)
            ),
            VcpuError::TooMany { count, first: None } => write!(
                f,
                "KVM refuses {count} entries as too many (E2BIG): before Linux 5.11 it takes 80; drop entries that answer \
                 zeros"
            ),
            VcpuError::NotPermitted { entry, components } => write!(
                f,
                "{} shows XSAVE components {components:#x}, which a process has to ask for (EPERM): call \
                 request_guest_components before the first vCPU is created, or hide them",
                Named(entry)
            ),
            VcpuError::AddressWidth { entry, width } => write!(
                f,
                "{} says that linear addresses have {width} bits, and KVM takes 48, 57 and 0 (EINVAL)",
                Named(entry)
            ),
            VcpuError::HasRun { first } => write!(
                f,
                "the vCPU has run, and after its first KVM_RUN takes only the table that it has (EINVAL); the first \
                 difference: {first}"
            ),
            VcpuError::Set(errno) => write!(f, "KVM_SET_CPUID2 failed: {errno}"),
            VcpuError::Get(errno) => write!(f, "KVM_GET_CPUID2 failed: {errno}"),
            VcpuError::Memory(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for VcpuError {}

/// An entry by its leaf and, where that counts, its subleaf.
struct Named<'a>(&'a CpuidEntry);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the entry for leaf {:#x}", self.0.function.0)?;
        if self.0.is_indexed() { write!(f, ", subleaf {:#x}", self.0.index.0) } else { Ok(()) }
    }
}
