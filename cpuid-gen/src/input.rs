//! The sources of facts: a source tree, a facts file, or the pinned releases.
//!
//! ```
//! use cpuid_gen::{diagnostic::Diagnostics, input, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
//! assert!(!diagnostics.has_errors());
//! assert!(linux.iter().any(|facts| facts.release.starts_with("7.3")) && !qemu.is_empty());
//! ```

use std::fs;
use std::path::Path;
use std::thread;

#[cfg(feature = "verify")]
use crate::both::both;
use crate::diagnostic::{Diagnostic, Diagnostics};
#[cfg(feature = "verify")]
use crate::facts::Witness;
#[cfg(any(feature = "trees", feature = "verify"))]
use crate::facts::WitnessFacts;
use crate::facts::{self, Facts, LinuxFacts, QemuFacts};
use crate::ordered::{Set, sort_by};
#[cfg(feature = "merge")]
use crate::published::Published;
use crate::release;
use crate::source::{FileId, Sources, Span};
#[cfg(feature = "verify")]
use crate::verify::Differences;

/// The facts of a Linux tree (a directory), of a facts file, or of a pinned release by its name where there is no such file.
pub fn linux(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<LinuxFacts> {
    if path.is_dir() {
        return linux_tree(sources, path, diagnostics);
    }
    match file(sources, path, Some("linux"), diagnostics)? {
        (_, Facts::Linux(facts)) => Some(facts),
        (id, Facts::Qemu(_)) => wrong_project(sources, id, "QEMU", "Linux", diagnostics),
    }
}

/// The facts of a QEMU tree (a directory), of a facts file, or of a pinned release by its name where there is no such file.
pub fn qemu(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<QemuFacts> {
    if path.is_dir() {
        return qemu_tree(sources, path, diagnostics);
    }
    match file(sources, path, Some("qemu"), diagnostics)? {
        (_, Facts::Qemu(facts)) => Some(facts),
        (id, Facts::Linux(_)) => wrong_project(sources, id, "Linux", "QEMU", diagnostics),
    }
}

/// The facts of a tree (a directory), of a facts file, or of a pinned release by its name (`linux-7.3`), of either project.
pub fn any(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<Facts> {
    if !path.is_dir() {
        return file(sources, path, None, diagnostics).map(|(_, facts)| facts);
    }
    let has = |folders: &[&str]| folders.iter().any(|folder| path.join(folder).is_dir());
    if has(&["arch/x86"]) {
        return linux_tree(sources, path, diagnostics).map(Facts::Linux);
    }
    if has(&["target/i386", "target-i386"]) {
        return qemu_tree(sources, path, diagnostics).map(Facts::Qemu);
    }
    let message = "neither a Linux nor a QEMU tree: it has none of arch/x86, target/i386 and target-i386";
    let help = "name the root of a tree, or a facts file";
    diagnostics.push(Diagnostic::file(path, message).with_help(help));
    None
}

/// The facts of a witness's tree (a directory) or of its facts file (anything else).
#[cfg(any(feature = "trees", feature = "verify"))]
pub fn witness(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<WitnessFacts> {
    if path.is_dir() {
        return witness_tree(sources, path, diagnostics);
    }
    let id = diagnostics.take(sources.read(path, ""))?;
    facts::read_witness(sources, id, diagnostics)
}

/// What `verify` compares facts with: the differences of a file, the processors, and the witnesses of a folder of facts
/// files or, without one, the pinned ones.
#[cfg(feature = "verify")]
pub fn judgements(
    sources: &mut Sources,
    file: FileId,
    folder: Option<&Path>,
    diagnostics: &mut Diagnostics,
) -> Option<Differences> {
    let (mut forked, mut found) = (sources.fork(), Diagnostics::new());
    let witnesses = || match folder {
        Some(folder) => witnesses_in(&mut forked, folder, &mut found),
        None => pinned_witnesses(&mut forked, &mut found),
    };
    let differences = || {
        let mut differences = Differences::read(sources, file, diagnostics)?;
        let file = sources.add("processors.tsv", crate::PROCESSORS);
        differences.read_processors(sources, file, diagnostics);
        Some(differences)
    };
    let (witnesses, differences) = both(witnesses, differences);
    sources.absorb(forked);
    diagnostics.append(found);
    let mut differences = differences?;
    differences.add_witnesses(witnesses);
    Some(differences)
}

/// The facts of every pinned witness.
#[cfg(feature = "verify")]
pub fn pinned_witnesses(sources: &mut Sources, diagnostics: &mut Diagnostics) -> Vec<WitnessFacts> {
    let mut all = Vec::new();
    for (name, text) in crate::witnesses() {
        let id = sources.add(*name, *text);
        all.extend(facts::read_witness(sources, id, diagnostics));
    }
    all
}

/// The witnesses in a folder of facts files such as `upstream/`, ordered by file name.
#[cfg(feature = "verify")]
pub fn witnesses_in(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Vec<WitnessFacts> {
    let of_witness = |name: &str| {
        Witness::ALL.iter().any(|(_, project)| {
            let rest = name.strip_prefix(&project.to_ascii_lowercase());
            rest.is_some_and(|rest| rest.starts_with('-'))
        })
    };
    let names = files(path, of_witness, diagnostics);
    names.into_iter().filter_map(|name| witness(sources, &path.join(name), diagnostics)).collect()
}

#[cfg(feature = "trees")]
use crate::witness::read_tree as witness_tree;
#[cfg(all(feature = "verify", not(feature = "trees")))]
use no_trees as witness_tree;

#[cfg(feature = "trees")]
use crate::{linux::read_tree as linux_tree, qemu::read_tree as qemu_tree};

/// Reports that this build cannot read source trees.
#[cfg(not(feature = "trees"))]
fn no_trees<F>(_: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<F> {
    let message = "this is a folder, but this build cannot read source trees";
    let help = "enable the feature `trees` (of cpuid-gen or cpuid-tables), or name a file written by \
                `cpuid-gen import`";
    diagnostics.push(Diagnostic::file(path, message).with_help(help));
    None
}
#[cfg(not(feature = "trees"))]
use no_trees as linux_tree;
#[cfg(not(feature = "trees"))]
use no_trees as qemu_tree;

/// Checks that each release has the tables that `cpuid-tables` requires: a release without one of them was read
/// incompletely. Tables that older releases never had may be missing.
pub fn require_tables(linux: &[LinuxFacts], qemu: &[QemuFacts], diagnostics: &mut Diagnostics) {
    let mut require = |project: &str, release: &str, at: Span, tables: &[(&str, bool)]| {
        for (kind, _) in tables.iter().filter(|(_, is_empty)| *is_empty) {
            let message = format!("{project} {release} has no `{kind}` row: its facts are incomplete");
            let help = "regenerate them with `cpuid-gen import`";
            diagnostics.push(Diagnostic::error(at, message).with_help(help));
        }
    };
    for facts in linux {
        let tables = [
            ("linux-word", facts.words.is_empty()),
            ("linux-feature", facts.features.is_empty()),
            ("kvm-cap", facts.kvm_caps.is_empty()),
        ];
        require("Linux", &facts.release, facts.at, &tables);
    }
    for facts in qemu {
        let tables = [
            ("qemu-word", facts.words.is_empty()),
            ("qemu-bit", facts.bits.is_empty()),
            ("qemu-model", facts.models.is_empty()),
            ("qemu-machine", facts.machines.is_empty()),
            ("qemu-property", facts.properties.is_empty()),
        ];
        require("QEMU", &facts.release, facts.at, &tables);
    }
}

/// The constants that `cpuid-tables` has published; the list is part of this library.
#[cfg(feature = "merge")]
#[must_use]
pub fn published(sources: &mut Sources, diagnostics: &mut Diagnostics) -> Published {
    let id = sources.add("constants.tsv", crate::CONSTANTS);
    Published::read(sources, id, diagnostics).unwrap_or_default()
}

/// The releases in a folder of facts files such as `upstream/`: every `linux-*.tsv` and `qemu-*.tsv`, ordered by file
/// name.
pub fn folder(
    sources: &mut Sources,
    path: &Path,
    diagnostics: &mut Diagnostics,
) -> (Vec<LinuxFacts>, Vec<QemuFacts>) {
    let (mut all_linux, mut all_qemu) = (Vec::new(), Vec::new());
    let had_errors = diagnostics.has_errors();
    let names = files(path, |name| name.starts_with("linux-") || name.starts_with("qemu-"), diagnostics);
    if names.is_empty() && diagnostics.has_errors() == had_errors {
        let message = "no facts found: expected linux-*.tsv or qemu-*.tsv";
        diagnostics.push(Diagnostic::file(path, message));
    }
    for name in names {
        match file(sources, &path.join(name), None, diagnostics) {
            Some((_, Facts::Linux(facts))) => all_linux.push(facts),
            Some((_, Facts::Qemu(facts))) => all_qemu.push(facts),
            None => {}
        }
    }
    (all_linux, all_qemu)
}

/// The names of a folder's facts files that are wanted, sorted.
fn files(path: &Path, wanted: impl Fn(&str) -> bool, diagnostics: &mut Diagnostics) -> Vec<String> {
    let entries = fs::read_dir(path).map_err(|error| Diagnostic::file(path, error));
    let entries = diagnostics.take(entries).into_iter().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| diagnostics.take(entry.map_err(|error| Diagnostic::file(path, error))))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".tsv") && wanted(name))
        .collect();
    sort_by(&mut names, Ord::cmp);
    names
}

/// The facts of every pinned release.
pub fn pinned(sources: &mut Sources, diagnostics: &mut Diagnostics) -> (Vec<LinuxFacts>, Vec<QemuFacts>) {
    pinned_or(sources, None, None, diagnostics)
}

/// The facts of the pinned releases. For a project whose facts or tree the user names, those replace all of its
/// pinned releases.
pub fn pinned_or(
    sources: &mut Sources,
    linux_at: Option<&Path>,
    qemu_at: Option<&Path>,
    diagnostics: &mut Diagnostics,
) -> (Vec<LinuxFacts>, Vec<QemuFacts>) {
    let (mut forked, mut found) = (sources.fork(), Diagnostics::new());
    // Two trees are read in parallel.
    let (linux, qemu) = thread::scope(|scope| {
        let qemu = qemu_at.map(|path| scope.spawn(|| qemu(&mut forked, path, &mut found)));
        let linux = linux_at.and_then(|path| linux(sources, path, diagnostics));
        (linux, qemu.map(thread::ScopedJoinHandle::join))
    });
    sources.absorb(forked);
    diagnostics.append(found);
    let qemu = qemu.and_then(|read| {
        let panicked =
            |_| Err(Diagnostic::general("the reader of QEMU's sources panicked: this is a bug in cpuid-gen"));
        diagnostics.take(read.or_else(panicked)).flatten()
    });
    let given = (linux.into_iter().collect(), qemu.into_iter().collect());
    let is_kept = |name: &str| if name.starts_with("linux-") { linux_at } else { qemu_at }.is_none();
    with_pinned(given, is_kept, sources, diagnostics)
}

/// Adds the pinned releases whose files are wanted.
fn with_pinned(
    (mut linux, mut qemu): (Vec<LinuxFacts>, Vec<QemuFacts>),
    is_wanted: impl Fn(&str) -> bool,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> (Vec<LinuxFacts>, Vec<QemuFacts>) {
    for (name, text) in crate::pinned().iter().filter(|(name, _)| is_wanted(name)) {
        let id = sources.add(*name, *text);
        match facts::read(sources, id, diagnostics) {
            Some(Facts::Linux(facts)) => linux.push(facts),
            Some(Facts::Qemu(facts)) => qemu.push(facts),
            None => {}
        }
    }
    (linux, qemu)
}

/// The pinned releases next to given ones of the same project: the last older one of each, and the first that is not older.
/// Files of other releases are not read.
pub fn pinned_beside(
    sources: &mut Sources,
    linux: &[LinuxFacts],
    qemu: &[QemuFacts],
    diagnostics: &mut Diagnostics,
) -> (Vec<LinuxFacts>, Vec<QemuFacts>) {
    let linux = linux.iter().map(|facts| ("linux-release\t", facts.release.as_str()));
    let given: Vec<(&str, &str)> =
        linux.chain(qemu.iter().map(|facts| ("qemu-release\t", facts.release.as_str()))).collect();
    // The release is the first row.
    let stated =
        |text: &'static str, row: &str| text.lines().find(|line| !line.starts_with('#'))?.strip_prefix(row);
    let mut beside: Set<&str> = Set::new();
    for (row, own) in given {
        let files = crate::pinned().iter();
        let of_project: Vec<(&str, &str)> =
            files.filter_map(|(name, text)| Some((stated(text, row)?, *name))).collect();
        let around = release::around(own, &of_project, |(release, _)| release);
        beside.extend(around.into_iter().map(|(_, name)| *name));
    }
    with_pinned((Vec::new(), Vec::new()), |name| beside.contains(name), sources, diagnostics)
}

/// The facts of a file, or of a pinned release of this project.
fn file(
    sources: &mut Sources,
    path: &Path,
    project: Option<&'static str>,
    diagnostics: &mut Diagnostics,
) -> Option<(FileId, Facts)> {
    let pinned = if path.exists() { None } else { diagnostics.take(release::named(path, project))? };
    let id = match pinned {
        Some(pinned) => sources.add(pinned.file, pinned.text),
        None => {
            let missing = |error| {
                let error: Diagnostic = error;
                if path.exists() { error } else { error.with_help(release::names()) }
            };
            diagnostics.take(sources.read(path, "").map_err(|error| missing(error.into())))?
        }
    };
    Some((id, facts::read(sources, id, diagnostics)?))
}

fn wrong_project<T>(
    sources: &Sources,
    id: FileId,
    found: &str,
    wanted: &str,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let message = format!("this file has facts of {found}; expected {wanted}");
    diagnostics.push(Diagnostic::error(sources.span(id, 0, 0), message));
    None
}
