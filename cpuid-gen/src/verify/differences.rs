//! The reviewed differences: `upstream/differences.tsv`.
//!
//! Tab-separated rows; comments start with `#`. Each row has six columns, or seven:
//!
//! ```text
//! KIND  SUBJECT  LEFT  RIGHT  VERDICT  REASON  [RELEASES]
//! ```
//!
//! RELEASES limits a row to some releases of a project: `QEMU 2.7-6.0`, `Linux -6.13`, `QEMU 11.0-`; or to those whose
//! facts have a row, or do not have it: `QEMU while` or `Linux -6.13 without`, with that row in the columns after it.
//! `*` is any text of a column, and later columns can be left out.
//!
//! The first four are the [`Key`] of the finding that the row explains, with `-` for a missing side. A row of the
//! kind `macro-family` defines a prefix instead: QEMU's constants that start with SUBJECT are bits of the word LEFT
//! (`-`: of no word), and their names may start with one of RIGHT's comma-separated prefixes. A row of the kind
//! `rewritten` records that upstream replaced the table SUBJECT after the series LEFT, and that RIGHT has the new one, so that rows
//! are not compared across it. A row of the kind `needs` states a dependency from the manuals: the bit SUBJECT needs the bit LEFT,
//! which RIGHT must state: `linux`, `qemu` or `both`; `none` if neither may, because SUBJECT does not need LEFT. `hv-` properties
//! of QEMU can be in the place of bits, and `qemu-code` of `qemu`, if QEMU states it in code and not in its table.
//!
//! A file of accepted findings ([`Differences::read_accepted`]) has rows of the first form. They also hold for what changed
//! within one release, and one that no finding needs is not an error, since the next change does not need it either.

use std::cmp::Ordering;

use super::holds::Holds;
use super::key::{Key, Kind};
use super::needed::{Needed, Needs, PropertyNeeds, StatedBy};
use super::processors::{self, Processor, State};
use super::release::snapshot_of;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::columns::{Columns, rows};
use crate::facts::{LinuxFacts, QemuFacts, WitnessFacts};
use crate::hash::QuickMap;
use crate::ordered::sort_by;
use crate::source::{FileId, Sources, Span};
use crate::vocabulary::release_order::ReleaseOrder;

/// The kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
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
    /// The finding it explains; `None` for a `macro-family`, `rewritten` or `needs` row.
    pub explains: Option<Key>,
    /// The kind of difference.
    pub verdict: Verdict,
    /// Why it is acceptable, or what is wrong upstream.
    pub reason: String,
    /// The releases to which it is limited.
    pub(super) releases: Option<Holds>,
    /// True if it is of a file of accepted findings.
    pub(super) is_accepted: bool,
    /// Its place.
    pub at: Span,
}

impl Difference {
    /// True if the row does not have to explain a finding of the pinned releases: it holds only for a range of releases, or
    /// it is about what the pinned releases cannot show.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.releases.as_ref().is_some_and(Holds::is_range)
            || self.explains.as_ref().is_some_and(|key| key.kind.is_of_others())
    }
}

/// The kind of a row.
#[derive(Clone, Copy)]
enum RowKind {
    Explains(Kind),
    Accepts(Kind),
    Family,
    Rewritten,
    Needs,
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
    /// True if it was replaced between these two releases, or may have been: between the two series, and in the development
    /// snapshots after the first one.
    pub(super) fn lies_between(&self, older: &str, newer: &str) -> bool {
        let order = |one: &str, other: &str| ReleaseOrder::new(one).cmp(&ReleaseOrder::new(other));
        let is_snapshot = self.sort.starts_with("qemu-") && snapshot_of(newer).is_some();
        let of = |release: &str, series: &str| {
            let parts = series.split('.').count();
            order(&release.split(['.', '-']).take(parts).collect::<Vec<_>>().join("."), series)
        };
        of(older, &self.older).is_le()
            && match of(newer, &self.older) {
                Ordering::Less => false,
                Ordering::Equal => is_snapshot,
                Ordering::Greater => true,
            }
    }
}

