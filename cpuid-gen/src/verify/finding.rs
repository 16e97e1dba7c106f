//! Findings, keyed so that the same one in several releases is one, and so that a person can explain it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::differences::{Difference, Differences};
use crate::diagnostic::{Diagnostic, Diagnostics};

macro_rules! kinds {
    ($($variant:ident $name:literal $about:literal,)+) => {
        /// What a finding is about; also the first column of `differences.tsv`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $about] $variant,)+
        }

        impl Kind {
            /// All, with their names.
            pub const ALL: &'static [(Kind, &'static str)] = &[$((Kind::$variant, $name),)+];
        }
    };
}

kinds! {
    LeafName "leaf-name" "A word's name states another place than its row.",
    WordTwice "word-twice" "Two words of one release have the same name, index or location.",
    WordMissing "word-missing" "An index below the count has no word.",
    Count "count" "A count is absent, given twice or at odds with the rows.",
    NoWord "no-word" "A row names a word that the release does not have.",
    KvmWord "kvm-word" "A feature that KVM has for itself is in a word of the kernel's.",
    NameTwice "name-twice" "One name stands at two places.",
    BitTwice "bit-twice" "Two names stand at one place.",
    FlagTwice "flag-twice" "Two features show the same flag.",
    RowTwice "row-twice" "The same row stands there more than once.",
    Unresolved "unresolved" "A row names a feature that nothing defines.",
    Scattered "scattered" "A scattered feature contradicts another statement about the same bit or feature.",
    Translation "translation" "KVM's place for a kernel feature contradicts another statement.",
    Cap "cap" "KVM's capability list puts a feature in a word that does not hold it.",
    BitRange "bit-range" "A bit beyond the width of its word.",
    Comment "comment" "The place that a comment states is not the one in the table.",
    Macro "macro" "A constant stands for no single bit of a word that the release has.",
    MacroName "macro-name" "A constant's name is not that of the bit it stands for.",
    WordOneSided "word-one-sided" "A register is a word of one project only.",
    Config "config" "What the source says to require or to disable a feature has no effect.",
    FieldName "field-name" "A field of cpuid.csv and the feature at its bit have different names.",
    FieldWide "field-wide" "A field of several bits covers one that is a feature.",
    FieldElsewhere "field-elsewhere" "A field of cpuid.csv has the name of a feature that stands elsewhere.",
    FieldOverlap "field-overlap" "Two fields of a register share bits.",
    BitName "bit-name" "The two projects call a bit differently.",
    NameElsewhere "name-elsewhere" "The two projects have the same name at different places.",
    DepCircle "dep-circle" "Features of one release need each other in a circle.",
    DepOpposite "dep-opposite" "The two projects' dependencies contradict each other: together they go in a circle.",
    Changed "changed" "A newer release says something else than an older one.",
    Gone "gone" "A newer release no longer says what an older one said.",
}

impl Kind {
    /// The name in `differences.tsv` and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// What identifies a finding, whatever release shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is about.
    pub kind: Kind,
    /// The place or the name.
    pub subject: String,
    /// What the first side says, `-` for nothing.
    pub left: String,
    /// What the second side says, `-` for nothing.
    pub right: String,
}

impl Key {
    /// A key of these parts.
    pub fn new(
        kind: Kind,
        subject: impl Into<String>,
        left: impl Into<String>,
        right: impl Into<String>,
    ) -> Key {
        Key { kind, subject: subject.into(), left: left.into(), right: right.into() }
    }
}

/// A release as findings name it; `rank` orders the releases of a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release {
    pub(super) project: &'static str,
    pub(super) rank: usize,
    pub(super) name: String,
}

struct Open {
    diagnostic: Diagnostic,
    releases: BTreeSet<Release>,
}

/// Collects findings, leaving out those that are explained.
pub(super) struct Findings<'a> {
    differences: &'a Differences,
    used: Vec<bool>,
    open: BTreeMap<Key, Open>,
    without_key: Diagnostics,
}

impl<'a> Findings<'a> {
    pub(super) fn new(differences: &'a Differences) -> Findings<'a> {
        let used = vec![false; differences.entries.len()];
        Findings { differences, used, open: BTreeMap::new(), without_key: Diagnostics::new() }
    }

    /// Notes a finding of these releases. True when it is explained.
    pub(super) fn add(&mut self, key: Key, releases: &[&Release], make: impl FnOnce() -> Diagnostic) -> bool {
        if let Some(index) = self.differences.index_of(&key) {
            self.used[index] = true;
            return true;
        }
        let open = match self.open.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Open { diagnostic: make(), releases: BTreeSet::new() }),
        };
        open.releases.extend(releases.iter().map(|&release| release.clone()));
        false
    }

    /// Notes one that nobody can explain away.
    pub(super) fn add_plain(&mut self, diagnostic: Diagnostic) {
        self.without_key.push(diagnostic);
    }

    pub(super) fn differences(&self) -> &'a Differences {
        self.differences
    }

    /// The tables that were written anew between two releases, which a row of the differences says; marks it as used.
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

    /// The entries of the differences that nothing has needed so far.
    pub(super) fn unused(&self) -> impl Iterator<Item = &'a Difference> + use<'a, '_> {
        let differences: &'a Differences = self.differences;
        differences.entries.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(entry, _)| entry)
    }

    /// All findings, sorted, and which entries of the differences were used.
    pub(super) fn finish(self) -> (Diagnostics, Vec<bool>) {
        let mut all = self.without_key;
        for (key, mut open) in self.open {
            open.diagnostic.message = format!(
                "{}: {} ({})",
                key.kind.name(),
                open.diagnostic.message,
                list_of_releases(&open.releases)
            );
            let explained = explained_by(&key);
            open.diagnostic.help = Some(match open.diagnostic.help {
                Some(help) => format!("{help}; {explained}"),
                None => explained,
            });
            all.push(open.diagnostic);
        }
        all.sort();
        (all, self.used)
    }
}

fn explained_by(key: &Key) -> String {
    let Key { kind, subject, left, right } = key;
    let row = format!("{} | {subject} | {left} | {right} | VERDICT | REASON", kind.name());
    format!("if this is as it should be, say why in differences.tsv: {row}")
}

fn list_of_releases(releases: &BTreeSet<Release>) -> String {
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
