//! The documents' commands run in a clean checkout and print what the documents show.

use std::path::{Path, PathBuf};

use crate::common;
use crate::console::{self, Example};

/// What documents call, and the program of this build: the command, and the examples, which cargo builds when it runs all
/// tests.
fn programs() -> Vec<(&'static str, PathBuf)> {
    let command = PathBuf::from(env!("CARGO_BIN_EXE_kvm-cpuid"));
    let examples = command.parent().unwrap().join("examples");
    let mut all = vec![("kvm-cpuid", command)];
    all.extend(
        ["baseline", "constants", "cpu_model", "decode", "why"].map(|name| (name, examples.join(name))),
    );
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
    for (name, path) in programs.iter().filter(|(_, path)| !path.exists()) {
        common::skipped(
            "documented_commands_print_the_shown_output",
            &format!("the example {}", path.display()),
        );
        examples.retain(|example| !example.command.contains(&format!("--example {name}")));
    }
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

/// Documents whose paths and links must exist.
const WITH_PATHS: [&str; 11] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "cpuid-gen/README.md",
    "cpuid-tables/README.md",
    "docs/atlas.md",
    "examples/README.md",
    "packaging/README.md",
    "docs/linux-and-qemu.md",
    "upstream/README.md",
];

#[test]
fn paths_and_links_in_documents_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for document in WITH_PATHS {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let folder = root.join(document).parent().unwrap().to_owned();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let links = links.filter(|link| !link.starts_with("http") && !link.starts_with('#'));
        for link in links.map(|link| link.split('#').next().unwrap()) {
            assert!(folder.join(link).exists(), "{document} links to {link}");
            checked += 1;
        }
        for path in text.split('`').skip(1).step_by(2) {
            let ours =
                ["cpuid-gen/", "cpuid-tables/", "tests/", "upstream/", "docs/", "benches/", "examples/"];
            let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
            // What a bump will write, and what git ignores, need not exist.
            let later = path.starts_with("upstream/trees") || path.contains("11.0");
            if plain && !later && ours.iter().any(|folder| path.starts_with(folder)) {
                assert!(root.join(path).exists(), "{document} names `{path}`");
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

/// A registry shows a package's README where the repository's other files are not.
#[test]
fn links_in_the_packages_readmes_work_away_from_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in
        ["cpuid-gen/README.md", "cpuid-program/README.md", "cpuid-tables/README.md", "upstream/crate.md"]
    {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(link.starts_with("https://"), "{document} links to {link}");
        }
    }
}

/// The command in an example's first comment has the features that the example requires.
#[test]
fn examples_name_the_features_that_they_require() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = std::fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let examples = manifest["example"].as_array().unwrap();
    let mut checked = 0;
    for example in examples.iter().filter(|example| example.get("path").is_none()) {
        let name = example["name"].as_str().unwrap();
        let text = std::fs::read_to_string(root.join("examples").join(name).with_extension("rs")).unwrap();
        let command = format!("cargo run --example {name} ");
        let line =
            text.lines().find(|line| line.contains(&command)).unwrap_or_else(|| panic!("{name}: no command"));
        let features = line.split("--features ").nth(1).unwrap_or_default().split(['`', ' ']).next().unwrap();
        let features: Vec<&str> = features.split(',').collect();
        for required in example["required-features"].as_array().unwrap() {
            let required = required.as_str().unwrap();
            assert!(features.contains(&required), "{name} needs {required}: {line}");
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked}");
}
