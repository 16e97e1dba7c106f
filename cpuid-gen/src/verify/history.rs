//! Compares each release of a project with the one before it.
//!
//! A statement of an older release that a newer one does not repeat is a finding. This detects errors at bits that
//! the other project does not have.

use super::bit_names;
use super::finding::Findings;
use super::follows::about;
use super::guest_statements::{self, Dropped};
use super::key::{Key, Kind};
use super::moved;
use super::release::Release;
use super::statements::{LOCATION, Statements, Subject, Text, Values};
use crate::diagnostic::Diagnostic;
use crate::facts::MaskKind;
use crate::location::Bit;
use crate::ordered::{Set, sort_by};
use crate::source::Span;

/// Kinds of statements that disappear with their feature, which is already a finding.
const ONLY_CHANGES: [&str; 4] = [LOCATION, "linux-flag", "linux-bug-flag", "linux-vmx-flag"];

/// An older and a newer release.
type Both<'s, 'a> = (&'s Statements<'a>, &'s Statements<'a>);

/// Compares each release with the one before it; `statements` collects what a release states.
pub(super) fn check<'a, T>(
    releases: &'a [T],
    statements: impl Fn(&'a T) -> Statements<'a>,
    findings: &mut Findings<'_>,
) {
    if releases.len() < 2 {
        return;
    }
    let releases: Vec<Statements<'a>> = releases.iter().map(statements).collect();
    for pair in releases.windows(2) {
        if let [older, newer] = pair {
            compare((older, newer), |_| true, findings);
        }
    }
}

/// Compares the statements of some kinds.
pub(super) fn compare(
    (older, newer): Both<'_, '_>,
    is_wanted: impl Fn(&str) -> bool,
    findings: &mut Findings<'_>,
) {
    let rewritten: Vec<&str> = findings.use_rewritten(&older.release.name, &newer.release.name);
    let dropped = Dropped::between(older, newer);
    let compared = |sort: &str| is_wanted(sort) && !rewritten.contains(&sort);
    let is_moved = |subject: &Subject<'_>, before: &Values<'_>| {
        older.release.name == newer.release.name
            && moved::is_move((older, newer), subject, before, newer.values.get(subject))
    };
    for (subject, before) in older.values.iter().filter(|(subject, _)| compared(subject.0)) {
        match newer.values.get(subject) {
            _ if is_moved(subject, before) => {}
            Some(after) => check_changed((older, newer), subject, (before, after), findings),
            None if ONLY_CHANGES.contains(&subject.0) || dropped.explains(subject) => {}
            None => add_gone((older, newer), subject, before, findings),
        }
    }
    let words: Set<&str> = older.values.keys().filter_map(|(_, subject)| word_of(*subject)).collect();
    for (subject, after) in newer.values.iter().filter(|(subject, _)| compared(subject.0)) {
        let Text::Mask(word, MaskKind::Unmigratable | MaskKind::NoAutoenable) = subject.1 else { continue };
        // Of a new word the mask is new, too.
        if !older.values.contains_key(subject) && words.contains(word) {
            let empty = Values::of(Text::Hex(0), after);
            check_changed((older, newer), subject, (&empty, after), findings);
        }
    }
    check_added((older, newer), compared, findings);
}

/// Reports what a change adds to what guests see. Between two releases this is what a release is for.
fn check_added((older, newer): Both<'_, '_>, is_wanted: impl Fn(&str) -> bool, findings: &mut Findings<'_>) {
    if older.release.name != newer.release.name {
        return;
    }
    for (subject, after) in newer.values.iter().filter(|(subject, _)| is_wanted(subject.0)) {
        if older.values.contains_key(subject) || !guest_statements::changes_guests((older, newer), subject) {
            continue;
        }
        let (shown, right) = (format!("{} {}", subject.0, subject.1), joined(after));
        let key = Key::new(Kind::Added, &shown, "-", &right);
        findings.add_change(key.clone(), [older.release, newer.release], || {
            let at = after.iter().next().map_or(newer.at, |(_, at)| *at);
            let [older_name, newer_name] = names_of([older.release, newer.release]);
            let value = if right == "-" { String::new() } else { format!(", {right},") };
            Diagnostic::error(at, format!("{shown}{value} is in {newer_name}, and not in {older_name}"))
        });
        findings.say_about(&key, || about((older, newer), subject, after, None));
    }
}

