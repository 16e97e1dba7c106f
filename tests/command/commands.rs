//! The command `kvm-cpuid`: output streams, exit codes, sources.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::common::{self, skipped};

const MILAN: &str = "tests/show/milan.entries";
const MILAN_2: &str = "tests/show/milan-2.entries";
const SPR: &str = "tests/show/spr.entries";
const HASWELL: &str = "tests/show/haswell.entries";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"));
    command.args(arguments).env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR");
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// With this text on standard input.
fn fed(arguments: &[&str], input: &str) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read all of it closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A file that only this test uses.
fn file(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-commands");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

const ONE_LEAF: &str = "   0x00000001 0x00: eax=0x000406f1 ebx=0x05100800 ecx=0x7ffefbff edx=0xbfebfbff\n";

#[test]
fn has_accepts_any_name_and_location() {
    for name in ["vmx", "VMX", "X86_FEATURE_VMX", "1.ecx[5]", "CPUID.(EAX=1,ECX=0):ECX[5]", "4*32+5"] {
        let output = fed(&["has", name, "-"], &format!("CPU:\n{ONE_LEAF}"));
        assert_eq!((output.status.code(), errors(&output).as_str()), (Some(0), ""), "{name}");
        assert_eq!(out(&output), "");
        // Without the line that names the CPU.
        assert_eq!(fed(&["has", name, "-"], ONE_LEAF).status.code(), Some(0), "{name}");
    }
    assert_eq!(run(&["has", "avx512f", SPR]).status.code(), Some(0));
    assert_eq!(run(&["has", "avx512f", HASWELL]).status.code(), Some(1));
    assert_eq!(errors(&run(&["has", "avx512f", HASWELL])), "");
}

#[test]
fn find_takes_several_names_and_one_text_in_parts() {
    if !common::pinned("find_takes_several_names_and_one_text_in_parts") {
        return;
    }
    let output = run(&["find", "avx2", "kvmclock", "hv-time"]);
    assert_eq!((output.status.code(), errors(&output).as_str()), (Some(0), ""));
    let headings = |output: &Output| out(output).lines().filter(|line| line.contains(": CPUID.")).count();
    assert_eq!(headings(&output), 4, "{}", out(&output));
    let output = run(&["find", "MSR", "0x10a[8]"]);
    assert!(out(&output).starts_with("TAA_NO: MSR 0x10a[8]"), "{}", out(&output));
    let output = run(&["find", "CPUID.0DH:EAX.xsavec", "[bit", "1]"]);
    assert!(out(&output).starts_with("xsavec: CPUID.(EAX=0xD,ECX=1):EAX[1]"), "{}", out(&output));
    let output = run(&["find", "avx2", "no-such-name"]);
    assert_eq!((output.status.code(), headings(&output)), (Some(1), 1));
    assert!(errors(&output).contains("no match for `no-such-name`"), "{}", errors(&output));
}

#[test]
fn has_takes_a_line_of_qemu_s() {
    let line = "qemu-kvm: warning: host doesn't support requested feature: CPUID[eax=01h].ECX.vmx [bit 5]";
    assert_eq!(fed(&["has", line, "-"], &format!("CPU:\n{ONE_LEAF}")).status.code(), Some(0));
}

#[test]
fn has_does_not_know_what_an_incomplete_dump_lacks() {
    let output = fed(&["has", "avx2", "-"], ONE_LEAF);
    assert_eq!(output.status.code(), Some(3));
    assert!(errors(&output).contains("- does not state avx2: "), "{}", errors(&output));
}

#[test]
fn has_requires_the_feature_on_every_cpu() {
    let leaf = |ebx: &str| format!("   0x00000007 0x00: eax=0x0 ebx={ebx} ecx=0x0 edx=0x0\n");
    let text = format!("CPU 0:\n{}CPU 1:\n{}", leaf("0x00000020"), leaf("0x00000000"));
    assert_eq!(fed(&["has", "avx2", "-"], &text).status.code(), Some(1));
    assert_eq!(fed(&["has", "avx2", "-", "--number", "0"], &text).status.code(), Some(0));
    assert_eq!(fed(&["has", "avx2", "-", "--number", "1"], &text).status.code(), Some(1));
    let output = fed(&["has", "avx2", "-", "--number", "7"], &text);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("no CPU 7"), "{}", errors(&output));
}

