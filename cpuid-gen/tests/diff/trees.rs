//! Trees compared in one process: neither may take anything from the other, whose files have the same paths.

use std::path::{Path, PathBuf};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::diff;
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::input;
use cpuid_gen::source::Sources;

use crate::common::{Tree, note, scratch, trees, unpacked, write_files};

const LINUX: &str = include_str!("../fixtures/small-linux.txt");
const QEMU: &str = include_str!("../fixtures/small-qemu.txt");

/// The facts of the trees, read into one set of sources.
fn together(paths: [&Path; 2]) -> [Facts; 2] {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let read = paths.map(|path| input::any(&mut sources, path, &mut diagnostics));
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    read.map(Option::unwrap)
}

/// The facts of a tree that is read alone, after they were written and read again.
fn alone(path: &Path) -> Facts {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = input::any(&mut sources, path, &mut diagnostics).unwrap();
    let id = sources.add("facts.tsv", written(&facts));
    facts::read(&sources, id, &mut diagnostics).unwrap()
}

fn written(facts: &Facts) -> String {
    match facts {
        Facts::Linux(facts) => facts::write_linux(facts),
        Facts::Qemu(facts) => facts::write_qemu(facts),
    }
}

fn compared(old: &Facts, new: &Facts) -> String {
    match (old, new) {
        (Facts::Linux(old), Facts::Linux(new)) => diff::linux(old, new, &[]).0.to_text(),
        (Facts::Qemu(old), Facts::Qemu(new)) => diff::qemu(old, new, &[]).0.to_text(),
        _ => panic!("two projects"),
    }
}

/// Every ordered pair of trees has the facts, and the differences, of the same trees read alone.
fn every_pair_is_kept_apart(paths: &[PathBuf]) -> usize {
    let known: Vec<Facts> = paths.iter().map(|path| alone(path)).collect();
    let mut count = 0;
    for (old, old_path) in known.iter().zip(paths) {
        for (new, new_path) in known.iter().zip(paths) {
            let [before, after] = together([old_path, new_path]);
            let which = format!("{} and {}", old_path.display(), new_path.display());
            assert!(written(&before) == written(old), "the first of {which}");
            assert!(written(&after) == written(new), "the second of {which}");
            assert_eq!(compared(&before, &after), compared(old, new), "{which}");
            count += 1;
        }
    }
    count
}

/// A fixture with one change in every file that has `from`.
fn variant(name: &str, archive: &str, from: &str, to: &str) -> PathBuf {
    let folder = scratch(name);
    let mut files = unpacked(archive);
    let mut changed = 0;
    for (_, text) in &mut files {
        changed += text.matches(from).count();
        *text = text.replace(from, to);
    }
    assert!(changed > 0, "{from}");
    write_files(&folder, &files);
    folder
}

/// Each variant moves or changes a table that is found by searching all headers.
#[test]
fn two_linux_trees_are_kept_apart() {
    let plain = variant("trees-plain", LINUX, "SUBLEVEL = 1", "SUBLEVEL = 0");
    let words = variant("trees-words", LINUX, "CPUID_LNX_1,", "CPUID_LNX_3,");
    let rows = variant("trees-rows", LINUX, "0x00000012, 0, CPUID_EAX}", "0x00000012, 1, CPUID_EAX}");
    let only = variant("trees-only", LINUX, "NR_KVM_CPU_CAPS,\n", "CPUID_13_EAX,\n\tNR_KVM_CPU_CAPS,\n");
    let [before, after] = together([&plain, &words]);
    let report = compared(&before, &after);
    assert!(report.contains("CPUID_LNX_3"), "{report}");
    assert_eq!(every_pair_is_kept_apart(&[plain, words, rows, only]), 16);
}

#[test]
fn two_qemu_trees_are_kept_apart() {
    let plain = variant("trees-qemu", QEMU, "quince", "quinces");
    let other = variant("trees-qemu-other", QEMU, "[5] = \"quince\"", "[6] = \"quince\"");
    assert_eq!(every_pair_is_kept_apart(&[plain, other]), 4);
}

#[test]
fn every_pair_of_fetched_linux_trees_is_kept_apart() {
    fetched_trees_are_kept_apart("every_pair_of_fetched_linux_trees_is_kept_apart", "linux-");
}

#[test]
fn every_pair_of_fetched_qemu_trees_is_kept_apart() {
    fetched_trees_are_kept_apart("every_pair_of_fetched_qemu_trees_is_kept_apart", "qemu-");
}

fn fetched_trees_are_kept_apart(test: &str, kind: &str) {
    let paths: Vec<PathBuf> = trees(test, kind).into_iter().map(|Tree { path, .. }| path).collect();
    let count = every_pair_is_kept_apart(&paths);
    note(&format!("{kind}: compared {count} pairs of trees"));
}

/// Also facts that contradict themselves, here by two words with one number.
#[test]
fn facts_are_equal_to_themselves() {
    let words = "linux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_1_ECX\t0\t0x1\t0\tECX\n";
    let text = format!("linux-release\t6.2.1\nlinux-count\tNCAPINTS\t1\n{words}");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let id = sources.add("facts.tsv", text);
    let facts = facts::read(&sources, id, &mut diagnostics).unwrap();
    assert_eq!(compared(&facts, &facts), "Linux 6.2.1 -> 6.2.1\n\nno changes\n");
}
