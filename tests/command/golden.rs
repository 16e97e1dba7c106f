//! The output of `kvm-cpuid` against golden texts. `BLESS=1 cargo test --workspace --all-features` rewrites them.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use crate::common;

const MILAN: &str = "tests/show/milan.entries";
const MILAN_2: &str = "tests/show/milan-2.entries";
const SPR: &str = "tests/show/spr.entries";
const HASWELL: &str = "tests/show/haswell.entries";
const HYPERV: &str = "tests/show/hyperv.entries";
const VMCORE: &str = "tests/dumps/vmcore-cpuid_entries.txt";

/// The text's name and the command's arguments.
const CASES: &[(&str, &[&str])] = &[
    ("show-milan", &["show", MILAN]),
    ("show-spr", &["show", SPR]),
    ("show-vmcore", &["show", VMCORE]),
    ("show-hyperv", &["show", HYPERV]),
    ("show-leaves", &["show", SPR, "-l", "7", "-l", "0xd.1"]),
    ("show-two-cpus", &["show", MILAN_2, "-l", "1"]),
    ("show-one-of-two", &["show", MILAN_2, "-l", "1", "--number", "1"]),
    ("show-raw", &["show", VMCORE, "--raw"]),
    ("show-features", &["show", HASWELL, "--features"]),
    ("show-json", &["show", SPR, "-l", "0x80000008", "--format", "json"]),
    ("show-entries", &["show", VMCORE, "--format", "entries"]),
    ("diff", &["diff", HASWELL, SPR]),
    ("diff-vendors", &["diff", MILAN, HASWELL]),
    ("diff-two-cpus", &["diff", MILAN, MILAN_2]),
    ("diff-json", &["diff", MILAN_2, MILAN, "--format", "json"]),
    ("migrate-up", &["diff", HASWELL, SPR, "--migrate"]),
    ("migrate-down", &["diff", SPR, HASWELL, "--migrate"]),
    ("migrate-vendors", &["diff", MILAN, SPR, "--migrate"]),
    ("migrate-json", &["diff", HASWELL, SPR, "--migrate", "--format", "json"]),
    ("find-avx2", &["find", "AVX2"]),
    ("find-kvmclock", &["find", "kvmclock"]),
    ("find-lfence", &["find", "X86_FEATURE_LFENCE_RDTSC"]),
    ("find-field", &["find", "cache-type"]),
    ("find-place", &["find", "CPUID.(EAX=7,ECX=0):EBX[5]"]),
    ("find-range", &["find", "1.eax[11:8]"]),
    ("find-leaf", &["find", "0x80000008"]),
    ("find-subleaf", &["find", "0xd.1"]),
    ("find-linux", &["find", "9*32+5"]),
    ("find-msr", &["find", "MSR 0x10a[8]"]),
    ("find-word", &["find", "FEAT_7_0_EDX[4]"]),
    ("find-register", &["find", "CPUID_8000_0007_EBX"]),
    ("find-value", &["find", "7.0.ebx=0x219c95a9"]),
    ("find-json", &["find", "vaes", "--format", "json"]),
    ("why-file", &["why", "avx512f", SPR]),
    ("why-model", &["why", "avx2", SPR, "--cpu", "Haswell"]),
    ("why-missing", &["why", "avx512f", HASWELL]),
    ("why-ambiguous", &["why", "ibrs", MILAN]),
    ("why-json", &["why", "avx10-256", SPR, "--format", "json"]),
];

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid")).args(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "", "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn output_matches_golden_texts() {
    if !common::pinned("output_matches_golden_texts") {
        return;
    }
    let bless = env::var("BLESS").as_deref() == Ok("1");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/show/golden");
    let mut wrong = Vec::new();
    for (name, arguments) in CASES {
        let path = folder.join(name).with_extension("txt");
        let text = printed(arguments);
        if bless {
            fs::write(&path, &text).unwrap();
        } else if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            wrong.push(format!("{}:\n{text}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 writes anew what changed:\n{}", wrong.join("\n"));
}

#[test]
fn no_golden_text_is_unused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/show/golden");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(CASES.iter().any(|(known, _)| *known == name), "{}", path.display());
    }
}
