//! The command as one instrument: it reads what it writes, an option means the same everywhere, an old spelling works, and a
//! wrong word gets a hint.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cpuid_tables::host::Host;
use serde_json::Value;

use crate::common;

const MILAN: &str = "tests/show/milan-2.entries";
const SPR: &str = "tests/show/spr.entries";
const HOST: &str = "tests/fleet/hosts/allintel";

pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read it closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn entries(arguments: &[&str], input: &str) -> String {
    let ran = run(&[&["convert", "--format", "entries"][..], arguments].concat(), input);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}: {}", ran.err);
    ran.out
}

/// A recorded host in one file that only this test uses.
fn node(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("instrument");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let mut host = Host::default();
    for file in cpuid_tables::host::HostFile::ALL {
        if let Ok(text) = fs::read_to_string(file.path(HOST.as_ref())) {
            host.read(file, &text).unwrap();
        }
    }
    fs::write(&path, serde_json::to_string_pretty(&host).unwrap()).unwrap();
    path
}

#[test]
fn it_reads_what_it_writes() {
    if !common::pinned("it_reads_what_it_writes") {
        return;
    }
    let guest = ["guest", "--host", HOST, "--cpu", "Haswell-v4", "--smp", "2"];
    let table = entries(&["-"], &run(&[&guest[..], &["--format", "entries"]].concat(), "").out);
    for arguments in [&["--format", "text"][..], &["--format", "json"]] {
        let written = run(&[&guest[..], arguments].concat(), "").out;
        assert_eq!(entries(&["-"], &written), table, "{arguments:?}");
    }
    let table = entries(&[MILAN], "");
    for format in ["text", "json", "entries", "gdb"] {
        let shown = run(&["show", MILAN, "--format", format], "").out;
        assert_eq!(entries(&["-"], &shown), table, "{format}");
        let again = run(&["show", "-", "--format", format], &shown);
        assert_eq!(again.err, "", "{format}");
        let differ = run(&["diff", "-", MILAN], &shown);
        assert_eq!((differ.code, differ.out.as_str()), (Some(0), ""), "{format}");
        assert_eq!(run(&["check", "-"], &shown).out, run(&["check", MILAN], "").out, "{format}");
    }
    let baseline = |format| run(&["baseline", "--format", format, SPR, SPR], "");
    assert_eq!(entries(&["-"], &baseline("json").out), baseline("entries").out);
    // The model of the text, with its properties.
    let text = run(&["has", "avx2", "-"], &baseline("text").out);
    assert_eq!(text.code, Some(3), "{}", text.err);
    assert!(text.err.contains("it names the CPU model SapphireRapids-v2"), "{}", text.err);
}

#[test]
fn a_table_that_states_some_bits_is_read_again() {
    let flags = "flags\t: fpu avx2 vmx\n";
    for format in ["text", "json"] {
        let shown = run(&["show", "-", "--format", format], flags).out;
        for (feature, code) in [("avx2", 0), ("avx", 3), ("vmx", 0)] {
            let expected = run(&["has", feature, "-"], flags).code;
            let ran = run(&["has", feature, "-"], &shown);
            assert_eq!((ran.code, expected), (Some(code), Some(code)), "{format}, {feature}: {}", ran.err);
        }
    }
}

#[test]
fn a_recorded_host_is_a_host_and_a_source_everywhere() {
    if !common::recent("a_recorded_host_is_a_host_and_a_source_everywhere") {
        return;
    }
    let path = node("node2.json");
    let path = path.to_str().unwrap();
    let supported = entries(&[path], "");
    assert!(supported.starts_with("supported "), "{}", &supported[..40]);
    assert_eq!(entries(&["--supported", "--host", path], ""), supported);
    assert_eq!(entries(&[HOST], ""), supported);
    assert_ne!(entries(&["--instruction", "--host", path], ""), supported);
    for arguments in [
        &["show", path, "-l", "7"][..],
        &["has", "avx2", path],
        &["has", "avx2", "--host", path],
        &["diff", path, "--host", path],
        &["diff", "--migrate", path, "--host", path],
        &["check", SPR, "--host", path, "--errors-only"],
        &["guest", "--cpu", "host", "--host", path],
        &["models", "--host", path],
        &["why", "avx2", "--host", path],
        &["why", "avx2", path],
        &["baseline", path, path],
        &["export", "--format", "firecracker", "--cpu", "Haswell-v4", "--host", path],
        &["convert", "--format", "json", path],
    ] {
        let ran = run(arguments, "");
        assert!(
            matches!(ran.code, Some(0 | 1)) && !ran.out.is_empty() | ran.err.is_empty(),
            "{arguments:?}: {}",
            ran.err
        );
    }
    let baseline: Value =
        serde_json::from_str(&run(&["baseline", "--format", "json", path, path], "").out).unwrap();
    assert!(
        baseline["cpus"][0]["msrs"].as_object().is_some_and(|msrs| msrs.contains_key("0x10a")),
        "{baseline}"
    );
    let ran = run(&["show", "--emulated", "--host", HOST], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("does not record what its KVM emulates"), "{}", ran.err);
}

