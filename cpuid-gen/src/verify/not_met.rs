//! The releases whose facts do not meet the `while` or `without` of a row of `differences.tsv`.

use super::holds::{Holds, RowsByKind};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use super::release::Release;
use crate::facts::{write_linux, write_qemu};

/// Those kinds of rows that a row of the differences is about.
fn rows_by_kind<'t>(facts: &'t str, about: &[&(usize, &'t Holds)]) -> RowsByKind<'t> {
    let mut rows: RowsByKind<'t> = about.iter().map(|(_, holds)| (holds.kind(), Vec::new())).collect();
    for line in facts.lines() {
        let kind = line.split('\t').next().unwrap_or_default();
        if let Some(rows) = rows.get_mut(kind) {
            rows.push(line);
        }
    }
    rows
}

/// For each row with `while` or `without`: the releases whose facts do not meet it.
pub(super) fn not_met<'h>(
    rows: impl Iterator<Item = (usize, &'h Holds)>,
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
) -> Vec<(usize, Release)> {
    let rows: Vec<(usize, &Holds)> = rows.filter(|(_, holds)| holds.has_reading()).collect();
    let mut not_met = Vec::new();
    let mut compare = |project: &str, release: &Release, facts: &dyn Fn() -> String| {
        let about: Vec<&(usize, &Holds)> =
            rows.iter().filter(|(_, holds)| holds.reads_facts_of(project)).collect();
        if about.is_empty() {
            return;
        }
        let facts = facts();
        let by_kind = rows_by_kind(&facts, &about);
        let unread = about.iter().filter(|(_, holds)| !holds.reads(&by_kind));
        not_met.extend(unread.map(|(entry, _)| (*entry, release.clone())));
    };
    for index in linux {
        compare("Linux", &index.release, &|| write_linux(index.facts));
    }
    for index in qemu {
        compare("QEMU", &index.release, &|| write_qemu(index.facts));
    }
    not_met
}
