//! Comparisons of two releases: exact reports for made-up ones, expected changes for pinned ones, and completeness
//! for all. `BLESS=1` rewrites the golden files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::diff::{self, Action, ApiChange, ApiItem, Change, Changes, Level, Topic};
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::source::{Sources, Span};

use crate::cases;
use crate::common::{read_linux, scratch, unpacked, write_files};

/// Two releases, read.
struct Pair {
    sources: Sources,
    old: Facts,
    new: Facts,
}

impl Pair {
    fn read(old: &str, new: &str) -> Pair {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let mut read = |name: &str, text: &str| {
            let id = sources.add(name, text);
            facts::read(&sources, id, &mut diagnostics)
        };
        let (old, new) = (read("old.tsv", old), read("new.tsv", new));
        assert!(diagnostics.is_empty(), "{}", diagnostics.render(&sources));
        Pair { sources, old: old.unwrap(), new: new.unwrap() }
    }

    fn changes(&self) -> Changes {
        match (&self.old, &self.new) {
            (Facts::Linux(old), Facts::Linux(new)) => diff::linux(old, new, &[]).0,
            (Facts::Qemu(old), Facts::Qemu(new)) => diff::qemu(old, new, &[]).0,
            _ => panic!("two projects"),
        }
    }

    /// The line of a row.
    fn line(&self, row: Span) -> (String, u32) {
        let place = self.sources.place(row);
        (place.file, place.line)
    }
}

fn diff(old: &str, new: &str) -> Changes {
    Pair::read(old, new).changes()
}

fn pinned(name: &str) -> &'static str {
    cpuid_gen::pinned().iter().find(|(known, _)| *known == name).unwrap().1
}

/// Neighbouring releases of one project.
fn pinned_pairs() -> Vec<(&'static str, &'static str)> {
    let all = cpuid_gen::pinned();
    let project = |name: &str| name.split_once('-').unwrap().0.to_owned();
    let pairs = all.windows(2).filter(|pair| project(pair[0].0) == project(pair[1].0));
    pairs.map(|pair| (pair[0].1, pair[1].1)).collect()
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/diff").join(name);
    if std::env::var("BLESS").as_deref() == Ok("1") {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name}: BLESS=1 writes what is found");
}

#[test]
fn small_pairs_have_exact_reports() {
    for (name, old, new) in cases::SMALL {
        let changes = diff(old, new);
        golden(&format!("{name}.txt"), &changes.to_text());
        golden(&format!("{name}.md"), &changes.to_markdown());
        #[cfg(feature = "cli")]
        golden(&format!("{name}.json"), &format!("{:#}\n", changes.to_json()));
    }
}

#[test]
fn a_release_does_not_differ_from_itself() {
    let small = cases::SMALL.iter().flat_map(|(_, old, new)| [*old, *new]);
    for text in small.chain(cpuid_gen::pinned().iter().map(|(_, text)| *text)) {
        let changes = diff(text, text);
        assert!(changes.is_empty(), "{}", changes.to_text());
        assert_eq!(changes.api.len(), 1);
        assert!(changes.api[0].items.is_empty());
        assert!(changes.to_text().ends_with("\nno changes\n"));
    }
}

/// The reverse comparison: additions become removals.
#[test]
fn the_reverse_comparison_is_the_opposite() {
    let small = cases::SMALL.iter().map(|(_, old, new)| (*old, *new));
    for (old, new) in small.chain(pinned_pairs()) {
        let count = |changes: &Changes, action| {
            let all = changes.sections.iter().flat_map(|section| &section.changes);
            all.filter(|change| change.action == action).count()
        };
        let (there, back) = (diff(old, new), diff(new, old));
        assert_eq!(count(&there, Action::Added), count(&back, Action::Removed));
        assert_eq!(count(&there, Action::Removed), count(&back, Action::Added));
        for same in [Action::Renamed, Action::Moved, Action::Changed] {
            assert_eq!(count(&there, same), count(&back, same), "{same:?}");
        }
    }
}

