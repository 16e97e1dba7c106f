//! One Linux release, indexed, with its features from all tables.

use std::collections::{BTreeSet, HashMap};

use crate::facts::{LinuxFacts, LinuxFlag};
use crate::index::LinuxRows;
use crate::location::Location;
use crate::source::Span;

/// One release's facts, indexed.
pub(super) struct Tree<'a> {
    pub(super) rows: LinuxRows<'a>,
    pub(super) bits: Vec<Known<'a>>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(facts: &'a LinuxFacts) -> Tree<'a> {
        let rows = LinuxRows::new(facts);
        let bits = known(&rows);
        Tree { rows, bits }
    }
}

/// A feature at one location; one with two locations, such as `MBA`, occurs twice.
pub(super) struct Known<'a> {
    pub(super) name: &'a str,
    /// `None` if software defines it.
    pub(super) home: Option<Location>,
    /// The kernel's own bit.
    pub(super) kernel: Option<&'a LinuxFlag>,
    /// Its source, if that is not its word.
    pub(super) by: BTreeSet<String>,
    pub(super) rows: Vec<Span>,
    /// Rows that repeat another one.
    pub(super) again: usize,
}

/// All features of a release.
fn known<'a>(rows: &LinuxRows<'a>) -> Vec<Known<'a>> {
    let mut all = Collected { all: Vec::new(), index: HashMap::new() };
    for flag in &rows.facts.features {
        let mut homes: Vec<Option<Location>> = rows.locations(flag).into_iter().map(Some).collect();
        if homes.is_empty() {
            homes.push(None);
        }
        for home in homes {
            let known = all.at(&flag.name, home);
            let same =
                |known: &LinuxFlag| (known.word, known.bit, &known.flag) == (flag.word, flag.bit, &flag.flag);
            known.again += usize::from(known.kernel.is_some_and(same));
            known.kernel = Some(flag);
            known.rows.push(flag.at);
        }
    }
    for bit in &rows.facts.scattered {
        all.note(&bit.name, Some(bit.location), "scattered.c".to_owned(), bit.at);
    }
    for (how, bits) in [("KVM", &rows.facts.kvm_features), ("KVM, translated", &rows.facts.kvm_translates)] {
        for bit in bits {
            let home = rows.kvm_location(bit);
            // Without a location, only the row itself distinguishes them.
            let bit_of = if home.is_none() { format!("[{}]", bit.bit.0) } else { String::new() };
            all.note(&bit.name, home, format!("{how} ({}{bit_of})", bit.leaf_name), bit.at);
        }
    }
    all.all
}

struct Collected<'a> {
    all: Vec<Known<'a>>,
    index: HashMap<(&'a str, Option<Location>), usize>,
}

impl<'a> Collected<'a> {
    fn at(&mut self, name: &'a str, home: Option<Location>) -> &mut Known<'a> {
        let next = self.all.len();
        let index = *self.index.entry((name, home)).or_insert(next);
        if index == next {
            self.all.push(Known {
                name,
                home,
                kernel: None,
                by: BTreeSet::new(),
                rows: Vec::new(),
                again: 0,
            });
        }
        &mut self.all[index]
    }

    fn note(&mut self, name: &'a str, home: Option<Location>, by: String, row: Span) {
        let known = self.at(name, home);
        known.again += usize::from(!known.by.insert(by));
        known.rows.push(row);
    }
}
