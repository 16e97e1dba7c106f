//! Plants single errors in the pinned facts and counts those that are reported at the right place.
//!
//! Every kind of row with every kind of error that it can have, a fixed number of each, chosen by a seeded generator.
//! An error counts as reported if a finding has the row's line, or for a removed row its name. Errors that cannot be
//! detected are listed in [`UNSEEN`] with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cpuid_gen::diagnostic::{Diagnostic, Diagnostics};
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::source::{FileId, Sources};
use cpuid_gen::verify::{Scope, verify as check};

use crate::input::{Input, LINUX, QEMU, text_of};
use crate::rng::{Rng, cases};

/// The number of mistakes of each kind in each kind of row.
fn each() -> usize {
    cases(2)
}

/// The meaning of a column, which determines the errors it can have.
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

/// A kind of error.
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
const ROWS: [(&str, &[Column]); 22] = [
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
    ("kvm-para", &[Name, Function, Other, Register, Bit]),
    ("linux-msr", &[Name, Function, Bit]),
    ("linux-config", &[Other, Name, Other]),
    ("cpuid-field", &[Function, Other, Other, Register, Bit, Other, Name]),
    ("qemu-word", &[Name, Word, Other, Function, Other, Register]),
    ("qemu-bit", &[Other, Bit, Name]),
    ("qemu-mask", &[Name, Other, Mask]),
    ("qemu-macro", &[Name, Mask]),
    ("qemu-comment", &[Name, Function, Other, Register]),
    ("qemu-dep", &[Name, Mask, Name, Mask]),
    ("linux-release", &[]),
    ("qemu-release", &[]),
];

/// A class of errors that the facts cannot reveal.
struct Unseen {
    applies: fn(&Planted<'_>) -> bool,
    reason: &'static str,
}

/// The undetectable errors, and the reasons. An error that is not reported and in none of these classes fails the
/// test.
const UNSEEN: [Unseen; 7] = [
    Unseen {
        applies: |planted| planted.stale,
        reason: "undoes a known difference: reported at the entry of differences.tsv that is now stale",
    },
    Unseen {
        applies: |planted| planted.twice && planted.mistake != Mistake::Doubled,
        reason: "changed one of two equal rows: the other one is unchanged",
    },
    Unseen {
        applies: |planted| planted.mistake == Mistake::Doubled && planted.is_call,
        reason: "repeats a call: KVM makes one again under another condition",
    },
    Unseen {
        applies: |planted| planted.mistake == Mistake::Dropped && !planted.in_older,
        reason: "dropped from the first release that has it: the rest equals a release without it",
    },
    Unseen {
        applies: |planted| planted.mistake == Mistake::Dropped && planted.next_lacks_it,
        reason: "dropped from the last release that has it: the next one is without it, too",
    },
    Unseen {
        applies: |planted| planted.mistake == Mistake::NamesSwapped && planted.reads_as_before,
        reason: "one row reads as in the release before, the other one is new: the change comes one release later",
    },
    Unseen {
        applies: |planted| {
            planted.mistake != Mistake::Dropped && planted.mistake != Mistake::Doubled && planted.only_here
        },
        reason: "changed where only one release has it, and no other table or project mentions it",
    },
];

/// A condition of a class on a planted error.
struct Planted<'a> {
    mistake: Mistake,
    /// The previous release has a row about the same thing.
    in_older: bool,
    /// There is a next release, and it has no row about the same thing.
    next_lacks_it: bool,
    /// Each changed row is in the release before, or is the first about its thing.
    reads_as_before: bool,
    /// No other release has a row about the same thing.
    only_here: bool,
    /// The same row occurs twice.
    twice: bool,
    /// A row of a call that sets or clears a capability.
    is_call: bool,
    /// An entry of the differences is reported as stale.
    stale: bool,
    shown: &'a str,
}

/// A mutated file, the lines of the error, and the names by which a removed row can be found.
struct Mutant {
    text: String,
    lines: BTreeSet<u32>,
    dropped: Option<Vec<String>>,
    shown: String,
}

