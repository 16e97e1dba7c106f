//! The releases in which a row of `differences.tsv` holds.

use super::release::snapshot_of;
use crate::diagnostic::Diagnostic;
use crate::facts::columns::Columns;
use crate::hash::QuickMap;
use crate::vocabulary::release_order::ReleaseOrder;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The last columns of a row: a range of releases for one project or both, what a project's facts must read or not read,
/// or both of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holds {
    /// Those of one project are alternatives.
    ranges: Vec<Range>,
    reading: Option<Reading>,
}

/// Releases of a project, by series: an end includes its point releases.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    project: &'static str,
    first: Option<String>,
    last: Option<String>,
}

/// A row of facts that a release has, or does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    project: &'static str,
    /// True for `while`, false for `without`.
    present: bool,
    /// Its first columns; `*` is any text.
    columns: Vec<String>,
}

impl Holds {
    /// Reads `QEMU 2.7-6.0`, `Linux -5.3, QEMU 5.0-`, `QEMU while`, or `QEMU 2.7- without`, with the columns of a row of facts
    /// after the last two.
    pub(super) fn read(columns: &mut Columns<'_>) -> Result<Option<Holds>> {
        if columns.rest().is_none() {
            return Ok(None);
        }
        let (text, at) = columns.text("RELEASES")?;
        let wanted = "expected a project and a range, such as `QEMU 2.7-6.0` or `Linux -6.13`, several of them, such as \
                      `Linux -6.13, QEMU 10.0-`, or `QEMU while` or `QEMU 2.7- without` with a row of its facts";
        let unknown =
            || Diagnostic::error(at, format!("`{text}` is not a range of releases")).with_help(wanted);
        let mut holds = Holds::parse(text).ok_or_else(unknown)?;
        if let Some(reading) = &mut holds.reading {
            while columns.rest().is_some() {
                reading.columns.push(columns.text("ROW")?.0.to_owned());
            }
            if reading.columns.len() < 2 || !is_row_of(reading.project, &reading.columns[0]) {
                let message = format!("this row ends without a row of {}'s facts", reading.project);
                return Err(Diagnostic::error(at, message).with_help(wanted));
            }
        }
        Ok(Some(holds))
    }

    fn parse(text: &str) -> Option<Holds> {
        let mut holds = Holds { ranges: Vec::new(), reading: None };
        for part in text.split(", ") {
            let mut words = part.split(' ').peekable();
            let name = words.next()?;
            let project = ["Linux", "QEMU"].into_iter().find(|project| *project == name)?;
            if holds.reading.is_some() || words.peek().is_none() {
                return None;
            }
            if let Some((first, last)) = words.peek().and_then(|word| word.split_once('-')) {
                words.next();
                if first.is_empty() && last.is_empty() {
                    return None;
                }
                let end = |text: &str| (!text.is_empty()).then(|| text.to_owned());
                holds.ranges.push(Range { project, first: end(first), last: end(last) });
            }
            if let Some(word) = words.next() {
                let present = word == "while";
                if !present && word != "without" || words.next().is_some() {
                    return None;
                }
                holds.reading = Some(Reading { project, present, columns: Vec::new() });
            }
        }
        Some(holds)
    }

    /// True if a release is in a range of its project, or if its project has none. A development snapshot of QEMU counts as its
    /// series and as the next one.
    pub(super) fn in_range(&self, project: &str, release: &str) -> bool {
        let mut own = self.ranges.iter().filter(|range| range.project == project).peekable();
        own.peek().is_none() || own.any(|range| range.contains(release))
    }

    /// True if one of the releases, of each project that the row is about, is in the range.
    pub(super) fn may_hold<'n>(&self, linux: &[&'n str], qemu: &[&'n str]) -> bool {
        [("Linux", linux), ("QEMU", qemu)].into_iter().all(|(project, releases)| {
            !self.is_about(project) || releases.iter().any(|release| self.in_range(project, release))
        })
    }

    /// True if it is about this project.
    pub(super) fn is_about(&self, project: &str) -> bool {
        self.reads_facts_of(project) || self.ranges.iter().any(|range| range.project == project)
    }

    /// True if it states a row of this project's facts.
    pub(super) fn reads_facts_of(&self, project: &str) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.project == project)
    }

    /// True if it states a row of a release's facts.
    pub(super) fn has_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// True if it is limited to some releases by their numbers.
    pub(super) fn is_range(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// True if what it says of a release's facts is what they read.
    pub(super) fn reads(&self, rows: &RowsByKind<'_>) -> bool {
        self.reading.as_ref().is_none_or(|reading| {
            let same = |line: &&str| {
                let mut own = line.split('\t');
                reading
                    .columns
                    .iter()
                    .all(|wanted| own.next().is_some_and(|own| wanted == "*" || own == wanted))
            };
            rows.get(self.kind()).is_some_and(|lines| lines.iter().any(same)) == reading.present
        })
    }

    /// The kind of the rows that it is about.
    pub(super) fn kind(&self) -> &str {
        self.reading.as_ref().and_then(|reading| reading.columns.first()).map_or("", String::as_str)
    }
}

impl Range {
    fn contains(&self, release: &str) -> bool {
        let order = |name| ReleaseOrder::new(name);
        let of = |series: &str| release == series || release.starts_with(&format!("{series}."));
        let next = if self.project == "QEMU" { after_snapshot(release) } else { None };
        let is_next = |first: &str| next.iter().flatten().any(|next| next == first);
        let late = self
            .first
            .as_ref()
            .is_none_or(|first| order(first) <= order(release) || of(first) || is_next(first));
        let early = self.last.as_ref().is_none_or(|last| order(release) <= order(last) || of(last));
        late && early
    }
}

/// The series of which one follows QEMU's development snapshot, `6.0` or `5.3` after `5.2.50`; `None` for a release.
fn after_snapshot(release: &str) -> Option<[String; 2]> {
    snapshot_of(release).map(|[major, minor]| [format!("{major}.{}", minor + 1), format!("{}.0", major + 1)])
}

/// True for the kind of a row of this project's facts.
fn is_row_of(project: &str, kind: &str) -> bool {
    let own: &[&str] = if project == "QEMU" { &["qemu-"] } else { &["linux-", "kvm-", "cpuid-", "leaf-"] };
    own.iter().any(|prefix| kind.starts_with(prefix))
}

/// The rows of facts, by their kind.
pub(super) type RowsByKind<'t> = QuickMap<&'t str, Vec<&'t str>>;
