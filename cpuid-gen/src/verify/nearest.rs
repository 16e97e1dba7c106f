//! Compares the names of a release that is not pinned with those of the pinned release next to it.
//!
//! A name is misspelled if it differs in one letter from the name of the same place in the next newer pinned release, or
//! in the newest. A bit lost its name if the newest pinned release, or an older one of the same series, has one. Between two
//! pinned releases this cannot be seen: a point release of an older series can have bits that came later. What guests rely on
//! is compared with the pinned release before, and a tree of a pinned release with all that the release states.

use super::finding::Findings;
use super::fold::fold;
use super::guest_statements;
use super::history;
use super::key::{Key, Kind};
use super::release::Release;
use super::statements::{LOCATION, Statements, Text};
use super::word_moves;
use crate::diagnostic::Diagnostic;
use crate::hash::QuickMap;
use crate::source::Span;
use crate::vocabulary::release_order::ReleaseOrder;

/// Rows with a place and its names, and rows with a name and its place.
const OF_PLACES: [&str; 5] = [LOCATION, "qemu-bit", "cpuid-field", "leaf-field", "linux-flag"];
const OF_NAMES: [&str; 3] = ["linux-vmx", "linux-msr", "linux-bug"];

/// Rows that every later release repeats.
const LASTING: [&str; 2] = [LOCATION, "qemu-bit"];

/// Shorter names differ from each other in one letter.
const LONG_ENOUGH: usize = 5;

/// The names of each place: its kind of row and the place.
type Names<'s> = QuickMap<(&'static str, Text<'s>), Vec<(Text<'s>, Span)>>;

/// Compares one release with the pinned ones [around](crate::release::around) it.
pub(super) fn check(own: &Statements<'_>, pinned: &[Statements<'_>], findings: &mut Findings<'_>) {
    let order = |statements: &Statements<'_>| {
        ReleaseOrder::new(&statements.release.name).cmp(&ReleaseOrder::new(&own.release.name))
    };
    let older = pinned.iter().rfind(|other| order(other).is_le());
    let newer = pinned.iter().find(|other| order(other).is_ge());
    let Some(nearest) = newer.or(older) else { return };
    check_kept(own, older, findings);
    word_moves::check(nearest, own, findings);
    let names = names(own);
    check_spelling((own.release, &names), (nearest.release, &self::names(nearest)), findings);
    let lasting = |older: &&Statements<'_>| newer.is_none() || series(older) == series(own);
    if let Some(older) = older.filter(lasting) {
        check_lost((own, &names), (older, &self::names(older)), findings);
    }
}

/// A tree of a pinned release states all that the release states. Every later release states what guests rely on.
fn check_kept(own: &Statements<'_>, older: Option<&Statements<'_>>, findings: &mut Findings<'_>) {
    let Some(older) = older else { return };
    let is_same = older.release.name == own.release.name;
    let is_wanted = |sort: &str| is_same || guest_statements::SORTS.contains(&sort);
    history::compare((older, own), is_wanted, findings);
}

/// The first two numbers of a release.
fn series<'s>(statements: &'s Statements<'_>) -> Vec<&'s str> {
    statements.release.name.split(['.', '-']).take(2).collect()
}

fn names<'s>(statements: &'s Statements<'_>) -> Names<'s> {
    let mut names: Names<'s> = QuickMap::default();
    for (&(sort, subject), values) in &statements.values {
        for &(value, at) in values.iter() {
            if OF_PLACES.contains(&sort) {
                names.entry((sort, subject)).or_default().push((value, at));
            } else if OF_NAMES.contains(&sort) {
                names.entry((sort, value)).or_default().push((subject, at));
            }
        }
    }
    names
}

