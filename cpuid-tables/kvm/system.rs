//! KVM as a system: what it supports, without a VM.
//!
//! [`KvmSystem`] is a trait, so that code which queries KVM also runs on a recorded one: [`Host`] returns recorded
//! data, [`Device`] queries `/dev/kvm`. Linux, `Documentation/virt/kvm/api.rst`.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::vec::Vec;

use kvm_bindings::{KVM_API_VERSION, KVM_MAX_CPUID_ENTRIES, Msrs, kvm_cpuid_entry2, kvm_msr_entry};
use kvm_ioctls::Kvm;

use super::error::{Errno, KvmError};
use super::ioctl::{self, CpuidBuffer};
use crate::bits::location::{Leaf, Msr, Registers, Subleaf};
use crate::capability::Capability;
use crate::table::{CpuidEntry, OwnBits};

/// The data that a KVM reports about itself.
///
/// # Errors
///
/// Every method fails with a [`KvmError`]: of the ioctl, or [`KvmError::Recorded`] if a recorded host lacks the data.
pub trait KvmSystem {
    /// The features that a guest may have: `KVM_GET_SUPPORTED_CPUID`, in KVM's order. APIC ids, which depend on the
    /// current CPU, are 0.
    fn supported_cpuid(&self) -> Result<Vec<CpuidEntry>, KvmError>;

    /// The features that KVM emulates although the host's processor lacks them: `KVM_GET_EMULATED_CPUID`.
    fn emulated_cpuid(&self) -> Result<Vec<CpuidEntry>, KvmError>;

    /// Hyper-V's leaves: `KVM_GET_SUPPORTED_HV_CPUID` on the system, since Linux 5.11. `None` if KVM lacks it.
    fn hyperv_cpuid(&self) -> Result<Option<Vec<CpuidEntry>>, KvmError>;

    /// The MSRs that hold features: those of `KVM_GET_MSR_FEATURE_INDEX_LIST` (since Linux 4.17) that `KVM_GET_MSRS`
    /// returns.
    fn feature_msrs(&self) -> Result<BTreeMap<Msr, u64>, KvmError>;

    /// The MSRs that KVM saves and restores: `KVM_GET_MSR_INDEX_LIST`. Which ones depends on the processor and the
    /// release of Linux.
    fn saved_msrs(&self) -> Result<Vec<Msr>, KvmError>;

    /// A capability's value, 0 where KVM lacks it: `KVM_CHECK_EXTENSION`.
    fn capability(&self, capability: Capability) -> Result<i64, KvmError>;

    /// XSAVE components that a guest may have: `KVM_X86_XCOMP_GUEST_SUPP`, since Linux 5.17. `None` if KVM lacks it.
    fn guest_xcomponents(&self) -> Result<Option<u64>, KvmError>;

    /// The default frequency of a vCPU's time stamp counter in kHz: `KVM_GET_TSC_KHZ` of a new VM. `None` if KVM
    /// reports it only for vCPUs (no [`Capability::VM_TSC_CONTROL`]): after creating a vCPU, a process cannot request
    /// XSAVE components.
    fn tsc_khz(&self) -> Result<Option<u32>, KvmError>;

    /// The bits that IA32_MCG_CAP may have: `KVM_X86_GET_MCE_CAP_SUPPORTED`. `None` if KVM lacks machine checks.
    fn mce_capabilities(&self) -> Result<Option<u64>, KvmError>;
}

/// `/dev/kvm`.
///
/// Every query is an ioctl when its method is called; nothing is cached. A VMM that confines itself with seccomp makes all
/// queries before: `KVM_GET_API_VERSION`, `KVM_GET_SUPPORTED_CPUID`, `KVM_GET_EMULATED_CPUID`,
/// `KVM_GET_SUPPORTED_HV_CPUID`, `KVM_GET_MSR_FEATURE_INDEX_LIST`, `KVM_GET_MSRS` and `KVM_GET_MSR_INDEX_LIST` on the system's
/// file descriptor, `KVM_CHECK_EXTENSION`, `KVM_GET_DEVICE_ATTR` (XSAVE components), `KVM_X86_GET_MCE_CAP_SUPPORTED`, and,
/// for [`tsc_khz`](KvmSystem::tsc_khz), `KVM_CREATE_VM` with `KVM_GET_TSC_KHZ`. Setting vCPUs afterwards needs only
/// `KVM_SET_CPUID2`, `KVM_GET_CPUID2`, `KVM_SET_MSRS` and `KVM_GET_MSRS` on their file descriptors; if KVM refuses a table with
/// EPERM, also `arch_prctl(ARCH_GET_XCOMP_GUEST_PERM)`, which says what to request.
///
/// [`Host::this_machine`](crate::host::Host::this_machine) opens `/dev/kvm` and starts a thread with an affinity of its own; a
/// confined VMM uses [`Host::from_kvm`](crate::host::Host::from_kvm) with its own device instead.
#[derive(Debug)]
pub struct Device(Kvm);

