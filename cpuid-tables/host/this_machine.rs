//! The CPUs of this machine, asked one by one.

use std::vec::Vec;

use super::enumerate;
use super::instruction::instruction;
use crate::kvm::ioctl::{allowed_cpus, pin_this_thread};
use crate::kvm::{Errno, KvmError};
use crate::table::CpuidEntry;

/// What one CPU answers, every leaf and subleaf. The question is asked from a thread of its own, which runs on that CPU
/// alone; this thread's affinity stays as it is.
///
/// `cpu` is Linux's number of the CPU.
///
/// # Errors
///
/// [`KvmError::NoCpuid`]; [`KvmError::System`] when the thread cannot run there.
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
        // A thread that panicked would be a bug of this crate, and has said so.
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

/// What the first CPU that this thread may run on answers.
///
/// # Errors
///
/// As [`read_cpu`].
pub fn read_first_cpu() -> Result<Vec<CpuidEntry>, KvmError> {
    read_cpu(cpus()?.first().copied().unwrap_or(0))
}

/// What every CPU that this thread may run on answers, with its number, in ascending order.
///
/// # Errors
///
/// As [`read_cpu`].
pub fn read_all_cpus() -> Result<Vec<(usize, Vec<CpuidEntry>)>, KvmError> {
    cpus()?.into_iter().map(|cpu| Ok((cpu, read_cpu(cpu)?))).collect()
}
