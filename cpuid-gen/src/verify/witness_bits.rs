//! Compares the names of bits in Linux, QEMU and the witnesses.
//!
//! Different names of one bit are normal. Two things are not: a name that is at different bits in different projects, and
//! two names of one bit that differ in a word although both projects use both words elsewhere (INVEPT and INVVPID). cpuid.csv
//! only supports the claims of others: its own names are compared within its release.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use super::release::Release;
use super::witnesses::WitnessIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::BitPlace;
use crate::hash::QuickMap;
use crate::location::WordSource;
use crate::ordered::{Map, Set, sort_by};
use crate::source::Span;

/// The project of cpuid.csv's names.
const CSV: &str = "cpuid.csv";

/// A project's name of a bit.
#[derive(Clone, Copy)]
struct Claim<'i> {
    project: &'static str,
    release: &'i Release,
    name: &'i str,
    place: BitPlace,
    at: Span,
}

/// Claims by folded name.
type ByName<'i> = QuickMap<&'i str, Vec<Claim<'i>>>;

/// Runs both checks.
pub(super) fn check(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    witnesses: &[WitnessIndex<'_>],
    findings: &mut Findings<'_>,
) {
    if witnesses.is_empty() {
        return;
    }
    let mut all = ByName::default();
    linux.iter().for_each(|index| of_linux(index, &mut all));
    qemu.iter().for_each(|index| of_qemu(index, &mut all));
    for index in witnesses {
        for (bit, folded) in &index.bits {
            let claim = Claim {
                project: index.release.project,
                release: &index.release,
                name: &bit.name,
                place: bit.place,
                at: bit.at,
            };
            all.entry(folded).or_default().push(claim);
        }
    }
    // In order, since several names can lead to one finding.
    let mut names: Vec<_> = all.iter().filter(|(_, claims)| claims.len() > 1).collect();
    sort_by(&mut names, |(a, _), (b, _)| a.cmp(b));
    for (name, claims) in names {
        check_places(name, claims, findings);
    }
    check_words(&all, findings);
}

fn of_linux<'i>(index: &'i LinuxIndex<'_>, all: &mut ByName<'i>) {
    let claim = |name, place, at| Claim { project: "Linux", release: &index.release, name, place, at };
    for (&location, names) in &index.bits {
        for name in names {
            for folded in &name.folded {
                let own = claim(name.name, BitPlace::Cpuid(location), name.at);
                all.entry(folded).or_default().push(own);
            }
        }
    }
    for (bit, folded) in &index.msr_bits {
        let own = claim(&bit.name, BitPlace::Msr(bit.msr.bit(bit.bit)), bit.at);
        all.entry(folded).or_default().push(own);
    }
    for (field, folded) in index.fields.iter().filter(|(field, _)| field.low == field.high) {
        let place = BitPlace::Cpuid(field.word().bit(field.low));
        let own = Claim { project: CSV, ..claim(&field.name, place, field.at) };
        all.entry(folded).or_default().push(own);
    }
}

fn of_qemu<'i>(index: &'i QemuIndex<'_>, all: &mut ByName<'i>) {
    let cpuid = index.bits.iter().map(|(location, name)| (BitPlace::Cpuid(*location), name));
    let msr = index.msr_bits.iter().map(|((msr, bit), name)| (BitPlace::Msr(msr.bit(*bit)), name));
    for (place, name) in cpuid.chain(msr) {
        for folded in &name.folded {
            let (release, name, at) = (&index.release, name.bit.name.as_str(), name.bit.at);
            all.entry(folded).or_default().push(Claim { project: "QEMU", release, name, place, at });
        }
    }
}

