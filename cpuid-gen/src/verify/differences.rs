//! The reviewed differences: `upstream/differences.tsv`.
//!
//! Tab-separated rows; comments start with `#`. Each row has six columns:
//!
//! ```text
//! KIND  SUBJECT  LEFT  RIGHT  VERDICT  REASON
//! ```
//!
//! The first four are the [`Key`] of the finding that the row explains, with `-` for a missing side. A row of the
//! kind `macro-family` defines a prefix instead: QEMU's constants that start with SUBJECT are bits of the word LEFT
//! (`-`: of no word), and their names may start with one of RIGHT's comma-separated prefixes. A row of the kind
//! `rewritten` records that upstream replaced the table SUBJECT between the series LEFT and RIGHT, so that its rows
//! are not compared.

use super::key::{Key, Kind};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::columns::{Columns, rows};
use crate::hash::QuickMap;
use crate::source::{FileId, Sources, Span};

/// The kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Two names of one thing.
    Alias,
    /// Intended.
    Design,
    /// Upstream changed it from one release to the next.
    History,
    /// One project does not use it, or not yet.
    OneSided,
    /// A bug in an upstream source.
    UpstreamBug,
}

impl Verdict {
    /// All, with their names.
    pub const ALL: [(Verdict, &'static str); 5] = [
        (Verdict::Alias, "alias"),
        (Verdict::Design, "design"),
        (Verdict::History, "history"),
        (Verdict::OneSided, "one-sided"),
        (Verdict::UpstreamBug, "upstream-bug"),
    ];

    /// The name in `differences.tsv` and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        Verdict::ALL.iter().find(|(verdict, _)| *verdict == self).map_or("", |(_, name)| name)
    }
}

/// One row.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The finding it explains; `None` for a `macro-family` or `rewritten` row.
    pub explains: Option<Key>,
    /// The kind of difference.
    pub verdict: Verdict,
    /// Why it is acceptable, or what is wrong upstream.
    pub reason: String,
    /// Its place.
    pub at: Span,
}

/// The kind of a row.
#[derive(Clone, Copy)]
enum RowKind {
    Explains(Kind),
    Family,
    Rewritten,
}

/// QEMU's constants with a common prefix.
#[derive(Clone, Debug)]
pub(super) struct MacroFamily {
    pub(super) prefix: String,
    /// The enumerator of their word; `None` if they are not about a feature word.
    pub(super) word: Option<String>,
    /// Prefixes of the bits' names.
    pub(super) name_prefixes: Vec<String>,
    /// Its row among [`Differences::entries`].
    pub(super) entry: usize,
}

/// A table that upstream replaced.
#[derive(Clone, Debug)]
pub(super) struct Rewritten {
    /// The kind of its rows.
    pub(super) sort: String,
    older: String,
    newer: String,
    /// Its row among [`Differences::entries`].
    pub(super) entry: usize,
}

impl Rewritten {
    /// True if it was replaced between these two releases.
    pub(super) fn lies_between(&self, older: &str, newer: &str) -> bool {
        let of = |release: &str, series: &str| {
            release.strip_prefix(series).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        };
        of(older, &self.older) && of(newer, &self.newer)
    }
}

/// All rows.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// In the file's order.
    pub entries: Vec<Difference>,
    pub(super) families: Vec<MacroFamily>,
    pub(super) rewritten: Vec<Rewritten>,
    by_key: QuickMap<Key, usize>,
}

impl Differences {
    /// No differences: every finding is reported.
    #[must_use]
    pub fn none() -> Differences {
        Differences::default()
    }

    /// Reads the file. Every faulty row is a diagnostic, and the result is then `None`.
    pub fn read(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<Differences> {
        let mut found = Diagnostics::new();
        let mut differences = Differences::default();
        let explains = Kind::ALL.iter().map(|(kind, name)| (RowKind::Explains(*kind), *name));
        let others = [(RowKind::Family, "macro-family"), (RowKind::Rewritten, "rewritten")];
        let kinds: Vec<(RowKind, &'static str)> = explains.chain(others).collect();
        for row in rows(sources, file) {
            found.take(differences.read_row(row, &kinds));
        }
        let good = !found.has_errors();
        diagnostics.extend(found);
        good.then_some(differences)
    }

    /// The number of rows that explain a finding, without `macro-family` and `rewritten` rows.
    #[must_use]
    pub fn explaining(&self) -> usize {
        self.by_key.len()
    }

    fn read_row(
        &mut self,
        mut columns: Columns<'_>,
        kinds: &[(RowKind, &'static str)],
    ) -> Result<(), Diagnostic> {
        let kind = columns.choice("KIND", kinds)?;
        let (subject, at) = columns.text("SUBJECT")?;
        let left = columns.text("LEFT")?.0;
        let right = columns.text("RIGHT")?.0;
        let verdict = columns.choice("VERDICT", &Verdict::ALL)?;
        let reason = columns.text("REASON")?.0;
        columns.end()?;
        let entry = self.entries.len();
        let mut explains = None;
        let earlier = match kind {
            RowKind::Explains(kind) => {
                let key = Key::new(kind, subject, left, right);
                explains = Some(key.clone());
                let first = *self.by_key.entry(key).or_insert(entry);
                (first != entry).then_some(first)
            }
            RowKind::Family => self.add_family(subject, left, right, entry),
            RowKind::Rewritten => self.add_rewritten([subject, left, right], entry),
        };
        if let Some(earlier) = earlier {
            return Err(Diagnostic::error(at, format!("`{subject}` is explained twice"))
                .with_label(self.entries[earlier].at, "first here"));
        }
        self.entries.push(Difference { explains, verdict, reason: reason.to_owned(), at });
        Ok(())
    }

    fn add_rewritten(&mut self, [sort, older, newer]: [&str; 3], entry: usize) -> Option<usize> {
        let same = |table: &&Rewritten| (&*table.sort, &*table.older, &*table.newer) == (sort, older, newer);
        let earlier = self.rewritten.iter().find(same).map(|table| table.entry);
        let [sort, older, newer] = [sort, older, newer].map(str::to_owned);
        self.rewritten.push(Rewritten { sort, older, newer, entry });
        earlier
    }

    fn add_family(&mut self, prefix: &str, word: &str, names: &str, entry: usize) -> Option<usize> {
        let earlier = self.families.iter().find(|family| family.prefix == prefix).map(|family| family.entry);
        self.families.push(MacroFamily {
            prefix: prefix.to_owned(),
            word: (word != "-").then(|| word.to_owned()),
            name_prefixes: names.split(',').filter(|&name| name != "-").map(str::to_owned).collect(),
            entry,
        });
        earlier
    }

    /// The row that explains a finding.
    pub(super) fn index_of(&self, key: &Key) -> Option<usize> {
        self.by_key.get(key).copied()
    }
}
