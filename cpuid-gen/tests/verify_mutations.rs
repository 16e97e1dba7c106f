//! Plants one mistake at a time in the pinned facts and counts which are reported at the right place.
//!
//! Every kind of row with every kind of mistake that it can have, a fixed number of each, chosen by a seeded generator.
//! A mistake counts as reported when a finding has the row's line, or for a dropped row its name. What cannot be seen
//! is listed in [`UNSEEN`] with the reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cpuid_gen::diagnostic::{Diagnostic, Diagnostics};
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::source::{FileId, Sources};
use cpuid_gen::verify::{Report, Scope, verify as check};
use verify::{Input, LINUX, QEMU, text_of};

/// How many of each.
const EACH: usize = 12;

/// What a column is, and so which mistakes it can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Flag,
    Word,
    Bit,
    Function,
    Register,
    Mask,
    Other,
}

/// One mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mistake {
    BitMoved,
    NamesSwapped,
    RegisterChanged,
    LeafRenumbered,
    WordRenumbered,
    Renamed,
    FlagRenamed,
    Dropped,
    Doubled,
}

use Column::{Bit, Flag, Function, Mask, Name, Other, Register, Word};

/// The columns of each kind of row, after the kind.
const ROWS: [(&str, &[Column]); 17] = [
    ("linux-count", &[Other, Word]),
    ("linux-word", &[Name, Word, Function, Other, Register]),
    ("linux-feature", &[Name, Word, Bit, Flag]),
    ("linux-bug", &[Name, Word, Bit, Flag]),
    ("linux-vmx", &[Name, Word, Bit, Flag]),
    ("linux-scattered", &[Name, Function, Other, Register, Bit]),
    ("linux-dep", &[Name, Name]),
    ("kvm-feature", &[Name, Other, Bit]),
    ("kvm-translate", &[Name, Other, Bit]),
    ("kvm-cap", &[Other, Other, Name]),
    ("qemu-word", &[Name, Word, Other, Function, Other, Register]),
    ("qemu-bit", &[Other, Bit, Name]),
    ("qemu-mask", &[Name, Other, Mask]),
    ("qemu-macro", &[Name, Mask]),
    ("qemu-comment", &[Name, Function, Other, Register]),
    ("linux-release", &[]),
    ("qemu-release", &[]),
];

/// Mistakes that the facts cannot show: the row's kind, the mistake, why.
const UNSEEN: [(&str, Mistake, &str); 0] = [];

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % end
    }
}

/// A mutated file, the lines where the mistake is, and the names that a dropped row leaves to be found.
struct Mutant {
    text: String,
    lines: BTreeSet<u32>,
    dropped: Option<Vec<String>>,
    shown: String,
}

fn columns_of(kind: &str) -> &'static [Column] {
    ROWS.iter().find(|(known, _)| *known == kind).unwrap_or_else(|| panic!("{kind} is not covered")).1
}

/// The column that a mistake is made in, for this row; none when it cannot have it.
fn column_for(mistake: Mistake, row: &[&str]) -> Option<usize> {
    let columns = columns_of(row[0]);
    let wanted: &[Column] = match mistake {
        Mistake::BitMoved => &[Bit, Mask],
        Mistake::NamesSwapped | Mistake::Renamed => &[Name],
        Mistake::RegisterChanged => &[Register],
        Mistake::LeafRenumbered => &[Function],
        Mistake::WordRenumbered => &[Word],
        Mistake::FlagRenamed => &[Flag],
        Mistake::Dropped | Mistake::Doubled => return Some(0).filter(|_| !columns.is_empty()),
    };
    let at = columns.iter().position(|column| wanted.contains(column))? + 1;
    row.get(at).filter(|text| **text != "-" && !(columns[at - 1] == Mask && **text == "0x0"))?;
    Some(at)
}

