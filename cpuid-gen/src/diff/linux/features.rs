//! Features from all tables: words that mirror a register, scattered.c, and KVM's own words.

use std::collections::{BTreeSet, HashMap};

use super::Tree;
use crate::diff::bits::{self, Bit};
use crate::diff::change::Change;
use crate::diff::rows::{Line, PLACE};
use crate::facts::LinuxFlag;
use crate::location::Location;
use crate::source::Span;

/// The field with the source from which Linux or KVM takes a bit.
const BY: &str = "by";
const ITS_WORD: &str = "its word";

/// A feature at one location; one with two locations, such as `MBA`, occurs twice.
pub(super) struct Known<'a> {
    pub(super) name: &'a str,
    /// `None` if software defines it.
    pub(super) home: Option<Location>,
    /// The kernel's own bit.
    kernel: Option<&'a LinuxFlag>,
    /// Its source, if that is not its word.
    by: BTreeSet<String>,
    rows: Vec<Span>,
    /// Rows that repeat another one.
    again: usize,
}

/// The changes of `X86_FEATURE_*`.
pub(super) fn changes(old: &Tree<'_>, new: &Tree<'_>) -> Vec<Change> {
    let bits = |tree: &Tree<'_>| tree.bits.iter().map(|known| bit(known, tree)).collect();
    let mut changes = bits::changes(bits(old), bits(new));
    for change in &mut changes {
        // A hardware bit comes from its word unless another source is recorded.
        let plain = |value: &Option<String>| value.as_deref().is_none_or(|value| value == ITS_WORD);
        change.fields.retain(|field| field.name != BY || !plain(&field.old) || !plain(&field.new));
    }
    changes
}

/// The changes of bits that are only identified by Linux's numbering: bugs and VMX flags.
pub(super) fn kernel_bits(old: &[LinuxFlag], new: &[LinuxFlag]) -> Vec<Change> {
    let bits = |all: &[LinuxFlag]| {
        let line = |flag: &LinuxFlag| placed(Line::new(&flag.name, flag.at), flag);
        all.iter().map(|flag| Bit::<Location> { home: None, line: line(flag) }).collect()
    };
    let mut changes = bits::changes(bits(old), bits(new));
    // All of them are numbered by software, so there is only one realm.
    changes.iter_mut().for_each(|change| change.at = None);
    changes
}

fn placed(line: Line, flag: &LinuxFlag) -> Line {
    line.with(PLACE, format_args!("{} bit {}", flag.word.0, flag.bit.0)).maybe("flag", flag.flag.as_ref())
}

fn bit(known: &Known<'_>, tree: &Tree<'_>) -> Bit<Location> {
    let mut line = Line { subject: known.name.to_owned(), rows: known.rows.clone(), ..Line::default() };
    line = match known.kernel {
        Some(flag) => {
            let home = tree.words.get(&flag.word).map(|word| word.location);
            let mirrored = known.home.is_some() && home.flatten().is_some();
            let nowhere = home.is_none().then_some("no word of this release");
            let by = if mirrored { Some(ITS_WORD) } else { nowhere };
            placed(line, flag).maybe(BY, joined(by, &known.by))
        }
        None => line.maybe(BY, joined(None, &known.by)),
    };
    let again = (known.again > 0).then_some(known.again);
    Bit { home: known.home, line: line.maybe("rows too many", again) }
}

fn joined(first: Option<&str>, others: &BTreeSet<String>) -> Option<String> {
    let all: Vec<&str> = first.into_iter().chain(others.iter().map(String::as_str)).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

/// All features of a release.
pub(super) fn known<'a>(tree: &Tree<'a>) -> Vec<Known<'a>> {
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
