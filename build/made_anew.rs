//! Tables made anew: from the pinned facts, or from the facts or trees that the environment names.

use std::path::{Path, PathBuf};
use std::{env, fs};

use cpuid_gen::diagnostic::{Diagnostic, Diagnostics};
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use cpuid_gen::{GeneratedFile, generate, input};

use crate::{LINUX, QEMU, say};

/// Writes the tables into `out`; prints the errors and returns false if they can't be made.
pub(crate) fn write_tables(out: &Path) -> bool {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let named = [LINUX, QEMU].map(named);
    let files = match &named {
        [Ok(linux), Ok(qemu)] => files(&mut sources, [linux, qemu].map(Option::as_deref), &mut diagnostics),
        _ => None,
    };
    for path in sources.iter().filter_map(|(_, file)| file.path_on_disk()) {
        say("rerun-if-changed", &path.display().to_string());
    }
    let written = files.and_then(|files| diagnostics.take(write(&files, out)));
    let failed = written.is_none() || diagnostics.has_errors();
    if failed {
        tell_what_was_read(&named);
    }
    // Doubts about a release that can be used are for `cpuid-gen verify` to judge, not for every build to repeat.
    for line in diagnostics.render(&sources).lines().filter(|_| failed) {
        say("error", line);
    }
    !failed
}

/// What a variable names, as an absolute path. A relative one starts where cargo was started, not at this package.
fn named(variable: &str) -> Result<Option<PathBuf>, String> {
    let Some(given) = env::var_os(variable).filter(|given| !given.is_empty()) else { return Ok(None) };
    let given = PathBuf::from(given);
    if given.is_absolute() {
        return Ok(Some(given));
    }
    let shown = given.display();
    let folder = folder_of_cargo().ok_or_else(|| {
        format!(
            "{variable}={shown}: the folder that cargo was started in is not known; give an absolute path"
        )
    })?;
    Ok(Some(folder.join(given)))
}

/// The folder that cargo was started in: that of the process which runs this script, else the shell's.
fn folder_of_cargo() -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    if let Ok(folder) = fs::read_link(format!("/proc/{}/cwd", std::os::unix::process::parent_id())) {
        return Some(folder);
    }
    env::var_os("PWD").map(PathBuf::from)
}

/// Which variable an error may come from.
fn tell_what_was_read(named: &[Result<Option<PathBuf>, String>; 2]) {
    for (variable, named) in [LINUX, QEMU].into_iter().zip(named) {
        match named {
            Ok(None) => {}
            Ok(Some(path)) => {
                say(
                    "error",
                    &format!("{variable} names {}; the tables could not be made from it", path.display()),
                );
            }
            Err(message) => say("error", message),
        }
    }
}

fn files(
    sources: &mut Sources,
    [linux, qemu]: [Option<&Path>; 2],
    diagnostics: &mut Diagnostics,
) -> Option<Vec<GeneratedFile>> {
    let (linux, qemu) = input::pinned_or(sources, linux, qemu, diagnostics);
    input::require_tables(&linux, &qemu, diagnostics);
    let published = input::published(sources, diagnostics);
    diagnostics.sort();
    if diagnostics.has_errors() {
        return None;
    }
    let (model, doubts) = Model::merge_published(&linux, &qemu, &published);
    diagnostics.extend(doubts);
    diagnostics.take(generate(&model).map_err(|error| Diagnostic::general(error.to_string())))
}

fn write(files: &[GeneratedFile], out: &Path) -> Result<(), Diagnostic> {
    files.iter().try_for_each(|file| {
        let path: &Path = &out.join(file.name);
        fs::write(path, &file.text).map_err(|error| Diagnostic::file(path, error))
    })
}
