//! What a change adds: the findings of a tree that an earlier state of it does not have.

use std::slice;

use super::dep_added::Others;
use super::differences::Differences;
use super::finding::{Findings, Found, Identity, is_left_out};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use super::report::{self, Report};
use super::stale::Scope;
use super::statements::Statements;
use super::{dep_added, history, run, word_moves};
use crate::facts::{Facts, LinuxFacts, QemuFacts};
use crate::ordered::Set;

/// Runs all checks, and reports only the findings that the earlier state of the same project does not have: the same
/// checks run on `before` with the other project's releases. A known upstream bug is a finding if only the later state
/// has it. The statements that the newest release drops or changes are findings, as between two releases.
#[must_use]
pub fn verify_since(
    before: &Facts,
    linux: &[LinuxFacts],
    qemu: &[QemuFacts],
    differences: &Differences,
) -> Report {
    let project = match before {
        Facts::Linux(_) => "Linux",
        Facts::Qemu(_) => "QEMU",
    };
    let (mut found, pairs, mut used) = run(linux, qemu, differences, Scope::Given, Some(project));
    let (earlier, _, _) = match before {
        Facts::Linux(facts) => run(slice::from_ref(facts), qemu, differences, Scope::Given, Some(project)),
        Facts::Qemu(facts) => run(linux, slice::from_ref(facts), differences, Scope::Given, Some(project)),
    };
    let (known, open): (Vec<Found>, Vec<Found>) = earlier.into_iter().partition(|found| found.is_known_bug);
    let [known, open]: [Set<Identity>; 2] =
        [known, open].map(|all| all.into_iter().map(|found| found.identity).collect());
    // What a row explained before, and does not explain now, is new.
    let was_there = |found: &Found| {
        open.contains(&found.identity) || (found.is_known_bug && known.contains(&found.identity))
    };
    // A tree of a pinned release has the same changes from that; those from the earlier state are the ones that were asked for.
    let (changed, left_out, used_by_changes) = changed(before, linux, qemu, differences);
    used.iter_mut().zip(used_by_changes).for_each(|(used, also)| *used |= also);
    let again: Set<&Identity> = changed.iter().map(|found| &found.identity).collect();
    let follows = |identity: &Identity| match identity {
        Identity::Keyed(key) => is_left_out(key, &left_out),
        Identity::Plain(_) => false,
    };
    found.retain(|found| !was_there(found) && !again.contains(&found.identity) && !follows(&found.identity));
    found.extend(changed);
    report::report(found, pairs, (differences, &used))
}

/// The statements of the earlier state that the newest release of its project changes or drops, the names whose findings follow
/// from that, and the use of each entry of the differences.
fn changed(
    before: &Facts,
    linux: &[LinuxFacts],
    qemu: &[QemuFacts],
    differences: &Differences,
) -> (Vec<Found>, Set<String>, Vec<bool>) {
    match before {
        Facts::Linux(facts) => {
            let both: Vec<LinuxIndex<'_>> = [Some(facts), linux.last()]
                .into_iter()
                .flatten()
                .zip(0..)
                .map(|(f, n)| LinuxIndex::new(f, n))
                .collect();
            let mut findings = Findings::new(differences, &both, &[]).of_review("Linux");
            history::check(&both, Statements::from_linux, &mut findings);
            if let [before, after] = both.as_slice() {
                let [before, after] = [before, after].map(Statements::from_linux);
                word_moves::check(&before, &after, &mut findings);
            }
            if let [before, after] = both.as_slice() {
                let linux = linux.split_last().map_or(linux, |(_, others)| others);
                let others = Others {
                    linux: linux.iter().chain(&differences.pinned.0).collect(),
                    qemu: qemu.iter().collect(),
                };
                dep_added::check_linux([before, after], &others, &mut findings);
            }
            let left_out = findings.left_out().clone();
            let (found, used) = findings.finish();
            (found, left_out, used)
        }
        Facts::Qemu(facts) => {
            let both: Vec<QemuIndex<'_>> = [Some(facts), qemu.last()]
                .into_iter()
                .flatten()
                .zip(0..)
                .map(|(facts, rank)| QemuIndex::new(facts, rank, differences))
                .collect();
            let mut findings = Findings::new(differences, &[], &both).of_review("QEMU");
            history::check(&both, Statements::from_qemu, &mut findings);
            if let [before, after] = both.as_slice() {
                let qemu = qemu.split_last().map_or(qemu, |(_, others)| others);
                let others = Others {
                    linux: linux.iter().collect(),
                    qemu: qemu.iter().chain(&differences.pinned.1).collect(),
                };
                dep_added::check_qemu([before, after], &others, &mut findings);
                dep_added::check_hyperv([before, after], &others, false, &mut findings);
            }
            let left_out = findings.left_out().clone();
            let (found, used) = findings.finish();
            (found, left_out, used)
        }
    }
}
