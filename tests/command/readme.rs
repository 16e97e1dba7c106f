//! The documents' commands run in a clean checkout and print what the documents show.

use std::path::{Path, PathBuf};

use crate::common;
use crate::console::{self, Example};

/// What documents call, and the program of this build: the command, and the examples.
fn programs() -> Vec<(&'static str, PathBuf)> {
    let command = PathBuf::from(env!("CARGO_BIN_EXE_kvm-cpuid"));
    let examples = command.parent().unwrap().join("examples");
    let mut all = vec![("kvm-cpuid", command)];
    all.extend(["cpu_model"].map(|name| (name, examples.join(name))));
    all
}

/// The generator's tests run its commands.
fn is_ours(example: &Example) -> bool {
    !example.command.contains("cpuid-gen")
}

#[test]
fn documented_commands_print_the_shown_output() {
    if !common::pinned("documented_commands_print_the_shown_output") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let not_run = console::not_run(root);
    let mut examples = console::examples(root);
    examples.retain(|example| is_ours(example) && !not_run.contains_key(&example.command));
    assert!(examples.len() >= 4, "{examples:#?}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("documents");
    let programs = programs();
    let programs: Vec<(&str, &Path)> = programs.iter().map(|(name, path)| (*name, path.as_path())).collect();
    console::check(root, &folder, &examples, &programs);
}

#[test]
fn every_command_that_is_not_run_is_in_a_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = console::examples(root);
    for command in console::not_run(root).keys() {
        assert!(examples.iter().any(|example| example.command == *command), "no document has `{command}`");
    }
}