/// The word that a statement about one of its bits names.
fn word_of(subject: Text<'_>) -> Option<&str> {
    match subject {
        Text::BitOf(word, _) => Some(word),
        _ => None,
    }
}

fn check_changed(
    (older, newer): Both<'_, '_>,
    subject: &Subject<'_>,
    (before, after): (&Values<'_>, &Values<'_>),
    findings: &mut Findings<'_>,
) {
    let differs = |one: &Values<'_>, other: &Values<'_>| one.iter().any(|(text, _)| !other.has(*text));
    if !differs(before, after) && !differs(after, before) {
        return;
    }
    if matches!(subject.1, Text::Mask(_, kind) if withheld(kind, before, after) == 0) {
        return;
    }
    let is_set = guest_statements::SETS.contains(&subject.0);
    let (left, right) = match is_set {
        true => (without(before, after), without(after, before)),
        false => (joined(before), joined(after)),
    };
    let shown = format!("{} {}", subject.0, subject.1);
    let key = Key::new(Kind::Changed, &shown, &left, &right);
    findings.add_change(key.clone(), [older.release, newer.release], || {
        let old_at = place_of(before, after).unwrap_or(older.at);
        // A lost value belongs after what came before it.
        let only_lost = !is_set && !differs(after, before);
        let beside = only_lost.then(|| before_it((older, newer), &[subject.0], old_at)).flatten();
        let at = beside.or_else(|| place_of(after, before)).unwrap_or(newer.at);
        let (now, was) = change_of((older, newer), subject, (before, after), &[left.as_str(), &right]);
        let [older_name, newer_name] = names_of([older.release, newer.release]);
        let found = Diagnostic::error(at, format!("{now} in {newer_name}"))
            .with_label(old_at, format!("{was} in {older_name}"));
        let lost: Vec<Text<'_>> =
            before.iter().map(|(text, _)| *text).filter(|text| !after.has(*text)).collect();
        with_instead(found, (older, newer), subject, &lost)
    });
    findings.say_about(&key, || about((older, newer), subject, before, Some(after)));
}

fn add_gone(
    (older, newer): Both<'_, '_>,
    subject: &Subject<'_>,
    before: &Values<'_>,
    findings: &mut Findings<'_>,
) {
    let shown = format!("{} {}", subject.0, subject.1);
    let left = joined(before);
    let key = Key::new(Kind::Gone, &shown, &left, "-");
    findings.add_change(key.clone(), [older.release, newer.release], || {
        let at = before.iter().next().map_or(older.at, |(_, at)| *at);
        let what = match subject.1 {
            Text::Dep(needed, dependent) => {
                let names = |(word, mask): (&str, u64)| {
                    let name = |bit| name_of(older, word, Bit(bit));
                    let every = format!("every bit of `{word}`");
                    if mask == u64::MAX { every } else { bit_names::names(mask, name) }
                };
                format!(" ({} needs {})", names(dependent), names(needed))
            }
            _ if left == "-" => String::new(),
            _ => format!(", {left},"),
        };
        let [older_name, newer_name] = names_of([older.release, newer.release]);
        let found = Diagnostic::error(at, format!("{shown}{what} is in {older_name}"));
        let found = match before_it((older, newer), &[subject.0], at) {
            Some(beside) => {
                found.with_label(beside, format!("but not in {newer_name}, where it came after this"))
            }
            None => match after_it((older, newer), &[subject.0], at) {
                Some(after) => {
                    found.with_label(after, format!("but not in {newer_name}, where it came before this"))
                }
                None => found.with_label(newer.at, format!("but not in {newer_name}")),
            },
        };
        let lost: Vec<Text<'_>> = before.iter().map(|(text, _)| *text).collect();
        with_instead(found, (older, newer), subject, &lost)
    });
    findings.say_about(&key, || about((older, newer), subject, before, None));
}