fn check_spelling(
    (release, own): (&Release, &Names<'_>),
    (other, near): (&Release, &Names<'_>),
    findings: &mut Findings<'_>,
) {
    for ((sort, place), names) in own {
        let Some(known) = near.get(&(*sort, *place)) else { continue };
        let is_known = |name: &Text<'_>| known.iter().any(|(known, _)| known == name);
        for (name, at) in names.iter().filter(|(name, _)| !is_known(name)) {
            let text = name.to_string();
            let lost = known.iter().filter(|(known, _)| !names.iter().any(|(own, _)| own == known));
            let Some((right, right_at)) =
                lost.into_iter().find(|(known, _)| is_slip(&text, &known.to_string()))
            else {
                continue;
            };
            let key = Key::new(Kind::Misspelled, place.to_string(), &text, right.to_string());
            findings.add(key, &[release], || {
                Diagnostic::error(*at, format!("`{text}` ({place}) is spelled `{right}` in {}", other.name))
                    .with_label(*right_at, "there")
            });
        }
    }
}

fn check_lost(
    (own, names): (&Statements<'_>, &Names<'_>),
    (older, before): (&Statements<'_>, &Names<'_>),
    findings: &mut Findings<'_>,
) {
    let lasting = before.iter().filter(|((sort, _), _)| LASTING.contains(sort));
    for ((sort, place), known) in lasting.filter(|(key, _)| !names.contains_key(*key)) {
        let shown = known.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ");
        findings.add(Key::new(Kind::NameLost, place.to_string(), &shown, "-"), &[own.release], || {
            let (name, there) = known[0];
            let [older_name, own_name] = history::names_of([older.release, own.release]);
            let message = format!("{place} has no name in {own_name}, but `{shown}` in {older_name}");
            // The name may be elsewhere now; otherwise the bit belongs after the one before it.
            let mut elsewhere =
                names.iter().filter(|((other, _), _)| other == sort).flat_map(|(key, values)| {
                    values.iter().filter(|(value, _)| *value == name).map(|(_, at)| (key.1, *at))
                });
            match elsewhere.next() {
                Some((now, at)) => Diagnostic::error(at, message)
                    .with_label(there, "there")
                    .with_help(format!("`{name}` is {now} here")),
                None => {
                    let at = history::before_it((older, own), &[*sort], there).unwrap_or(own.at);
                    Diagnostic::error(at, message).with_label(there, "there")
                }
            }
        });
    }
}

/// True if two names differ in one letter: another, one more, one less, or two in the wrong order.
fn is_slip(one: &str, other: &str) -> bool {
    let words = |name: &str| name.split(['-', '_', '.']).count();
    if words(one) != words(other) {
        return false;
    }
    let (one, other) = (fold(one).into_bytes(), fold(other).into_bytes());
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    if short.len() < LONG_ENOUGH || long.len() - short.len() > 1 {
        return false;
    }
    let start = short.iter().zip(long.iter()).take_while(|(a, b)| a == b).count();
    let (short, long) = (&short[start..], &long[start..]);
    let letters = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_alphabetic);
    match (short, long) {
        (_, [extra, rest @ ..]) if short.len() < long.len() => letters(&[*extra]) && rest == short,
        ([a, b, rest @ ..], [c, d, others @ ..]) if a == d && b == c && rest == others => letters(&[*a, *b]),
        ([a, rest @ ..], [b, others @ ..]) => letters(&[*a, *b]) && rest == others,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn one_letter_is_a_slip_and_a_digit_is_not() {
        for (wrong, right) in [
            ("HWP_NOITFY", "HWP_NOTIFY"),
            ("CLFLSH", "CLFLUSH"),
            ("avx512vbmii", "avx512vbmi"),
            ("srdbs", "srbds"),
        ] {
            assert!(is_slip(wrong, right) && is_slip(right, wrong), "{wrong}");
        }
        for (one, other) in [
            ("sse4_1", "sse4_2"),
            ("clocksource", "clocksource2"),
            ("svm", "sev"),
            ("basefamily", "e_base_family"),
            ("avx512bw", "avx512vl"),
            ("same_name", "same-name"),
        ] {
            assert!(!is_slip(one, other), "{one}");
        }
    }
}