impl Device {
    /// Opens `/dev/kvm`.
    ///
    /// # Errors
    ///
    /// [`KvmError`], with advice in its message.
    pub fn open() -> Result<Device, KvmError> {
        Device::checked(Kvm::new().map_err(|error| KvmError::of_opening(error.into()))?)
    }

    /// From an open file of `/dev/kvm`, such as one that a jailer passes on.
    ///
    /// # Errors
    ///
    /// [`KvmError::Version`], also for another file.
    pub fn from_fd(kvm: OwnedFd) -> Result<Device, KvmError> {
        Device::checked(ioctl::kvm_of(kvm))
    }

    /// From whatever holds a file descriptor of `/dev/kvm`, which stays with its owner: a VMM's own `Kvm`, of
    /// kvm-ioctls in any version. The descriptor is duplicated; `/dev/kvm` is not opened.
    ///
    /// # Errors
    ///
    /// [`KvmError::System`]: the descriptor cannot be duplicated; [`KvmError::Version`].
    pub fn from_duplicate(kvm: &impl AsRawFd) -> Result<Device, KvmError> {
        let copy = ioctl::duplicate(kvm.as_raw_fd());
        Device::from_fd(copy.map_err(|errno| KvmError::System("fcntl(F_DUPFD_CLOEXEC)", errno))?)
    }

    fn checked(kvm: Kvm) -> Result<Device, KvmError> {
        match kvm.get_api_version() {
            version if u32::try_from(version) == Ok(KVM_API_VERSION) => Ok(Device(kvm)),
            version => Err(KvmError::Version(version)),
        }
    }

    /// The file descriptor, for creating VMs.
    #[must_use]
    pub fn kvm(&self) -> &Kvm {
        &self.0
    }
}

impl From<Kvm> for Device {
    /// Takes a `Kvm` that its owner has checked: the interface version is not queried.
    fn from(kvm: Kvm) -> Device {
        Device(kvm)
    }
}

/// Retries with a larger buffer while KVM returns E2BIG, up to its maximum of 256 entries.
pub(crate) fn growing<T>(mut ask: impl FnMut(usize) -> Result<T, Errno>) -> Result<T, Errno> {
    let mut count = 32;
    loop {
        match ask(count) {
            Err(Errno(libc::E2BIG)) if count < KVM_MAX_CPUID_ENTRIES => count *= 2,
            other => return other,
        }
    }
}

/// Converts an entry from KVM's format.
pub(crate) const fn entry_of(entry: &kvm_cpuid_entry2) -> CpuidEntry {
    CpuidEntry {
        function: Leaf(entry.function),
        index: Subleaf(entry.index),
        flags: entry.flags,
        registers: Registers::new(entry.eax, entry.ebx, entry.ecx, entry.edx),
    }
}

/// Converts an entry to KVM's format.
pub(crate) const fn entry_for(entry: &CpuidEntry) -> kvm_cpuid_entry2 {
    let Registers { eax, ebx, ecx, edx } = entry.registers;
    let CpuidEntry { function: Leaf(function), index: Subleaf(index), flags, .. } = *entry;
    kvm_cpuid_entry2 { function, index, flags, eax, ebx, ecx, edx, padding: [0; 3] }
}

fn entries_of(entries: &[kvm_cpuid_entry2]) -> Vec<CpuidEntry> {
    entries.iter().map(entry_of).collect()
}

impl KvmSystem for Device {
    fn supported_cpuid(&self) -> Result<Vec<CpuidEntry>, KvmError> {
        let answer = growing(|count| Ok(self.0.get_supported_cpuid(count)?));
        let answer = answer.map_err(|errno| KvmError::of_ioctl("KVM_GET_SUPPORTED_CPUID", errno))?;
        let mut entries = entries_of(answer.as_slice());
        // KVM reports leaves 1 and 0xB with the id of the CPU on which the thread currently runs.
        OwnBits::clear(&mut entries);
        Ok(entries)
    }

    fn emulated_cpuid(&self) -> Result<Vec<CpuidEntry>, KvmError> {
        let answer = growing(|count| Ok(self.0.get_emulated_cpuid(count)?));
        let answer = answer.map_err(|errno| KvmError::of_ioctl("KVM_GET_EMULATED_CPUID", errno))?;
        Ok(entries_of(answer.as_slice()))
    }

    fn hyperv_cpuid(&self) -> Result<Option<Vec<CpuidEntry>>, KvmError> {
        if self.capability(Capability::SYS_HYPERV_CPUID)? == 0 {
            return Ok(None);
        }
        let mut buffer = CpuidBuffer::new()?;
        let asked = buffer.ask_hyperv(&self.0);
        asked.map_err(|errno| KvmError::of_ioctl("KVM_GET_SUPPORTED_HV_CPUID", errno))?;
        Ok(Some(entries_of(buffer.entries())))
    }

