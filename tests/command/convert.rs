//! `kvm-cpuid convert`: from files and standard input, with exit codes, in bounded memory.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::common;

const GUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dumps/vmcore-cpuid_entries.txt");
const TWO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dumps/cpuid-r.txt");

fn convert(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"))
        .arg("convert")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may exit before it has read all of it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Its output on success.
fn converted(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = convert(arguments, input);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments:?}");
    output.stdout
}

/// Its message on failure.
fn fails(arguments: &[&str], input: &[u8]) -> String {
    let output = convert(arguments, input);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    text(&output.stderr).to_owned()
}

#[test]
fn formats_with_flags_lose_nothing() {
    let entries = converted(&["--format", "entries", GUEST], b"");
    assert!(text(&entries).starts_with("40000000 0 0 40000001 4b4d564b 564b4d56 4d\n"));
    for format in ["json", "gdb", "strace", "firecracker"] {
        let there = converted(&["--format", format, GUEST], b"");
        assert_eq!(converted(&["--format", "entries", "-"], &there), entries, "{format}");
        assert_eq!(converted(&["--format", "entries", "--from", format, "-"], &there), entries, "{format}");
    }
}

#[test]
fn unsupported_flags_are_omitted_with_a_warning() {
    for format in ["cpuid-r", "kcpuid", "instlatx64", "libvirt", "propolis"] {
        let output = convert(&["--format", format, GUEST], b"");
        assert_eq!(output.status.code(), Some(0));
        let loses = format!("{format} cannot hold the flags of entry 4: 0x6 would be read back as 0x0");
        assert_eq!(text(&output.stderr), format!("warning: {loses}; the flags are left out\n"));
        let entries = converted(&["--format", "entries", "-"], &output.stdout);
        assert!(text(&entries).contains("\n2 0 0 1 0 4d 2c307d\n"), "{format}");
        let message = fails(&["--format", format, "--strict", GUEST], b"");
        assert_eq!(message, format!("error: {loses}\nhelp: without --strict they are left out\n"));
    }
}

#[test]
fn several_cpus() {
    let entries = converted(&["--format", "entries", TWO], b"");
    let of_cpu_1 = text(&entries).lines().filter(|line| line.starts_with("vcpu1 ")).count();
    assert_eq!((text(&entries).lines().count(), of_cpu_1), (58, 29));
    assert_eq!(converted(&["--format", "cpuid-r", TWO], b""), fs::read(TWO).unwrap());
    // CPUs without numbers get their positions.
    let twice = converted(&["--format", "entries", GUEST, GUEST], b"");
    assert!(text(&twice).starts_with("vcpu0 40000000 ") && text(&twice).contains("\nvcpu1 40000000 "));
    let one = converted(&["--format", "firecracker", "--number", "1", TWO], b"");
    assert_eq!(text(&converted(&["--format", "entries", "-"], &one)).lines().count(), 29);
    assert_eq!(
        fails(&["--format", "firecracker", TWO], b""),
        "error: firecracker holds one CPU, and there are several\nhelp: --number N selects one of them\n"
    );
}

#[test]
fn unreadable_and_unwritable_input_fails() {
    let message = fails(&["--format", "json", "-"], b"CPU 0:\n0x1 0x0: eax=0x1\n");
    assert!(
        message.starts_with("error: -: line 2: `0x1 0x0: eax=0x1` is not cpuid-r: expected "),
        "{message}"
    );
    let output = convert(&["--format", "entries", "--lenient", "-"], b"1 0 0 1 2 3 4\nx\n2 0 0 1 2 3 4\n");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "1 0 0 1 2 3 4\n2 0 0 1 2 3 4\n"));
    assert!(text(&output.stderr).starts_with("warning: -: line 2: `x` is not entries"));
    assert!(fails(&["--format", "json", "no/such/file"], b"").starts_with("error: no/such/file: "));
    for wrong in ["qemu-model", "xml"] {
        let message = fails(&["--format", wrong, "-"], b"");
        assert!(message.contains("[possible values: entries, json, cpuid-r, "), "{message}");
    }
    let open = br#"{"entries":[{"function":1,"eax":0,"ebx":0,"ecx":0,"edx":0,"known":[0,0,0,0]}]}"#;
    assert_eq!(
        fails(&["--format", "cpuid-r", "-"], open),
        "error: cpuid-r tells every bit of a register, and entry 0 leaves some open\nhelp: json and firecracker can \
         hold unspecified bits\n"
    );
}

/// A reader that closes the pipe is not a failure.
#[test]
fn closed_pipe_ends_convert() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"))
        .args(["convert", "--format", "entries", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let line = b"vcpu0 1 0 0 1 2 3 4\nvcpu1 1 0 0 1 2 3 4\n";
    let _ = child.stdin.take().unwrap().write_all(&line.repeat(10_000));
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

/// A process's peak memory in KiB; `None` if the system does not report it.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Memory use is the same few megabytes for input of any length, CPU by CPU or document by document.
#[test]
fn memory_is_bounded() {
    if peak(std::process::id()).is_none() {
        return common::refused("memory_is_bounded", "no /proc/PID/status");
    }
    for format in ["cpuid-r", "json", "strace"] {
        let one = converted(&["--format", format, TWO], b"");
        let mut child = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"))
            .args(["convert", "--format", "cpuid-r", "--from", format, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // The program's own pages, which depend on its build, are in memory after the first megabytes.
        let mut fed = 0;
        let mut peak_after = |length: usize| {
            while fed < length {
                input.write_all(&one).unwrap();
                fed += one.len();
            }
            peak(child.id()).unwrap()
        };
        let (first, last) = (peak_after(4 << 20), peak_after(24 << 20));
        drop(input);
        assert!(child.wait().unwrap().success());
        assert!(
            last < first + (2 << 10),
            "{format}: {first} KiB after 4 MiB of input, {last} KiB after 24 MiB"
        );
        assert!(last < 32 << 10, "{format}: {last} KiB");
    }
}
