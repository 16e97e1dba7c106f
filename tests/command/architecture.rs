//! The runtime crate's modules have the order that ARCHITECTURE.md states.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The modules of the runtime crate in ARCHITECTURE's order.
fn stated() -> Vec<String> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) = text.split_once("### The runtime crate").unwrap();
    let (_, list) = section.split_once("```\n").unwrap();
    let (list, _) = list.split_once("\n```").unwrap();
    let module = |line: &str| line.split_once('/').map(|(name, _)| name.to_owned());
    list.lines().filter(|line| !line.starts_with(' ')).filter_map(module).collect()
}

/// The names after `crate::` in the code of a file, outside comments and tests.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    let mut names = BTreeSet::new();
    for (_, after) in
        lines.flat_map(|line| line.match_indices("crate::").map(move |(at, _)| (at, &line[at + 7..])))
    {
        let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(after.len());
        names.insert(after[..end].to_owned());
    }
    names
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn a_module_imports_only_modules_above_it() {
    let order = stated();
    let mut wrong = Vec::new();
    let library = order.iter().enumerate().filter(|(_, module)| *module != "cli");
    for (at, module) in library {
        let mut files = Vec::new();
        rust_files(&root().join("cpuid-tables").join(module), &mut files);
        assert!(!files.is_empty(), "{module}");
        // The ready-made files are parts of the files that include them.
        for file in files.iter().filter(|file| !file.components().any(|part| part.as_os_str() == "pinned")) {
            for name in imports(&fs::read_to_string(file).unwrap()) {
                if order.iter().position(|other| *other == name).is_some_and(|other| other > at) {
                    wrong.push(format!("{} imports `{name}`", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_modules_of_the_crate_are_all_listed() {
    let order = stated();
    let folders = fs::read_dir(root().join("cpuid-tables")).unwrap();
    let folders = folders.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    let found: BTreeSet<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let listed: BTreeSet<String> = order.into_iter().chain(["serialized".to_owned()]).collect();
    assert_eq!(found, listed);
}
