//! Collects findings: one per key, with the releases that have it. Explained ones are omitted.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::differences::{Difference, Differences, Verdict};
use super::follows::About;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::not_met::not_met;
use super::qemu::QemuIndex;
use super::release::Release;
use crate::diagnostic::{Diagnostic, Diagnostics, FindingRow};
use crate::ordered::{Map, Set};

/// What a finding is about, whatever the release: two releases have the same finding if this is equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    /// The key that a row of the differences can explain.
    Keyed(Key),
    /// The message of a finding without a key.
    Plain(String),
}

/// A finding with its identity.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) identity: Identity,
    pub(super) diagnostic: Diagnostic,
    /// A row knows it as an upstream bug.
    pub(super) is_known_bug: bool,
    /// What a changed statement is about.
    pub(super) about: Option<About>,
}

struct Open {
    diagnostic: Diagnostic,
    /// True for a change within one release, which only a row of accepted findings explains.
    is_change: bool,
    releases: Set<Release>,
    about: Option<About>,
}

/// Collects findings, except those that are explained.
pub(super) struct Findings<'a> {
    differences: &'a Differences,
    used: Vec<bool>,
    /// The releases whose facts do not meet a row's `while` or `without`.
    not_met: Set<(usize, Release)>,
    open: BTreeMap<Key, Open>,
    /// Names of registers and words that are wrong as a whole: findings about their parts follow from that.
    left_out: Set<String>,
    without_key: Diagnostics,
    /// The project whose change is reviewed: known upstream bugs of its releases are findings, too.
    under_review: Option<&'static str>,
    /// Those that were met, each with its row's reason.
    known_bugs: Map<Key, &'a str>,
}

impl<'a> Findings<'a> {
    /// None yet, about these releases.
    pub(super) fn new(
        differences: &'a Differences,
        linux: &[LinuxIndex<'_>],
        qemu: &[QemuIndex<'_>],
    ) -> Findings<'a> {
        let used = vec![false; differences.entries.len()];
        let rows = differences.entries.iter().enumerate();
        let rows = rows.filter_map(|(index, entry)| Some((index, entry.releases.as_ref()?)));
        let not_met = not_met(rows, linux, qemu).into_iter().collect();
        Findings {
            differences,
            used,
            not_met,
            open: BTreeMap::new(),
            left_out: Set::new(),
            without_key: Diagnostics::new(),
            under_review: None,
            known_bugs: Map::new(),
        }
    }

    /// Reports what a row knows as an upstream bug of this project, too: the reviewed change can be what brings it in.
    pub(super) fn of_review(mut self, project: &'static str) -> Findings<'a> {
        self.under_review = Some(project);
        self
    }

    /// None yet, about the same releases: for another thread, whose findings are [absorbed](Self::absorb) later.
    pub(super) fn fork(&self) -> Findings<'a> {
        Findings {
            used: vec![false; self.used.len()],
            not_met: self.not_met.clone(),
            open: BTreeMap::new(),
            left_out: Set::new(),
            without_key: Diagnostics::new(),
            known_bugs: Map::new(),
            ..*self
        }
    }

    /// Takes over the findings of a [fork](Self::fork); the place of one that both have stays.
    pub(super) fn absorb(&mut self, other: Findings<'a>) {
        self.used.iter_mut().zip(&other.used).for_each(|(used, also)| *used |= also);
        for (key, open) in other.open {
            match self.open.entry(key) {
                Entry::Occupied(mut known) => known.get_mut().releases.extend(open.releases),
                Entry::Vacant(none) => {
                    none.insert(open);
                }
            }
        }
        self.left_out.extend(other.left_out);
        self.known_bugs.extend(other.known_bugs);
        self.without_key.append(other.without_key);
    }

    /// Adds a finding about these releases. True if it is explained.
    pub(super) fn add(&mut self, key: Key, releases: &[&Release], make: impl FnOnce() -> Diagnostic) -> bool {
        if self.is_explained(&key, releases) {
            return true;
        }
        if !self.is_open(&key, releases) {
            self.open(key, releases, false, make());
        }
        false
    }

    /// Adds what changed from one release to another. The rows of the differences are about releases: they do not explain what
    /// changed in one release, which a user can only accept.
    pub(super) fn add_change(
        &mut self,
        key: Key,
        [older, newer]: [&Release; 2],
        make: impl FnOnce() -> Diagnostic,
    ) {
        if older.name == newer.name {
            let row = self.differences.accepted(&key);
            if !self.use_row(row, &[newer]) && !self.is_open(&key, &[newer]) {
                self.open(key, &[newer], true, make());
            }
        } else {
            self.add(key, &[older, newer], make);
        }
    }

    /// Says what a changed statement is about, if it is a finding.
    pub(super) fn say_about(&mut self, key: &Key, about: impl FnOnce() -> About) {
        if let Some(open) = self.open.get_mut(key).filter(|open| open.about.is_none()) {
            open.about = Some(about());
        }
    }

    /// True if there is such a finding, which is then about these releases, too.
    fn is_open(&mut self, key: &Key, releases: &[&Release]) -> bool {
        let open = self.open.get_mut(key);
        open.map(|open| open.releases.extend(releases.iter().map(|&release| release.clone()))).is_some()
    }

    fn open(&mut self, key: Key, releases: &[&Release], is_change: bool, diagnostic: Diagnostic) {
        let releases = releases.iter().map(|&release| release.clone()).collect();
        self.open.insert(key, Open { diagnostic, is_change, releases, about: None });
    }

    /// True if a row explains this key in these releases; the row is then used.
    pub(super) fn is_explained(&mut self, key: &Key, releases: &[&Release]) -> bool {
        let differences: &'a Differences = self.differences;
        let row = differences.index_of(key);
        let mut known = self.use_row(row, releases);
        let is_reviewed = releases.iter().any(|release| Some(release.project) == self.under_review);
        let row = row.filter(|_| known && is_reviewed).map(|row| &differences.entries[row]);
        if let Some(row) = row.filter(|row| row.verdict == Verdict::UpstreamBug) {
            self.known_bugs.insert(key.clone(), &row.reason);
            known = false;
        }
        self.use_row(differences.accepted(key), releases) || known
    }

    /// True if this row holds in these releases; it is then used.
    fn use_row(&mut self, row: Option<usize>, releases: &[&Release]) -> bool {
        let differences: &'a Differences = self.differences;
        let row = row.filter(|index| {
            let holds = &differences.entries[*index].releases;
            let reads = |of: &Release| !self.not_met.contains(&(*index, of.clone()));
            holds.as_ref().is_none_or(|holds| {
                releases.iter().all(|of| holds.in_range(of.project, &of.name) && reads(of))
            })
        });
        if let Some(index) = row {
            self.used[index] = true;
        }
        row.is_some()
    }

    /// Leaves out all findings about a register or a word but those that it is wrong as a whole.
    pub(super) fn leave_out(&mut self, name: String) {
        self.left_out.insert(name);
    }

    /// The names whose findings are left out.
    pub(super) fn left_out(&self) -> &Set<String> {
        &self.left_out
    }

    /// Adds a finding that cannot be explained.
    pub(super) fn add_plain(&mut self, diagnostic: Diagnostic) {
        self.without_key.push(diagnostic);
    }

    pub(super) fn differences(&self) -> &'a Differences {
        self.differences
    }

