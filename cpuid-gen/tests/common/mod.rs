//! Shared by the tests: fetched upstream trees, gcc as an oracle, scratch folders, and fixtures.
#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{LinuxFacts, QemuFacts};
use cpuid_gen::source::Sources;

pub(crate) mod rng;
pub(crate) mod text;

#[allow(unused_imports, reason = "each test program uses its part")]
pub(crate) use rng::Rng;

/// If set to 1, a test that would be skipped fails instead.
const REQUIRE_ALL: &str = "CPUID_TABLES_REQUIRE_ALL";

/// Further trees to test, separated by `:`; each folder name must start like those in `upstream/trees`.
const MORE_TREES: &str = "CPUID_TABLES_MORE_TREES";

/// A fetched tree.
#[derive(Clone)]
pub(crate) struct Tree {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// Every fetched tree whose name starts with `prefix`, sorted. Prints a message if there is none.
pub(crate) fn trees(test: &str, prefix: &str) -> Vec<Tree> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../upstream/trees");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    let more = std::env::var(MORE_TREES).unwrap_or_default();
    paths.extend(more.split(':').filter(|path| !path.is_empty()).map(PathBuf::from));
    let named = |path: PathBuf| Tree { name: path.file_name().unwrap().to_string_lossy().into_owned(), path };
    let mut found: Vec<Tree> =
        paths.into_iter().map(named).filter(|tree| tree.name.starts_with(prefix)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if found.is_empty() {
        skipped(test, &format!("no upstream/trees/{prefix}*; upstream/fetch makes them"));
    }
    found
}

/// Reports that a test is skipped, or fails if all are required.
pub(crate) fn skipped(test: &str, missing: &str) {
    note(&format!("SKIPPED: {test}: {missing}"));
    assert!(std::env::var(REQUIRE_ALL).as_deref() != Ok("1"), "{REQUIRE_ALL}=1, and {test} lacks {missing}");
}

/// Prints a message even if the test passes; the harness would hide `eprintln!`.
pub(crate) fn note(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Whether a program can be run. Prints a message if not.
pub(crate) fn have(test: &str, program: &str) -> bool {
    let runs = Command::new(program).arg("--version").output().is_ok();
    if !runs {
        skipped(test, program);
    }
    runs
}

/// An empty folder for one test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a command and returns its output, or its standard error on failure.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Preprocesses `source` with gcc, without system headers.
pub(crate) fn preprocess(folder: &Path, source: &str, options: &[&str]) -> Result<String, String> {
    let file = folder.join("preprocess.c");
    fs::write(&file, source).unwrap();
    run(Command::new("gcc").args(["-E", "-nostdinc", "-undef", "-w"]).args(options).arg(&file))
}

/// The macros that gcc has at the end of `source`: name, with parameters if any, and replacement.
pub(crate) fn macros(folder: &Path, source: &str, options: &[&str]) -> Result<Vec<(String, String)>, String> {
    let mut with_list = vec!["-dM"];
    with_list.extend(options);
    let listed = preprocess(folder, source, &with_list)?;
    let pair = |line: &str| {
        let line = line.strip_prefix("#define ").unwrap_or_default();
        let end = line.find([' ', '(']).unwrap_or(line.len());
        let end = if line[end..].starts_with('(') { line.find(')').unwrap() + 1 } else { end };
        (line[..end].to_owned(), line[end..].trim().to_owned())
    };
    Ok(listed.lines().map(pair).collect())
}

/// Compiles a C program with gcc and runs it; returns its output, or gcc's messages.
pub(crate) fn compile_and_run(folder: &Path, source: &str, options: &[&str]) -> Result<String, String> {
    let (file, program) = (folder.join("program.c"), folder.join("program"));
    fs::write(&file, source).unwrap();
    run(Command::new("gcc").args(["-O0", "-w", "-o"]).arg(&program).args(options).arg(&file))?;
    run(&mut Command::new(program))
}

/// The facts of a Linux tree, and all diagnostics, with upstream paths.
pub(crate) fn read_linux(root: &Path) -> (Option<LinuxFacts>, String) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = cpuid_gen::linux::read_tree(&mut sources, root, &mut diagnostics);
    (facts, shown(&sources, diagnostics, root))
}

/// The facts of a QEMU tree, and all diagnostics, with upstream paths.
pub(crate) fn read_qemu(root: &Path) -> (Option<QemuFacts>, String) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = cpuid_gen::qemu::read_tree(&mut sources, root, &mut diagnostics);
    (facts, shown(&sources, diagnostics, root))
}

/// The facts of a Linux tree that must read without diagnostics.
pub(crate) fn clean_linux(tree: &Tree) -> LinuxFacts {
    let (facts, diagnostics) = read_linux(&tree.path);
    assert_eq!(diagnostics, "", "{}", tree.name);
    facts.unwrap()
}

/// The facts of a QEMU tree that must read without diagnostics.
pub(crate) fn clean_qemu(tree: &Tree) -> QemuFacts {
    let (facts, diagnostics) = read_qemu(&tree.path);
    assert_eq!(diagnostics, "", "{}", tree.name);
    facts.unwrap()
}

/// All diagnostics in plain form, sorted, without the tree's folder.
pub(crate) fn shown(sources: &Sources, mut diagnostics: Diagnostics, root: &Path) -> String {
    diagnostics.sort();
    let root = root.display().to_string();
    diagnostics.render(sources).replace(&format!("{root}/"), "").replace(&root, "TREE")
}

/// The files of a fixture: each starts after a line `=== path`.
pub(crate) fn unpacked(archive: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in archive.split_inclusive('\n') {
        match (line.strip_prefix("=== "), files.last_mut()) {
            (Some(path), _) => files.push((path.trim_end().to_owned(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => {}
        }
    }
    files
}

/// Writes a fixture's files below a folder.
pub(crate) fn write_files(folder: &Path, files: &[(String, String)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// The text of every file below a folder, by its path.
pub(crate) fn texts(folder: &Path) -> BTreeMap<PathBuf, String> {
    let with_text = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    text::files(folder, "").into_iter().map(with_text).collect()
}
