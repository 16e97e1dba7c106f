//! `kvm-cpuid check`: exit codes and both output formats.

use crate::common;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the command in tests/check, with a text on standard input.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"));
    command
        .arg("check")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> (Option<i32>, &str) {
    (output.status.code(), std::str::from_utf8(&output.stdout).unwrap())
}

const AVX2_BY_HAND: &str = "\
0 0 0 7 756e6547 6c65746e 49656e69
1 0 0 806f8 0 0 788abfd
7 0 1 0 20 0 0
";

#[test]
fn table_without_findings_exits_with_0() {
    let output = run(&["amd.txt"], "");
    let (code, out) = text(&output);
    assert_eq!(code, Some(0));
    let expected = "0 errors, 0 warnings; not checked without a host (--host): \
                    feature-not-supported, ";
    assert!(out.starts_with(expected) && out.lines().count() == 1, "{out}");
}

#[test]
fn warnings_do_not_fail_and_can_be_omitted() {
    let output = run(&["intel.txt"], "");
    let (code, out) = text(&output);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("warning[leaf-of-another-vendor]: leaf 0x80000005 (first-level caches"), "{out}");
    assert!(out.contains("\n0 errors, 1 warning; "), "{out}");
    let output = run(&["intel.txt", "--errors-only"], "");
    assert!(text(&output).1.starts_with("0 errors, 0 warnings; "));
}

/// gdb's output for a real guest's vCPU in a memory dump.
#[test]
fn guest_from_a_memory_dump_is_checked() {
    let output = run(&["../dumps/vmcore-cpuid_entries.txt"], "");
    let (code, out) = text(&output);
    assert_eq!(code, Some(0));
    assert!(out.contains("\n0 errors, 1 warning; "), "{out}");
}

#[test]
fn error_is_printed_as_text() {
    if !common::recent("error_is_printed_as_text") {
        return;
    }
    let output = run(&["-"], AVX2_BY_HAND);
    let (code, out) = text(&output);
    assert_eq!(code, Some(1));
    let expected = "error[feature-needs]: avx2 is set without xsave, avx\n\
                    \x20 at: vCPU 0, entry 2, CPUID.(EAX=7,ECX=0):EBX[5]\n";
    assert!(out.contains(expected), "{out}");
    assert!(!out.contains('\x1b'), "no colours where no terminal is");
}

#[test]
fn error_is_printed_as_json() {
    if !common::recent("error_is_printed_as_json") {
        return;
    }
    let output = run(&["amd.txt", "-", "--format", "json"], AVX2_BY_HAND);
    let (code, out) = text(&output);
    assert_eq!(code, Some(1));
    let value: Value = serde_json::from_str(out).unwrap();
    assert_eq!((&value["errors"], &value["sources"][0]["source"]), (&1.into(), &"amd.txt".into()));
    assert_eq!(value["sources"][0]["findings"], Value::Array(Vec::new()));
    assert_eq!(value["sources"][1]["skipped"][0], "feature-not-supported");
    let finding = &value["sources"][1]["findings"][0];
    let expected = serde_json::json!({
        "severity": "error",
        "kind": "feature-needs",
        "feature": "avx2",
        "vcpus": [0],
        "at": {
            "vcpu": null, "entry": 2, "leaf": "0x7", "subleaf": 0, "register": "EBX", "bits": [5],
        },
        "others": [
            {"vcpu": null, "entry": 1, "leaf": "0x1", "subleaf": null, "register": "ECX", "bits": [26]},
            {"vcpu": null, "entry": 1, "leaf": "0x1", "subleaf": null, "register": "ECX", "bits": [28]},
        ],
        "what": "avx2 is set without xsave, avx",
        "why": finding["why"],
        "help": "set xsave and avx, or clear avx2",
    });
    assert_eq!(finding, &expected);
}

#[test]
fn host_adds_findings() {
    let host = std::env::temp_dir().join(format!("check-cli-{}", std::process::id()));
    let name = host.to_str().unwrap();
    let supported = "0 0 0 7 756e6547 6c65746e 49656e69\n1 0 0 806f8 0 14000000 788abfd\n7 0 1 0 0 0 0\n";
    for extension in ["supported", "host"] {
        std::fs::write(format!("{name}.{extension}"), supported).unwrap();
    }
    let table =
        AVX2_BY_HAND.replace("806f8 0 0", "806f8 0 14000000") + "d 0 1 7 340 340 0\nd 2 1 100 240 0 0\n";
    let output = run(&["-", "--host", name], &table);
    for extension in ["supported", "host"] {
        std::fs::remove_file(format!("{name}.{extension}")).unwrap();
    }
    let (code, out) = text(&output);
    assert_eq!(code, Some(1));
    let expected = "error[feature-not-supported]: avx2 is set, but KVM on this host does not support it\n";
    assert!(out.contains(expected) && !out.contains("not checked"), "{out}");
}

#[test]
fn what_cannot_be_read() {
    for arguments in [&["missing.txt"][..], &["amd.txt", "--host", "missing"], &[], &["cases.rs"]] {
        let output = run(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

/// The script that counts findings by kind, on a folder with a sound table, a broken one and none.
#[test]
fn findings_of_a_folder_are_counted_by_kind() {
    if !common::recent("findings_of_a_folder_are_counted_by_kind") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("count/below");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("sound"), std::fs::read(root.join("tests/check/amd.txt")).unwrap()).unwrap();
    for name in ["by hand", "again"] {
        std::fs::write(folder.join(name), AVX2_BY_HAND).unwrap();
    }
    std::fs::write(folder.join("notes.txt"), "no table\n").unwrap();
    let count = |more: &[&str]| {
        let mut command = Command::new(root.join("tests/check/count"));
        command.args(["--program", env!("CARGO_BIN_EXE_kvm-cpuid")]).args(more).arg(folder.parent().unwrap());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(count(&[]), "-\tnot read\t1\t1\n-\tnothing found\t1\t1\nerror\tfeature-needs\t2\t2\n");
    let listed = count(&["--list", "feature-needs"]);
    assert!(
        listed.lines().map(|line| line.rsplit('/').next()).eq([Some("again"), Some("by hand")]),
        "{listed}"
    );
}
