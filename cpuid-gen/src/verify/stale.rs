//! Entries of `differences.tsv` that no longer apply.

use super::differences::Difference;
use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;

/// What the facts are, and so when an unused entry of the differences is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The releases that the differences were written for: every entry is needed.
    Pinned,
    /// Anything else: an entry is stale when both of its names are there and agree.
    Given,
}

/// Reports each entry that was not used although it should have been. Runs after every other check.
pub(super) fn check(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    scope: Scope,
    findings: &mut Findings<'_>,
) {
    let unused: Vec<&Difference> = findings.unused().collect();
    for entry in unused {
        let stale = match (scope, &entry.explains) {
            (Scope::Pinned, _) => true,
            (Scope::Given, Some(key)) => both_there(linux, qemu, key),
            (Scope::Given, None) => false,
        };
        if stale {
            findings.add_plain(
                Diagnostic::error(entry.at, "stale: nothing in the facts needs this entry")
                    .with_help("remove it, or correct it when the facts are wrong"),
            );
        }
    }
}

/// True when the two names that an entry sets equal are there, at the entry's place. They then need no entry.
fn both_there(linux: &[LinuxIndex<'_>], qemu: &[QemuIndex<'_>], key: &Key) -> bool {
    let in_qemu = |index: &QemuIndex<'_>| {
        let mut names = index.bits.iter();
        names.any(|(place, name)| name.bit.name == key.right && place.to_string() == key.subject)
    };
    let in_linux = |index: &LinuxIndex<'_>| {
        let mut bits = index.bits.iter();
        bits.any(|(place, names)| {
            names.iter().any(|name| name.name == key.left) && place.to_string() == key.subject
        })
    };
    let macro_there = |index: &QemuIndex<'_>| {
        let name = index.facts.macros.iter().any(|constant| constant.name == key.left);
        let mut bits = index.facts.bits.iter();
        name && bits.any(|bit| bit.name == key.right && format!("{}[{}]", bit.word, bit.bit.0) == key.subject)
    };
    match key.kind {
        Kind::BitName => linux.iter().any(in_linux) && qemu.iter().any(in_qemu),
        Kind::MacroName => qemu.iter().any(macro_there),
        _ => false,
    }
}
