//! Makes a process query KVM itself: one system call per vCPU, in place of the one in which a thread waits.
//!
//! All threads are stopped by ptrace, since a vCPU that runs keeps KVM from answering. One thread's registers are set to
//! `ioctl(descriptor, KVM_GET_CPUID2, buffer)` at a `syscall` instruction of the process, it executes that instruction,
//! and gets its registers back. The buffer is below its stack's end, in unused memory. No function of the process is called,
//! so this works with any program.
//!
//! Invariant: a thread makes the call only if its seccomp filters, run here on the same call, let it pass: another answer
//! can end the process. However this ends, each thread is let go as it was.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use cpuid_tables::{CpuidEntry, CpuidTable};

use super::filter::{Call, allow};
use super::memory;
use super::ptrace::{self, Registers, State, Tid};
use super::vcpu::Vcpu;

/// `KVM_GET_CPUID2`: `_IOWR(0xAE, 0x91, struct kvm_cpuid2)`.
const KVM_GET_CPUID2: u64 = 0xc008_ae91;
/// `ioctl` of 64-bit programs.
const IOCTL: u32 = 16;
/// Offset of the buffer below the stack's end: more than its 10,248 bytes and any function's red zone.
const BELOW: u64 = 0x8000;
/// Bytes before the entries: their number and padding.
const HEAD: usize = 8;
/// How long the threads may take to stop, and a call to return.
const PATIENCE: Duration = Duration::from_secs(3);
/// The code segment of 64-bit programs.
const CODE_64: u64 = 0x33;

/// Why this method failed.
#[derive(Debug)]
pub(super) struct Unable(pub(super) String);

impl Unable {
    fn to(what: &str, error: &io::Error) -> Unable {
        Unable(format!("cannot {what}: {error}"))
    }
}

/// Each vCPU's table. Several descriptors of a vCPU have the same table, which is given once.
pub(super) fn ask(pid: u32, vcpus: &[Vcpu]) -> Result<Vec<(Vcpu, Vec<CpuidEntry>)>, Unable> {
    let at = syscall_instruction(pid).map_err(|error| Unable::to("read its memory", &error))?;
    let at = at.ok_or_else(|| Unable("it contains no `syscall` instruction".to_owned()))?;
    let path = format!("/proc/{pid}/mem");
    let memory = File::options().read(true).write(true).open(path);
    let memory = memory.map_err(|error| Unable::to("write its memory", &error))?;
    let mut process = Stopped::stop(pid)?;
    let caller = process.caller(at, vcpus)?;
    let mut tables: Vec<(Vcpu, Vec<CpuidEntry>)> = Vec::new();
    for vcpu in vcpus {
        let entries = process.table(caller, *vcpu, at, &memory)?;
        if !tables.iter().any(|(other, table)| other.id == vcpu.id && *table == entries) {
            tables.push((*vcpu, entries));
        }
    }
    Ok(tables)
}

/// A process whose threads are all stopped, until this is dropped.
struct Stopped {
    pid: Tid,
    threads: Vec<Tid>,
    /// Signals that arrived during a call, for when the thread runs again.
    signals: Vec<(Tid, i32)>,
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // A thread that is gone, or does not stop, cannot be let go; the kernel does so when this process ends.
        for &tid in &self.threads {
            let _ = ptrace::detach(tid);
        }
        self.signals.iter().for_each(|&(tid, signal)| ptrace::send(self.pid, tid, signal));
    }
}

impl Stopped {
    fn stop(pid: u32) -> Result<Stopped, Unable> {
        let folder = format!("/proc/{pid}/task");
        let number = Tid::try_from(pid).map_err(|_| Unable("no such process".to_owned()))?;
        let mut process = Stopped { pid: number, threads: Vec::new(), signals: Vec::new() };
        let deadline = Instant::now() + PATIENCE;
        // Threads that start meanwhile are in the next round.
        loop {
            let listed = fs::read_dir(&folder).map_err(|error| Unable::to("list its threads", &error))?;
            let listed = listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
            let new: Vec<Tid> = listed.filter(|tid| !process.threads.contains(tid)).collect();
            if new.is_empty() {
                return Ok(process);
            }
            let mut waiting = Vec::new();
            for tid in new {
                match ptrace::seize(tid) {
                    Ok(()) => {}
                    // It ended since it was listed.
                    Err(error) if error.raw_os_error() == Some(libc::ESRCH) => continue,
                    Err(error) => return Err(may_not_trace(pid, &error)),
                }
                process.threads.push(tid);
                waiting.push(tid);
                // If it ended meanwhile, waiting for it says so.
                let _ = ptrace::interrupt(tid);
            }
            process.wait_for(waiting, deadline)?;
        }
    }

