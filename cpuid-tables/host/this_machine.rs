//! This machine: its KVM, and each of its CPUs.

use alloc::collections::BTreeMap;
use std::sync::OnceLock;
use std::vec::Vec;

use super::instruction::instruction;
use super::{Host, enumerate};
use crate::kvm::ioctl::{allowed_cpus, pin_this_thread};
use crate::kvm::{Capability, Device, Errno, KvmError, KvmSystem};
use crate::table::{CpuidEntry, OwnBits};

/// Every leaf and subleaf of one CPU. A separate thread, restricted to that CPU, reads them; this thread's affinity
/// does not change.
///
/// `cpu` is Linux's CPU number.
///
/// # Errors
///
/// [`KvmError::NoCpuid`]; [`KvmError::System`] if the thread cannot run there.
pub fn read_cpu(cpu: usize) -> Result<Vec<CpuidEntry>, KvmError> {
    let instruction = instruction().ok_or(KvmError::NoCpuid)?;
    let read = || {
        pin_this_thread(cpu).map_err(|errno| KvmError::System("sched_setaffinity", errno))?;
        Ok(enumerate(instruction))
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, read).map_err(|error| {
            KvmError::System("a thread's creation", Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))
        })?;
        // A panic of the thread would be a bug of this crate, and was already printed.
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The CPUs that this thread may run on, by Linux's numbers, in ascending order.
///
/// # Errors
///
/// [`KvmError::System`].
pub fn cpus() -> Result<Vec<usize>, KvmError> {
    allowed_cpus().map_err(|errno| KvmError::System("sched_getaffinity", errno))
}

/// The entries of the first CPU that this thread may run on.
///
/// # Errors
///
/// As [`read_cpu`].
pub fn read_first_cpu() -> Result<Vec<CpuidEntry>, KvmError> {
    read_cpu(cpus()?.first().copied().unwrap_or(0))
}

/// The entries of every CPU that this thread may run on, with its number, in ascending order.
///
/// # Errors
///
/// As [`read_cpu`].
pub fn read_all_cpus() -> Result<Vec<(usize, Vec<CpuidEntry>)>, KvmError> {
    cpus()?.into_iter().map(|cpu| Ok((cpu, read_cpu(cpu)?))).collect()
}

impl Host {
    /// All data of a KVM, and the given entries of the CPUID instruction. Data that older KVMs lack is `None`. APIC
    /// ids, which depend on the current CPU, are 0, so that two readings of a host are equal.
    ///
    /// # Errors
    ///
    /// [`KvmError`] of the first query that failed.
    pub fn from_kvm(kvm: &impl KvmSystem, mut instruction: Vec<CpuidEntry>) -> Result<Host, KvmError> {
        let mut capabilities = BTreeMap::new();
        for capability in Capability::ALL {
            capabilities.insert(capability.number, kvm.capability(*capability)?);
        }
        let mut supported = kvm.supported_cpuid()?;
        OwnBits::clear(&mut supported);
        OwnBits::clear(&mut instruction);
        Ok(Host {
            supported,
            instruction,
            msrs: kvm.feature_msrs()?,
            saved_msrs: match kvm.saved_msrs() {
                Err(KvmError::Recorded(_)) => None,
                other => Some(other?),
            },
            capabilities,
            hyperv: kvm.hyperv_cpuid()?,
            emulated: match kvm.emulated_cpuid() {
                Err(KvmError::TooOld(_) | KvmError::Recorded(_)) => None,
                other => Some(other?),
            },
            guest_xcomponents: kvm.guest_xcomponents()?,
            tsc_khz: kvm.tsc_khz()?,
            mce_capabilities: kvm.mce_capabilities()?,
        })
    }

    /// This machine: its `/dev/kvm`, and the CPUID instruction on the first CPU that this thread may run on. Read
    /// once per process.
    ///
    /// # Errors
    ///
    /// [`KvmError`], with advice in its message.
    pub fn this_machine() -> Result<&'static Host, KvmError> {
        static HOST: OnceLock<Result<Host, KvmError>> = OnceLock::new();
        let read = || Host::from_kvm(&Device::open()?, read_first_cpu()?);
        HOST.get_or_init(read).as_ref().map_err(Clone::clone)
    }
}