#[test]
fn has_rejects_unknown_names_and_says_what_a_table_does_not_state() {
    for (name, code, expected) in [
        ("vmxx", 2, "did you mean vmx?"),
        ("xtopology", 3, "only Linux decides it: /proc/cpuinfo states it"),
        ("spectre_v1", 3, "only Linux decides it"),
        ("7.0.eax[9]", 2, "no known feature at 7.0.eax[9]"),
        ("7.0.ebx", 2, "`kvm-cpuid find` lists a register's contents"),
    ] {
        let output = run(&["has", name, SPR]);
        assert_eq!(output.status.code(), Some(code), "{name}");
        assert!(errors(&output).contains(expected), "{name}: {}", errors(&output));
    }
}

#[test]
fn diff_exits_with_1_on_differences() {
    assert_eq!(run(&["diff", MILAN, MILAN]).status.code(), Some(0));
    assert_eq!(out(&run(&["diff", MILAN, MILAN])), "");
    assert_eq!(run(&["diff", MILAN, SPR]).status.code(), Some(1));
    assert_eq!(run(&["diff", MILAN, "tests/show/absent"]).status.code(), Some(2));
    assert_eq!(run(&["diff", HASWELL, SPR, "--migrate"]).status.code(), Some(0));
    assert_eq!(run(&["diff", SPR, HASWELL, "--migrate"]).status.code(), Some(1));
}

#[test]
fn emulated_features_are_not_obstacles() {
    if !common::pinned("emulated_features_are_not_obstacles") {
        return;
    }
    let table = |name: &str, ecx: &str| format!("{name} 1 0 0 806f8 0 {ecx} 1\n");
    // The TSC deadline timer, which older KVMs do not list.
    let guest = file("deadline.entries", &table("vcpu0", "1000001"));
    let guest = guest.to_str().unwrap();
    let to = |name: &str, ecx: &str| fed(&["diff", guest, "-", "--migrate"], &table(name, ecx)).status.code();
    // A table with the hypervisor bit is another guest's, to which nothing is added.
    assert_eq!(
        (to("supported", "1"), to("vcpu0", "1"), to("vcpu0", "80000001")),
        (Some(0), Some(0), Some(1))
    );
}

#[test]
fn the_destination_s_vmm_counts() {
    if !common::pinned("the_destination_s_vmm_counts") {
        return;
    }
    // Leaf 1 with PDCM, which Firecracker takes from every guest, and MTRR; and the leaves without which it starts none.
    let table = |name: &str, vendor: &str, edx: &str| {
        let mut lines = format!("{name} 0 0 0 a {vendor}\n{name} 1 0 0 806f8 0 8000 {edx}\n");
        for leaf in [
            "6 0 0",
            "7 0 1",
            "a 0 0",
            "80000002 0 0",
            "80000003 0 0",
            "80000004 0 0",
            "80000005 0 0",
            "80000006 0 0",
        ] {
            lines += &format!("{name} {leaf} 0 0 0 0\n");
        }
        lines + &format!("{name} 80000000 0 0 80000006 0 0 0\n")
    };
    let intel = "756e6547 6c65746e 49656e69";
    let guest = file("vmm.entries", &table("vcpu0", intel, "1000"));
    let to = |vmm: &str, table: &str| {
        let output = fed(&["diff", guest.to_str().unwrap(), "-", "--migrate", "--vmm", vmm], table);
        (output.status.code(), out(&output), errors(&output))
    };
    let there = table("supported", intel, "1000");
    assert_eq!(to("qemu", &there).0, Some(0));
    assert_eq!(to("dragonball", &there).0, Some(0));
    let (code, text, _) = to("firecracker", &there);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("pdcm (CPUID.(EAX=1,ECX=0):ECX[15]): the guest has it, but B does not; KVM there has it, firecracker takes it away"), "{text}");
    assert!(!text.contains("-cpu"), "{text}");
    let (code, text, _) = to("crosvm", &table("supported", intel, "0"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("with crosvm: 1 obstacle\n  mtrr") && !text.contains("takes it away"), "{text}");

    // Firecracker has templates for Intel and AMD alone.
    let centaur = "746e6543 736c7561 48727561";
    let (code, text, _) = to("firecracker", &table("supported", centaur, "1000"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("with firecracker: firecracker starts no guest there"), "{text}");

    // Another guest's table says nothing of what KVM supports; a list of names does not say all.
    let (code, _, text) = to("firecracker", &table("vcpu0", intel, "1000").replace(" 8000 ", " 80008000 "));
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("is a guest's table: with --vmm firecracker, B must be what a host's KVM supports"),
        "{text}"
    );
    let (code, _, text) = to("firecracker", "flags : fpu mtrr pdcm\n");
    assert_eq!(code, Some(2), "{text}");
    let (code, _, text) = to("xen", &there);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("expected qemu, firecracker, cloud-hypervisor, crosvm, libkrun, dragonball"),
        "{text}"
    );
}

