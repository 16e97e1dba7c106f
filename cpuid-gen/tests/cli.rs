//! The command: what it prints, where, and its exit codes.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const UPSTREAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../upstream");

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cpuid-gen")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An empty folder of this test's own.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn upstream(name: &str) -> String {
    format!("{UPSTREAM}/{name}")
}

#[test]
fn the_pinned_releases_are_explained() {
    let output = run(&["verify"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("\nfindings: 0\n"));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_planted_mistake_is_exit_code_1_and_a_place() {
    let facts = fs::read_to_string(upstream("linux-7.3.tsv")).unwrap();
    let path = folder("mistake").join("moved.tsv");
    let moved = facts.replace("linux-feature\tAVX2\t9\t5\tavx2", "linux-feature\tAVX2\t9\t6\tavx2");
    assert_ne!(moved, facts);
    fs::write(&path, &moved).unwrap();
    let line = moved.lines().position(|line| line.starts_with("linux-feature\tAVX2\t")).unwrap() + 1;
    let output = run(&["verify", "--linux", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let place = format!("{}:{line}:", path.display());
    assert!(text(&output.stdout).contains(&place), "{}", text(&output.stdout));
}

#[test]
fn json_is_json() {
    let output = run(&["verify", "--format", "json", "--linux", &upstream("linux-7.3.tsv")]);
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report.is_object());
}

#[test]
fn what_cannot_be_read_is_exit_code_2() {
    let nowhere = folder("nowhere").join("absent");
    let nowhere = nowhere.to_str().unwrap();
    for arguments in [
        vec!["facts", "--linux", nowhere],
        vec!["facts", "--qemu", &upstream("linux-7.3.tsv")],
        vec!["verify", "--qemu", nowhere],
        vec!["verify", "--differences", nowhere],
        vec!["capflags", "--linux", nowhere],
        vec!["generate", "--linux", nowhere, "-o", nowhere],
        vec!["facts"],
        vec!["facts", "--linux", "a", "--qemu", "b"],
        vec!["nonsense"],
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    assert!(!Path::new(nowhere).exists());
}

#[test]
fn facts_of_a_facts_file_are_the_file() {
    for name in ["linux-6.1.tsv", "qemu-10.2.tsv"] {
        let project = if name.starts_with("linux") { "--linux" } else { "--qemu" };
        let output = run(&["facts", project, &upstream(name)]);
        assert_eq!(text(&output.stdout), fs::read_to_string(upstream(name)).unwrap());
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn import_writes_the_whole_file_or_leaves_the_old_one() {
    let folder = folder("import");
    let path = folder.join("facts.tsv");
    fs::write(&path, "old").unwrap();
    let broken = folder.join("broken.tsv");
    fs::write(&broken, "linux-release\t7.3.4\nlinux-feature\tX\n").unwrap();
    let output = run(&["import", "--linux", broken.to_str().unwrap(), "-o", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("broken.tsv:2:"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    let output = run(&["import", "--linux", &upstream("linux-7.3.tsv"), "-o", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fs::read(&path).unwrap(), fs::read(upstream("linux-7.3.tsv")).unwrap());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

/// A pinned file is, byte for byte, what importing its release's tree gives.
#[test]
fn pinned_facts_are_those_of_their_trees() {
    const TEST: &str = "pinned_facts_are_those_of_their_trees";
    let trees = [common::trees(TEST, "linux-"), common::trees(TEST, "qemu-")].concat();
    let path = folder("pinned").join("facts.tsv");
    for (name, pinned) in cpuid_gen::pinned() {
        let series = name.trim_end_matches(".tsv");
        let release = pinned.lines().find_map(|line| line.split_once("-release\t")).unwrap();
        let Some(tree) = trees.iter().find(|tree| tree.name == format!("{}-{}", release.0, release.1)) else {
            if trees.iter().any(|tree| tree.name.starts_with(&format!("{series}."))) {
                common::note(&format!("{TEST}: {name}: only another release of its series is here"));
            } else {
                common::skipped(TEST, &format!("the tree of {name}"));
            }
            continue;
        };
        let project = format!("--{}", release.0);
        let output = run(&["import", &project, tree.path.to_str().unwrap(), "-o", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(fs::read_to_string(&path).unwrap() == *pinned, "{name} is not what its tree gives");
    }
}

#[test]
fn generate_writes_what_the_library_returns() {
    let folder = folder("generate");
    for (arguments, names) in [
        (
            vec!["generate"],
            vec![
                "bug.rs",
                "cpu_models.rs",
                "feature.rs",
                "msr.rs",
                "software.rs",
                "tables.rs",
                "vmx.rs",
                "xsave.rs",
            ],
        ),
        (vec!["generate", "--standalone"], vec!["cpuid.rs"]),
    ] {
        let out = folder.join(names[0]);
        let output = run(&[arguments, vec!["-o", out.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let mut found: Vec<_> = fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found, names);
    }
}

#[test]
fn the_name_map_is_the_newest_releases() {
    let newest = run(&["capflags"]);
    let named = run(&["capflags", "--linux", &upstream("linux-7.3.tsv")]);
    assert_eq!(newest.stdout, named.stdout);
    assert!(text(&newest.stdout).contains("\t[X86_FEATURE_AVX2]\t\t = \"avx2\",\n"));
}

#[test]
fn help_has_examples_and_exit_codes() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
}
