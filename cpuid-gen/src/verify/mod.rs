//! Checks that Linux, KVM and QEMU agree about the bits of CPUID.
//!
//! A hardware feature is identified by leaf, subleaf, register and bit; a word's index is valid within one release.
//! Each release is checked by itself, each Linux release against each QEMU release, and the releases of one project
//! against each other in order. Reviewed differences are in `upstream/differences.tsv` ([`Differences`]); everything
//! else is a finding with both places. This module does not read files or print.
//!
//! ```
//! use cpuid_gen::verify::{Differences, Scope, verify};
//! use cpuid_gen::{diagnostic::Diagnostics, input, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
//! // Without the reviewed differences, every disagreement is a finding.
//! let report = verify(&linux, &qemu, &Differences::default(), Scope::Given);
//! assert!(!report.is_explained() && report.render(&sources).contains("QEMU"));
//! ```

mod bit_names;
mod caches;
mod cpu_models;
mod dep_added;
mod dep_edges;
mod dep_processors;
mod dep_unstated;
mod deps;
mod differences;
mod few;
mod fields;
mod finding;
mod fold;
mod follows;
mod guest_statements;
mod history;
mod holds;
#[cfg(feature = "json")]
mod json;
mod key;
mod kvm_support;
mod leaf_types;
mod linux;
mod linux_names;
mod linux_statements;
mod linux_words;
mod machine_types;
mod migration;
mod model_deps;
mod model_lines;
mod model_params;
mod model_places;
mod model_processors;
mod model_texts;
mod module_vendors;
mod moved;
mod nearest;
mod needed;
mod needs;
mod not_met;
mod numbers;
mod pair;
mod processors;
mod qemu;
mod qemu_checks;
mod qemu_macros;
mod qemu_statements;
mod release;
mod report;
mod since;
mod stale;
mod statements;
mod twice;
mod witness_bits;
mod witness_models;
mod witnesses;
mod word_moves;

pub use differences::{Difference, Differences, Verdict};
pub use key::{Key, Kind};
pub use report::{Counts, Explained, OneSidedBit, OneSidedWord, Pair, Report, Side};
pub use since::verify_since;
pub use stale::Scope;

use crate::both::both;
use crate::facts::{LinuxFacts, QemuFacts};
use crate::ordered::sort_by;
use crate::release::around;
use crate::vocabulary::release_order::ReleaseOrder;
use dep_added::Others;
use finding::{Findings, Found};
use kvm_support::{ModelsByBit, Support, models_by_bit};
use linux::LinuxIndex;
use qemu::QemuIndex;
use release::Release;
use statements::Statements;
use witnesses::WitnessIndex;

/// Runs all checks and reports all findings. The order of the releases does not matter.
#[must_use]
pub fn verify(linux: &[LinuxFacts], qemu: &[QemuFacts], differences: &Differences, scope: Scope) -> Report {
    let (found, pairs, used) = run(linux, qemu, differences, scope, None);
    report::report(found, pairs, (differences, &used))
}

/// All findings, the pairs, and the use of each entry of the differences. For a project under review they include the upstream
/// bugs of its releases that are known.
fn run(
    linux: &[LinuxFacts],
    qemu: &[QemuFacts],
    differences: &Differences,
    scope: Scope,
    under_review: Option<&'static str>,
) -> (Vec<Found>, Vec<Pair>, Vec<bool>) {
    let linux = linux_indexes(linux.iter());
    let qemu = qemu_indexes(qemu.iter(), differences);
    let mut findings = Findings::new(differences, &linux, &qemu);
    if let Some(project) = under_review {
        findings = findings.of_review(project);
    }
    let pairs = check(&linux, &qemu, &mut findings);
    stale::check(&linux, &qemu, scope, &mut findings);
    let (found, used) = findings.finish();
    (found, pairs, used)
}

/// Runs all checks but that of stale differences, in three groups that take about the same time.
fn check(linux: &[LinuxIndex<'_>], qemu: &[QemuIndex<'_>], findings: &mut Findings<'_>) -> Vec<Pair> {
    let differences = findings.differences();
    let witnesses: Vec<WitnessIndex<'_>> = differences.witnesses.iter().map(WitnessIndex::new).collect();
    let (mut of_several, mut of_nearest) = (findings.fork(), findings.fork());
    let several = || check_several(linux, qemu, &witnesses, &mut of_several);
    let nearest = || check_nearest(linux, qemu, &mut of_nearest);
    let (pairs, _) = both(several, || both(nearest, || check_each(linux, qemu, &witnesses, findings)));
    findings.absorb(of_several);
    findings.absorb(of_nearest);
    pairs
}