    fn feature_msrs(&self) -> Result<BTreeMap<Msr, u64>, KvmError> {
        if self.capability(Capability::GET_MSR_FEATURES)? == 0 {
            return Ok(BTreeMap::new());
        }
        let list = self.0.get_msr_feature_index_list();
        let list =
            list.map_err(|error| KvmError::of_ioctl("KVM_GET_MSR_FEATURE_INDEX_LIST", error.into()))?;
        // One at a time: KVM stops at the first MSR that it cannot return.
        let value = |index: u32| -> Option<u64> {
            let mut msrs = Msrs::from_entries(&[kvm_msr_entry { index, ..Default::default() }]).ok()?;
            let read = self.0.get_msrs(&mut msrs).ok()?;
            msrs.as_slice().first().filter(|_| read == 1).map(|entry| entry.data)
        };
        // Not collected, which would sort a list first: more code than the ioctls.
        let mut msrs = BTreeMap::new();
        for &index in list.as_slice() {
            if let Some(value) = value(index) {
                msrs.insert(Msr(index), value);
            }
        }
        Ok(msrs)
    }

    fn saved_msrs(&self) -> Result<Vec<Msr>, KvmError> {
        let list = self.0.get_msr_index_list();
        let list = list.map_err(|error| KvmError::of_ioctl("KVM_GET_MSR_INDEX_LIST", error.into()))?;
        Ok(list.as_slice().iter().copied().map(Msr).collect())
    }

    fn capability(&self, capability: Capability) -> Result<i64, KvmError> {
        let value = self.0.check_extension_raw(capability.number.into());
        // Large values, such as a number of slots, are positive; only -1 is an error.
        if value < 0 {
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
            return Err(KvmError::of_ioctl("KVM_CHECK_EXTENSION", Errno(errno)));
        }
        Ok(value.into())
    }

    fn guest_xcomponents(&self) -> Result<Option<u64>, KvmError> {
        if self.capability(Capability::SYS_ATTRIBUTES)? == 0 {
            return Ok(None);
        }
        match ioctl::guest_xcomponents(&self.0) {
            Ok(components) => Ok(Some(components)),
            Err(Errno(libc::ENXIO)) => Ok(None),
            Err(errno) => Err(KvmError::of_ioctl("KVM_GET_DEVICE_ATTR", errno)),
        }
    }

    fn tsc_khz(&self) -> Result<Option<u32>, KvmError> {
        if self.capability(Capability::VM_TSC_CONTROL)? == 0 {
            return Ok(None);
        }
        let vm = self.0.create_vm().map_err(|error| KvmError::of_ioctl("KVM_CREATE_VM", error.into()))?;
        let khz = ioctl::tsc_khz(&vm).map_err(|errno| KvmError::of_ioctl("KVM_GET_TSC_KHZ", errno))?;
        Ok(Some(khz).filter(|khz| *khz != 0))
    }

    fn mce_capabilities(&self) -> Result<Option<u64>, KvmError> {
        if self.capability(Capability::MCE)? == 0 {
            return Ok(None);
        }
        let answer = ioctl::mce_capabilities(&self.0);
        answer.map(Some).map_err(|errno| KvmError::of_ioctl("KVM_X86_GET_MCE_CAP_SUPPORTED", errno))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_grows_while_it_is_too_small() {
        let asked = |enough: usize| {
            let mut counts = Vec::new();
            let answer = growing(|count| {
                counts.push(count);
                if count < enough { Err(Errno(libc::E2BIG)) } else { Ok(count) }
            });
            (answer, counts)
        };
        assert_eq!(asked(20), (Ok(32), std::vec![32]));
        assert_eq!(asked(256), (Ok(256), std::vec![32, 64, 128, 256]));
        // A KVM that always returns E2BIG does not cause an endless loop.
        assert_eq!(asked(257), (Err(Errno(libc::E2BIG)), std::vec![32, 64, 128, 256]));
        assert_eq!(growing(|_| Err::<(), Errno>(Errno(libc::EFAULT))), Err(Errno(libc::EFAULT)));
    }

    #[test]
    fn entries_both_ways() {
        let entry = CpuidEntry {
            flags: 0x8000_0005,
            ..CpuidEntry::indexed(Leaf(7), Subleaf(3), Registers::new(1, 2, 3, 4))
        };
        assert_eq!(entry_of(&entry_for(&entry)), entry);
    }

    #[test]
    fn errors_by_their_numbers() {
        let opening = |errno| KvmError::of_opening(Errno(errno));
        assert_eq!(opening(libc::ENOENT), KvmError::NoDevice);
        assert_eq!(opening(libc::EACCES), KvmError::NoPermission);
        assert_eq!(opening(libc::ENODEV), KvmError::NoDriver);
        assert_eq!(opening(libc::EMFILE), KvmError::Open(Errno(libc::EMFILE)));
        assert_eq!(KvmError::of_ioctl("A", Errno(libc::ENOTTY)), KvmError::TooOld("A"));
        assert_eq!(KvmError::of_ioctl("A", Errno(libc::EINVAL)), KvmError::Ioctl("A", Errno(libc::EINVAL)));
    }
}