    /// The tables that were replaced between two releases, according to the differences; marks those rows as used.
    pub(super) fn use_rewritten(&mut self, older: &str, newer: &str) -> Vec<&'a str> {
        let differences: &'a Differences = self.differences;
        let found = differences.rewritten.iter().filter(|table| table.lies_between(older, newer));
        let used = &mut self.used;
        found.inspect(|table| used[table.entry] = true).map(|table| table.sort.as_str()).collect()
    }

    /// Marks a macro family as used.
    pub(super) fn use_entry(&mut self, index: usize) {
        self.used[index] = true;
    }

    /// The entries of the differences that were not used so far.
    pub(super) fn unused(&self) -> impl Iterator<Item = &'a Difference> + use<'a, '_> {
        let differences: &'a Differences = self.differences;
        differences.entries.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(entry, _)| entry)
    }

    /// All findings, in any order, and the use of each entry of the differences.
    pub(super) fn finish(mut self) -> (Vec<Found>, Vec<bool>) {
        let mut open = std::mem::take(&mut self.open);
        open.retain(|key, _| !is_left_out(key, &self.left_out));
        let plain = |diagnostic: Diagnostic| Found {
            identity: Identity::Plain(diagnostic.message.clone()),
            diagnostic,
            is_known_bug: false,
            about: None,
        };
        let mut all: Vec<Found> = std::mem::take(&mut self.without_key).into_iter().map(plain).collect();
        for (key, mut open) in open {
            open.diagnostic.message = format!(
                "{}: {} ({})",
                key.kind.name(),
                open.diagnostic.message,
                list_of_releases(&open.releases)
            );
            open.diagnostic.kind = Some(key.kind.name());
            let [subject, left, right] = [&key.subject, &key.left, &key.right].map(String::clone);
            let columns = [key.kind.name().to_owned(), subject, left, right];
            open.diagnostic.row = Some(Box::new(FindingRow { columns, follows: None }));
            let known_bug = self.known_bugs.get(&key);
            let mut explained = explained_by(&key, open.is_change || self.under_review.is_some());
            if let Some(reason) = known_bug {
                explained = format!("a known upstream bug: {reason}; {explained}");
            }
            open.diagnostic.help = Some(match open.diagnostic.help {
                Some(help) => format!("{help}; {explained}"),
                None => explained,
            });
            all.push(Found {
                identity: Identity::Keyed(key),
                diagnostic: open.diagnostic,
                is_known_bug: known_bug.is_some(),
                about: open.about,
            });
        }
        (all, self.used)
    }
}

/// True if a finding follows from one of these registers or words being wrong as a whole.
pub(super) fn is_left_out(Key { kind, subject, left, right }: &Key, names: &Set<String>) -> bool {
    let has = |name: &String| [subject, left, right].iter().any(|text| text.contains(name));
    *kind != Kind::WordMoved && names.iter().any(has)
}

/// The row that explains a finding, or accepts one of a review: no row of `differences.tsv` explains a change between two states of
/// one release, or an upstream bug that a change brings in.
fn explained_by(key: &Key, is_accepted: bool) -> String {
    let Key { kind, subject, left, right } = key;
    let how = if is_accepted { "accept it with --accept FILE" } else { "explain it in differences.tsv" };
    format!("if this is intended, {how}: {} | {subject} | {left} | {right} | VERDICT | REASON", kind.name())
}

fn list_of_releases(releases: &Set<Release>) -> String {
    let mut out = String::new();
    let mut project = "";
    for release in releases {
        if release.project == project {
            out.push_str(", ");
        } else {
            let gap = if out.is_empty() { "" } else { "; " };
            out.push_str(&format!("{gap}{} ", release.project));
        }
        project = release.project;
        out.push_str(&release.name);
    }
    out
}