#[test]
fn old_spellings_work_with_a_note() {
    let path = node("node3.json");
    let path = path.to_str().unwrap();
    for (old, new, note) in [
        (
            &["convert", "--to", "json", SPR][..],
            &["convert", "--format", "json", SPR][..],
            "--to is now --format",
        ),
        (
            &["baseline", "--to", "entries", SPR],
            &["baseline", "--format", "entries", SPR],
            "--to is now --format",
        ),
        (&["check", SPR, "--host-from", path], &["check", SPR, "--host", path], "--host-from is now --host"),
        (
            &["why", "avx2", SPR, "--model", "EPYC"],
            &["why", "avx2", SPR, "--cpu", "EPYC"],
            "--model is now --cpu",
        ),
        (&["show", MILAN, "--cpu", "1"], &["show", MILAN, "--number", "1"], "--cpu N is now --number N"),
        (&["show", "--raw", "--host"], &["show", "--raw", "--instruction"], "--host takes a value now"),
        (
            &["export", "--to", "firecracker", "--features", "avx2", "--host", path],
            &["export", "--format", "firecracker", "--features", "avx2", "--host", path],
            "--to is now --format",
        ),
    ] {
        let (old, new) = (run(old, ""), run(new, ""));
        assert_eq!((old.code, old.out), (new.code, new.out), "{note}");
        assert_eq!(old.err.lines().filter(|line| line.starts_with("note: ")).count(), 1, "{}", old.err);
        assert!(old.err.contains(note) && !new.err.contains("note: "), "{}{}", old.err, new.err);
    }
}

#[test]
fn a_host_is_not_a_source() {
    let ran = run(&["diff", "--host", SPR], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("is not a SOURCE") && ran.err.contains("Usage: kvm-cpuid diff "), "{}", ran.err);
    for command in ["diff", "check", "has"] {
        let ran = run(&[command, "a"], "");
        assert!(ran.code == Some(2) && !ran.err.contains("<COMMAND>"), "{}", ran.err);
    }
    assert!(run(&["check"], "").err.contains("Usage: kvm-cpuid check "));
}

#[test]
fn a_wrong_word_gets_a_hint() {
    if !common::pinned("a_wrong_word_gets_a_hint") {
        return;
    }
    let guest =
        |cpu: &str, machine: &str| run(&["guest", "--host", HOST, "--cpu", cpu, "--machine", machine], "");
    for (ran, hint) in [
        (guest("Haswel", "pc"), "did you mean Haswell"),
        (guest("haswell-v4", "pc"), "did you mean Haswell-v4"),
        (guest("Haswell,+avx22", "pc"), "did you mean avx2"),
        (guest("Haswell,min-levl=4", "pc"), "did you mean min-level"),
        (guest("Haswell,host-cache-info=on", "pc"), "only host and max have this property"),
        (guest("Haswell,+migratable", "pc"), "only host and max have this property"),
        (guest("Haswell", "q36"), "did you mean q35"),
        (guest("Haswell", "pc-q35-10.2"), "QEMU 10.2.2 has it: --qemu 10.2.2"),
        (run(&["models", "epyc", "--host", HOST], ""), "did you mean EPYC"),
        (run(&["find", "7.0.ebx[32]"], ""), "bits are 0 to 31"),
        (run(&["find", "MSR 0x10a[64]"], ""), "bits are 0 to 63"),
        (run(&["show", "--from", "cpuid", SPR], ""), "the formats are"),
        (run(&["show", "-"], "CPU 0:\n   0x00000001 0x00: eax=0x1\n"), "--lenient"),
        (run(&["show", "-"], ""), "standard input is empty"),
        (run(&["show", "tests"], ""), "is a directory"),
        (run(&["models", "--host", "no-such"], ""), "kvm-cpuid record -o"),
        (run(&["has", "x86-64-v5", SPR], ""), "did you mean x86-64-v"),
        (run(&["diff", SPR, SPR, "--host", HOST], ""), "is not used"),
        (run(&["find", "zzz"], ""), "locations such as"),
    ] {
        assert!(ran.code != Some(0) && ran.err.contains(hint), "{hint}: {}", ran.err);
    }
}

