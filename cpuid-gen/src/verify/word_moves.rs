//! Finds a register whose features are at another register than in another state of the project: an enumerator is missing, added
//! or in the wrong place, so that each feature of the words after it is wrong.
//!
//! That is one mistake. The findings that follow from it, about the features of these registers one by one, are left out.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::statements::{Statements, Text, Values};
use crate::diagnostic::Diagnostic;
use crate::location::{CpuidWord, Location};
use crate::ordered::{Map, sort_by};

/// Fewer features than this may have moved one by one.
const SEVERAL: usize = 3;

/// Compares an older and a newer state.
pub(super) fn check(older: &Statements<'_>, newer: &Statements<'_>, findings: &mut Findings<'_>) {
    let mut features: Map<CpuidWord, Map<CpuidWord, Vec<&str>>> = Map::new();
    for (subject, values) in &older.values {
        let ("linux-feature", Text::Name(name)) = *subject else { continue };
        let after = newer.values.get(subject).and_then(only_place);
        if let (Some(before), Some(after)) = (only_place(values), after) {
            if before.bit == after.bit {
                features.or_default(before.word).or_default(after.word).push(name);
            }
        }
    }
    for (before, now) in features {
        let total: usize = now.values().map(Vec::len).sum();
        let moved = now.into_iter().find(|(after, names)| *after != before && names.len() * 2 > total);
        if let Some((after, names)) = moved.filter(|(_, names)| names.len() >= SEVERAL) {
            add((before, after), names, (older, newer), findings);
        }
    }
}

/// The place of a feature that has one only.
fn only_place(values: &Values<'_>) -> Option<Location> {
    let mut places = values.places();
    places.next().filter(|_| places.next().is_none())
}

fn add(
    (before, after): (CpuidWord, CpuidWord),
    mut names: Vec<&str>,
    (older, newer): (&Statements<'_>, &Statements<'_>),
    findings: &mut Findings<'_>,
) {
    // The enumerators of both registers, in the newer state.
    let words = newer.values.iter().filter_map(|(subject, values)| match (*subject, values.iter().next()?) {
        (("linux-word", Text::Name(name)), (Text::Register(word), at)) => Some((*word, name, *at)),
        _ => None,
    });
    let words: Vec<_> = words.filter(|(word, ..)| [before, after].contains(word)).collect();
    for word in [before, after] {
        findings.leave_out(word.to_string());
    }
    words.iter().for_each(|(_, name, _)| findings.leave_out((*name).to_owned()));
    sort_by(&mut names, Ord::cmp);
    let key = Key::new(Kind::WordMoved, before.to_string(), after.to_string(), "-");
    findings.add_change(key, [older.release, newer.release], || {
        let at = words.iter().find(|(word, ..)| *word == after).map_or(newer.at, |(.., at)| *at);
        let count = names.len();
        let message = format!("{count} features of {before} are at {after} here: {}, ...", names[..SEVERAL].join(", "));
        let found = Diagnostic::error(at, message)
            .with_help("an enumerator is missing or in the wrong place; other findings about both registers are left out");
        match words.iter().find(|(word, ..)| *word == before) {
            Some((.., at)) => found.with_label(*at, "the other register"),
            None => found,
        }
    });
}
