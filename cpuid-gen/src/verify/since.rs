//! What a change adds: the findings of a tree that an earlier state of it does not have.

use std::collections::BTreeSet;
use std::slice;

use super::differences::Differences;
use super::finding::{Findings, Found, Identity};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use super::report::{self, Report};
use super::stale::Scope;
use super::statements::Statements;
use super::{history, run};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{Facts, LinuxFacts, QemuFacts};

/// Runs all checks, and reports only the findings that the earlier state of the same project does not have: the same
/// checks run on `before` with the other project's releases. The statements that the newest release drops or changes
/// are findings, as between two releases.
#[must_use]
pub fn verify_since(
    before: &Facts,
    linux: &[LinuxFacts],
    qemu: &[QemuFacts],
    differences: &Differences,
) -> Report {
    let (mut found, pairs, used) = run(linux, qemu, differences, Scope::Given);
    let (earlier, _, _) = match before {
        Facts::Linux(facts) => run(slice::from_ref(facts), qemu, differences, Scope::Given),
        Facts::Qemu(facts) => run(linux, slice::from_ref(facts), differences, Scope::Given),
    };
    let earlier: BTreeSet<Identity> = earlier.into_iter().map(|(identity, _)| identity).collect();
    found.retain(|(identity, _)| !earlier.contains(identity));
    // Beside the pinned release that the earlier state is of, a change is found already.
    let known: BTreeSet<Identity> = found.iter().map(|(identity, _)| identity.clone()).collect();
    let changed = changed(before, linux, qemu, differences);
    found.extend(changed.into_iter().filter(|(identity, _)| !known.contains(identity)));
    Report { findings: sorted(found), pairs, explained: report::explained(differences, &used) }
}

/// The statements of the earlier state that the newest release of its project changes or drops.
fn changed(
    before: &Facts,
    linux: &[LinuxFacts],
    qemu: &[QemuFacts],
    differences: &Differences,
) -> Vec<Found> {
    match before {
        Facts::Linux(facts) => {
            let both: Vec<LinuxIndex<'_>> = [Some(facts), linux.last()]
                .into_iter()
                .flatten()
                .zip(0..)
                .map(|(f, n)| LinuxIndex::new(f, n))
                .collect();
            let mut findings = Findings::new(differences, &both, &[]);
            history::check(&both, Statements::from_linux, &mut findings);
            findings.finish().0
        }
        Facts::Qemu(facts) => {
            let both: Vec<QemuIndex<'_>> = [Some(facts), qemu.last()]
                .into_iter()
                .flatten()
                .zip(0..)
                .map(|(facts, rank)| QemuIndex::new(facts, rank, differences))
                .collect();
            let mut findings = Findings::new(differences, &[], &both);
            history::check(&both, Statements::from_qemu, &mut findings);
            findings.finish().0
        }
    }
}

/// The findings alone, sorted by place.
pub(super) fn sorted(found: Vec<Found>) -> Diagnostics {
    let mut all = Diagnostics::new();
    all.extend(found.into_iter().map(|(_, diagnostic): (Identity, Diagnostic)| diagnostic));
    all.sort();
    all
}
