//! Makes a process query KVM itself, by gdb: one system call per vCPU, in place of the one in which the thread waits.
//!
//! gdb saves the thread's registers, sets them to `ioctl(descriptor, KVM_GET_CPUID2, buffer)` at a `syscall`
//! instruction of the process, executes one instruction, and restores the registers. The buffer is below the stack's
//! end, in unused memory. No function of the process is called, so this works with any program.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use cpuid_tables::{CpuidEntry, CpuidTable, Leaf, Registers, Subleaf};

use super::memory;
use super::vcpu::Vcpu;

/// `KVM_GET_CPUID2`: `_IOWR(0xAE, 0x91, struct kvm_cpuid2)`.
const KVM_GET_CPUID2: u32 = 0xc008_ae91;
/// `ioctl` of 64-bit programs.
const IOCTL: u32 = 16;
/// Offset of the buffer below the stack's end: more than its 10,248 bytes and any function's red zone.
const BELOW: u32 = 0x8000;
/// Words of a `struct kvm_cpuid_entry2`, three of them padding.
const WORDS: usize = 10;

/// Why this method failed.
pub(super) struct Unable(pub(super) String);

/// Each vCPU's table.
pub(super) fn ask(pid: u32, vcpus: &[Vcpu]) -> Result<Vec<(Vcpu, Vec<CpuidEntry>)>, Unable> {
    // A seccomp filter may kill the process for an unexpected system call.
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.map_err(|error| Unable(format!("cannot read its status: {error}")))?;
    let guarded = |line: &str| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() != "0");
    if status.lines().any(guarded) {
        return Err(Unable(
            "a seccomp filter restricts its system calls, so it was not made to query KVM".to_owned(),
        ));
    }
    let at = syscall_instruction(pid).map_err(|error| Unable(format!("cannot read its memory: {error}")))?;
    let at = at.ok_or_else(|| Unable("it contains no `syscall` instruction".to_owned()))?;
    let output = run(pid, &script(vcpus, at))?;
    vcpus.iter().map(|vcpu| Ok((*vcpu, answer(&output, *vcpu)?))).collect()
}

