//! Compares the name map with the output of the tree's own script, and the facts of the pinned releases with their
//! trees.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::linux::{Tree as LinuxTree, capflags};
use cpuid_gen::source::Sources;

use crate::common::{Tree, clean_linux, clean_qemu, have, run, scratch, shown, trees};
use crate::linux::features_header;

/// Only the arrays, without the script's other output.
fn arrays(text: &str) -> String {
    let of_array = |line: &&str| ["const char", "\t[", "};"].iter().any(|start| line.starts_with(start));
    text.lines().filter(of_array).map(|line| format!("{line}\n")).collect()
}

// The script starts several processes for each flag, which takes seconds per tree: three tests share the trees.

#[test]
fn flags_of_the_oldest_tree_match_the_script() {
    compare_some("flags_of_the_oldest_tree_match_the_script", |at, _| at == 0);
}

#[test]
fn flags_of_the_newest_tree_match_the_script() {
    compare_some("flags_of_the_newest_tree_match_the_script", |at, count| at > 0 && at + 1 == count);
}

#[test]
fn flags_of_the_other_trees_match_the_script() {
    compare_some("flags_of_the_other_trees_match_the_script", |at, count| at > 0 && at + 1 < count);
}

/// Compares the trees that are chosen by their place in the list and its length.
fn compare_some(test: &str, is_chosen: fn(usize, usize) -> bool) {
    if !have(test, "sh") {
        return;
    }
    let folder = scratch(test);
    let trees = trees(test, "linux-");
    for (_, tree) in trees.iter().enumerate().filter(|(at, _)| is_chosen(*at, trees.len())) {
        let folder = folder.join(&tree.name);
        fs::create_dir(&folder).unwrap();
        compare_with_script(tree, &folder);
    }
}

fn compare_with_script(tree: &Tree, folder: &Path) {
    // The script does not quote its arguments: relative paths have no spaces, whatever folder the tree is in.
    let linked = Path::new("tree");
    symlink(fs::canonicalize(&tree.path).unwrap(), folder.join(linked)).unwrap();
    let script = linked.join("arch/x86/kernel/cpu/mkcapflags.sh");
    let header = linked.join(features_header(&tree.path).strip_prefix(&tree.path).unwrap());
    let vmx = linked.join("arch/x86/include/asm/vmxfeatures.h");
    let out = Path::new("capflags.c");
    let mut command = Command::new("sh");
    command.current_dir(folder).arg(&script);
    // Since 5.6 the output is the first argument.
    if fs::read_to_string(folder.join(&script)).unwrap().contains("OUT=$1") {
        command.args([out, &header, &vmx]);
    } else {
        command.args([&header, out]);
    }
    run(&mut command).unwrap();
    let stated = fs::read_to_string(folder.join(out)).unwrap();

    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let opened = LinuxTree::open(&mut sources, &tree.path, &mut diagnostics).unwrap();
    let ours = capflags::from_tree(&sources, &opened);
    let ours = ours.unwrap_or_else(|diagnostics| panic!("{}", shown(&sources, diagnostics, &tree.path)));
    assert!(ours == stated, "{}: not what {} writes", tree.name, script.display());

    let facts = clean_linux(tree);
    assert_eq!(arrays(&capflags::from_facts(&facts)), arrays(&stated), "{}", tree.name);
    let again = read_again(&facts::write_linux(&facts));
    let Facts::Linux(again) = again else { panic!("{}: facts of another project", tree.name) };
    assert_eq!(capflags::from_facts(&again), capflags::from_facts(&facts), "{}", tree.name);
    println!("{}: {} bytes, {} flags", tree.name, stated.len(), stated.matches("\t[").count());
}

/// The facts in a text.
fn read_again(text: &str) -> Facts {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let id = sources.add("again.tsv", text);
    let facts = facts::read(&sources, id, &mut diagnostics);
    assert_eq!(diagnostics.render(&sources), "");
    facts.unwrap()
}

#[test]
fn facts_round_trip_through_text() {
    const TEST: &str = "facts_round_trip_through_text";
    for tree in trees(TEST, "linux-") {
        let text = facts::write_linux(&clean_linux(&tree));
        let Facts::Linux(again) = read_again(&text) else { panic!("{}", tree.name) };
        assert_eq!(facts::write_linux(&again), text, "{}", tree.name);
    }
    for tree in trees(TEST, "qemu-") {
        let text = facts::write_qemu(&clean_qemu(&tree));
        let Facts::Qemu(again) = read_again(&text) else { panic!("{}", tree.name) };
        assert_eq!(facts::write_qemu(&again), text, "{}", tree.name);
    }
}