/// The names of both releases in messages: of two states of one release, the places show which is which.
pub(super) fn names_of([older, newer]: [&Release; 2]) -> [String; 2] {
    let (before, after) = (&older.name, &newer.name);
    if before == after {
        [format!("the original {before}"), format!("the changed {after}")]
    } else {
        [before.clone(), after.clone()]
    }
}

/// The statement of the newer release that comes before one that only the older one has, at this place in it: what is missing
/// belongs after it. `None` if the older one starts its file.
pub(super) fn before_it(both: Both<'_, '_>, sorts: &[&str], at: Span) -> Option<Span> {
    kept_beside(both, sorts, at).filter(|(old, _)| old.start < at.start).max().map(|(_, place)| place)
}

/// The statement of the newer release that comes after it: what is missing belongs before it.
fn after_it(both: Both<'_, '_>, sorts: &[&str], at: Span) -> Option<Span> {
    kept_beside(both, sorts, at).filter(|(old, _)| old.start > at.start).min().map(|(_, place)| place)
}

/// The places, in both releases, of the statements in the older one's file that the newer one repeats.
fn kept_beside((older, newer): Both<'_, '_>, sorts: &[&str], at: Span) -> impl Iterator<Item = (Span, Span)> {
    let of_sorts = older.values.iter().filter(|(subject, _)| sorts.contains(&subject.0));
    of_sorts.flat_map(move |(subject, values)| {
        let own = values.iter().filter(move |(_, place)| place.file == at.file);
        own.filter_map(move |(text, place)| {
            let mut kept = newer.values.get(subject)?.iter();
            kept.find(|(other, _)| other == text).map(|(_, now)| (*place, *now))
        })
    })
}