#[test]
fn sources_keep_their_order() {
    let text = fs::read_to_string(HASWELL).unwrap();
    let output = fed(&["diff", "-", SPR], &text);
    assert!(out(&output).starts_with("- A: -, CPU 0\n+ B: tests/show/spr.entries"), "{}", out(&output));
    let output = fed(&["diff", SPR, "-"], &text);
    assert!(out(&output).starts_with("- A: tests/show/spr.entries"), "{}", out(&output));
}

#[test]
fn cpus_without_a_counterpart_are_reported() {
    let three =
        fs::read_to_string(MILAN_2).unwrap() + &fs::read_to_string(MILAN).unwrap().replace("vcpu0", "vcpu7");
    let output = fed(&["diff", "-", MILAN_2], &three);
    assert!(errors(&output).contains("1 CPUs have no counterpart: - has 3"), "{}", errors(&output));
    assert_eq!(output.status.code(), Some(1), "what cannot be compared is not the same");
}

#[test]
fn find_exits_with_1_on_unknown_text() {
    assert_eq!(run(&["find", "avx2"]).status.code(), Some(0));
    let output = run(&["find", "avx_2x"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(errors(&output).contains("did you mean avx2"), "{}", errors(&output));
    let output = run(&["find", "avx_2x", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json, serde_json::json!({ "version": 1, "found": [], "not_found": ["avx_2x"] }));
}

#[test]
fn missing_leaf_is_explained() {
    let output = fed(&["show", "-", "-l", "0x24"], ONE_LEAF);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("no entry for the leaf of -l"), "{}", errors(&output));
    assert_eq!(run(&["show", HASWELL, "-l", "0x24", "-l", "7"]).status.code(), Some(0));
}

/// Leaves 0, 1 and 0x1f of a vendor's guest, its signature as EBX, ECX and EDX.
fn guest_of(vendor: [u32; 3], highest: u32) -> String {
    let [ebx, ecx, edx] = vendor;
    format!(
        "0 0 0 {highest:x} {ebx:x} {ecx:x} {edx:x}\n1 0 0 806f8 5000800 80202201 78bfbff\n\
         1f 0 1 0 1 100 5\n1f 1 1 3 4 201 5\n1f 2 1 0 0 2 5\n"
    )
}

const INTEL: [u32; 3] = [0x756e_6547, 0x6c65_746e, 0x4965_6e69];
const AMD: [u32; 3] = [0x6874_7541, 0x444d_4163, 0x6974_6e65];

#[test]
fn what_kvm_answers_at_a_leaf_without_an_entry() {
    let show = |leaf: &str, table: &str| {
        let output = fed(&["show", "-", "-l", leaf], table);
        assert_eq!((output.status.code(), errors(&output).as_str()), (Some(0), ""), "{leaf}");
        out(&output)
    };
    let intel = guest_of(INTEL, 0x1f);
    let text = show("0xC0000001", &intel);
    for part in [
        "0xc0000001.0: no entry; KVM answers as for leaf 0x1F, the highest basic one",
        "out of range, and the vendor is GenuineIntel",
        "EAX 0x00000000  EBX 0x00000001  ECX 0x00000100  EDX 0x00000005",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(show("0x8000001f.1", &intel).contains("EBX 0x00000004"), "{}", show("0x8000001f.1", &intel));
    assert!(show("0x1f.7", &intel).contains("beyond the last level"), "{}", show("0x1f.7", &intel));
    // A leaf in range without an entry is zeros on every processor.
    assert!(show("0x14", &intel).contains("KVM answers zeros"), "{}", show("0x14", &intel));
    let text = show("0xC0000001", &guest_of(AMD, 0x1f));
    assert!(text.contains("KVM answers zeros, as AuthenticAMD's processors do"), "{text}");
    let json = fed(&["show", "-", "-l", "0xC0000001", "--format", "json"], &intel);
    assert!(out(&json).contains("\"ecx\": \"0x00000100\""), "{}", out(&json));
}

#[test]
fn a_number_that_no_cpu_has() {
    let cpu = |number: u32| format!("CPU {number}:\n{ONE_LEAF}");
    let all = |numbers: &[u32]| numbers.iter().map(|number| cpu(*number)).collect::<String>();
    for (numbers, told) in [
        (&[1, 2, 3, 4][..], "no CPU 0; it has CPUs 1 to 4"),
        (&[1, 2, 5], "no CPU 0; it has CPUs 1, 2, 5"),
        (&[7], "no CPU 0; it has CPU 7"),
    ] {
        let output = fed(&["show", "--number", "0", "-"], &all(numbers));
        assert_eq!(output.status.code(), Some(2));
        assert!(errors(&output).contains(told), "{}", errors(&output));
    }
}

#[test]
fn an_empty_input_is_called_empty() {
    for input in ["", "\n \n"] {
        let output = fed(&["show", "-"], input);
        assert_eq!(output.status.code(), Some(2));
        assert!(errors(&output).contains("standard input is empty"), "{}", errors(&output));
    }
}

#[test]
fn why_knows_whose_a_feature_is() {
    if !common::pinned("why_knows_whose_a_feature_is") {
        return;
    }
    let table = |vendor, more: &str| guest_of(vendor, 0xd) + more;
    let verdict =
        |name: &str, table: &str| out(&fed(&["why", name, "-"], table)).lines().last().unwrap().to_owned();
    let kvm = "40000000 0 0 40000001 4b4d564b 564b4d56 4d\n";
    for more in ["", kvm] {
        let text = verdict("svm", &table(INTEL, more));
        let told =
            "svm is AMD's, and this is GenuineIntel, whose name for it is vmx: there is nothing to switch on";
        assert!(text.starts_with(told) && text.contains("-cpu host or -svm"), "{text}");
    }
    let text = verdict("vmx", &table(AMD, ""));
    assert!(text.starts_with("vmx is Intel's, and this is AuthenticAMD, whose name for it is svm"), "{text}");
    assert!(verdict("xop", &table(INTEL, "")).starts_with("xop is AMD's"));
    assert!(verdict("npt", &table(INTEL, "")).starts_with("npt is AMD's"));
    assert!(verdict("rtm", &table(AMD, "")).starts_with("rtm is Intel's"));
    // KVM's own leaf is not a hypervisor below, in what KVM says it supports.
    let text = verdict("avx2", &table(INTEL, kvm));
    assert!(text.starts_with("KVM withholds avx2") && !text.contains("below"), "{text}");
}

#[test]
fn json_output_parses() {
    for arguments in [
        vec!["show", SPR, MILAN_2, "--format", "json"],
        vec!["diff", SPR, MILAN_2, "--format", "json"],
        vec!["diff", SPR, MILAN_2, "--migrate", "--format", "json"],
        vec!["find", "0xd", "--format", "json"],
        vec!["find", "9*32+5", "--format", "json"],
        vec!["find", "7.0.ebx", "--format", "json"],
        vec!["find", "cache_type", "--format", "json"],
        vec!["why", "ibrs", SPR, MILAN_2, "--format", "json"],
    ] {
        let output = run(&arguments);
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(value.is_object() || value.is_array(), "{arguments:?}");
    }
}

#[test]
fn unreadable_source_exits_with_2() {
    let nonsense = file("nonsense.txt", "this is not a dump\n");
    let nonsense = nonsense.to_str().unwrap();
    // Not a process of another user, which may forbid to look at it.
    let own = std::process::id().to_string();
    for (arguments, expected) in [
        (vec!["show", "tests/show/absent"], "tests/show/absent: "),
        (vec!["show", nonsense], "--from FORMAT"),
        (vec!["show", nonsense, "--from", "no-such"], "the formats are entries"),
        (vec!["show", SPR, "-l", "x"], "a leaf such as 7"),
        (vec!["show", SPR, "--format", "no-such"], "text, json, or one of"),
        (vec!["show", "--guest-of", &own], &format!("process {own} ")),
        (vec!["show", "--guest-of", "4294967295"], "no process 4294967295"),
        (vec!["has", "avx2"], "expected exactly one SOURCE, got 0"),
        (vec!["has", "avx2", SPR, MILAN], "expected exactly one SOURCE, got 2"),
        (vec!["has", "avx2", "--guest-of", "12", "34"], "expected exactly one SOURCE, got 2"),
        (vec!["diff", SPR], "expected exactly 2 SOURCEs, got 1"),
        (vec!["why", "avx2", SPR, "--cpu", "Haswel"], "did you mean Haswell"),
        (vec!["show", SPR, "--hots"], "--host"),
        (vec!["has", "7.0.ebx[32]", SPR], "bits are 0 to 31"),
        (vec!["has", "avx2", SPR, "--cpu", "EPYC"], "--number N selects a CPU"),
        (vec!["no-such-command"], "unrecognized subcommand"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).contains(expected), "{arguments:?}: {}", errors(&output));
        assert_eq!(out(&output), "", "{arguments:?}");
    }
}

#[test]
fn lenient_warns_and_continues() {
    let text = format!("CPU 0:\n   0x00000000 0x00: nonsense\n{ONE_LEAF}");
    let strict = fed(&["has", "vmx", "-"], &text);
    assert_eq!(strict.status.code(), Some(2));
    assert!(
        errors(&strict).contains("line 2") && errors(&strict).contains("--lenient"),
        "{}",
        errors(&strict)
    );
    let lenient = fed(&["has", "vmx", "-", "--lenient"], &text);
    assert_eq!(lenient.status.code(), Some(0), "{}", errors(&lenient));
    assert!(errors(&lenient).starts_with("warning: -: line 2"), "{}", errors(&lenient));
}

#[test]
fn colours_only_on_a_terminal() {
    for arguments in [
        vec!["show", SPR],
        vec!["diff", SPR, HASWELL],
        vec!["find", "avx2"],
        vec!["why", "avx2", SPR],
        vec!["has", "no-such", SPR],
    ] {
        let plain = run(&arguments);
        assert!(!out(&plain).contains('\x1b') && !errors(&plain).contains('\x1b'), "{arguments:?}");
        let forced = command(&arguments).env("CLICOLOR_FORCE", "1").output().unwrap();
        assert!((out(&forced) + &errors(&forced)).contains('\x1b'), "{arguments:?}");
    }
}

#[test]
fn every_command_has_examples() {
    let help = out(&run(&["--help"]));
    let commands = help.split("Tables:\n").nth(1).unwrap().split("\nOptions:").next().unwrap();
    let mut count = 0;
    for name in commands.lines().filter(|line| line.starts_with("  ")) {
        let name = name.split_ascii_whitespace().next().unwrap();
        let output = run(&[name, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        let help = out(&output);
        assert!(help.contains(&format!("Examples:\n  kvm-cpuid {name}")), "{name}: {help}");
        assert!(help.contains("Exit codes:\n  0  ") && help.contains("\n  2  "), "{name}: {help}");
        count += 1;
    }
    assert_eq!(count, 14, "{commands}");
    assert!(help.contains("Examples:\n") && help.contains("Exit codes"));
}

#[test]
fn closed_pipe_is_not_a_failure() {
    // More than fits into a pipe.
    let two = fs::read_to_string(MILAN_2).unwrap();
    let many: String = (0..60).map(|cpu| two.replace("vcpu", &format!("vcpu{cpu}"))).collect();
    let path = file("many.entries", &many);
    for form in ["text", "json", "entries", "cpuid-r"] {
        let arguments = ["show", path.to_str().unwrap(), "--format", form];
        let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(errors(&output), "", "{form}");
        assert!(output.status.success(), "{form}");
    }
}

#[test]
fn show_decodes_this_machine() {
    let output = run(&["show"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    assert!(out(&output).contains("\n0x00000001: version, APIC id, features\n"));
    // Linux and the instruction agree about a feature that every 64-bit processor has.
    assert_eq!(run(&["has", "sse2", "--instruction"]).status.code(), Some(0));
    let raw = out(&run(&["show", "--instruction", "--raw"]));
    let again = fed(&["diff", "-", "--instruction"], &raw);
    assert_eq!(again.status.code(), Some(0), "{}", out(&again));
}

#[test]
fn missing_kvm_is_reported_with_advice() {
    if Path::new("/dev/kvm").exists() {
        for source in ["--supported", "--emulated"] {
            let output = run(&["show", source]);
            assert!(output.status.success() || errors(&output).contains("/dev/kvm"), "{}", errors(&output));
        }
        return;
    }
    let output = run(&["show", "--supported"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("there is no /dev/kvm"), "{}", errors(&output));
}

#[test]
fn why_explains_this_machine() {
    let output = run(&["why", "sse2"]);
    // Without KVM nobody knows what a guest can have.
    let code = if fs::File::options().read(true).write(true).open("/dev/kvm").is_ok() { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(code), "{}", errors(&output));
    let text = out(&output);
    for part in ["  yes CPU     CPUID shows it", " shows sse2 in /proc/cpuinfo", "  yes QEMU    "] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn probe_runs_a_guest() {
    if fs::File::options().read(true).write(true).open("/dev/kvm").is_err() {
        return common::refused("probe_runs_a_guest", common::NO_KVM);
    }
    let output = run(&["probe", "--format", "entries"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", errors(&output));
    let seen = fed(&["show", "-", "-l", "0"], &out(&output));
    assert!(out(&seen).contains("  = vendor "), "{}", out(&seen));
}

/// A QEMU or another VMM, killed when dropped.
struct Qemu(Child);

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Qemu {
    /// A guest of two vCPUs whose tables are set, or QEMU's messages if it exited.
    fn start(cpu: &str) -> Result<Qemu, String> {
        let options =
            ["-machine", "q35", "-accel", "kvm", "-cpu", cpu, "-smp", "2", "-m", "64", "-display", "none"];
        let mut command = Command::new("qemu-system-x86_64");
        command.args(options).args(["-monitor", "none", "-serial", "none"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut qemu = Qemu(command.spawn().unwrap());
        // A busy machine needs time.
        for _ in 0..600 {
            sleep(Duration::from_millis(100));
            if let Some(status) = qemu.0.try_wait().unwrap() {
                let mut said = String::new();
                let _ = qemu.0.stderr.take().unwrap().read_to_string(&mut said);
                return Err(format!("{status}: {}", said.lines().next().unwrap_or("nothing")));
            }
            if qemu.runs() {
                return Ok(qemu);
            }
        }
        panic!("QEMU neither makes its vCPUs nor ends");
    }

    /// Both vCPUs exist. Their tables are set a moment later.
    fn runs(&self) -> bool {
        let links = fs::read_dir(format!("/proc/{}/fd", self.0.id())).into_iter().flatten().flatten();
        let vcpus = links
            .filter_map(|link| fs::read_link(link.path()).ok())
            .filter(|link| link.to_string_lossy().contains("kvm-vcpu"));
        vcpus.count() == 2
    }
}

/// A running guest's vCPUs have QEMU's tables, and the guest continues.
#[test]
fn guest_of_reads_a_running_guest() {
    let test = "guest_of_reads_a_running_guest";
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if fs::File::options().read(true).write(true).open("/dev/kvm").is_err() {
        return common::refused(test, common::NO_KVM);
    }
    if !there("qemu-system-x86_64") {
        return skipped(test, "qemu-system-x86_64");
    }
    // Some QEMUs abort with `host` on a KVM that refuses an MSR which it lists.
    let started = ["host", "qemu64"].into_iter().find_map(|cpu| match Qemu::start(cpu) {
        Ok(qemu) => Some(qemu),
        Err(said) => {
            common::say(&format!("{test}: QEMU's -cpu {cpu} does not run on this machine: {said}"));
            None
        }
    });
    let Some(mut qemu) = started else { return common::refused(test, "QEMU runs with no CPU") };
    let pid = qemu.0.id().to_string();
    let show = || run(&["show", "--guest-of", &pid, "--format", "entries"]);
    let tables = |output: &Output| {
        let of = |vcpu: &str| out(output).lines().filter(|line| line.starts_with(vcpu)).count();
        ["vcpu0 ", "vcpu1 "].iter().all(|vcpu| of(vcpu) > 20)
    };
    let mut output = show();
    for _ in 0..20 {
        if tables(&output) || errors(&output).contains("it may not be traced") {
            break;
        }
        sleep(Duration::from_millis(500));
        output = show();
    }
    if errors(&output).contains("it may not be traced") {
        return common::refused(test, "tracing a process");
    }
    assert_eq!((output.status.code(), errors(&output).as_str()), (Some(0), ""));
    let text = out(&output);
    assert!(tables(&output), "{text}");
    // Each vCPU's own APIC id is in leaf 1.
    let ids = fed(&["show", "-", "-l", "1"], &text);
    assert!(out(&ids).contains("local_apic_id=0") && out(&ids).contains("local_apic_id=1"), "{}", out(&ids));
    sleep(Duration::from_millis(300));
    assert!(qemu.0.try_wait().unwrap().is_none(), "QEMU goes on");
    let again = run(&["diff", "--guest-of", &pid, "--guest-of", &pid]);
    assert_eq!(again.status.code(), Some(0), "{}", out(&again));
}

#[test]
fn has_takes_a_level_of_x86_64() {
    if !common::pinned("has_takes_a_level_of_x86_64") {
        return;
    }
    let guest = |cpu: &str| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("levels");
        crate::oracle::hosts::write(
            &folder,
            "intel",
            &crate::oracle::hosts::all_ones(crate::oracle::hosts::Vendor::INTEL),
        )
        .unwrap();
        let host = folder.join("intel");
        let host = host.to_str().unwrap();
        out(&run(&["guest", "--host", host, "--cpu", cpu, "--format", "cpuid-r"]))
    };
    for (cpu, levels) in
        [("486", 0), ("qemu64", 1), ("Nehalem", 2), ("SandyBridge", 2), ("Haswell", 3), ("Skylake-Server", 4)]
    {
        let table = guest(cpu);
        for level in 1..=4 {
            let output = fed(&["has", &format!("x86-64-v{level}"), "-"], &table);
            assert_eq!(output.status.code(), Some(i32::from(level > levels)), "{cpu}, {level}");
            assert_eq!(errors(&output).contains("lacks"), level > levels, "{}", errors(&output));
        }
    }
    assert_eq!(fed(&["has", "x86-64-v2", "-"], "flags: sse4_2 popcnt\n").status.code(), Some(3));
}
