//! The documents' commands of `cpuid-gen` run in a clean checkout and print what the documents show.

use std::path::Path;

use crate::common;
use crate::console;

#[test]
fn documented_commands_print_the_shown_output() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let not_run = console::not_run(root);
    let mut examples = console::examples(root);
    examples
        .retain(|example| example.command.contains("cpuid-gen") && !not_run.contains_key(&example.command));
    assert!(examples.len() >= 8, "{examples:#?}");
    let program = Path::new(env!("CARGO_BIN_EXE_cpuid-gen"));
    console::check(root, &common::scratch("documents"), &examples, &[("cpuid-gen", program)]);
}
