//! The documents' commands of `cpuid-gen` run in a clean checkout and print what the documents show.

use std::path::Path;

use crate::common;
use crate::console;

#[test]
fn commands_in_the_readme_print_the_shown_output() {
    documented_commands_print_the_shown_output("commands_in_the_readme", |is_readme| is_readme);
}

#[test]
fn commands_in_other_documents_print_the_shown_output() {
    documented_commands_print_the_shown_output("commands_in_other_documents", |is_readme| !is_readme);
}

/// Runs the commands of the repository's README, or of all other documents.
fn documented_commands_print_the_shown_output(folder: &str, is_chosen: fn(bool) -> bool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let not_run = console::not_run(root);
    let mut examples = console::examples(root);
    examples.retain(|example| {
        is_chosen(example.file == root.join("README.md"))
            && example.command.contains("cpuid-gen")
            && !not_run.contains_key(&example.command)
    });
    assert!(examples.len() >= 3, "{examples:#?}");
    let program = Path::new(env!("CARGO_BIN_EXE_cpuid-gen"));
    console::check(root, &common::scratch(folder), &examples, &[("cpuid-gen", program)]);
}

#[test]
fn every_subcommand_has_a_page_and_completions() {
    let folder = common::scratch("manual");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cpuid-gen"));
    common::run(command.args(["manual", "-o"]).arg(&folder)).unwrap();
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let bash = read("bash-completion/completions/cpuid-gen.bash");
    for command in
        ["verify", "facts", "import", "capflags", "models", "diff", "generate", "atlas", "constants"]
    {
        assert!(read(&format!("man/man1/cpuid-gen-{command}.1")).contains(".SH OPTIONS"), "{command}");
        assert!(bash.contains(command), "{command}");
    }
    assert!(read("zsh/vendor-completions/_cpuid-gen").starts_with("#compdef cpuid-gen"));
    assert!(read("fish/vendor_completions.d/cpuid-gen.fish").contains("complete -c cpuid-gen"));
}
