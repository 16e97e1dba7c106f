//! Mutated sources: whatever the reader accepts must agree with gcc.
//!
//! A mutant that the reader rejects is ignored. If gcc rejects a mutant that the reader accepts, for a reason that
//! the reader does not check (such as a type), the facts may be wrong, so it counts as a failure unless the rejected
//! part is not read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cpuid_gen::facts::records::LinuxFlag;

use crate::common::rng::cases;
use crate::common::text::copy;
use crate::common::{Rng, Tree, have, read_linux, read_qemu, scratch, trees};
use crate::linux::{facts_values, features_header, values};
use crate::qemu::{self, Files};

/// The number of mutants of each tree's file.
fn mutants() -> usize {
    cases(10)
}

/// The replacements for a token.
const TOKENS: [&str; 40] = [
    "0", "1", "31", "32", "0x20", "010", "7u", "5UL", "0b11", "'a'", "+", "-", "*", "/", "%", "<<", ">>",
    "&", "|", "^", "~", "!", "?", ":", ",", "(", ")", "\"x\"", "{", "}", "/*", "*/", "\\\n", "#", "\n", "//",
    "=", "[", "]", "NULL",
];

/// Approximate tokens: a run of word characters or one other character.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut last_word = false;
    for (at, c) in text.char_indices().filter(|(_, c)| *c == '\n' || !c.is_whitespace()) {
        let word = c.is_alphanumeric() || c == '_';
        match spans.last_mut() {
            Some((_, end)) if word && last_word && *end == at => *end = at + c.len_utf8(),
            _ => spans.push((at, at + c.len_utf8())),
        }
        last_word = word;
    }
    spans
}

/// Two or three mutations: a token is removed, doubled, replaced, or swapped with a neighbour.
fn mutated(text: &str, rng: &mut Rng, within: (usize, usize)) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + rng.below(2) {
        let all = tokens(&text[within.0..within.1.min(text.len())]);
        let (start, end) = *rng.pick(&all);
        let (start, end) = (within.0 + start, within.0 + end);
        let token = text[start..end].to_owned();
        let put = match rng.below(6) {
            0 => String::new(),
            1 => format!("{token} {token}"),
            2 => (*rng.pick(&TOKENS)).to_owned(),
            3 => format!("{token} {}", rng.pick(&TOKENS)),
            4 => {
                let (other, other_end) = *rng.pick(&all);
                text[within.0 + other..within.0 + other_end].to_owned()
            }
            _ => token.chars().map(|c| if c.is_ascii_digit() { digit(rng) } else { c }).collect(),
        };
        text.replace_range(start..end, &put);
    }
    text
}

fn digit(rng: &mut Rng) -> char {
    *rng.pick(&['0', '1', '2', '3', '7', '8', '9'])
}

#[test]
fn mutated_linux_headers_match_gcc() {
    const TEST: &str = "mutated_linux_headers_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    of_each_tree(TEST, "linux-", mutate_headers);
}