fn columns_of(kind: &str) -> &'static [Column] {
    ROWS.iter().find(|(known, _)| *known == kind).unwrap_or_else(|| panic!("{kind} is not covered")).1
}

/// The column of an error in this row; `None` if the row cannot have it.
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

fn changed(mistake: Mistake, column: Column, text: &str, random: &mut Rng) -> String {
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

/// An error in the row at `index`; `None` if it would not change anything.
fn mutate(lines: &[&str], index: usize, mistake: Mistake, random: &mut Rng) -> Option<Mutant> {
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

/// Rows of lists have no order: two names under one heading can be swapped.
fn swap_is_nothing(row: &[&str], other: &[&str], at: usize) -> bool {
    (1..row.len()).filter(|column| *column != at).all(|column| row.get(column) == other.get(column))
}

fn with_column(row: &[&str], at: usize, new: &str) -> String {
    let mut row = row.to_vec();
    row[at] = new;
    row.join("\t")
}

/// The subject of a row: its kind and the columns that identify it.
fn subject_of(line: &str) -> Vec<&str> {
    let row: Vec<&str> = line.split('\t').collect();
    let about: &[usize] = match row[0] {
        "linux-dep" => &[1, 2],
        "linux-scattered" => &[1, 2, 3, 4, 5],
        "linux-config" => &[1, 2],
        "cpuid-field" => &[1, 2, 3, 4, 5, 6],
        "kvm-cap" if matches!(row[2], "set" | "clear") => &[1, 2, 3],
        "kvm-cap" => &[1, 3],
        "qemu-bit" | "qemu-mask" => &[1, 2],
        "qemu-dep" => &[1, 2, 3, 4],
        _ => &[1],
    };
    [0].iter().chain(about).filter_map(|at| row.get(*at).copied()).collect()
}

impl<'a> Planted<'a> {
    fn new(
        texts: &[String],
        (file, line): (usize, &str),
        mistake: Mistake,
        (mutant, stale): (&'a Mutant, bool),
    ) -> Planted<'a> {
        let project = if file < LINUX.len() { 0..LINUX.len() } else { LINUX.len()..texts.len() };
        let subject = subject_of(line);
        // Upstream replaced cpuid.csv after the first pinned release, as a row of the differences records.
        let compared = |other: usize| subject[0] != "cpuid-field" || (file == 0) == (other == 0);
        let has =
            |other: usize| compared(other) && texts[other].lines().any(|line| subject_of(line) == subject);
        let before = project.contains(&file.wrapping_sub(1)).then(|| texts[file - 1].as_str());
        let is_as_before = |row: &str| {
            let mut about =
                before.into_iter().flat_map(str::lines).filter(|other| subject_of(other) == subject_of(row));
            about.next().is_none_or(|other| other == row)
        };
        let changed = mutant.lines.iter().filter_map(|line| mutant.text.lines().nth(*line as usize - 1));
        Planted {
            mistake,
            in_older: project.clone().any(|other| other < file && has(other)),
            next_lacks_it: project.contains(&(file + 1)) && !has(file + 1),
            reads_as_before: before.is_some() && changed.into_iter().all(is_as_before),
            only_here: !project.clone().any(|other| other != file && has(other)),
            is_call: subject[0] == "kvm-cap"
                && line.split('\t').nth(2).is_some_and(|kind| ["set", "clear"].contains(&kind)),
            twice: texts[file].lines().filter(|other| *other == line).count() > 1,
            stale,
            shown: &mutant.shown,
        }
    }

    fn class(&self) -> Option<&'static Unseen> {
        static CLASSES: [Unseen; 7] = UNSEEN;
        CLASSES.iter().find(|class| (class.applies)(self))
    }
}

/// The names that a finding about a removed row must contain.
fn names_in(row: &[&str]) -> Vec<String> {
    let columns = columns_of(row[0]);
    let mut names: Vec<String> = Vec::new();
    for (column, text) in columns.iter().zip(&row[1..]) {
        if *column == Name && *text != "-" {
            names.push((*text).to_owned());
        }
    }
    match row[0] {
        "linux-count" => names = vec![row[1].to_owned()],
        "linux-word" => names = vec![format!("word {}", row[2])],
        "qemu-word" => names = vec![row[1].to_owned()],
        _ => {}
    }
    names
}

fn is_stale(found: &Diagnostic) -> bool {
    found.message.starts_with("stale: ")
}

fn is_reported<'d>(
    sources: &Sources,
    file: FileId,
    mut findings: impl Iterator<Item = &'d Diagnostic>,
    mutant: &Mutant,
) -> bool {
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
    findings.any(|found| if mutant.dropped.is_some() { names(found) } else { on_line(found) })
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
        let files: Vec<(&str, &str)> = names.iter().copied().zip(texts.iter().map(String::as_str)).collect();
        let files: Vec<(&str, &str)> =
            files.into_iter().chain(cpuid_gen::witnesses().iter().copied()).collect();
        let input = Input::try_read(&files, &text_of("differences.tsv")).unwrap();
        Bench { input, texts }
    }

    /// Whether the error is reported, by the reader or by `verify`, and whether it makes a known difference stale.
    fn reports(&mut self, file: usize, mutant: &Mutant) -> (bool, bool) {
        let id = self.input.sources.add("mutant.tsv", mutant.text.clone());
        let mut diagnostics = Diagnostics::new();
        let Some(read) = facts::read(&self.input.sources, id, &mut diagnostics) else {
            let on_line = |found: &Diagnostic| {
                found.at.is_some_and(|at| mutant.lines.contains(&self.input.sources.place(at).line))
            };
            return (diagnostics.iter().any(on_line), false);
        };
        let slot = file % LINUX.len();
        let kept = self.put(slot, read);
        let found = self.found(file, id, mutant);
        self.put(slot, kept);
        found
    }

    /// Replaces a release's facts and returns the old ones.
    fn put(&mut self, slot: usize, facts: Facts) -> Facts {
        match facts {
            Facts::Linux(facts) => Facts::Linux(std::mem::replace(&mut self.input.linux[slot], facts)),
            Facts::Qemu(facts) => Facts::Qemu(std::mem::replace(&mut self.input.qemu[slot], facts)),
        }
    }

    /// The release is checked by itself, then its project, then everything. Except for stale entries, the findings
    /// for fewer releases are a subset of those for more, so a reported error needs no further check.
    fn found(&self, file: usize, id: FileId, mutant: &Mutant) -> (bool, bool) {
        let Input { sources, linux, qemu, differences } = &self.input;
        let slot = file % LINUX.len();
        let (one, project) = if file < LINUX.len() {
            ((&linux[slot..=slot], &qemu[..0]), (&linux[..], &qemu[..0]))
        } else {
            ((&linux[..0], &qemu[slot..=slot]), (&linux[..0], &qemu[..]))
        };
        let seen = |(linux, qemu)| {
            let report = check(linux, qemu, differences, Scope::Given);
            is_reported(sources, id, report.findings.iter().filter(|found| !is_stale(found)), mutant)
        };
        if seen(one) || seen(project) {
            return (true, false);
        }
        let report = check(linux, qemu, differences, Scope::Pinned);
        let stale = report.findings.iter().any(is_stale);
        (is_reported(sources, id, report.findings.iter(), mutant), stale)
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

/// The results of one kind of error in one kind of row.
#[derive(Default)]
struct Count {
    planted: usize,
    reported: usize,
}

#[test]
fn mistakes_in_linux_rows_are_reported() {
    planted_mistakes_are_reported(|kind| kind.starts_with("linux-"));
}

#[test]
fn mistakes_in_rows_of_kvm_and_fields_are_reported() {
    planted_mistakes_are_reported(|kind| !kind.starts_with("linux-") && !kind.starts_with("qemu-"));
}

#[test]
fn mistakes_in_qemu_rows_are_reported() {
    planted_mistakes_are_reported(|kind| kind.starts_with("qemu-"));
}

fn planted_mistakes_are_reported(is_chosen: fn(&str) -> bool) {
    let texts = Bench::new().texts;
    let lines: Vec<Vec<&str>> = texts.iter().map(|text| text.split('\n').collect()).collect();
    let all = plant(&lines, is_chosen);
    let mut table: BTreeMap<(&str, Mistake), Count> = BTreeMap::new();
    let mut unseen: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (seed, (reported, stale)) in all.iter().zip(report_all(&all)) {
        let Seed { kind, mistake, file, index, mutant } = seed;
        let count = table.entry((*kind, *mistake)).or_default();
        count.planted += 1;
        if reported {
            count.reported += 1;
            continue;
        }
        let planted = Planted::new(&texts, (*file, lines[*file][*index]), *mistake, (mutant, stale));
        let reason = planted.class().map_or("NO REASON", |class| class.reason);
        let name = LINUX.into_iter().chain(QEMU).nth(*file).unwrap();
        let line = format!("{mistake:?} {name}:{}: {}", index + 1, planted.shown);
        unseen.entry(reason).or_default().push(line);
    }
    let report = show(&table, &unseen);
    println!("{report}");
    let planted: usize = table.values().map(|count| count.planted).sum();
    assert!(planted >= 20 * each(), "{report}");
    assert!(!unseen.contains_key("NO REASON"), "{report}");
    let classes: usize = unseen.values().map(Vec::len).sum();
    assert!(classes * 10 < planted, "more than a tenth cannot be seen\n{report}");
}

/// An error in a row of a file.
struct Seed {
    kind: &'static str,
    mistake: Mistake,
    file: usize,
    index: usize,
    mutant: Mutant,
}

/// For each kind of row and of error, the wanted number.
fn plant(lines: &[Vec<&str>], is_chosen: fn(&str) -> bool) -> Vec<Seed> {
    let mut random = Rng(0x5eed_c0de_cafe_f00d);
    let mut all = Vec::new();
    for (kind, _) in ROWS.iter().filter(|(kind, _)| is_chosen(kind)) {
        let rows = rows_of(lines, kind);
        for mistake in MISTAKES {
            let mut planted = 0;
            for _ in 0..each() * 4 {
                if planted == each() {
                    break;
                }
                let (file, indices) = &rows[random.below(rows.len())];
                let (file, index) = (*file, indices[random.below(indices.len())]);
                if let Some(mutant) = mutate(&lines[file], index, mistake, &mut random) {
                    planted += 1;
                    all.push(Seed { kind, mistake, file, index, mutant });
                }
            }
        }
    }
    all
}

/// The result of [`Bench::reports`] for each, computed on all CPUs.
fn report_all(all: &[Seed]) -> Vec<(bool, bool)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = |seeds: &[Seed]| -> Vec<(bool, bool)> {
        let mut bench = Bench::new();
        seeds.iter().map(|seed| bench.reports(seed.file, &seed.mutant)).collect()
    };
    std::thread::scope(|scope| {
        let shares = all.chunks(all.len().div_ceil(threads).max(1));
        let running: Vec<_> = shares.map(|seeds| scope.spawn(move || share(seeds))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// The rows of this kind: the files that have any, each with its line numbers.
fn rows_of(lines: &[Vec<&str>], kind: &str) -> Vec<(usize, Vec<usize>)> {
    let is_row = |line: &str| line.split('\t').next() == Some(kind);
    let indices = |file: usize| (0..lines[file].len()).filter(|at| is_row(lines[file][*at])).collect();
    let all = (0..lines.len()).map(|file| (file, indices(file)));
    all.filter(|(_, indices): &(usize, Vec<usize>)| !indices.is_empty()).collect()
}

fn show(table: &BTreeMap<(&str, Mistake), Count>, unseen: &BTreeMap<&str, Vec<String>>) -> String {
    let mut out = String::new();
    for ((kind, mistake), Count { planted, reported }) in table {
        writeln!(out, "{kind:16} {:15} planted {planted}, reported {reported}", format!("{mistake:?}"))
            .unwrap();
    }
    let sum = |field: fn(&Count) -> usize| table.values().map(field).sum::<usize>();
    writeln!(out, "all: planted {}, reported {}", sum(|c| c.planted), sum(|c| c.reported)).unwrap();
    for (reason, lines) in unseen {
        writeln!(out, "{}: {reason}\n  {}", lines.len(), lines.join("\n  ")).unwrap();
    }
    out
}