#[test]
fn help_lists_models_and_machines_as_qemu_does() {
    if !common::pinned("help_lists_models_and_machines_as_qemu_does") {
        return;
    }
    let cpus = run(&["guest", "--cpu", "help"], "");
    assert_eq!((cpus.code, cpus.err.as_str()), (Some(0), ""));
    for line in ["Haswell-noTSX", "(alias of Haswell-v2)", "  max\n", "  x86-64-v2-AES "] {
        assert!(cpus.out.contains(line), "{line}: {}", cpus.out);
    }
    let machines = run(&["guest", "--machine", "help", "--qemu", "7.2"], "");
    assert!(
        machines.out.contains("  pc-q35-7.2\n") && !machines.out.contains("pc-q35-8.0"),
        "{}",
        machines.out
    );
}

#[test]
fn proxmox_models_are_levels() {
    if !common::recent("proxmox_models_are_levels") {
        return;
    }
    let v3 = run(&["guest", "--host", HOST, "--cpu", "x86-64-v3", "--format", "json"], "");
    assert_eq!(v3.code, Some(0), "{}", v3.err);
    assert!(
        v3.err.contains("note: x86-64-v3 is not a model of QEMU's; Proxmox's is -cpu qemu64,"),
        "{}",
        v3.err
    );
    let v3: Value = serde_json::from_str(&v3.out).unwrap();
    assert_eq!(v3["level"]["name"], "x86-64-v3");
    assert_eq!(v3["level"]["lacks"]["x86-64-v4"].as_array().map(Vec::len), Some(5));
    let models = run(&["models", "--host", HOST, "x86-64-v2-AES", "x86-64-v4"], "");
    assert_eq!((models.code, models.out.as_str()), (Some(0), "x86-64-v2-AES  runs\nx86-64-v4      runs\n"));
    let less = run(&["guest", "--host", HOST, "--cpu", "x86-64-v4,-avx512bw"], "");
    assert!(less.out.contains("level: x86-64-v3; x86-64-v4 lacks avx512bw\n"), "{}", &less.out[..200]);
}

#[test]
fn a_flood_ends_with_a_count() {
    let lines: String = (0..500).map(|line| format!("no entry {line}\n")).collect();
    let input = format!("7 0 1 0 20 0 0\n{lines}");
    let ran = run(&["show", "--lenient", "-"], &input);
    assert_eq!((ran.code, ran.err.lines().count()), (Some(0), 6), "{}", ran.err);
    assert!(ran.err.ends_with("and 495 more (-v prints them)\n"), "{}", ran.err);
    // The library keeps a hundred.
    assert_eq!(run(&["show", "-v", "--lenient", "-"], &input).err.lines().count(), 101);
    let names: String = (0..200).map(|name| format!("nosuch{name} ")).collect();
    let ran = run(&["show", "-"], &format!("flags\t: fpu {names}\n"));
    assert!(ran.err.lines().count() < 10, "{}", ran.err);
}

#[test]
fn missing_features_of_a_guest_are_one_warning() {
    if !common::pinned("missing_features_of_a_guest_are_one_warning") {
        return;
    }
    let small = "tests/fleet/hosts/intel-half";
    let ran = run(&["guest", "--host", small, "--cpu", "SapphireRapids"], "");
    assert_eq!((ran.code, ran.err.lines().count()), (Some(0), 1), "{}", ran.err);
    assert!(ran.err.contains("of the requested features (-v has the reasons): "), "{}", ran.err);
    let all = run(&["guest", "-v", "--host", small, "--cpu", "SapphireRapids"], "");
    assert!(all.err.lines().count() > 20 && all.err.contains("[bit "), "{}", all.err);
    assert_eq!(all.out, ran.out);
}