/// All rows.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// In the file's order.
    pub entries: Vec<Difference>,
    pub(super) families: Vec<MacroFamily>,
    pub(super) rewritten: Vec<Rewritten>,
    pub(super) needs: Vec<Needs>,
    pub(super) property_needs: Vec<PropertyNeeds>,
    pub(super) processors: Vec<Processor>,
    /// Lines of processors, oldest first, by the names of QEMU's models.
    pub(super) lines: Vec<Vec<String>>,
    /// XSAVE components of processors.
    pub(super) states: Vec<State>,
    pub(super) witnesses: Vec<WitnessFacts>,
    /// The pinned releases, with which others are compared.
    pub(super) pinned: (Vec<LinuxFacts>, Vec<QemuFacts>),
    by_key: QuickMap<Key, usize>,
    accepted: QuickMap<Key, usize>,
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
        let others =
            [(RowKind::Family, "macro-family"), (RowKind::Rewritten, "rewritten"), (RowKind::Needs, "needs")];
        let kinds: Vec<(RowKind, &'static str)> = explains.chain(others).collect();
        for row in rows(sources, file) {
            found.take(differences.read_row(row, &kinds));
        }
        let good = !found.has_errors();
        diagnostics.extend(found);
        good.then_some(differences)
    }

    /// Adds the rows of a file of accepted findings. Every faulty row is a diagnostic.
    pub fn read_accepted(&mut self, sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) {
        let kinds: Vec<(RowKind, &'static str)> =
            Kind::ALL.iter().map(|(kind, name)| (RowKind::Accepts(*kind), *name)).collect();
        for row in rows(sources, file) {
            diagnostics.take(self.read_row(row, &kinds));
        }
    }

    /// Adds the processors of `upstream/processors.tsv`, with which CPU models are compared. Every faulty row is a
    /// diagnostic, and nothing is then added.
    pub fn read_processors(&mut self, sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) {
        let read = processors::read(sources, file, diagnostics).unwrap_or_default();
        (self.processors, self.lines, self.states) = (read.all, read.lines, read.states);
    }

    /// Adds the facts of other projects, with which those of Linux and QEMU are compared.
    pub fn add_witnesses(&mut self, witnesses: Vec<WitnessFacts>) {
        self.witnesses.extend(witnesses);
        sort_by(&mut self.witnesses, |a, b| (a.project, &a.release).cmp(&(b.project, &b.release)));
    }

    /// Adds the pinned releases, with which other releases of the same project are compared.
    pub fn add_pinned(&mut self, linux: Vec<LinuxFacts>, qemu: Vec<QemuFacts>) {
        self.pinned = (linux, qemu);
    }

    /// The number of rows that explain a finding, without `macro-family`, `rewritten` and `needs` rows.
    #[must_use]
    pub fn explaining(&self) -> usize {
        self.by_key.len()
    }

    fn read_row(
        &mut self,
        mut columns: Columns<'_>,
        kinds: &[(RowKind, &'static str)],
    ) -> Result<(), Diagnostic> {
        columns.accept_bars();
        let kind = columns.choice("KIND", kinds)?;
        let (subject, at) = columns.text("SUBJECT")?;
        let left = columns.text("LEFT")?.0;
        let right = columns.text("RIGHT")?.0;
        let verdict = columns.choice("VERDICT", &Verdict::ALL)?;
        let reason = columns.text("REASON")?.0;
        let releases = Holds::read(&mut columns)?;
        columns.end()?;
        let entry = self.entries.len();
        let is_accepted = matches!(kind, RowKind::Accepts(_));
        let mut explains = None;
        let earlier = match kind {
            RowKind::Explains(of) | RowKind::Accepts(of) => {
                let key = Key::new(of, subject, left, right);
                explains = Some(key.clone());
                let rows = if is_accepted { &mut self.accepted } else { &mut self.by_key };
                let first = *rows.entry(key).or_insert(entry);
                (first != entry).then_some(first)
            }
            RowKind::Family => self.add_family(subject, left, right, entry),
            RowKind::Rewritten => self.add_rewritten([subject, left, right], entry),
            RowKind::Needs
                if [subject, left].iter().all(|name| name.starts_with("hv-"))
                    && matches!(right, "qemu" | "qemu-code") =>
            {
                self.add_property_needs([subject, left], right == "qemu-code", entry)
            }
            RowKind::Needs => self.add_needs([subject, left, right], entry, at)?,
        };
        if let Some(earlier) = earlier {
            return Err(Diagnostic::error(at, format!("`{subject}` is explained twice"))
                .with_label(self.entries[earlier].at, "first here"));
        }
        let reason = reason.to_owned();
        self.entries.push(Difference { explains, verdict, reason, releases, is_accepted, at });
        Ok(())
    }

    fn add_rewritten(&mut self, [sort, older, newer]: [&str; 3], entry: usize) -> Option<usize> {
        let same = |table: &&Rewritten| (&*table.sort, &*table.older, &*table.newer) == (sort, older, newer);
        let earlier = self.rewritten.iter().find(same).map(|table| table.entry);
        let [sort, older, newer] = [sort, older, newer].map(str::to_owned);
        self.rewritten.push(Rewritten { sort, older, newer, entry });
        earlier
    }

    fn add_property_needs(
        &mut self,
        [property, needs]: [&str; 2],
        is_code: bool,
        entry: usize,
    ) -> Option<usize> {
        let same = |row: &&PropertyNeeds| (&*row.property, &*row.needs) == (property, needs);
        let earlier = self.property_needs.iter().find(same).map(|row| row.entry);
        let [property, needs] = [property, needs].map(str::to_owned);
        self.property_needs.push(PropertyNeeds { property, needs, is_code, entry });
        earlier
    }

    fn add_needs(
        &mut self,
        [bit, needs, by]: [&str; 3],
        entry: usize,
        at: Span,
    ) -> Result<Option<usize>, Diagnostic> {
        let place = |text: &str| {
            let wanted = "expected a place such as `CPUID.(EAX=7,ECX=0):EBX[2]` or `MSR 0x48b[26]`";
            Needed::parse(text)
                .ok_or_else(|| Diagnostic::error(at, format!("`{text}` is not a bit")).with_help(wanted))
        };
        let (bit, needs) = (place(bit)?, place(needs)?);
        let known = StatedBy::ALL.iter().find(|(_, name)| *name == by).map(|(known, _)| *known);
        let by = known.ok_or_else(|| {
            Diagnostic::error(at, format!("`{by}` must state it: expected linux, qemu, both or none"))
        })?;
        let earlier = self.needs.iter().find(|row| (row.bit, row.needs) == (bit, needs)).map(|row| row.entry);
        self.needs.push(Needs { bit, needs, by, entry });
        Ok(earlier)
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

    /// The row that accepts a finding.
    pub(super) fn accepted(&self, key: &Key) -> Option<usize> {
        self.accepted.get(key).copied()
    }
}
