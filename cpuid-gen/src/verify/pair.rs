//! Compares one Linux release with one QEMU release: words and bits at the same hardware locations.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::{LinuxIndex, LinuxName};
use super::qemu::{QemuIndex, QemuName};
use super::release::Release;
use super::report::{Counts, OneSidedBit, OneSidedWord, Pair, Side};
use crate::diagnostic::Diagnostic;
use crate::location::{CpuidWord, Location};
use crate::ordered::sort_by;

/// Compares the two.
pub(super) fn check(linux: &LinuxIndex<'_>, qemu: &QemuIndex<'_>, findings: &mut Findings<'_>) -> Pair {
    let mut pair = Pair {
        linux: linux.facts.release.clone(),
        qemu: qemu.facts.release.clone(),
        counts: Counts::default(),
        words: Vec::new(),
        bits: Vec::new(),
    };
    check_words(linux, qemu, findings, &mut pair);
    for (&location, names) in &linux.bits {
        match qemu.bits.get(&location) {
            Some(name) => check_bit(linux, qemu, (location, names, name), findings, &mut pair.counts),
            None => pair.bits.push(OneSidedBit { location, side: Side::Linux, name: joined(names) }),
        }
    }
    for (&location, name) in &qemu.bits {
        if !linux.bits.contains_key(&location) {
            pair.bits.push(OneSidedBit { location, side: Side::Qemu, name: name.bit.name.clone() });
        }
        check_elsewhere(linux, qemu, (location, name), findings);
    }
    sort_by(&mut pair.bits, |a, b| (a.location, a.side).cmp(&(b.location, b.side)));
    pair.count_one_sided();
    pair
}

fn check_words(linux: &LinuxIndex<'_>, qemu: &QemuIndex<'_>, findings: &mut Findings<'_>, pair: &mut Pair) {
    let releases = [&linux.release, &qemu.release];
    let last_of_qemu = qemu.facts.words.last().map_or(qemu.facts.at, |word| word.at);
    let last_of_linux = linux.facts.words.last().map_or(linux.facts.at, |word| word.at);
    for (&location, word) in &linux.rows.registers {
        if qemu.rows.registers.contains_key(&location) {
            pair.counts.words_both += 1;
            continue;
        }
        pair.words.push(OneSidedWord { location, side: Side::Linux, name: word.name.clone() });
        let key = Key::new(Kind::WordOneSided, location.to_string(), &word.name, "-");
        findings.add(key, &releases, || {
            one_sided(location, &word.name, word.at)
                .with_label(last_of_qemu, "QEMU has no FeatureWord for it; this is its last one")
        });
    }
    for (&location, word) in &qemu.rows.registers {
        if linux.rows.registers.contains_key(&location) {
            continue;
        }
        pair.words.push(OneSidedWord { location, side: Side::Qemu, name: word.name.clone() });
        let key = Key::new(Kind::WordOneSided, location.to_string(), "-", &word.name);
        findings.add(key, &releases, || {
            one_sided(location, &word.name, word.at)
                .with_label(last_of_linux, "Linux has no word for it; this is its last one")
        });
    }
    sort_by(&mut pair.words, |a, b| (a.location, a.side).cmp(&(b.location, b.side)));
}

fn one_sided(location: CpuidWord, name: &str, at: crate::source::Span) -> Diagnostic {
    Diagnostic::error(at, format!("{location} is `{name}` here, but not a word of the other project"))
}

/// Linux's names of a bit, as in keys.
pub(super) fn joined(names: &[LinuxName<'_>]) -> String {
    names.iter().map(|name| name.name).collect::<Vec<_>>().join(",")
}

type BothNames<'n, 'a> = (Location, &'n [LinuxName<'a>], &'n QemuName<'a>);

fn check_bit(
    linux: &LinuxIndex<'_>,
    qemu: &QemuIndex<'_>,
    (location, names, other): BothNames<'_, '_>,
    findings: &mut Findings<'_>,
    counts: &mut Counts,
) {
    if names.iter().flat_map(|name| &name.folded).any(|name| other.folded.contains(name)) {
        counts.bits_same_name += 1;
        return;
    }
    let (left, right) = (joined(names), &other.bit.name);
    let key = Key::new(Kind::BitName, location.to_string(), &left, right);
    let releases: [&Release; 2] = [&linux.release, &qemu.release];
    let explained = findings.add(key, &releases, || {
        let at = names.first().map_or(linux.facts.at, |name| name.at);
        Diagnostic::error(at, format!("{location} is `{left}` in Linux"))
            .with_label(other.bit.at, format!("and `{right}` in QEMU"))
    });
    if explained {
        counts.bits_explained += 1;
    } else {
        counts.bits_conflicting += 1;
    }
}

/// Checks that a name in both projects has the same place.
fn check_elsewhere(
    linux: &LinuxIndex<'_>,
    qemu: &QemuIndex<'_>,
    (location, name): (Location, &QemuName<'_>),
    findings: &mut Findings<'_>,
) {
    for folded in &name.folded {
        let Some(places) = linux.by_name.get(folded) else {
            continue;
        };
        if places.iter().any(|(place, _)| *place == location) {
            continue;
        }
        for (place, at) in places {
            let (left, right) = (place.to_string(), location.to_string());
            let key = Key::new(Kind::NameElsewhere, &name.bit.name, &left, &right);
            findings.add(key, &[&linux.release, &qemu.release], || {
                Diagnostic::error(*at, format!("`{}` is {left} in Linux", name.bit.name))
                    .with_label(name.bit.at, format!("and {right} in QEMU"))
            });
        }
    }
}