#[test]
fn why_and_has_answer_by_exit_code() {
    if !common::recent("why_and_has_answer_by_exit_code") {
        return;
    }
    let path = node("node4.json");
    let path = path.to_str().unwrap();
    for (arguments, code) in [
        (&["why", "avx2", "--host", path][..], 0),
        (&["why", "avx512f", "tests/show/haswell.entries"], 1),
        (&["why", "no-such-feature", path], 2),
        (&["why", "rdctl-no", path], 0),
        (&["why", "rdctl-no", SPR], 3),
    ] {
        let ran = run(arguments, "");
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}{}", ran.out, ran.err);
    }
    let has = |feature: &str| {
        let ran = run(&["has", feature, SPR, "--format", "json"], "");
        (ran.code, serde_json::from_str::<Value>(&ran.out).unwrap())
    };
    let (code, json) = has("avx2");
    assert_eq!((code, &json["has"], &json["version"]), (Some(0), &Value::Bool(true), &Value::from(1)));
    let ran = run(&["has", "x86-64-v4", "tests/show/haswell.entries", "--format", "json"], "");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, json["missing"].as_array().map(Vec::len)), (Some(1), Some(5)), "{json}");
    let ran = run(&["has", "avx", "-", "--format", "json"], "flags of a model: +avx2\n");
    assert!(ran.code != Some(0), "{}", ran.out);
}

#[test]
fn colours_are_chosen() {
    let is_coloured = |color: &str| run(&["show", SPR, "-l", "7", "--color", color], "").out.contains('\x1b');
    assert_eq!(["auto", "always", "never"].map(is_coloured), [false, true, false]);
    assert_eq!(run(&["show", SPR, "--color", "blue"], "").code, Some(2));
}

/// Adds the keys of an object and of those in it, apart from names of features, fields and levels.
fn keys(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| keys(value, all)),
        Value::Object(members) => {
            for (key, value) in members {
                all.push(key.clone());
                if !["fields", "lacks", "msrs", "capabilities", "outside"].contains(&key.as_str()) {
                    keys(value, all);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_json_key_is_documented() {
    if !common::recent("every_json_key_is_documented") {
        return;
    }
    let docs = fs::read_to_string("docs/json.md").unwrap();
    let path = node("node5.json");
    let path = path.to_str().unwrap();
    let guest = ["guest", "--cpu", "Haswell", "--host", "tests/fleet/hosts/intel-half", "--format", "json"];
    let flags = "flags\t: fpu avx2 constant_tsc\n";
    for (arguments, input) in [
        (&["show", SPR, "-l", "7", "-l", "0xc0000001", "--format", "json"][..], ""),
        (&["show", "-", "--format", "json"], flags),
        (&guest, ""),
        (&["models", "--host", "tests/fleet/hosts/intel-half", "--format", "json"], ""),
        (&["baseline", path, SPR, "--format", "json"], ""),
        (&["diff", SPR, MILAN, "--format", "json"], ""),
        (&["diff", SPR, MILAN, "--migrate", "--format", "json"], ""),
        (&["diff", path, SPR, "--migrate", "--format", "json"], ""),
        (
            &[
                "find",
                "avx2",
                "0xd.1",
                "7.0.ebx",
                "cache_type",
                "9*32+5",
                "MSR 0x10a=0x69",
                "hv-time",
                "--format",
                "json",
            ],
            "",
        ),
        (&["find", "7.0.ebx=0x20", "no-such", "--format", "json"], ""),
        (&["has", "x86-64-v4", SPR, "--format", "json"], ""),
        (&["why", "avx2", path, "--format", "json"], ""),
        (&["check", SPR, "-", "--format", "json"], "7 0 1 0 20 0 0\n"),
        (&["convert", SPR, "--format", "json"], ""),
        (&["convert", path, "--format", "json"], ""),
    ] {
        let ran = run(arguments, input);
        let value: Value = serde_json::from_str(&ran.out)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}{}", ran.err));
        assert_eq!(value["version"], 1, "{arguments:?}");
        let mut all = Vec::new();
        keys(&value, &mut all);
        assert!(all.len() > 3, "{arguments:?}");
        for key in all {
            let is_documented = docs.contains(&format!("`{key}`")) || docs.contains(&format!("\"{key}\""));
            assert!(is_documented, "{arguments:?}: `{key}` is not in docs/json.md");
            assert!(!key.contains('-') && !key.contains(' '), "{arguments:?}: {key}");
        }
    }
}