/// The checks of one release, and of QEMU's models against what each release and witness states.
fn check_each(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    witnesses: &[WitnessIndex<'_>],
    findings: &mut Findings<'_>,
) {
    for index in linux {
        linux_words::check(index, findings);
        linux_names::check(index, findings);
        numbers::check(index, findings);
        fields::check(index, findings);
        leaf_types::check(index, findings);
    }
    for index in qemu {
        qemu_checks::check(index, findings);
        cpu_models::check(index, findings);
        machine_types::check(index, findings);
        migration::check(index, findings);
        caches::check(index, findings);
        model_texts::check(index, findings);
        model_lines::check(index, findings);
    }
    model_deps::check(linux, qemu, witnesses, findings);
}

/// The checks of releases against each other and against the witnesses.
fn check_several(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    witnesses: &[WitnessIndex<'_>],
    findings: &mut Findings<'_>,
) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for one in linux {
        for other in qemu {
            pairs.push(pair::check(one, other, findings));
            numbers::check_pair(one, other, findings);
            fields::check_pair(one, other, findings);
        }
    }
    witness_bits::check(linux, qemu, witnesses, findings);
    witness_models::check(qemu, witnesses, findings);
    deps::check(linux, qemu, witnesses, findings);
    dep_processors::check(linux, qemu, witnesses, findings);
    needs::check(linux, qemu, witnesses, findings);
    let support: Vec<Support<'_, '_>> = linux.iter().map(Support::new).collect();
    let models: Vec<ModelsByBit<'_>> = qemu.iter().map(models_by_bit).collect();
    kvm_support::check(&support, qemu, &models, findings);
    module_vendors::check(&support, qemu, &models, findings);
    model_processors::check(linux, qemu, &support, findings);
    model_params::check(&support, qemu, &models, findings);
    history::check(linux, Statements::from_linux, findings);
    history::check(qemu, Statements::from_qemu, findings);
    pairs
}

/// Compares the releases with the pinned ones of their projects, if these were added to the differences.
fn check_nearest(linux: &[LinuxIndex<'_>], qemu: &[QemuIndex<'_>], findings: &mut Findings<'_>) {
    let differences = findings.differences();
    let (pinned_linux, pinned_qemu) = &differences.pinned;
    for index in linux.iter().filter(|_| !pinned_linux.is_empty()) {
        let near = around(&index.release.name, pinned_linux, |facts| facts.release.as_str());
        let near = linux_indexes(near.into_iter());
        let statements: Vec<Statements<'_>> = near.iter().map(Statements::from_linux).collect();
        nearest::check(&Statements::from_linux(index), &statements, findings);
        if let (Some(older), Some(_)) = neighbours(&index.release, &near, |near| &near.release) {
            let others = Others::beside(&index.release, (linux, qemu), &differences.pinned);
            dep_added::check_linux([older, index], &others, findings);
        }
    }
    for index in qemu.iter().filter(|_| !pinned_qemu.is_empty()) {
        let near = around(&index.release.name, pinned_qemu, |facts| facts.release.as_str());
        let near = qemu_indexes(near.into_iter(), differences);
        let statements: Vec<Statements<'_>> = near.iter().map(Statements::from_qemu).collect();
        nearest::check(&Statements::from_qemu(index), &statements, findings);
        let (older, newer) = neighbours(&index.release, &near, |near| &near.release);
        let others = Others::beside(&index.release, (linux, qemu), &differences.pinned);
        if let Some(older) = older {
            dep_added::check_hyperv(
                [older, index],
                &others,
                older.release.name != index.release.name,
                findings,
            );
        }
        if let (Some(older), Some(_)) = (older, newer) {
            dep_added::check_qemu([older, index], &others, findings);
        }
    }
}

/// The last of some releases that is not newer than this one, and the first that is not older.
fn neighbours<'n, T>(
    own: &Release,
    near: &'n [T],
    of: impl Fn(&T) -> &Release,
) -> (Option<&'n T>, Option<&'n T>) {
    let order = |other: &&T| ReleaseOrder::new(&of(other).name).cmp(&ReleaseOrder::new(&own.name));
    (near.iter().rfind(|other| order(other).is_le()), near.iter().find(|other| order(other).is_ge()))
}

/// Oldest first.
fn linux_indexes<'a>(facts: impl Iterator<Item = &'a LinuxFacts>) -> Vec<LinuxIndex<'a>> {
    let facts = in_order(facts, |facts| &facts.release);
    facts.into_iter().zip(0..).map(|(facts, rank)| LinuxIndex::new(facts, rank)).collect()
}

/// Oldest first.
fn qemu_indexes<'a>(
    facts: impl Iterator<Item = &'a QemuFacts>,
    differences: &Differences,
) -> Vec<QemuIndex<'a>> {
    let facts = in_order(facts, |facts| &facts.release);
    facts.into_iter().zip(0..).map(|(facts, rank)| QemuIndex::new(facts, rank, differences)).collect()
}

fn in_order<'a, T>(releases: impl Iterator<Item = &'a T>, name: impl Fn(&T) -> &String) -> Vec<&'a T> {
    let mut sorted: Vec<&T> = releases.collect();
    sort_by(&mut sorted, |a, b| ReleaseOrder::new(name(a)).cmp(&ReleaseOrder::new(name(b))));
    sorted
}