    fn wait_for(&mut self, mut waiting: Vec<Tid>, deadline: Instant) -> Result<(), Unable> {
        while !waiting.is_empty() {
            let mut left = Vec::new();
            for tid in waiting {
                match ptrace::state(tid).map_err(|error| Unable::to("wait for it to stop", &error))? {
                    State::Interrupted => {}
                    State::Gone => self.threads.retain(|other| *other != tid),
                    State::Running => left.push(tid),
                    State::Signal(signal) => {
                        // It gets the signal and stops after that.
                        ptrace::resume(tid, signal).map_err(|error| Unable::to("stop it", &error))?;
                        left.push(tid);
                    }
                }
            }
            waiting = left;
            if !waiting.is_empty() {
                if Instant::now() > deadline {
                    let seconds = PATIENCE.as_secs();
                    return Err(Unable(format!("its thread {} did not stop within {seconds} s", waiting[0])));
                }
                sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }

    /// The first thread whose filters let the calls pass.
    fn caller(&self, at: u64, vcpus: &[Vcpu]) -> Result<Tid, Unable> {
        let mut unreadable = None;
        for &tid in &self.threads {
            match self.may_call(tid, at, vcpus) {
                Ok(true) => return Ok(tid),
                Ok(false) => {}
                Err(error) => unreadable = Some(error),
            }
        }
        Err(match unreadable {
            Some(error) => Unable(format!(
                "seccomp filters restrict its system calls, and reading them needs CAP_SYS_ADMIN: {error}"
            )),
            None => Unable(
                "the seccomp filters of all its threads forbid KVM_GET_CPUID2, so it was not made to query KVM".to_owned(),
            ),
        })
    }

    fn may_call(&self, tid: Tid, at: u64, vcpus: &[Vcpu]) -> io::Result<bool> {
        let registers = ptrace::registers(tid)?;
        if registers.cs != CODE_64 {
            return Ok(false);
        }
        let status = fs::read_to_string(format!("/proc/{}/task/{tid}/status", self.pid))?;
        let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:")).map_or("0", str::trim);
        match mode {
            "0" => return Ok(true),
            "2" => {}
            // Strict: four system calls, not this one.
            _ => return Ok(false),
        }
        let mut filters = Vec::new();
        for number in 0.. {
            match ptrace::filter(tid, number)? {
                Some(filter) => filters.push(filter),
                None => break,
            }
        }
        let passes = |vcpu: &Vcpu| {
            let buffer = buffer(&registers);
            let arguments =
                [vcpu.descriptor.into(), KVM_GET_CPUID2, buffer, registers.r10, registers.r8, registers.r9];
            allow(&filters, &Call { number: IOCTL, after: at + 2, arguments })
        };
        Ok(!filters.is_empty() && vcpus.iter().all(passes))
    }

    /// A vCPU's table, for which the thread makes the call.
    fn table(&mut self, tid: Tid, vcpu: Vcpu, at: u64, memory: &File) -> Result<Vec<CpuidEntry>, Unable> {
        let unable =
            |error: io::Error| Unable(format!("it could not query KVM for vCPU {}: {error}", vcpu.id));
        let saved = ptrace::registers(tid).map_err(unable)?;
        let place = buffer(&saved);
        let mut bytes = vec![0; HEAD + CpuidTable::MAX * memory::ENTRY];
        let before = memory.read_exact_at(&mut bytes, place).map(|()| bytes.clone());
        let count = u32::try_from(CpuidTable::MAX).unwrap_or(u32::MAX);
        let head = [count.to_le_bytes(), [0; 4]].concat();
        memory.write_all_at(&head, place).map_err(unable)?;
        // The interrupted system call must not be restarted before this one.
        let call = Registers {
            orig_rax: u64::MAX,
            rip: at,
            rax: IOCTL.into(),
            rdi: vcpu.descriptor.into(),
            rsi: KVM_GET_CPUID2,
            rdx: place,
            ..saved
        };
        let result = self.step(tid, &call);
        // Whatever came of it.
        ptrace::set_registers(tid, &saved).map_err(unable)?;
        let read = memory.read_exact_at(&mut bytes, place);
        if let Ok(before) = before {
            memory.write_all_at(&before, place).map_err(unable)?;
        }
        result.map_err(unable)?;
        read.map_err(unable)?;
        memory::entries(&bytes).ok_or_else(|| unable(io::Error::other("its answer is not a table")))
    }

    /// Executes the system call at the instruction pointer, and nothing else.
    fn step(&mut self, tid: Tid, call: &Registers) -> io::Result<()> {
        ptrace::set_registers(tid, call)?;
        let deadline = Instant::now() + PATIENCE;
        ptrace::step(tid)?;
        loop {
            match ptrace::state(tid)? {
                State::Running if Instant::now() < deadline => {
                    sleep(Duration::from_micros(100));
                    continue;
                }
                State::Running => return Err(io::Error::other("KVM did not answer; the vCPU is busy")),
                State::Gone => return Err(io::Error::other("the thread ended")),
                State::Signal(libc::SIGTRAP) => {
                    let registers = ptrace::registers(tid)?;
                    if registers.rip != call.rip {
                        return match i32::try_from(i64::from_ne_bytes(registers.rax.to_ne_bytes())) {
                            Ok(error @ -4095..0) => Err(io::Error::from_raw_os_error(-error)),
                            _ => Ok(()),
                        };
                    }
                }
                State::Signal(signal) => self.signals.push((tid, signal)),
                State::Interrupted => {}
            }
            ptrace::step(tid)?;
        }
    }
}

fn buffer(registers: &Registers) -> u64 {
    registers.rsp.wrapping_sub(BELOW) & !0xfff
}

fn may_not_trace(pid: u32, error: &io::Error) -> Unable {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:")).map_or("0", str::trim);
    match tracer {
        "0" => Unable(format!("it may not be traced: {error}")),
        tracer => Unable(format!("it may not be traced: process {tracer} traces it already")),
    }
}

/// The address of an instruction `syscall` in the process.
fn syscall_instruction(pid: u32) -> io::Result<Option<u64>> {
    let mut memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut code = Vec::new();
    for range in memory::ranges(pid)?.filter(|range| range.executable) {
        code.clear();
        // The kernel's vsyscall page is listed but cannot be read.
        if memory.seek(SeekFrom::Start(range.start)).is_err() {
            continue;
        }
        let length = range.end - range.start;
        if io::Read::by_ref(&mut memory).take(length).read_to_end(&mut code).is_err() {
            continue;
        }
        let found = code.windows(2).position(|bytes| bytes == [0x0f, 0x05]);
        if let Some(at) = found.and_then(|at| u64::try_from(at).ok()) {
            return Ok(Some(range.start + at));
        }
    }
    Ok(None)
}