/// The rows that only one of two texts has, by file and line. If one text repeats a row more often, all its
/// repetitions are listed.
fn differing(old: &str, new: &str) -> BTreeMap<(String, u32), String> {
    fn rows(text: &str) -> impl Iterator<Item = (u32, &str)> {
        (1..).zip(text.lines()).filter(|(_, row)| !row.starts_with('#') && !row.contains("-release\t"))
    }
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    rows(old).for_each(|(_, row)| counts.entry(row).or_default().0 += 1);
    rows(new).for_each(|(_, row)| counts.entry(row).or_default().1 += 1);
    let mut found = BTreeMap::new();
    for (name, text, more) in [("old.tsv", old, true), ("new.tsv", new, false)] {
        for (line, row) in rows(text) {
            let (before, after) = counts[row];
            if before != after && (before > after) == more {
                found.insert((name.to_owned(), line), row.to_owned());
            }
        }
    }
    found
}

/// The rows that changes name. Two kinds of rows of a model have no place of their own and are represented by its
/// first row.
fn accounted(pair: &Pair, changes: &Changes, texts: [&str; 2]) -> BTreeSet<(String, u32)> {
    let all = changes.sections.iter().flat_map(|section| &section.changes);
    let mut lines: BTreeSet<(String, u32)> = all
        .flat_map(|change| change.old_rows.iter().chain(&change.new_rows))
        .map(|row| pair.line(*row))
        .collect();
    for (name, text) in ["old.tsv", "new.tsv"].into_iter().zip(texts) {
        let mut model = 0;
        for (line, row) in (1..).zip(text.lines()) {
            if row.starts_with("qemu-model\t") {
                model = line;
            }
            let hangs_on =
                row.starts_with("qemu-model-avx10\t") || row.starts_with("qemu-model-deprecated\t");
            if hangs_on && lines.contains(&(name.to_owned(), model)) {
                lines.insert((name.to_owned(), line));
            }
        }
    }
    lines
}

/// Every row that differs belongs to a change.
fn check_complete(old: &str, new: &str, what: &str) {
    let pair = Pair::read(old, new);
    let changes = pair.changes();
    let shown = accounted(&pair, &changes, [old, new]);
    let missing: Vec<_> = differing(old, new)
        .into_iter()
        // One of several repeated rows is enough.
        .filter(|(place, row)| {
            let text = if place.0 == "old.tsv" { old } else { new };
            let same = (1..).zip(text.lines()).filter(|(_, other)| other == row);
            !same.map(|(line, _)| (place.0.clone(), line)).any(|place| shown.contains(&place))
        })
        .collect();
    assert!(missing.is_empty(), "{what}: not in the report: {missing:#?}\n{}", changes.to_text());
}

/// Every change has a row that differs.
fn check_true(old: &str, new: &str) {
    let pair = Pair::read(old, new);
    let changes = pair.changes();
    let differing = differing(old, new);
    for change in changes.sections.iter().flat_map(|section| &section.changes) {
        let rows = change.old_rows.iter().chain(&change.new_rows);
        let hangs =
            change.fields.iter().any(|field| field.name == "avx10-version" || field.name == "deprecated");
        let real = rows.map(|row| pair.line(*row)).any(|line| differing.contains_key(&line));
        assert!(real || hangs, "no row has this change: {change:#?}");
    }
}

#[test]
fn reports_are_complete_and_minimal() {
    let small = cases::SMALL.iter().map(|(_, old, new)| (*old, *new));
    for (old, new) in small.chain(pinned_pairs()) {
        assert!(!differing(old, new).is_empty());
        for (old, new) in [(old, new), (new, old)] {
            check_complete(old, new, "as they are");
            check_true(old, new);
        }
    }
}

/// A new kind of row in the facts must be compared, and tested here.
#[test]
fn every_kind_of_row_is_compared() {
    let readme = include_str!("../../../upstream/README.md");
    let table = readme.split("```").nth(1).unwrap();
    let kinds =
        table.lines().filter_map(|line| line.split_whitespace().next()).filter(|kind| kind.contains('-'));
    let kinds: Vec<&str> = kinds.filter(|kind| !kind.ends_with("-release")).collect();
    assert!(kinds.len() > 35, "{kinds:?}");
    for kind in kinds {
        let row = format!("\n{kind}\t");
        let both = |(_, old, new): &(&str, &str, &str)| old.contains(&row) && new.contains(&row);
        let shown = cases::SMALL.iter().any(both);
        assert!(shown, "{kind} is in no small pair, or on one side only");
    }
}

