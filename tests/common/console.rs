//! The commands that documents show, and what they print: each `$ ` line of a `console` block with the lines after it.
//!
//! A test runs each command in a folder that has the repository's files, and compares the output; a line of `...` stands
//! for any number of lines. Files that a command writes stay in that folder. `tests/documents.tsv` lists the commands
//! that no test runs, each with its reason. `BLESS=1` rewrites what documents show, as many lines as they show now.
#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command in a document.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    pub(crate) file: PathBuf,
    /// Line number of the command, from 1.
    pub(crate) line: usize,
    /// Without the comment after it.
    pub(crate) command: String,
    /// The lines that it prints.
    pub(crate) output: Vec<String>,
}

/// Folders without documents of this project.
const OTHER: [&str; 4] = ["target", "trees", ".git", ".oracle"];

/// Every example of every document.
pub(crate) fn examples(root: &Path) -> Vec<Example> {
    let mut files = Vec::new();
    documents(root, &mut files);
    files.sort();
    files.iter().flat_map(|file| examples_of(file)).collect()
}

fn documents(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || OTHER.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            documents(&path, files);
        } else if name.ends_with(".md") {
            files.push(path);
        }
    }
}

fn examples_of(file: &Path) -> Vec<Example> {
    let text = fs::read_to_string(file).unwrap();
    let mut examples: Vec<Example> = Vec::new();
    let mut block: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(fence) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(fence) };
            let shell = matches!(fence, "sh" | "bash" | "shell");
            assert!(!shell, "{}:{}: commands belong into `console` blocks", file.display(), index + 1);
        } else if block == Some("console") {
            match line.strip_prefix("$ ") {
                Some(command) => examples.push(Example {
                    file: file.to_owned(),
                    line: index + 1,
                    command: command.split("  #").next().unwrap().trim_end().to_owned(),
                    output: Vec::new(),
                }),
                None => examples.last_mut().unwrap().output.push(line.to_owned()),
            }
        }
    }
    // The empty line before the next command belongs to neither.
    for example in &mut examples {
        while example.output.last().is_some_and(|line| line.is_empty()) {
            example.output.pop();
        }
    }
    examples
}

/// The commands that no test runs, with the reason.
pub(crate) fn not_run(root: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root.join("tests/documents.tsv")).unwrap();
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|row| {
        let (command, reason) = row.split_once('\t').unwrap_or_else(|| panic!("no reason: {row}"));
        (command.to_owned(), reason.to_owned())
    })
    .collect()
}

/// Runs the examples in `folder`, which gets links to the repository's files. `programs`: what documents call, and the
/// program to run. Panics with every difference.
pub(crate) fn check(root: &Path, folder: &Path, examples: &[Example], programs: &[(&str, &Path)]) {
    let path = prepare(root, folder, programs);
    let mut wrong = Vec::new();
    let mut blessed: BTreeMap<&Path, Vec<(&Example, Vec<String>)>> = BTreeMap::new();
    for example in examples {
        let mut shell = Command::new("sh");
        shell.args(["-c", &example.command]).current_dir(folder.join("checkout")).env("PATH", &path);
        // As on a reader's pipe, without colours and at the same width.
        let ran = shell.env_remove("COLUMNS").env("NO_COLOR", "1").output().unwrap();
        let printed: Vec<String> =
            String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect();
        // 1 is an answer, as in `check`; more is a failure.
        let failed = ran.status.code().is_none_or(|code| code > 1)
            || (example.output.is_empty() && !ran.status.success());
        if failed || !matches(&example.output, &printed) {
            let Example { file, line, command, .. } = example;
            let errors = String::from_utf8_lossy(&ran.stderr);
            wrong.push(format!(
                "{}:{line}: `{command}` ended with {} and printed\n{}\n{errors}",
                file.display(),
                ran.status,
                printed.join("\n")
            ));
            if !failed {
                blessed.entry(&example.file).or_default().push((example, printed));
            }
        }
    }
    if std::env::var("BLESS").as_deref() == Ok("1") {
        blessed.into_iter().for_each(|(file, outputs)| bless(file, outputs));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// True if the lines are those shown; `...` stands for any number of lines.
fn matches(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        // A document may show only the command.
        None => true,
        Some(_) => matches_rest(shown, printed),
    }
}

fn matches_rest(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.trim() == "..." => {
            (0..=printed.len()).any(|at| matches_rest(rest, &printed[at..]))
        }
        Some((first, rest)) => {
            printed.first().is_some_and(|line| line.trim_end() == first) && matches_rest(rest, &printed[1..])
        }
    }
}

/// Makes the folder, and the programs that documents call; returns the PATH that has them.
fn prepare(root: &Path, folder: &Path, programs: &[(&str, &Path)]) -> String {
    let (bin, checkout) = (folder.join("bin"), folder.join("checkout"));
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&checkout).unwrap();
    for entry in fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "target" && entry.file_name() != ".git" {
            std::os::unix::fs::symlink(entry.path(), checkout.join(entry.file_name())).unwrap();
        }
    }
    // `cargo NAME ARGUMENTS`, and `cargo run ... NAME ... -- ARGUMENTS`, are the built program; nothing else is known.
    let mut cargo = String::from("#!/bin/sh\ncase \" $* \" in\n");
    for (name, program) in programs {
        let shown = program.display();
        let after = "while [ $# -gt 0 ] && [ \"$1\" != -- ]; do shift; done; [ $# -eq 0 ] || shift;";
        cargo += &format!("\" {name} \"*) shift; exec '{shown}' \"$@\" ;;\n");
        cargo += &format!("\" run \"*\" {name} \"*) {after} exec '{shown}' \"$@\" ;;\n");
        script(&bin.join(name), &format!("#!/bin/sh\nexec '{shown}' \"$@\"\n"));
    }
    script(&bin.join("cargo"), &(cargo + "*) exit 97 ;;\nesac\n"));
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Rewrites what a document shows: as many lines as before, then `...` if there are more.
fn bless(file: &Path, mut outputs: Vec<(&Example, Vec<String>)>) {
    let text = fs::read_to_string(file).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    outputs.sort_by_key(|(example, _)| std::cmp::Reverse(example.line));
    for (example, printed) in outputs {
        let kept = example.output.iter().position(|line| line.trim() == "...").unwrap_or(printed.len());
        let mut new: Vec<String> = printed.iter().take(kept).map(|line| line.trim_end().to_owned()).collect();
        if kept < printed.len() {
            new.push("  ...".to_owned());
        }
        lines.splice(example.line..example.line + example.output.len(), new);
    }
    fs::write(file, lines.join("\n") + "\n").unwrap();
}
