//! Do Linux, KVM and QEMU agree about which bit is which?
//!
//! A hardware feature is its leaf, subleaf, register and bit; a word's index belongs to one release. Each release is
//! checked by itself, each Linux against each QEMU, and the releases of one project against each other in their order.
//! What a person judged to be fine stands in `upstream/differences.tsv` ([`Differences`]); everything else is a
//! finding with both places. Nothing here reads files or prints.

mod cpu_models;
mod deps;
mod differences;
mod fields;
mod finding;
mod history;
#[cfg(feature = "json")]
mod json;
mod linux;
mod linux_names;
mod linux_words;
mod numbers;
mod pair;
mod qemu;
mod qemu_checks;
mod qemu_macros;
mod report;
mod stale;
mod statements;
mod twice;

use std::cmp::Ordering;

pub use differences::{Difference, Differences, Verdict};
pub use finding::{Key, Kind};
pub use report::{Counts, Explained, OneSidedBit, OneSidedWord, Pair, Report, Side};

use crate::facts::{LinuxFacts, QemuFacts};
use finding::Findings;
use linux::LinuxIndex;
use qemu::QemuIndex;
use statements::Statements;

/// What the facts are, and so when an unused entry of the differences is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The releases that the differences were written for: every entry is needed.
    Pinned,
    /// Anything else: an entry is stale when both of its names are there and agree.
    Given,
}

/// Checks everything and reports everything at once. The order of the releases does not matter.
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
    history::check(&linux, Statements::of_linux, &mut findings);
    history::check(&qemu, Statements::of_qemu, &mut findings);
    stale::check(&linux, &qemu, scope, &mut findings);

    let (findings, used) = findings.finish();
    let explained = report::explained(differences, &used);
    Report { findings, pairs, explained }
}

/// Folds case and `-_.`: QEMU's `sse4.1` is Linux's `sse4_1`.
fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    folded.extend(name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).map(|c| c.to_ascii_lowercase()));
    folded
}

fn in_order<T>(releases: &[T], name: impl Fn(&T) -> &String) -> Vec<&T> {
    let mut sorted: Vec<&T> = releases.iter().collect();
    sorted.sort_by(|a, b| compare_releases(name(a), name(b)));
    sorted
}

/// By the numbers in them; `7.3-rc1` comes before `7.3`.
fn compare_releases(a: &str, b: &str) -> Ordering {
    fn key(release: &str) -> (Vec<u32>, bool, &str) {
        let (numbers, suffix) = release.split_once('-').unwrap_or((release, ""));
        let numbers = numbers.split('.').map(|number| number.parse().unwrap_or(0)).collect();
        (numbers, suffix.is_empty(), suffix)
    }
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::{compare_releases, fold};

    #[test]
    fn names_fold() {
        assert_eq!(fold("SSE4.1"), fold("sse4_1"));
        assert_eq!(fold("tsc-deadline"), "tscdeadline");
    }

    #[test]
    fn releases_sort_by_number() {
        let mut releases = ["10.2.2", "7.3", "6.12.117", "6.1.192", "7.3-rc1", "7.2.22"];
        releases.sort_by(|a, b| compare_releases(a, b));
        assert_eq!(releases, ["6.1.192", "6.12.117", "7.2.22", "7.3-rc1", "7.3", "10.2.2"]);
    }
}