/// Reports the places of a name that fewer projects have than another place.
fn check_places(name: &str, claims: &[Claim<'_>], findings: &mut Findings<'_>) {
    if claims.iter().all(|claim| claim.place == claims[0].place) {
        return;
    }
    let mut places: Map<BitPlace, Vec<&Claim<'_>>> = Map::new();
    for claim in claims {
        places.or_default(claim.place).push(claim);
    }
    let projects =
        |claims: &[&Claim<'_>]| -> Set<&'static str> { claims.iter().map(|claim| claim.project).collect() };
    for (place, own) in &places {
        let mine = projects(own);
        if mine.iter().all(|project| *project == CSV) {
            continue;
        }
        // The place that most others have; of two such places the first.
        let others = places.iter().filter(|(other, _)| *other != place);
        let apart =
            others.filter(|(_, claims)| !projects(claims).iter().any(|project| mine.contains(project)));
        let weight = |claims: &[&Claim<'_>]| projects(claims).len();
        let Some((other, theirs)) = apart.rev().max_by_key(|(_, claims)| weight(claims)) else { continue };
        let weaker = weight(own) < weight(theirs) || (weight(own) == weight(theirs) && place > other);
        let Some(first) = own.iter().find(|claim| claim.project != CSV).filter(|_| weaker) else { continue };
        let releases: Vec<&Release> = own.iter().map(|claim| claim.release).collect();
        let (here, there) = (place.to_string(), other.to_string());
        // Which place has more projects depends on the releases; a row holds for both orders.
        if findings.is_explained(&Key::new(Kind::BitElsewhere, name, &there, &here), &releases) {
            continue;
        }
        let key = Key::new(Kind::BitElsewhere, name, here, there);
        findings.add(key, &releases, || {
            let list = |all: Set<&'static str>| all.into_iter().collect::<Vec<_>>().join(", ");
            let found = Diagnostic::error(first.at, format!("`{}` is {place} in {}", first.name, list(mine)));
            theirs.iter().take(1).fold(found, |found, claim| {
                found.with_label(claim.at, format!("and {other} in {}", list(projects(theirs))))
            })
        });
    }
}

/// The words of a name: `invept`, `single`, `context`.
fn words(name: &str) -> Set<String> {
    let words = name.split(['-', '_', '.', ' ']).filter(|word| word.len() > 2);
    words.map(str::to_ascii_lowercase).collect()
}

/// A claim, its folded name and its words.
type Worded<'c, 'i> = (&'c Claim<'i>, &'i str, Set<String>);

/// Reports two names of one bit that differ in a word, if both projects use both words in this register.
fn check_words(all: &ByName<'_>, findings: &mut Findings<'_>) {
    let mut by_source: Map<WordSource, Vec<Worded<'_, '_>>> = Map::new();
    for (&folded, claims) in all {
        for claim in claims.iter().filter(|claim| claim.project != CSV) {
            let own = by_source.or_default(claim.place.split().0);
            own.push((claim, folded, words(claim.name)));
        }
    }
    for claims in by_source.values_mut() {
        sort_by(claims, |(a, left, _), (b, right, _)| {
            (a.place, a.release, a.name, left).cmp(&(b.place, b.release, b.name, right))
        });
        let mut known: Map<&'static str, Set<&str>> = Map::new();
        for (claim, _, words) in claims.iter() {
            known.or_default(claim.project).extend(words.iter().map(String::as_str));
        }
        for (index, one) in claims.iter().enumerate() {
            let same_bit = claims[index + 1..].iter().take_while(|other| other.0.place == one.0.place);
            for other in same_bit.filter(|other| other.0.project != one.0.project && other.1 != one.1) {
                check_pair(one, other, &known, findings);
            }
        }
    }
}

fn check_pair(
    (one, _, mine): &Worded<'_, '_>,
    (other, _, theirs): &Worded<'_, '_>,
    known: &Map<&'static str, Set<&str>>,
    findings: &mut Findings<'_>,
) {
    let both_know =
        |word: &&String| [one, other].iter().all(|claim| known[claim.project].contains(word.as_str()));
    let left = mine.difference(theirs).find(both_know);
    let right = theirs.difference(mine).find(both_know);
    let (Some(left), Some(right)) = (left, right) else { return };
    let key = Key::new(Kind::BitWord, one.place.to_string(), one.name, other.name);
    findings.add(key, &[one.release, other.release], || {
        let message = format!("{} is `{}` in {}", one.place, one.name, one.project);
        Diagnostic::error(one.at, message)
            .with_label(other.at, format!("and `{}` in {}", other.name, other.project))
            .with_help(format!("both projects know `{left}` and `{right}` in this register"))
    });
}
