//! One Linux release, indexed, with its features from all tables.

use std::collections::{BTreeSet, HashMap};

use crate::facts::{LinuxFacts, LinuxFlag, LinuxWord};
use crate::location::{CpuidWord, Location, Word};
use crate::source::Span;

/// One release's facts, indexed.
pub(super) struct Tree<'a> {
    pub(super) facts: &'a LinuxFacts,
    pub(super) words: HashMap<Word, &'a LinuxWord>,
    pub(super) leaves: HashMap<&'a str, CpuidWord>,
    pub(super) bits: Vec<Known<'a>>,
    /// The hardware locations of each macro.
    pub(super) named: HashMap<&'a str, Vec<Location>>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(facts: &'a LinuxFacts) -> Tree<'a> {
        let words = facts.words.iter().map(|word| (word.word, word)).collect();
        let leaves =
            facts.words.iter().filter_map(|word| Some((word.name.as_str(), word.location?))).collect();
        let mut tree = Tree { facts, words, leaves, bits: Vec::new(), named: HashMap::new() };
        tree.bits = known(&tree);
        for bit in &tree.bits {
            if let Some(location) = bit.home {
                tree.named.entry(bit.name).or_default().push(location);
            }
        }
        tree
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
fn known<'a>(tree: &Tree<'a>) -> Vec<Known<'a>> {
    let mut all = Collected { all: Vec::new(), index: HashMap::new() };
    let mut elsewhere: HashMap<&str, Vec<Location>> = HashMap::new();
    for bit in &tree.facts.scattered {
        elsewhere.entry(&bit.name).or_default().push(bit.location);
    }
    for bit in &tree.facts.kvm_translates {
        let home = tree.leaves.get(bit.leaf_name.as_str()).map(|&word| Location { word, bit: bit.bit });
        elsewhere.entry(&bit.name).or_default().extend(home);
    }
    for flag in &tree.facts.features {
        let direct = tree.words.get(&flag.word).and_then(|word| word.location);
        let mut homes: Vec<Option<Location>> = match (direct, elsewhere.get(flag.name.as_str())) {
            (Some(word), _) => vec![Some(Location { word, bit: flag.bit })],
            (None, Some(homes)) => homes.iter().copied().map(Some).collect(),
            (None, None) => Vec::new(),
        };
        homes.sort_unstable();
        homes.dedup();
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
    for bit in &tree.facts.scattered {
        all.note(&bit.name, Some(bit.location), "scattered.c".to_owned(), bit.at);
    }
    for (how, bits) in [("KVM", &tree.facts.kvm_features), ("KVM, translated", &tree.facts.kvm_translates)] {
        for bit in bits {
            let home = tree.leaves.get(bit.leaf_name.as_str()).map(|&word| Location { word, bit: bit.bit });
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