/// Removing or repeating any row is a difference that the report shows.
#[test]
fn every_removed_or_repeated_row_is_reported() {
    for (_, old, new) in cases::SMALL {
        for text in [old, new] {
            check_rows(text, 1);
        }
    }
    std::thread::scope(|scope| {
        for (_, text) in cpuid_gen::pinned() {
            scope.spawn(|| check_rows(text, 401));
        }
    });
}

/// Every `step`th row of a text, with the rows that depend on it.
fn check_rows(text: &str, step: usize) {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for index in (1..lines.len()).step_by(step) {
        let row = lines[index];
        let columns: Vec<&str> = row.split('\t').collect();
        let hangs = |other: &&str| match columns[0] {
            "qemu-model" => other.starts_with("qemu-model") && other.split('\t').nth(1) == Some(columns[1]),
            "qemu-model-version" => {
                let other: Vec<&str> = other.split('\t').collect();
                other[0].starts_with("qemu-model-") && other[1..].starts_with(&columns[1..3])
            }
            _ => *other == row,
        };
        // Put aside the word's bits, which would lose their location.
        let keep = |other: &&str| {
            let name = if matches!(columns[0], "linux-word" | "qemu-word") { columns[1] } else { "\0" };
            !hangs(other) && !other.split('\t').any(|column| column == name)
        };
        let without: String =
            lines.iter().filter(|line| keep(line)).map(|line| format!("{line}\n")).collect();
        let whole: String = lines.iter().map(|line| format!("{line}\n")).collect();
        check_complete(&whole, &without, row);
        check_complete(&without, &whole, row);
        if !columns[0].starts_with("qemu-model") {
            let twice = whole.replacen(&format!("\n{row}\n"), &format!("\n{row}\n{row}\n"), 1);
            check_complete(&whole, &twice, row);
        }
    }
}

fn has(changes: &Changes, topic: Topic, is: impl Fn(&Change) -> bool) -> bool {
    changes.in_topic(topic).any(is)
}

#[test]
fn word_17_is_shown_as_a_word_that_changed_meaning() {
    let changes = diff(pinned("linux-6.12.tsv"), pinned("linux-7.3.tsv"));
    assert!(has(&changes, Topic::LinuxWords, |change| {
        change.action == Action::Changed
            && change.subject == "word 17"
            && change.fields[0].old.as_deref()
                == Some("CPUID.(EAX=0x80000007,ECX=0):EBX (CPUID_8000_0007_EBX)")
            && change.fields[0].new.as_deref() == Some("software-defined (CPUID_LNX_6)")
    }));
    // Its bits stay the same: scattered.c has them now.
    for name in ["OVERFLOW_RECOV", "SUCCOR", "SMCA"] {
        let mut shown = changes.in_topic(Topic::LinuxFeatures).filter(|change| change.subject == name);
        let change = shown.next().unwrap();
        assert_eq!(change.action, Action::Changed);
        assert_eq!(change.fields.len(), 1);
        assert_eq!(change.fields[0].new.as_deref(), Some("scattered.c"));
        assert!(shown.next().is_none());
    }
}

/// Before 6.9, a flag was shown unless its comment started with empty quotes; since then, only if it is quoted. A
/// kernel written for one rule has the same flags as one written for the other.
#[test]
fn the_new_quoting_rule_changes_no_flag() {
    // The two scripts differ for a comment over several lines, which is tested elsewhere.
    let text =
        include_str!("../fixtures/small-linux.txt").replace("comment that\n\t\t\t\t\t   runs on", "comment");
    let older = unpacked(&text);
    let read = |name: &str, files: &[(String, String)]| {
        let folder = scratch(name);
        write_files(&folder, files);
        let (facts, diagnostics) = read_linux(&folder);
        assert_eq!(diagnostics, "");
        facts.unwrap()
    };
    let by_the_old_rule = read("diff-quotes-old", &older);
    let flipped: Vec<(String, String)> =
        older.iter().map(|(path, text)| (path.clone(), flip(path, text))).collect();
    assert_ne!(older, flipped);
    let by_the_new_rule = read("diff-quotes-new", &flipped);
    let shown = |facts: &facts::LinuxFacts| facts.features.iter().filter(|flag| flag.flag.is_some()).count();
    assert!(shown(&by_the_old_rule) > 5 && shown(&by_the_old_rule) < by_the_old_rule.features.len());
    let (changes, _) = diff::linux(&by_the_old_rule, &by_the_new_rule, &[]);
    assert!(changes.is_empty(), "{}", changes.to_text());
    // Real headers, each following one rule, differ in a dozen of 366 flags.
    let changes = diff(pinned("linux-6.1.tsv"), pinned("linux-6.12.tsv"));
    assert!((5..30).contains(&changes.in_topic(Topic::LinuxFlags).count()), "{}", changes.to_text());
}