/// Mutates a copy of each tree, in parallel; prints the number of accepted mutants.
fn of_each_tree(test: &str, prefix: &str, mutate: fn(&Tree, &Path, &mut Vec<String>) -> usize) {
    let of_tree = |tree: Tree| {
        let folder = scratch(&format!("{test}-{}", tree.name));
        copy(&tree.path, &folder);
        let mut problems = Vec::new();
        let accepted = mutate(&tree, &folder, &mut problems);
        println!("{}: {accepted} mutants of {} accepted, each as gcc reads it", tree.name, mutants());
        assert!(accepted > 0, "{}", tree.name);
        problems.concat()
    };
    let problems: Vec<String> = std::thread::scope(|scope| {
        let trees = trees(test, prefix).into_iter();
        let running: Vec<_> = trees.map(|tree| scope.spawn(move || of_tree(tree))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(problems.concat().is_empty(), "{}", problems.concat());
}

fn mutate_headers(tree: &Tree, folder: &Path, problems: &mut Vec<String>) -> usize {
    let (mut rng, mut accepted) = (Rng(1), 0);
    let header = features_header(folder);
    let text = fs::read_to_string(&header).unwrap();
    for number in 0..mutants() {
        let mutant = mutated(&text, &mut rng, (0, usize::MAX));
        fs::write(&header, &mutant).unwrap();
        let (facts, diagnostics) = read_linux(folder);
        if !diagnostics.is_empty() {
            continue;
        }
        accepted += 1;
        let facts = facts.unwrap();
        let bugs_from = facts.count("NCAPINTS").unwrap();
        let ours = [(&facts.features, "X86_FEATURE_", 0), (&facts.bugs, "X86_BUG_", bugs_from)];
        let problem = compare_values(folder, &header, &ours);
        problems.extend(problem.map(|why| report(tree, number, &why, &text, &mutant)));
    }
    accepted
}

/// The differences between the facts and gcc. The configuration is the 64-bit one. An inactive macro is a fact too
/// and is compared with the 32-bit configuration, unless that does not compile.
fn compare_values(folder: &Path, header: &Path, ours: &[(&Vec<LinuxFlag>, &str, u16)]) -> Option<String> {
    let prefixes: Vec<&str> = ours.iter().map(|(_, prefix, _)| *prefix).collect();
    let mut stated = match values(folder, header, &prefixes, &["-DCONFIG_X86_64"]) {
        Ok(stated) => stated,
        Err(why) => return Some(why),
    };
    let mut all = BTreeMap::new();
    for (flags, prefix, base) in ours {
        all.extend(facts_values(flags, prefix, *base));
    }
    match values(folder, header, &prefixes, &["-DCONFIG_X86_32"]) {
        Ok(of_32) => stated.extend(of_32),
        Err(_) => all.retain(|name, _| stated.contains_key(name)),
    }
    let names = || all.keys().chain(stated.keys());
    let differing = names().find(|name| all.get(*name) != stated.get(*name));
    differing.map(|name| format!("{name}: {:?}, and gcc has {:?}", all.get(name), stated.get(name)))
}

fn report(tree: &Tree, number: usize, why: &str, text: &str, mutant: &str) -> String {
    let why: String = why.chars().take(400).collect();
    format!("{} mutant {number}:\n{}{why}\n\n", tree.name, changes(text, mutant))
}

/// The lines that differ, for a report.
fn changes(old: &str, new: &str) -> String {
    let same_start = old.lines().zip(new.lines()).take_while(|(a, b)| a == b).count();
    let same_end = old.lines().rev().zip(new.lines().rev()).take_while(|(a, b)| a == b).count();
    let part = |text: &str, sign: &str| -> String {
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.len().saturating_sub(same_end).max(same_start).min(same_start + 12);
        lines[same_start.min(end)..end].iter().map(|line| format!("{sign} {line}\n")).collect()
    };
    part(old, "-") + &part(new, "+")
}

#[test]
fn mutated_qemu_tables_match_gcc() {
    const TEST: &str = "mutated_qemu_tables_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    of_each_tree(TEST, "qemu-", mutate_table);
}

fn mutate_table(tree: &Tree, folder: &Path, problems: &mut Vec<String>) -> usize {
    let (mut rng, mut accepted) = (Rng(2), 0);
    let files = Files::of(folder);
    let text = fs::read_to_string(&files.source).unwrap();
    // Text of the length of one row at some place of the table: the rest of cpu.c is code.
    let start = text.find("FeatureWordInfo feature_word_info[FEATURE_WORDS] = {").unwrap();
    let start = start + text[start..].find("= {").unwrap() + 3;
    let end = start + text[start..].find("\n};").unwrap();
    for number in 0..mutants() {
        let mutant = mutated(&text, &mut rng, (start, end));
        fs::write(&files.source, &mutant).unwrap();
        let (facts, diagnostics) = read_qemu(folder);
        if !diagnostics.is_empty() {
            continue;
        }
        accepted += 1;
        let stated = qemu::stated(folder, &files, &mutant);
        let ours = qemu::ours(&facts.unwrap());
        let problem = match stated {
            Err(why) => Some(why),
            Ok(stated) if stated != ours => Some(changes(&stated, &ours)),
            Ok(_) => None,
        };
        problems.extend(problem.map(|why| report(tree, number, &why, &text, &mutant)));
    }
    accepted
}
