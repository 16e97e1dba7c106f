//! The commands `baseline` and `models`, as a user runs them.

use cpuid_tables::Registers;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

/// The result of a run: standard output, standard error, and the exit code.
struct Ran {
    out: String,
    err: String,
    code: Option<i32>,
}

fn run(args: &[&str], input: &str) -> Result<Ran, Box<dyn Error>> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let written = child.stdin.take().ok_or("no standard input")?.write_all(input.as_bytes());
    let output = child.wait_with_output()?;
    // A command that fails need not have read all of it.
    if output.status.success() {
        written?;
    }
    let text = |bytes| String::from_utf8(bytes);
    Ok(Ran { out: text(output.stdout)?, err: text(output.stderr)?, code: output.status.code() })
}

/// A temporary directory, removed on drop.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Result<Scratch, Box<dyn Error>> {
        let path = std::env::temp_dir().join(format!("cpuid-tables-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Scratch(path))
    }

    fn file(&self, name: &str, text: &str) -> TestResult {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        Ok(fs::write(path, text)?)
    }

    fn path(&self) -> Result<&str, Box<dyn Error>> {
        self.0.to_str().ok_or_else(|| "a directory that is not text".into())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Leftovers are in a directory for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

const GENUINE: &str = "756e6547 6c65746e 49656e69";
const AUTHENTIC: &str = "68747541 444d4163 69746e65";

/// Leaves 0, 1 and 7 of a host, one line each.
fn entries(vendor: &str, ebx_7: u32) -> String {
    format!("0 0 0 7 {vendor}\n1 0 0 206a7 800 1fbae3ff f8bfbff\n7 0 1 0 {ebx_7:x} 0 0\n")
}

fn json_line(name: &str, ebx_7: u32) -> String {
    let entry = |function: u32, flags: u32, registers: Registers| {
        let Registers { eax, ebx, ecx, edx } = registers;
        json!({"function": function, "flags": flags, "eax": eax, "ebx": ebx, "ecx": ecx, "edx": edx})
    };
    let leaf_0 = entry(0, 0, Registers::new(7, 0x756e_6547, 0x6c65_746e, 0x4965_6e69));
    let leaf_1 = entry(1, 0, Registers::new(0x0002_06a7, 0x800, 0x1fba_e3ff, 0x0f8b_fbff));
    let leaf_7 = entry(7, 1, Registers::new(0, ebx_7, 0, 0));
    format!("{}\n", json!({"name": name, "entries": [leaf_0, leaf_1, leaf_7]}))
}

#[test]
fn directory_is_read_in_order_and_groups_are_listed() -> TestResult {
    if !common::recent("directory_is_read_in_order_and_groups_are_listed") {
        return Ok(());
    }
    let scratch = Scratch::new("walked")?;
    scratch.file("b/two.txt", &entries(GENUINE, 0x21))?;
    scratch.file("b/three.txt", &entries(GENUINE, 0x01))?;
    scratch.file("a.txt", &entries(GENUINE, 0x29))?;
    let ran = run(&["baseline", "--format", "json", scratch.path()?], "")?;
    assert_eq!(ran.err, "");
    let report: Value = serde_json::from_str(&ran.out)?;
    assert_eq!(report["hosts"], 3);
    assert_eq!(report["vendors"], json!([{ "vendor": "GenuineIntel", "hosts": 3 }]));
    let costly = &report["groups"][0];
    assert_eq!(costly["hosts"], json!([format!("{}/b/three.txt", scratch.path()?)]));
    assert_eq!(costly["costs"], json!(["avx2"]));
    assert!(report["features"].as_array().ok_or("no features")?.contains(&json!("fsgsbase")));
    Ok(())
}

#[test]
fn each_json_line_is_a_host() -> TestResult {
    if !common::recent("each_json_line_is_a_host") {
        return Ok(());
    }
    let input: String =
        (0..2000).map(|at| json_line(&format!("node{at}"), if at == 7 { 1 } else { 0x21 })).collect();
    let ran = run(&["baseline", "-"], &input)?;
    assert_eq!(ran.err, "");
    assert!(ran.out.starts_with("2000 hosts: GenuineIntel\n"), "{}", ran.out);
    assert!(ran.out.contains("  1 host node7\n    missing only here: avx2\n"), "{}", ran.out);
    Ok(())
}

#[test]
fn descending_cpu_number_starts_another_host() -> TestResult {
    if !common::recent("descending_cpu_number_starts_another_host") {
        return Ok(());
    }
    let cpu = |number: u32, ebx: u32| -> String {
        entries(GENUINE, ebx).lines().map(|line| format!("vcpu{number} {line}\n")).collect()
    };
    let input = [cpu(0, 0x21), cpu(1, 0x21), cpu(2, 0x21), cpu(0, 0x21), cpu(1, 1)].concat();
    let ran = run(&["baseline", "-"], &input)?;
    assert!(ran.out.starts_with("2 hosts: GenuineIntel\n"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("  1 host - #2\n    missing only here: avx2\n"), "{}", ran.out);
    Ok(())
}

#[test]
fn baseline_writes_dump_formats() -> TestResult {
    if !common::recent("baseline_writes_dump_formats") {
        return Ok(());
    }
    let scratch = Scratch::new("written")?;
    scratch.file("a", &entries(GENUINE, 0x29))?;
    scratch.file("b", &entries(GENUINE, 0x123))?;
    let ran = run(&["baseline", "--format", "entries", scratch.path()?], "")?;
    assert_eq!(ran.err, "");
    assert_eq!(ran.out, entries(GENUINE, 0x21));
    Ok(())
}

#[test]
fn hosts_of_two_vendors_have_no_model() -> TestResult {
    let scratch = Scratch::new("mixed")?;
    scratch.file("a", &entries(GENUINE, 0x21))?;
    scratch.file("b", &entries(AUTHENTIC, 0x21))?;
    let ran = run(&["baseline", scratch.path()?], "")?;
    assert_eq!(ran.code, Some(1));
    let expected = "2 hosts: 1 AuthenticAMD, 1 GenuineIntel\n\
                    model:   none (the hosts have different vendors)\n";
    assert!(ran.out.starts_with(expected), "{}", ran.out);
    Ok(())
}

#[test]
fn unreadable_host_is_an_error_with_its_location() -> TestResult {
    if !common::recent("unreadable_host_is_an_error_with_its_location") {
        return Ok(());
    }
    let scratch = Scratch::new("wrong")?;
    scratch.file("fine", &entries(GENUINE, 0x21))?;
    scratch.file("wrong", &format!("{}7 1 1 what\n", entries(GENUINE, 0x21)))?;
    let ran = run(&["baseline", scratch.path()?], "")?;
    assert_eq!((ran.code, &*ran.out), (Some(2), ""));
    assert!(ran.err.contains("wrong: line 4: `7 1 1 what`"), "{}", ran.err);
    // With --lenient, readable parts count.
    let ran = run(&["baseline", "--lenient", scratch.path()?], "")?;
    assert!(ran.err.contains("warning: ") && ran.out.starts_with("2 hosts"), "{}{}", ran.out, ran.err);

    let empty = Scratch::new("empty")?;
    for (args, expected) in [
        (vec!["baseline", empty.path()?], "the directory contains no dumps"),
        (vec!["baseline", "-"], "error: standard input is empty"),
        (vec!["baseline", "no/such/file"], "no/such/file: "),
        (vec!["baseline"], "expected at least 1 SOURCE"),
        (vec!["baseline", "--qemu", "1.0", "-"], "expected one of "),
    ] {
        let ran = run(&args, "")?;
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{args:?}");
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
    }
    let part = run(&["baseline", "-"], "7 0 1 0 21 0 0\n")?;
    assert_eq!(part.code, Some(2));
    assert!(part.err.contains("- has no leaf 0: it is not a CPU's whole table"), "{}", part.err);
    Ok(())
}

#[test]
fn recorded_hosts_have_msrs() -> TestResult {
    let ran = run(&["baseline", "--format", "json", "tests/fleet/hosts"], "")?;
    assert_eq!((ran.code, &*ran.err), (Some(1), ""));
    let report: Value = serde_json::from_str(&ran.out)?;
    assert_eq!((&report["hosts"], &report["model"]), (&json!(7), &Value::Null));
    assert!(report["cpus"][0]["msrs"].as_object().ok_or("no MSRs")?.len() > 2);
    Ok(())
}

#[test]
fn models_lists_runnable_models_and_missing_features() -> TestResult {
    if !common::pinned("models_lists_runnable_models_and_missing_features") {
        return Ok(());
    }
    let all = ["models", "--host", "tests/fleet/hosts/allintel"];
    let ran = run(&all, "")?;
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    assert_eq!(ran.out.lines().next(), Some("max                        runs"));
    // The models, a blank line, five levels, a blank line, and the count.
    assert_eq!(ran.out.lines().count(), 162, "{}", ran.out);
    let some = [&all[..], &["EPYC", "486-v1", "--format", "json"]].concat();
    let ran = run(&some, "")?;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out)?;
    assert_eq!(
        (&report["models"][0]["name"], &report["models"][0]["alias_of"]),
        (&json!("EPYC"), &json!("EPYC-v1"))
    );
    assert_eq!(report["models"][0]["unavailable_features"], json!([]));

    let ran = run(&["models", "Nehalem-v1", "--host", "tests/fleet/hosts/intel-most"], "")?;
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.starts_with("Nehalem-v1  lacks cx8 sse kvmclock\n"), "{}", ran.out);
    assert!(
        ran.out.contains("CPUID.01H:EDX.cx8 [bit 8]: the host's CPU has it, but its KVM does not offer it")
    );

    let ran = run(&["models", "epyc", "--host", "tests/fleet/hosts/allamd"], "")?;
    assert_eq!((ran.code, &*ran.out), (Some(2), ""));
    assert!(ran.err.contains("QEMU 10.0.13 has no CPU model `epyc`"), "{}", ran.err);
    Ok(())
}
