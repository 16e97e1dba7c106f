//! The reports in `docs/bumps/` match the pinned facts, and the lists of pins agree with each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::diff;
use cpuid_gen::facts::{LinuxFacts, QemuFacts};
use cpuid_gen::input;
use cpuid_gen::source::Sources;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pinned() -> (Vec<LinuxFacts>, Vec<QemuFacts>) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = input::pinned(&mut sources, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    facts
}

/// `6.12` of `6.12.117`.
fn series(release: &str) -> String {
    release.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// The reports about neighbouring pins, with their file names.
fn reports() -> Vec<(String, String)> {
    let (linux, qemu) = pinned();
    let mut reports = Vec::new();
    for pair in linux.windows(2) {
        let name = format!("linux-{}-to-{}.md", series(&pair[0].release), series(&pair[1].release));
        reports.push((name, diff::linux(&pair[0], &pair[1], &qemu).0.to_markdown()));
    }
    for pair in qemu.windows(2) {
        let name = format!("qemu-{}-to-{}.md", series(&pair[0].release), series(&pair[1].release));
        reports.push((name, diff::qemu(&pair[0], &pair[1], &linux).0.to_markdown()));
    }
    reports
}

#[test]
fn the_reports_match_the_pinned_facts() {
    let folder = root().join("docs/bumps");
    let mut stale = Vec::new();
    for (name, report) in reports() {
        if fs::read_to_string(folder.join(&name)).unwrap_or_default() != report {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "stale: {stale:?}; `upstream/bump reports` regenerates them");
}

#[test]
fn every_report_is_listed_with_a_summary() {
    let readme = fs::read_to_string(root().join("docs/bumps/README.md")).unwrap();
    let reports = fs::read_dir(root().join("docs/bumps")).unwrap();
    for report in reports.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        assert!(
            report == "README.md" || readme.contains(&format!("({report})")),
            "{report} is not in README.md"
        );
    }
}

/// `upstream/pins.tsv`, the list in `lib.rs` and the files agree.
#[test]
fn the_lists_of_pins_agree() {
    let pins = fs::read_to_string(root().join("upstream/pins.tsv")).unwrap();
    let rows: Vec<Vec<&str>> =
        pins.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
    let carried: Vec<&str> = cpuid_gen::pinned().iter().map(|(name, _)| *name).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), carried);
    let files: BTreeSet<String> = fs::read_dir(root().join("upstream"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tsv") && (name.starts_with("linux-") || name.starts_with("qemu-")))
        .collect();
    assert_eq!(files, carried.iter().map(ToString::to_string).collect());
    for (row, (name, text)) in rows.iter().zip(cpuid_gen::pinned()) {
        let [file, release, source] = row.as_slice() else { panic!("{row:?}") };
        let project = name.split('-').next().unwrap();
        assert!(text.contains(&format!("\n{project}-release\t{release}\n")), "{name} is not {release}");
        assert_eq!(*file, format!("{project}-{}.tsv", series(release)));
        let known = ["--debian ", "--git ", "--pool "];
        assert!(*source == "-" || known.iter().any(|option| source.starts_with(option)), "{source}");
    }
}
