//! The workflow for a Linux or QEMU tree runs for each file that is read, and fetches it.

use std::fs;
use std::path::Path;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::input;
use cpuid_gen::source::Sources;

use crate::common::{scratch, unpacked, write_files};

const LINUX: &str = include_str!("../fixtures/small-linux.txt");
const QEMU: &str = include_str!("../fixtures/small-qemu.txt");

/// The lines of a block of the workflow: those after a line that are indented more.
fn block<'w>(workflow: &'w str, start: &str) -> Vec<&'w str> {
    let mut lines = workflow.lines().skip_while(|line| line.trim() != start);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines.next().unwrap());
    lines.take_while(|line| indent(line) > own).map(|line| line.trim().trim_start_matches("- ")).collect()
}

/// `*` is any text without a slash, `**` any text.
fn fits(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, "*")) => path.starts_with(start),
        Some((start, end)) => {
            let rest = path.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            rest.is_some_and(|rest| !rest.contains('/'))
        }
    }
}

/// The paths of the files of a tree that are read, without those at its top.
fn read_files(tree: &Path) -> Vec<String> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    if tree.join("arch/x86").is_dir() {
        input::linux(&mut sources, tree, &mut diagnostics);
    } else {
        input::qemu(&mut sources, tree, &mut diagnostics);
    }
    let paths = sources.iter().map(|(_, file)| file.path.clone());
    paths.filter(|path| path.contains('/')).collect()
}

#[test]
fn the_workflow_runs_for_each_file_that_is_read() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // The package has no workflows.
    let Ok(workflow) = fs::read_to_string(repository.join("packaging/workflows/verify.yml")) else { return };
    let (paths, folders) = (block(&workflow, "paths:"), block(&workflow, "FOLDERS: |"));
    assert!(paths.len() > 10 && folders.len() > 5, "{paths:?} {folders:?}");
    let folder = scratch("workflow");
    let mut trees = vec![folder.join("linux"), folder.join("qemu")];
    write_files(&trees[0], &unpacked(LINUX));
    write_files(&trees[1], &unpacked(QEMU));
    let fetched = fs::read_dir(repository.join("upstream/trees")).into_iter().flatten().flatten();
    // Trees of witnesses are there too.
    let is_ours = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("linux-") || name.starts_with("qemu-")
    };
    trees.extend(fetched.map(|entry| entry.path()).filter(is_ours));
    for tree in trees {
        let files = read_files(&tree);
        assert!(files.len() > 5, "{}: {files:?}", tree.display());
        for file in files {
            assert!(paths.iter().any(|pattern| fits(pattern, &file)), "no pattern for {file}");
            let is_in = |folder: &&str| file.starts_with(&format!("{folder}/"));
            assert!(folders.iter().any(is_in), "no folder for {file}");
        }
    }
}