fn run(pid: u32, script: &str) -> Result<String, Unable> {
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-q", "-batch", "-iex", "set auto-solib-add off", "-iex", "set debuginfod enabled off"]);
    gdb.args(["-p", &pid.to_string()]);
    // A keyboard interrupt must not prevent restoring the registers.
    gdb.process_group(0);
    // One by one: after a failed command, the commands that restore the registers still run.
    script.lines().for_each(|line| {
        gdb.args(["-ex", line]);
    });
    let output = gdb.stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Unable("gdb is not installed".to_owned()),
        _ => Unable(format!("cannot start gdb: {error}")),
    })?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if let Some(line) =
        errors.lines().find(|line| line.contains("ptrace: ") || line.contains("Could not attach"))
    {
        return Err(Unable(format!("gdb may not attach to it: {}", line.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The gdb commands.
fn script(vcpus: &[Vcpu], syscall: u64) -> String {
    // The instruction saves the flags in R11 and restores them from there.
    const SAVED: [&str; 8] = ["rax", "rdi", "rsi", "rdx", "rcx", "r11", "rip", "orig_rax"];
    let count = CpuidTable::MAX;
    // gdb uses the program's language; these commands use C.
    let mut script =
        String::from("set language c\nset pagination off\nset confirm off\nset scheduler-locking on\n");
    // Writing to a string does not fail.
    for register in SAVED {
        let _ = writeln!(script, "set $saved_{register} = (unsigned long)${register}");
    }
    let _ = writeln!(script, "set $buffer = ((unsigned long)$rsp - {BELOW}) & ~0xfffUL");
    for Vcpu { id, descriptor } in vcpus {
        let _ = writeln!(script, "set {{unsigned int}}$buffer = {count}");
        let _ = writeln!(script, "set {{unsigned int}}($buffer + 4) = 0");
        // The interrupted system call must not be restarted before this one.
        let _ = writeln!(script, "set $orig_rax = -1\nset $rip = {syscall:#x}\nset $rax = {IOCTL}");
        let _ =
            writeln!(script, "set $rdi = {descriptor}\nset $rsi = {KVM_GET_CPUID2:#x}\nset $rdx = $buffer");
        let _ = writeln!(script, "stepi\nset $answer = (long)$rax\nset $stopped = (unsigned long)$rip");
        for register in SAVED {
            let _ = writeln!(script, "set ${register} = $saved_{register}");
        }
        // If the instruction is inside a source line, gdb first prints its address without a line feed.
        let _ = writeln!(script, "printf \"\\nvcpu {id} %ld %lx\\n\", $answer, $stopped");
        let _ = writeln!(script, "x/{}xw $buffer", 2 + WORDS * count);
        let _ = writeln!(script, "printf \"end\\n\"");
    }
    script
}

/// A vCPU's table from gdb's output.
fn answer(output: &str, Vcpu { id, .. }: Vcpu) -> Result<Vec<CpuidEntry>, Unable> {
    let unable = |what: &str| Unable(format!("gdb could not make it query KVM for vCPU {id}: {what}"));
    let mut lines = output.lines();
    let head = lines.find_map(|line| line.strip_prefix(&format!("vcpu {id} ")));
    let (result, _) = head
        .and_then(|head| head.split_once(' '))
        .ok_or_else(|| unable("the system call was not executed"))?;
    match result.parse::<i32>() {
        Ok(0) => {}
        Ok(error @ -4095..0) => return Err(unable(&io::Error::from_raw_os_error(-error).to_string())),
        _ => return Err(unable("it was interrupted; try again")),
    }
    let words = lines
        .take_while(|line| *line != "end")
        .filter_map(|line| line.split_once(':'))
        .flat_map(|line| line.1.split_ascii_whitespace());
    let words: Option<Vec<u32>> =
        words.map(|word| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect();
    let words = words.ok_or_else(|| unable("gdb's output cannot be parsed"))?;
    let count = words.first().and_then(|count| usize::try_from(*count).ok());
    let entries = count.and_then(|count| words.get(2..2 + WORDS * count));
    let entries = entries.ok_or_else(|| unable("gdb's output is not the whole table"))?;
    Ok(entries.chunks_exact(WORDS).filter_map(entry_of).collect())
}

fn entry_of(words: &[u32]) -> Option<CpuidEntry> {
    let [function, index, flags, eax, ebx, ecx, edx, ..] = *words else { return None };
    Some(CpuidEntry {
        function: Leaf(function),
        index: Subleaf(index),
        flags,
        registers: Registers { eax, ebx, ecx, edx },
    })
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use cpuid_tables::{Leaf, Registers, Subleaf};

    use super::{Vcpu, answer, script};
    use cpuid_tables::CpuidEntry;

    const VCPU: Vcpu = Vcpu { id: 3, descriptor: 11 };

    #[test]
    fn what_gdb_prints_is_a_table() {
        let output = "noise\nvcpu 3 0 7f00\n0x7ffd1000:\t0x00000001\t0x00000000\t0x00000007\t0x00000000\n\
                      0x7ffd1010:\t0x00000001\t0x00000002\t0x00000020\t0x00000000\n\
                      0x7ffd1020:\t0x00000004\t0x00000000\t0x00000000\t0x00000000\nend\n";
        let entries = answer(output, VCPU).map_err(|error| error.0);
        assert_eq!(
            entries,
            Ok(vec![CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(2, 0x20, 0, 4))])
        );
    }

    #[test]
    fn what_went_wrong_is_told() {
        let error = |output: &str| answer(output, VCPU).map_err(|error| error.0).unwrap_err();
        assert!(error("").ends_with("the system call was not executed"));
        assert!(error("vcpu 3 -25 7f00\nend\n").contains("ioctl"), "{}", error("vcpu 3 -25 7f00\nend\n"));
        assert!(error("vcpu 3 16 7f00\nend\n").ends_with("try again"));
        assert!(error("vcpu 3 0 7f00\n0x1:\t0x00000002\t0x00000000\nend\n").ends_with("not the whole table"));
        assert!(error("vcpu 3 0 7f00\n0x1:\tCannot access\nend\n").ends_with("cannot be parsed"));
    }

    #[test]
    fn registers_are_put_back_before_anything_is_printed() {
        let script = script(&[VCPU], 0x1000);
        let (before, after) = script.split_once("stepi").unwrap();
        assert!(before.contains("set $rdi = 11\n") && !before.contains("printf"));
        let (restored, _) = after.split_once("printf").unwrap();
        assert_eq!(restored.matches(" = $saved_").count(), 8);
    }
}