/// Adds labels for statements of the newer release only that may replace the lost one: another name of the same
/// place, or a pair with one name in common.
fn with_instead(
    found: Diagnostic,
    (older, newer): Both<'_, '_>,
    (sort, name): &Subject<'_>,
    lost: &[Text<'_>],
) -> Diagnostic {
    let new = newer.values.iter().filter(|(other, _)| other.0 == *sort && !older.values.contains_key(*other));
    let mut instead: Vec<(Text<'_>, Span)> = new
        .filter(|(other, after)| {
            let same_value = lost.iter().any(|text| *text != Text::Nothing && after.has(*text));
            same_value || share_a_name(*name, other.1)
        })
        .filter_map(|(other, after)| Some((other.1, after.iter().next()?.1)))
        .collect();
    sort_by(&mut instead, Ord::cmp);
    let [_, newer_name] = names_of([older.release, newer.release]);
    instead.into_iter().take(3).fold(found, |found, (other, at)| {
        found.with_label(at, format!("{newer_name} has {sort} {other} instead"))
    })
}

fn share_a_name(one: Text<'_>, other: Text<'_>) -> bool {
    match (one, other) {
        (Text::Pair(a, b), Text::Pair(c, d)) => a == c || b == d,
        (Text::Dep(a, b), Text::Dep(c, d)) => a == c || b == d,
        (Text::NameAt(a, at), Text::NameAt(b, other_at)) => a == b || at == other_at,
        _ => false,
    }
}

/// The place of the first value that the other release does not have.
fn place_of(values: &Values<'_>, others: &Values<'_>) -> Option<Span> {
    let own = values.iter().find(|(text, _)| !others.has(*text));
    own.or_else(|| values.iter().next()).map(|(_, at)| *at)
}

fn joined(values: &Values<'_>) -> String {
    let mut shown: Vec<String> = values.iter().map(|(text, _)| text.to_string()).collect();
    sort_by(&mut shown, Ord::cmp);
    shown.join(" ")
}

/// The values that the other release does not have; `-` if it has all.
fn without(values: &Values<'_>, others: &Values<'_>) -> String {
    let lost = values.iter().filter(|(text, _)| !others.has(*text));
    let mut shown: Vec<String> = lost.map(|(text, _)| text.to_string()).collect();
    sort_by(&mut shown, Ord::cmp);
    if shown.is_empty() { "-".to_owned() } else { shown.join(" ") }
}

/// What a statement says now, and what it said before; `[left, right]` are its values in the key.
fn change_of<'s>(
    (older, newer): (&'s Statements<'_>, &'s Statements<'_>),
    (sort, name): &Subject<'s>,
    (before, after): (&Values<'_>, &Values<'_>),
    [left, right]: &[&str; 2],
) -> (String, String) {
    let shown = format!("{sort} {name}");
    let sides = [(before, after, older), (after, before, newer)];
    if guest_statements::SETS.contains(sort) {
        let [lost, gained] = sides.map(|(own, others, statements)| bits_without(own, others, statements));
        return (format!("{shown}{}", loses_and_gains(&lost, &gained)), "compared with this".to_owned());
    }
    let change = match *name {
        Text::Mask(word, _) => {
            let [lost, gained] = sides.map(|(own, others, statements)| {
                let mask = union_of(own) & !union_of(others);
                bit_names::names(mask, |bit| name_of(statements, word, Bit(bit)))
            });
            format!("{}: it", loses_and_gains(&lost, &gained))
        }
        _ => String::new(),
    };
    (format!("{shown}{change} is {right}"), format!("but was {left}"))
}

/// ` loses A and gains B`, where one of them can be empty.
fn loses_and_gains(lost: &str, gained: &str) -> String {
    match (lost.is_empty(), gained.is_empty()) {
        (false, true) => format!(" loses {lost}"),
        (true, false) => format!(" gains {gained}"),
        _ => format!(" loses {lost} and gains {gained}"),
    }
}

/// The bits that the other release does not have, with their names.
fn bits_without(values: &Values<'_>, others: &Values<'_>, statements: &Statements<'_>) -> String {
    let own = values.iter().filter(|(text, _)| !others.has(*text));
    let mut shown: Vec<String> = own
        .map(|(text, _)| match *text {
            Text::BitOf(word, bit) => {
                name_of(statements, word, bit).map_or(text.to_string(), |name| format!("`{name}` ({text})"))
            }
            _ => text.to_string(),
        })
        .collect();
    sort_by(&mut shown, Ord::cmp);
    shown.join(", ")
}

/// The name of a bit of a feature word.
fn name_of<'s>(statements: &'s Statements<'_>, word: &'s str, bit: Bit) -> Option<&'s str> {
    let mut values = statements.values.get(&("qemu-bit", Text::BitOf(word, bit)))?.iter();
    values.find_map(|(value, _)| if let Text::Name(name) = value { Some(*name) } else { None })
}

/// The bits that a change of a mask takes from users. A project adds bits to what TCG emulates and to what can migrate as it
/// learns about features; a mask of what cannot migrate, or is not enabled by itself, takes what it gains.
fn withheld(kind: MaskKind, before: &Values<'_>, after: &Values<'_>) -> u64 {
    let (before, after) = (union_of(before), union_of(after));
    match kind {
        MaskKind::Tcg | MaskKind::Migratable => before & !after,
        MaskKind::Unmigratable | MaskKind::NoAutoenable => before ^ after,
    }
}

fn union_of(values: &Values<'_>) -> u64 {
    values.iter().fold(0, |all, (text, _)| match text {
        Text::Hex(mask) => all | mask,
        _ => all,
    })
}