fn changed(mistake: Mistake, column: Column, text: &str, random: &mut Random) -> String {
    let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
    let decimal = |text: &str| text.parse::<u64>().unwrap();
    match (mistake, column) {
        (Mistake::BitMoved, Mask) => {
            let mask = hex(text);
            let set: Vec<u32> = (0..64).filter(|bit| mask >> bit & 1 == 1).collect();
            let free = |bit: &u32| *bit < 63 && mask >> (bit + 1) & 1 == 0;
            let movable: Vec<u32> = set.iter().copied().filter(free).collect();
            let bit = movable[random.below(movable.len())];
            format!("{:#x}", mask & !(1 << bit) | 1 << (bit + 1))
        }
        (Mistake::BitMoved, _) => match decimal(text) {
            31 => "30".to_owned(),
            bit => (bit + 1).to_string(),
        },
        (Mistake::LeafRenumbered, _) => format!("{:#x}", hex(text) + 1),
        (Mistake::WordRenumbered, _) => (decimal(text) + 1).to_string(),
        (Mistake::RegisterChanged, _) => {
            let others: Vec<&str> = ["EAX", "EBX", "ECX", "EDX"].into_iter().filter(|r| *r != text).collect();
            others[random.below(3)].to_owned()
        }
        _ => format!("{text}x"),
    }
}

/// A mistake in the row at `index`; none when it would change nothing.
fn mutate(lines: &[&str], index: usize, mistake: Mistake, random: &mut Random) -> Option<Mutant> {
    let row: Vec<&str> = lines[index].split('\t').collect();
    let at = column_for(mistake, &row)?;
    let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let mut at_lines: BTreeSet<u32> = [u32::try_from(index + 1).unwrap()].into();
    let mut dropped = None;
    match mistake {
        Mistake::Dropped => {
            text.remove(index);
            dropped = Some(names_in(&row));
        }
        Mistake::Doubled => {
            text.insert(index, lines[index].to_owned());
            at_lines.insert(u32::try_from(index + 2).unwrap());
        }
        Mistake::NamesSwapped => {
            let prefix = format!("{}\t", row[0]);
            let same = |other: &usize| lines[*other].starts_with(&prefix) && *other != index;
            let others: Vec<usize> = (0..lines.len()).filter(same).collect();
            let other = *others.get(random.below(others.len().max(1)))?;
            let other_row: Vec<&str> = lines[other].split('\t').collect();
            if other_row[at] == row[at] || swap_is_nothing(&row, &other_row, at) {
                return None;
            }
            text[index] = with_column(&row, at, other_row[at]);
            text[other] = with_column(&other_row, at, row[at]);
            at_lines.insert(u32::try_from(other + 1).unwrap());
        }
        _ => {
            let new = changed(mistake, columns_of(row[0])[at - 1], row[at], random);
            text[index] = with_column(&row, at, &new);
        }
    }
    let shown = format!("{} -> {}", lines[index].replace('\t', " "), text[index].replace('\t', " "));
    Some(Mutant { text: text.join("\n"), lines: at_lines, dropped, shown })
}

/// Rows that list things have no order: two names under one heading can be swapped.
fn swap_is_nothing(row: &[&str], other: &[&str], at: usize) -> bool {
    (1..row.len()).filter(|column| *column != at).all(|column| row.get(column) == other.get(column))
}

fn with_column(row: &[&str], at: usize, new: &str) -> String {
    let mut row = row.to_vec();
    row[at] = new;
    row.join("\t")
}

/// What a finding about a dropped row may name: its name, or the word that is now missing.
fn names_in(row: &[&str]) -> Vec<String> {
    let columns = columns_of(row[0]);
    let mut names: Vec<String> = Vec::new();
    for (column, text) in columns.iter().zip(&row[1..]) {
        if *column == Name && *text != "-" {
            names.push((*text).to_owned());
        }
    }
    if row[0] == "linux-count" {
        names.push(row[1].to_owned());
    }
    names
}

fn is_reported(sources: &Sources, file: FileId, report: &Report, mutant: &Mutant) -> bool {
    let on_line = |found: &Diagnostic| {
        let spans = found.at.into_iter().chain(found.labels.iter().map(|label| label.at));
        let mut here = spans.filter(|at| at.file == file);
        here.any(|at| mutant.lines.contains(&sources.place(at).line))
    };
    let names = |found: &Diagnostic| {
        let text = found.render(sources);
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        mutant.dropped.iter().flatten().all(|name| {
            text.match_indices(name.as_str()).any(|(at, _)| {
                !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
            })
        })
    };
    report.findings.iter().any(|found| if mutant.dropped.is_some() { names(found) } else { on_line(found) })
}

