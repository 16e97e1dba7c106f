//! The exact text of every diagnostic: small made-up trees that read without errors, and one change for each possible
//! error. `BLESS=1` rewrites the golden files.

use std::fs;
use std::path::Path;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts;
use cpuid_gen::input;
use cpuid_gen::linux::{Tree, capflags};
use cpuid_gen::source::Sources;

use crate::common::{read_linux, read_qemu, scratch, shown, unpacked, write_files};

#[path = "diagnostics/facts.rs"]
mod facts_cases;
#[path = "diagnostics/linux.rs"]
mod linux_cases;
#[path = "diagnostics/machines.rs"]
mod machine_cases;
#[path = "diagnostics/qemu.rs"]
mod qemu_cases;

const LINUX: &str = include_str!("../fixtures/small-linux.txt");
const QEMU: &str = include_str!("../fixtures/small-qemu.txt");

/// A name for the report, the changed file, the old text, and the new text. With an empty old text, the new one is
/// inserted at the start of the file; `-` as the new text removes the file.
pub(crate) type Case = (&'static str, &'static str, &'static str, &'static str);

/// Compares with a golden file, or rewrites it.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/diagnostics").join(name);
    if std::env::var("BLESS").as_deref() == Ok("1") {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    for (expected, found) in expected.split("\n== ").zip(text.split("\n== ")) {
        assert_eq!(found, expected, "{name}: BLESS=1 writes what is found");
    }
    assert!(expected == text, "{name}: cases differ; BLESS=1 writes what is found");
}

/// The fixture with one change.
fn changed(archive: &str, case: &Case) -> Vec<(String, String)> {
    let (name, path, from, to) = *case;
    let mut files = unpacked(archive);
    if from.is_empty() && to == "-" {
        files.retain(|(known, _)| known != path);
        return files;
    }
    let Some((_, text)) = files.iter_mut().find(|(known, _)| known == path) else {
        files.push((path.to_owned(), to.to_owned()));
        return files;
    };
    if from.is_empty() {
        text.insert_str(0, to);
    } else {
        assert_eq!(text.matches(from).count(), 1, "{name}: {from:?} in {path}");
        *text = text.replace(from, to);
    }
    files
}

/// The diagnostics of every case; a case without any is an error in the case.
fn report(kind: &str, archive: &str, cases: &[Case], read: impl Fn(&Path) -> String) -> String {
    let (mut out, mut silent) = (String::new(), Vec::new());
    let folder = scratch(&format!("diagnostics-{kind}"));
    write_files(&folder, &unpacked(archive));
    assert_eq!(read(&folder), "", "the fixture itself");
    for case in cases {
        let folder = scratch(&format!("diagnostics-{kind}"));
        write_files(&folder, &changed(archive, case));
        let found = read(&folder);
        silent.extend(found.is_empty().then_some(case.0));
        out.push_str(&format!("\n== {}\n{found}", case.0));
    }
    assert!(silent.is_empty(), "nothing was found: {silent:?}");
    out
}

#[test]
fn linux_tree_diagnostics() {
    let found = report("linux", LINUX, linux_cases::CASES, |root| read_linux(root).1);
    golden("linux.txt", &found);
}

#[test]
fn script_diagnostics() {
    let found = report("script", LINUX, linux_cases::SCRIPT, |root| {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let tree = Tree::open(&mut sources, root, &mut diagnostics).unwrap();
        diagnostics.extend(capflags::from_tree(&sources, &tree).err().into_iter().flatten());
        shown(&sources, diagnostics, root)
    });
    golden("script.txt", &found);
}

#[test]
fn qemu_tree_diagnostics() {
    golden("qemu.txt", &report("qemu", QEMU, qemu_cases::CASES, |root| read_qemu(root).1));
}

#[test]
fn cpu_model_diagnostics() {
    golden("models.txt", &report("models", QEMU, qemu_cases::MODELS, |root| read_qemu(root).1));
}

#[test]
fn machine_type_diagnostics() {
    golden("machines.txt", &report("machines", QEMU, machine_cases::CASES, |root| read_qemu(root).1));
}

#[test]
fn c_diagnostics() {
    golden("c.txt", &report("c", QEMU, qemu_cases::C, |root| read_qemu(root).1));
}

#[test]
fn facts_diagnostics() {
    let mut out = String::new();
    for (name, text) in facts_cases::CASES {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let id = sources.add("facts.tsv", text.replace('>', "\t"));
        assert!(facts::read(&sources, id, &mut diagnostics).is_none(), "{name}");
        out.push_str(&format!("\n== {name}\n{}", diagnostics.render(&sources)));
    }
    golden("facts.txt", &out);
}

/// Facts of the wrong project, and a folder that is not a tree.
#[test]
fn input_diagnostics() {
    let folder = scratch("diagnostics-inputs");
    fs::create_dir(folder.join("empty")).unwrap();
    fs::write(folder.join("linux.tsv"), "linux-release\t6.2.1\n").unwrap();
    fs::write(folder.join("qemu.tsv"), "qemu-release\t9.3.1\n").unwrap();
    let mut out = String::new();
    for name in ["linux.tsv", "qemu.tsv", "empty", "missing"] {
        for linux in [true, false] {
            let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
            let path = folder.join(name);
            let read = if linux {
                input::linux(&mut sources, &path, &mut diagnostics).is_some()
            } else {
                input::qemu(&mut sources, &path, &mut diagnostics).is_some()
            };
            assert_eq!(read, diagnostics.is_empty());
            let wanted = if linux { "Linux" } else { "QEMU" };
            out.push_str(&format!("\n== {name} for {wanted}\n{}", shown(&sources, diagnostics, &folder)));
        }
    }
    // The list of the pinned releases changes with each bump.
    let without_list = |line: &str| match line.split_once("the pinned releases are ") {
        Some((before, list)) => {
            assert!(cpuid_gen::pinned().iter().all(|(name, _)| list.contains(name.trim_end_matches(".tsv"))));
            format!("{before}the pinned releases are ...\n")
        }
        None => format!("{line}\n"),
    };
    let out: String = out.lines().map(without_list).collect();
    golden("inputs.txt", &out);
}

/// A translated feature is at the call of the macro that names it, not in the macro.
#[test]
fn a_translation_is_where_the_feature_is_named() {
    let folder = scratch("diagnostics-translation");
    write_files(&folder, &unpacked(LINUX));
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let linux = input::linux(&mut sources, &folder, &mut diagnostics).unwrap();
    let found: Vec<&str> = linux.kvm_translates.iter().map(|bit| sources.text(bit.at)).collect();
    assert_eq!(found, ["LIME"]);
}

/// The unusual cases in the fixtures are read correctly.
#[test]
fn the_fixtures_have_the_expected_facts() {
    let folder = scratch("diagnostics-baseline");
    write_files(&folder.join("linux"), &unpacked(LINUX));
    write_files(&folder.join("qemu"), &unpacked(QEMU));
    let (linux, of_linux) = read_linux(&folder.join("linux"));
    let (qemu, of_qemu) = read_qemu(&folder.join("qemu"));
    assert_eq!((of_linux.as_str(), of_qemu.as_str()), ("", ""));
    golden("small-linux.tsv", &facts::write_linux(&linux.unwrap()));
    golden("small-qemu.tsv", &facts::write_qemu(&qemu.unwrap()));
}
