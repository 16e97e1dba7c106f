//! Entries of `differences.tsv` that no longer apply.

use super::differences::Difference;
use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;

/// The origin of the facts, which determines when an unused entry of the differences is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The releases for which the differences were written: every entry must be used.
    Pinned,
    /// Any other releases: an entry is stale if both of its names exist and agree.
    Given,
}

/// Reports each entry that should have been used and was not. Runs after all other checks.
pub(super) fn check(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    scope: Scope,
    findings: &mut Findings<'_>,
) {
    let linux_names: Vec<&str> = linux.iter().map(|index| index.release.name.as_str()).collect();
    let qemu_names: Vec<&str> = qemu.iter().map(|index| index.release.name.as_str()).collect();
    let unused: Vec<&Difference> = findings.unused().collect();
    for entry in unused {
        let stale = match (scope, &entry.explains) {
            _ if entry.is_accepted => false,
            (_, Some(key)) if key.kind.is_of_others() => false,
            (Scope::Pinned, _) => {
                entry.releases.as_ref().is_none_or(|range| range.may_hold(&linux_names, &qemu_names))
            }
            (Scope::Given, Some(key)) => both_there(linux, qemu, key),
            (Scope::Given, None) => false,
        };
        if stale {
            findings.add_plain(
                Diagnostic::error(entry.at, "stale: no finding needs this entry")
                    .with_help("remove it, or correct it if the facts are wrong"),
            );
        }
    }
}

/// True if both names of an entry exist at the entry's place and therefore need no entry.
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
