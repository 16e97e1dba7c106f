//! The result: findings, counts, one-sided words and bits, and the known differences.

use super::differences::{Difference, Differences, Verdict};
use super::finding::Found;
use super::follows;
use super::key::Key;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::location::{CpuidWord, Location};
use crate::ordered::Map;
use crate::source::{Sources, Span};

/// The result of [`super::verify()`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The unexplained findings, sorted by place.
    pub findings: Diagnostics,
    /// Each Linux release with each QEMU release, in order of release; the newest pair is last.
    pub pairs: Vec<Pair>,
    /// The known differences that occurred, in the order of `differences.tsv`.
    pub explained: Vec<Explained>,
    /// The rows of accepted findings that no finding needs, in the order of reading.
    pub unneeded: Vec<Explained>,
}

/// A known difference that occurred, or an accepted finding that did not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explained {
    /// The finding.
    pub key: Key,
    /// The kind of difference.
    pub verdict: Verdict,
    /// Why it is acceptable, or what is wrong upstream.
    pub reason: String,
    /// Its row.
    pub at: Span,
}

/// One Linux release with one QEMU release.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pair {
    /// Linux's release.
    pub linux: String,
    /// QEMU's release.
    pub qemu: String,
    /// The degree of agreement.
    pub counts: Counts,
    /// Registers that are a word of one project only, sorted.
    pub words: Vec<OneSidedWord>,
    /// CPUID bits that only one project names, sorted.
    pub bits: Vec<OneSidedBit>,
}

/// The degree of agreement of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Registers that are a word of both projects.
    pub words_both: usize,
    /// Registers that are a word of Linux or KVM only.
    pub words_linux: usize,
    /// CPUID registers that are a word of QEMU only.
    pub words_qemu: usize,
    /// Bits with the same name, ignoring case and `-_.`.
    pub bits_same_name: usize,
    /// Bits whose names are known to be equivalent, or whose difference is known.
    pub bits_explained: usize,
    /// Bits with different names.
    pub bits_conflicting: usize,
    /// CPUID bits that only Linux or KVM names.
    pub bits_linux: usize,
    /// CPUID bits that only QEMU names.
    pub bits_qemu: usize,
}

/// The project that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Linux or KVM.
    Linux,
    /// QEMU.
    Qemu,
}

impl Side {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Side::Linux => "Linux",
            Side::Qemu => "QEMU",
        }
    }
}

/// A register that is a word of one project only.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OneSidedWord {
    /// The register.
    pub location: CpuidWord,
    /// The project that has it.
    pub side: Side,
    /// Its enumerator there.
    pub name: String,
}

/// A bit that only one project names.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OneSidedBit {
    /// The bit.
    pub location: Location,
    /// The project that has it.
    pub side: Side,
    /// Its name there.
    pub name: String,
}

impl Pair {
    pub(super) fn count_one_sided(&mut self) {
        let words = |side| self.words.iter().filter(|word| word.side == side).count();
        let bits = |side| self.bits.iter().filter(|bit| bit.side == side).count();
        (self.counts.words_linux, self.counts.words_qemu) = (words(Side::Linux), words(Side::Qemu));
        (self.counts.bits_linux, self.counts.bits_qemu) = (bits(Side::Linux), bits(Side::Qemu));
    }

    fn summary(&self) -> String {
        let Counts { words_both, words_linux, words_qemu, .. } = self.counts;
        let Counts { bits_same_name, bits_explained, bits_conflicting, bits_linux, bits_qemu, .. } =
            self.counts;
        format!(
            "Linux {} and QEMU {}\n  \
             words: {words_both} on both sides, {words_linux} of Linux alone, {words_qemu} of QEMU alone\n  \
             bits:  {bits_same_name} with the same name, {bits_explained} with a known difference, \
             {bits_conflicting} conflicting, {bits_linux} of Linux alone, {bits_qemu} of QEMU alone\n",
            self.linux, self.qemu
        )
    }
}

/// The report of all findings, sorted by place.
pub(super) fn report(
    mut found: Vec<Found>,
    pairs: Vec<Pair>,
    (differences, used): (&Differences, &[bool]),
) -> Report {
    follows::mark(&mut found);
    let mut findings = Diagnostics::new();
    findings.extend(found.into_iter().map(|found| found.diagnostic));
    findings.sort();
    let (explained, unneeded) = (explained(differences, used), unneeded(differences, used));
    Report { findings, pairs, explained, unneeded }
}

