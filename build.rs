//! The join: facts (or trees that the environment names), merged and emitted for the runtime crate to include.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use cpuid_gen::diagnostic::{Diagnostic, Diagnostics};
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use cpuid_gen::{GeneratedFile, generate, input};

/// A Linux tree or facts file, in place of the pinned ones.
const LINUX: &str = "CPUID_TABLES_LINUX";
/// A QEMU tree or facts file, in place of the pinned ones.
const QEMU: &str = "CPUID_TABLES_QEMU";

fn main() -> ExitCode {
    say("rerun-if-changed", "build.rs");
    say("rerun-if-env-changed", LINUX);
    say("rerun-if-env-changed", QEMU);
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let files = files(&mut sources, &mut diagnostics);
    for path in sources.iter().filter_map(|(_, file)| file.on_disk()) {
        say("rerun-if-changed", &path.display().to_string());
    }
    let written = files.and_then(|files| diagnostics.take(write(&files)));
    for line in diagnostics.render(&sources).lines() {
        say(if diagnostics.has_errors() { "error" } else { "warning" }, line);
    }
    if written.is_some() && !diagnostics.has_errors() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files(sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<Vec<GeneratedFile>> {
    let [linux, qemu] = [LINUX, QEMU].map(|name| env::var_os(name).map(PathBuf::from));
    let (linux, qemu) = input::pinned_or(sources, linux.as_deref(), qemu.as_deref(), diagnostics);
    diagnostics.sort();
    if diagnostics.has_errors() {
        return None;
    }
    let published = input::published(sources, diagnostics);
    let (model, doubts) = Model::merge_published(&linux, &qemu, &published);
    diagnostics.extend(doubts);
    diagnostics.take(generate(&model).map_err(|error| Diagnostic::general(error.to_string())))
}

fn write(files: &[GeneratedFile]) -> Result<(), Diagnostic> {
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    files.iter().try_for_each(|file| {
        let path: &Path = &out.join(file.name);
        fs::write(path, &file.text).map_err(|error| Diagnostic::file(path, error))
    })
}

/// A line for cargo, which reads them from the standard output.
fn say(key: &str, value: &str) {
    println!("cargo::{key}={value}");
}
