//! `generate --crate`: a package without a build script that answers as the runtime crate does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common;

/// A program that prints what every part of the crate's tables answers.
const PROGRAM: &str = include_str!("../fixtures/answers.rs");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn generate(output: &Path, sources: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cpuid-gen"));
    command.args(["generate", "--crate"]).arg(output).arg("--sources").arg(sources).args(arguments);
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Every file under a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let relative = |(path, text): (PathBuf, String)| (path.strip_prefix(folder).unwrap().to_path_buf(), text);
    common::texts(folder).into_iter().map(relative).collect()
}

/// What the program prints with the package at this path.
fn answers(folder: &Path, package: &Path, features: &str) -> String {
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/main.rs"), PROGRAM).unwrap();
    let manifest = format!(
        "[package]\nname = \"answers\"\nedition = \"2024\"\n\n[dependencies.cpuid-tables]\npath = {:?}\n\
         default-features = false\nfeatures = [{features}]\n\n[workspace]\n[profile.dev]\ndebug = 0\n",
        package.to_str().unwrap()
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--offline", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    command.env("CARGO_TARGET_DIR", folder.join("target")).env_remove("RUSTFLAGS");
    command.env_remove("CPUID_TABLES_LINUX").env_remove("CPUID_TABLES_QEMU");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("warning"), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_package_of_the_pinned_releases_has_the_crate_s_sources_and_tables() {
    let folder = common::scratch("ready-crate");
    let made = folder.join("made");
    let output = generate(&made, root(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));

    // The sources are the crate's, but for the lines that include tables; the tables are those kept in the repository.
    let sources = files(&root().join("cpuid-tables"));
    let (mut included, mut tables) = (0, 0);
    for (path, text) in files(&made.join("src")) {
        let is_table = path.starts_with("generated/tables");
        let from = if is_table {
            tables += 1;
            Path::new("generated/pinned").join(path.file_name().unwrap())
        } else {
            path.clone()
        };
        let before = &sources[&from];
        assert_eq!(text.lines().count(), before.lines().count(), "{}", path.display());
        for (new, old) in text.lines().zip(before.lines()).filter(|(new, old)| new != old) {
            assert!(old.contains("OUT_DIR") && new.trim().starts_with("include!(\""), "{old} -> {new}");
            included += 1;
        }
    }
    assert_eq!(included, tables);
    let code = |path: &&PathBuf| path.extension().is_some_and(|extension| extension != "md");
    let is_left_out = |path: &Path| {
        path.starts_with("generated/pinned") || path.starts_with("cli") || path == Path::new("main.rs")
    };
    let kept = sources.keys().filter(|path| !is_left_out(path)).filter(code).count();
    assert_eq!(files(&made.join("src")).keys().filter(code).count(), kept + tables);

    let manifest = fs::read_to_string(made.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("build = false"), "{manifest}");
    assert!(!manifest.contains("cpuid-gen =") && !manifest.contains("dep:cpuid-gen"), "{manifest}");
    // Nothing of this repository, which is not where the package is used.
    assert!(!manifest.contains("workspace = true") && !manifest.contains("cpuid-program"), "{manifest}");
    let declared = |path: &Path| -> Vec<String> {
        let text = fs::read_to_string(path.join("Cargo.toml")).unwrap();
        let features = text.split("\n[features]\n").nth(1).unwrap().split("\n[").next().unwrap();
        let names =
            features.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    let mut ours = declared(root());
    // These need the generator, and the command needs one of them.
    ours.retain(|name| !["cli", "generate", "program", "trees"].contains(&name.as_str()));
    assert_eq!(declared(&made), ours, "features");
}

#[test]
#[ignore = "builds the crate twice; `.ci/run weekly` runs it, and `.ci/run package` checks that such a package compiles"]
fn a_package_of_the_pinned_releases_answers_as_the_crate() {
    let folder = common::scratch("ready-crate-answers");
    let made = folder.join("made");
    assert!(generate(&made, root(), &[]).status.success());
    // No feature of the crate with a dependency: the test must build without a network.
    let features = r#""check", "fleet", "guest", "normalize", "show", "std""#;
    let expected = answers(&folder.join("with-crate"), root(), features);
    assert!(expected.lines().count() > 5_000, "{} lines", expected.lines().count());
    assert!(answers(&folder.join("with-made"), &made, features) == expected, "the answers differ");
}

#[test]
fn a_package_of_one_release_has_that_release_and_replaces_the_earlier_package() {
    let made = common::scratch("ready-crate-of-one").join("made");
    assert!(generate(&made, root(), &[]).status.success());
    fs::write(made.join("src/stale.rs"), "").unwrap();
    let (linux, qemu) = (root().join("upstream/linux-6.1.tsv"), root().join("upstream/qemu-7.2.tsv"));
    let named = ["--linux", linux.to_str().unwrap(), "--qemu", qemu.to_str().unwrap()];
    let output = generate(&made, root(), &named);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!made.join("src/stale.rs").exists());
    let register = fs::read_to_string(made.join("src/generated/tables/register.rs")).unwrap();
    assert!(register.contains("From Linux 6.1.192; QEMU 7.2.22.\n"), "{}", &register[..200]);
    assert!(fs::read_to_string(made.join("Cargo.toml")).unwrap().starts_with(
        "# Written by `cpuid-gen generate --crate` 0.1.0 from Linux 6.1.192 and QEMU 7.2.22; do not edit.\n"
    ));
}

#[test]
fn a_comment_may_mention_the_build_script_s_folder() {
    let folder = common::scratch("ready-crate-comment");
    let sources = folder.join("sources");
    for (path, text) in files(&root().join("cpuid-tables")) {
        let path = sources.join("cpuid-tables").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for name in ["Cargo.toml", "README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(root().join(name), sources.join(name)).unwrap();
    }
    let library = sources.join("cpuid-tables/lib.rs");
    let text = fs::read_to_string(&library).unwrap();
    let comment =
        "//! The tables are in `OUT_DIR`.\n/* include!(concat!(env!(\"OUT_DIR\"), \"/no-such.rs\")); */\n";
    fs::write(&library, format!("{comment}{text}")).unwrap();
    let output = generate(&folder.join("made"), &sources, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let made = fs::read_to_string(folder.join("made/src/lib.rs")).unwrap();
    assert!(made.starts_with(comment), "{}", &made[..200]);
    // In code it is an error, also behind what only looks like a comment.
    fs::write(&library, format!("{text}\nconst A: [&str; 2] = [\"//\", env!(\"OUT_DIR\")];\n")).unwrap();
    let output = generate(&folder.join("refused"), &sources, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("lib.rs: expected `OUT_DIR` only in"), "{}", stderr(&output));
}

#[test]
fn other_folders_are_refused() {
    let folder = common::scratch("ready-crate-refused");
    let full = folder.join("full");
    fs::create_dir_all(&full).unwrap();
    fs::write(full.join("Cargo.toml"), "[package]\nname = \"mine\"\n").unwrap();
    let output = generate(&full, root(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("expected an empty folder, or a package"), "{}", stderr(&output));

    let refused = |sources: &Path, expected: &str| {
        let output = generate(&folder.join("new"), sources, &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!folder.join("new").exists());
    };
    refused(&full, "expected the package `cpuid-tables`, found `mine`");
    let other = folder.join("other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("Cargo.toml"), "[package]\nname = \"cpuid-tables\"\nversion = \"9.0.0\"\n").unwrap();
    refused(&other, "version 9.0.0, but this cpuid-gen makes tables for 0.1.0");
    refused(&folder.join("absent"), "absent/Cargo.toml: ");
}