/// The pinned facts in memory, with one file replaced for each check.
struct Bench {
    input: Input,
    texts: Vec<String>,
}

impl Bench {
    fn new() -> Bench {
        let names: Vec<&str> = LINUX.into_iter().chain(QEMU).collect();
        let texts: Vec<String> = names.iter().map(|name| text_of(name)).collect();
        let files: Vec<(&str, &str)> =
            names.iter().copied().zip(texts.iter().map(String::as_str)).collect();
        let input = Input::try_read(&files, &text_of("differences.tsv")).unwrap();
        Bench { input, texts }
    }

    /// True when the mistake is reported, by the reader or by `verify`.
    fn reports(&mut self, file: usize, mutant: &Mutant) -> bool {
        let id = self.input.sources.add("mutant.tsv", mutant.text.clone());
        let mut diagnostics = Diagnostics::new();
        let Some(read) = facts::read(&self.input.sources, id, &mut diagnostics) else {
            return diagnostics.iter().any(|found| {
                found.at.is_some_and(|at| mutant.lines.contains(&self.input.sources.place(at).line))
            });
        };
        let Input { sources, linux, qemu, differences, .. } = &mut self.input;
        let report = match read {
            Facts::Linux(facts) => {
                let kept = std::mem::replace(&mut linux[file], facts);
                let report = check(linux, qemu, differences, Scope::Pinned);
                linux[file] = kept;
                report
            }
            Facts::Qemu(facts) => {
                let slot = file - LINUX.len();
                let kept = std::mem::replace(&mut qemu[slot], facts);
                let report = check(linux, qemu, differences, Scope::Pinned);
                qemu[slot] = kept;
                report
            }
        };
        is_reported(sources, id, &report, mutant)
    }
}

const MISTAKES: [Mistake; 9] = [
    Mistake::BitMoved,
    Mistake::NamesSwapped,
    Mistake::RegisterChanged,
    Mistake::LeafRenumbered,
    Mistake::WordRenumbered,
    Mistake::Renamed,
    Mistake::FlagRenamed,
    Mistake::Dropped,
    Mistake::Doubled,
];

#[test]
fn planted_mistakes_are_reported() {
    let mut bench = Bench::new();
    let texts = bench.texts.clone();
    let mut random = Random(0x5eed_c0de_cafe_f00d);
    let mut table: BTreeMap<(&str, Mistake), (usize, usize)> = BTreeMap::new();
    let mut unseen = String::new();
    for (kind, _) in ROWS {
        let files: Vec<usize> =
            (0..texts.len()).filter(|file| texts[*file].contains(&format!("\n{kind}\t"))).collect();
        for mistake in MISTAKES {
            for round in 0..EACH * 4 {
                if files.is_empty() || table.get(&(kind, mistake)).is_some_and(|count| count.0 == EACH) {
                    break;
                }
                let file = files[round % files.len()];
                let lines: Vec<&str> = texts[file].split('\n').collect();
                let prefix = format!("{kind}\t");
                let rows: Vec<usize> =
                    (0..lines.len()).filter(|at| lines[*at].starts_with(&prefix)).collect();
                let index = rows[random.below(rows.len())];
                let Some(mutant) = mutate(&lines, index, mistake, &mut random) else {
                    continue;
                };
                let seen = bench.reports(file, &mutant);
                let count = table.entry((kind, mistake)).or_default();
                *count = (count.0 + 1, count.1 + usize::from(seen));
                if !seen {
                    let name = LINUX.into_iter().chain(QEMU).nth(file).unwrap();
                    writeln!(unseen, "{mistake:?}\t{name}:{}\t{}", index + 1, mutant.shown).unwrap();
                }
            }
        }
    }
    for ((kind, mistake), (planted, reported)) in &table {
        println!("{kind:16} {mistake:?}: {reported}/{planted}");
    }
    let (planted, reported) = table.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("planted {planted}, reported {reported}\n{unseen}");
    assert!(planted >= 600, "{planted}");
    assert!(unseen.is_empty(), "{unseen}{}", UNSEEN.len());
}
