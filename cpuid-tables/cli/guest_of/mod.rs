//! The CPUID tables of a running VMM's vCPUs.
//!
//! Only the process that created a VM can call `KVM_GET_CPUID2`: on a vCPU's descriptor taken over with `pidfd_getfd`
//! it fails with EIO (`kvm_vcpu_ioctl()`, Linux, `virt/kvm/kvm_main.c`), and debugfs does not show tables. Two
//! methods remain. ptrace stops the process for some milliseconds and makes one of its threads query KVM, which returns the
//! actual table (`stopped.rs`). Where that is not permitted, by ptrace's rules or by the process's seccomp filters, this
//! module searches the process's memory for tables, which may have been freed or overwritten: QEMU builds its table on a
//! stack, Rust VMMs keep theirs.

use std::fs;
use std::path::Path;

use cpuid_tables::dump::Cpu;
use cpuid_tables::kvm::{Device, KvmSystem as _};
use cpuid_tables::{CpuidEntry, OwnBits, Register};

use super::outcome::{Failed, Result};
use super::output::warn;

mod filter;
mod memory;
mod ptrace;
mod stopped;
mod vcpu;

use vcpu::Vcpu;

/// The tables of a process's vCPUs, by their ids.
pub(super) fn read(pid: u32) -> Result<Vec<Cpu>> {
    let vcpus = vcpus(pid)?;
    match stopped::ask(pid, &vcpus) {
        Ok(tables) => Ok(tables.into_iter().map(|(vcpu, entries)| cpu(Some(vcpu.id), entries)).collect()),
        Err(stopped::Unable(why)) => searched(pid, &why),
    }
}

fn cpu(number: Option<u32>, entries: Vec<CpuidEntry>) -> Cpu {
    Cpu { number, ..Cpu::from_entries(entries) }
}

/// Without an answer of KVM's: the tables in its memory.
fn searched(pid: u32, why: &str) -> Result<Vec<Cpu>> {
    let help = "the process must run without a debugger or tracer, and this command as its user or root; the process is then stopped briefly and queries KVM itself";
    let memory::Found { tables: mut found, whole } = memory::tables(pid).map_err(|error| {
        Failed::new(format!("process {pid}: {why}, and its memory cannot be read: {error}")).help(help)
    })?;
    // VMMs also keep KVM's supported table, which is not a guest's.
    if let Ok(supported) = Device::open().and_then(|kvm| kvm.supported_cpuid()) {
        found.retain(|table| !same_but_for_cpu(&table.entries, &supported));
    }
    if found.is_empty() {
        let what = if whole {
            "its memory holds no whole table either: VMMs such as QEMU free it once KVM has it".to_owned()
        } else {
            format!("no whole table was found in its memory within {} s", memory::LIMIT.as_secs())
        };
        return Err(Failed::new(format!("process {pid}: {why}; {what}")).help(help));
    }
    warn(format!("process {pid}: {why}; these tables are from its memory and may differ from KVM's"));
    Ok(found
        .into_iter()
        .map(|table| Cpu { name: Some(format!("at {:#x}", table.address)), ..cpu(None, table.entries) })
        .collect())
}

/// Equal except for processor-specific bits: `KVM_GET_SUPPORTED_CPUID` returns those of the current CPU.
fn same_but_for_cpu(a: &[CpuidEntry], b: &[CpuidEntry]) -> bool {
    let same = |(a, b): (&CpuidEntry, &CpuidEntry)| {
        let registers = Register::ALL.into_iter().all(|register| {
            let shared = !OwnBits::mask(a.function, register);
            a.register(register) & shared == b.register(register) & shared
        });
        (a.function, a.index, a.flags) == (b.function, b.index, b.flags) && registers
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}

/// A process's vCPUs, by their descriptors.
fn vcpus(pid: u32) -> Result<Vec<Vcpu>> {
    let folder = format!("/proc/{pid}/fd");
    if !Path::new(&format!("/proc/{pid}")).exists() {
        return Err(Failed::new(format!("no process {pid}")));
    }
    let listed = fs::read_dir(&folder).map_err(|error| {
        Failed::new(format!("{folder}: {error}")).help("run as the process's user or root")
    })?;
    let mut vcpus: Vec<Vcpu> = listed
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let link = fs::read_link(entry.path()).ok()?;
            let id = link.to_str()?.strip_prefix("anon_inode:kvm-vcpu:")?.parse().ok()?;
            Some(Vcpu { id, descriptor: entry.file_name().to_str()?.parse().ok()? })
        })
        .collect();
    vcpus.sort_unstable();
    if vcpus.is_empty() {
        let failed = Failed::new(format!("process {pid} has no KVM vCPUs"));
        return Err(
            failed.help("give the VMM process that runs the guest: its /proc/PID/fd contains kvm-vcpu")
        );
    }
    Ok(vcpus)
}
