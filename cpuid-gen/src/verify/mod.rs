//! Checks that Linux, KVM and QEMU agree about the bits of CPUID.
//!
//! A hardware feature is identified by leaf, subleaf, register and bit; a word's index is valid within one release.
//! Each release is checked by itself, each Linux release against each QEMU release, and the releases of one project
//! against each other in order. Reviewed differences are in `upstream/differences.tsv` ([`Differences`]); everything
//! else is a finding with both places. This module does not read files or print.

mod cpu_models;
mod deps;
mod differences;
mod fields;
mod finding;
mod fold;
mod history;
#[cfg(feature = "json")]
mod json;
mod key;
mod kvm_support;
mod linux;
mod linux_names;
mod linux_words;
mod machine_types;
mod numbers;
mod pair;
mod qemu;
mod qemu_checks;
mod qemu_macros;
mod report;
mod stale;
mod statements;
mod twice;

pub use differences::{Difference, Differences, Verdict};
pub use key::{Key, Kind};
pub use report::{Counts, Explained, OneSidedBit, OneSidedWord, Pair, Report, Side};
pub use stale::Scope;

use crate::facts::{LinuxFacts, QemuFacts};
use crate::release::ReleaseOrder;
use finding::Findings;
use linux::LinuxIndex;
use qemu::QemuIndex;
use statements::Statements;

/// Runs all checks and reports all findings. The order of the releases does not matter.
#[must_use]
pub fn verify(linux: &[LinuxFacts], qemu: &[QemuFacts], differences: &Differences, scope: Scope) -> Report {
    let linux = in_order(linux, |facts| &facts.release);
    let linux: Vec<LinuxIndex<'_>> =
        linux.iter().zip(0..).map(|(f, rank)| LinuxIndex::new(f, rank)).collect();
    let qemu = in_order(qemu, |facts| &facts.release);
    let qemu: Vec<QemuIndex<'_>> =
        qemu.iter().zip(0..).map(|(f, rank)| QemuIndex::new(f, rank, differences)).collect();

    let mut findings = Findings::new(differences);
    for index in &linux {
        linux_words::check(index, &mut findings);
        linux_names::check(index, &mut findings);
        numbers::check(index, &mut findings);
        fields::check(index, &mut findings);
    }
    for index in &qemu {
        qemu_checks::check(index, &mut findings);
        cpu_models::check(index, &mut findings);
        machine_types::check(index, &mut findings);
    }
    let mut pairs = Vec::new();
    for one in &linux {
        for other in &qemu {
            pairs.push(pair::check(one, other, &mut findings));
            numbers::check_pair(one, other, &mut findings);
            fields::check_pair(one, other, &mut findings);
        }
    }
    deps::check(&linux, &qemu, &mut findings);
    kvm_support::check(&linux, &qemu, &mut findings);
    history::check(&linux, Statements::from_linux, &mut findings);
    history::check(&qemu, Statements::from_qemu, &mut findings);
    stale::check(&linux, &qemu, scope, &mut findings);

    let (findings, used) = findings.finish();
    let explained = report::explained(differences, &used);
    Report { findings, pairs, explained }
}

fn in_order<T>(releases: &[T], name: impl Fn(&T) -> &String) -> Vec<&T> {
    let mut sorted: Vec<&T> = releases.iter().collect();
    sorted.sort_by(|a, b| ReleaseOrder::new(name(a)).cmp(&ReleaseOrder::new(name(b))));
    sorted
}