/// A header and its script, converted to the other rule.
fn flip(path: &str, text: &str) -> String {
    if path.ends_with("mkcapflags.sh") {
        let shown = text.lines().filter(|line| !line.contains("continue"));
        return shown.map(|line| format!("{line}\n")).collect();
    }
    if !path.ends_with("features.h") {
        return text.to_owned();
    }
    let line = |line: &str| {
        let Some((head, name)) = ["X86_FEATURE_", "X86_BUG_", "VMX_FEATURE_"]
            .iter()
            .find_map(|prefix| Some((*prefix, line.strip_prefix("#define ")?.strip_prefix(prefix)?)))
        else {
            return format!("{line}\n");
        };
        let end = name.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(name.len());
        let name = name[..end].to_lowercase();
        match line.split_once("/* ") {
            _ if name == "bug" || head.is_empty() => format!("{line}\n"),
            Some((code, comment)) if comment.starts_with("\"\"") => {
                format!("{code}/* {}\n", comment.trim_start_matches("\"\" "))
            }
            Some((_, comment)) if comment.starts_with('"') => format!("{line}\n"),
            Some((code, comment)) => format!("{code}/* \"{name}\" {comment}\n"),
            None => format!("{line} /* \"{name}\" */\n"),
        }
    };
    text.lines().map(line).collect()
}

/// The effects on the API, each kind of change by a separate pair.
#[test]
fn the_api_level_follows_from_the_constants() {
    for (name, old, new, level, expected) in cases::API {
        let changes = diff(old, new);
        let impact = &changes.api[0];
        let shown: Vec<String> = impact
            .items
            .iter()
            .map(|item| match &item.change {
                ApiChange::Added => format!("+{}", item.constant),
                ApiChange::Removed => format!("-{}", item.constant),
                ApiChange::Moved { is, .. } => format!("{}: {is}", item.constant),
                ApiChange::Deprecated(to) => format!("{} -> {to}", item.constant),
                ApiChange::Unused(None) => format!("={}", item.constant),
                ApiChange::Unused(Some(other)) => format!("={} ({other})", item.constant),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            (impact.level, shown),
            (*level, expected.iter().map(ToString::to_string).collect()),
            "{name}"
        );
    }
}

#[test]
fn nothing_is_ever_removed() {
    let mut levels = Vec::new();
    for (old, new) in pinned_pairs() {
        let changes = diff(old, new);
        let [instead, beside] = changes.api.as_slice() else { panic!("two ways") };
        for item in instead.items.iter().chain(&beside.items) {
            assert!(item.change != ApiChange::Removed, "{}", item.constant);
            // A field's place can be corrected; a bit's name never changes its meaning.
            let corrected = matches!(item.change, ApiChange::Moved { .. });
            assert!(!corrected || item.constant.starts_with("field::"), "{}", item.constant);
        }
        let unused = |item: &&ApiItem| {
            matches!(item.change, ApiChange::Unused(_)) && !item.constant.starts_with("field::")
        };
        assert_eq!(beside.items.iter().filter(unused).count(), 0, "the older release is still there");
        assert!(beside.level <= instead.level);
        levels.push(beside.level);
    }
    // All but QEMU 11.1 name bits that no older release does.
    let minor = levels.iter().filter(|level| **level >= Level::Minor).count();
    assert_eq!(minor + 1, levels.len(), "{levels:?}");
}