/// The rows of accepted findings that were not used.
fn unneeded(differences: &Differences, used: &[bool]) -> Vec<Explained> {
    let unused = differences.entries.iter().zip(used).filter(|(entry, used)| entry.is_accepted && !**used);
    unused.filter_map(|(entry, _)| Explained::new(entry)).collect()
}

/// The rows that were used, except `macro-family` rows, which are not differences.
fn explained(differences: &Differences, used: &[bool]) -> Vec<Explained> {
    let met = differences.entries.iter().zip(used).filter(|(_, used)| **used);
    met.filter_map(|(entry, _)| Explained::new(entry)).collect()
}

impl Explained {
    /// `None` for a row that explains no finding.
    fn new(entry: &Difference) -> Option<Explained> {
        Some(Explained {
            key: entry.explains.clone()?,
            verdict: entry.verdict,
            reason: entry.reason.clone(),
            at: entry.at,
        })
    }
}

impl Report {
    /// True if there are no findings: the command's exit code is then 0.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings alone, as text: what `--since` reports.
    #[must_use]
    pub fn render_findings(&self, sources: &Sources) -> String {
        let mut out = format!("findings: {}\n", self.findings.len());
        if !self.findings.is_empty() {
            out.push('\n');
        }
        for found in self.findings.iter().filter(|found| follows(found).is_none()) {
            out.push_str(&found.render(sources));
            out.push('\n');
            self.render_following(found, sources, &mut out);
        }
        out
    }

    /// The findings that follow from one: of each its place and message, and the row that accepts it.
    fn render_following(&self, cause: &Diagnostic, sources: &Sources, out: &mut String) {
        let Some(row) = &cause.row else { return };
        let is_following = |found: &&Diagnostic| follows(found).is_some_and(|of| *of == row.columns);
        let following: Vec<&Diagnostic> = self.findings.iter().filter(is_following).collect();
        if !following.is_empty() {
            out.push_str(&format!("  also {} that can follow from this:\n", counted(following.len())));
        }
        for found in following {
            let short = Diagnostic { labels: Vec::new(), ..found.clone() };
            for line in short.render(sources).lines() {
                out.push_str(&format!("    {line}\n"));
            }
        }
    }

    /// Human-readable text: a summary, every finding, the known differences, and the one-sided words and bits of the
    /// newest pair.
    #[must_use]
    pub fn render(&self, sources: &Sources) -> String {
        let mut out: String = self.pairs.iter().map(Pair::summary).collect();
        out.push_str(&self.known());
        out.push_str(&self.render_findings(sources));
        if let Some(newest) = self.pairs.last() {
            out.push_str(&one_sided(newest));
        }
        out
    }

    /// The number of known differences of each kind, and each upstream bug.
    fn known(&self) -> String {
        let count = |verdict| self.explained.iter().filter(|known| known.verdict == verdict).count();
        let counts: Vec<String> =
            Verdict::ALL.iter().map(|(verdict, name)| format!("{} {name}", count(*verdict))).collect();
        let mut out = format!("known differences: {} ({})\n", self.explained.len(), counts.join(", "));
        for bug in self.explained.iter().filter(|known| known.verdict == Verdict::UpstreamBug) {
            let Key { subject, left, right, .. } = &bug.key;
            out.push_str(&format!("  upstream-bug: {subject}: {left} | {right}: {}\n", bug.reason));
        }
        out
    }
}

/// The row of the change from which a finding follows.
fn follows(found: &Diagnostic) -> Option<&[String; 4]> {
    found.row.as_ref()?.follows.as_ref()
}

fn counted(findings: usize) -> String {
    if findings == 1 { "1 finding".to_owned() } else { format!("{findings} findings") }
}

fn one_sided(pair: &Pair) -> String {
    let mut out = format!("\nLinux {} and QEMU {}, one-sided words:\n", pair.linux, pair.qemu);
    for word in &pair.words {
        out.push_str(&format!("  {}: {} ({})\n", word.location, word.name, word.side.name()));
    }
    out.push_str("one-sided bits:\n");
    let mut by_word: Map<(CpuidWord, Side), Vec<String>> = Map::new();
    for bit in &pair.bits {
        let shown = format!("{}={}", bit.location.bit.0, bit.name);
        by_word.or_default((bit.location.word, bit.side)).push(shown);
    }
    for ((word, side), bits) in by_word {
        out.push_str(&format!("  {word}, {}: {}\n", side.name(), bits.join(" ")));
    }
    out
}
