//! Why KVM refuses a vCPU's table: `kvm_set_cpuid()` and `kvm_check_cpuid()` of Linux's `arch/x86/kvm/cpuid.c`,
//! releases 6.1 to 7.3.

use core::fmt;

use super::changes::Change;
use super::error::{Errno, KvmError};
use super::msr_error::MsrError;
use crate::bits::location::Place;
use crate::table::{CpuidEntry, CpuidTable};

/// KVM refuses a vCPU's table.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VcpuError {
    /// E2BIG, or more than 256 entries, which every KVM refuses.
    TooMany {
        /// Number of entries.
        count: usize,
        /// The first entry beyond KVM's limit, if the limit is known.
        first: Option<CpuidEntry>,
    },
    /// EPERM: XSAVE components that the process must request before it creates a vCPU.
    NotPermitted {
        /// The entry: 0xD.0.
        entry: CpuidEntry,
        /// The components in it that the process has not requested.
        components: u64,
    },
    /// EINVAL: an invalid linear address width.
    AddressWidth {
        /// The entry: 0x80000008.
        entry: CpuidEntry,
        /// The width, in bits.
        width: u32,
    },
    /// EINVAL: the vCPU has run, or has a nested guest's state, and the table differs from its own.
    HasRun {
        /// The first difference, preferably one that KVM does not make itself.
        first: Change,
    },
    /// Another error of `KVM_SET_CPUID2`.
    Set(Errno),
    /// An error of `KVM_GET_CPUID2`.
    Get(Errno),
    /// An error of the vCPU's MSRs; its table is set.
    Msrs(MsrError),
    /// The system has no memory for the tables.
    Memory(KvmError),
}

impl fmt::Display for VcpuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VcpuError::TooMany { count, first: Some(entry) } => write!(
                f,
                "{count} entries, but KVM accepts only {}: {} is the first one too many; remove entries of zeros",
                CpuidTable::MAX,
                Named(entry)
            ),
            VcpuError::TooMany { count, first: None } => write!(
                f,
                "KVM refuses {count} entries as too many (E2BIG): before Linux 5.11 it accepts 80; remove entries of \
                 zeros"
            ),
            VcpuError::NotPermitted { entry, components } => write!(
                f,
                "{} has XSAVE components {components:#x}, which a process must request (EPERM): call \
                 request_guest_components before the first vCPU is created, or clear them",
                Named(entry)
            ),
            VcpuError::AddressWidth { entry, width } => write!(
                f,
                "{} gives linear addresses {width} bits, but KVM accepts only 48, 57 and 0 (EINVAL)",
                Named(entry)
            ),
            VcpuError::HasRun { first } => write!(
                f,
                "the vCPU has run: after its first KVM_RUN it accepts only the table that it has (EINVAL); the first \
                 difference: {first}"
            ),
            VcpuError::Set(errno) => write!(f, "KVM_SET_CPUID2 failed: {errno}"),
            VcpuError::Get(errno) => write!(f, "KVM_GET_CPUID2 failed: {errno}"),
            VcpuError::Msrs(error) => fmt::Display::fmt(error, f),
            VcpuError::Memory(error) => fmt::Display::fmt(error, f),
        }
    }
}

debug_by_message!(VcpuError);

impl core::error::Error for VcpuError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            VcpuError::Msrs(error) => Some(error),
            VcpuError::Memory(error) => Some(error),
            _ => None,
        }
    }
}

/// Displays an entry by its leaf and, if significant, its subleaf.
struct Named<'a>(&'a CpuidEntry);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subleaf = self.0.is_indexed().then_some(self.0.index);
        write!(f, "the entry {}", Place::Leaf(self.0.function, subleaf))
    }
}
