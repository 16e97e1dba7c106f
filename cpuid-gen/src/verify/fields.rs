//! Compares kcpuid's cpuid.csv with the names of features in Linux and QEMU.
//!
//! Linux's macros and flags are compared with the file of the same release. QEMU's names are only used where Linux
//! has none, since a difference between the two projects is already a finding.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::{LinuxIndex, LinuxName};
use super::pair::joined;
use super::qemu::QemuIndex;
use super::release::Release;
use super::twice::check_repeated;
use crate::diagnostic::Diagnostic;
use crate::facts::CpuidField;
use crate::location::{Bit, CpuidWord, Location, Register};
use crate::ordered::Map;
use crate::source::Span;

/// Compares the fields with each other and with Linux's own names.
pub(super) fn check(linux: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let fields = &linux.facts.cpuid_fields;
    let rows = fields.iter().map(|field| ((field.place(), &field.name), field.at));
    check_repeated(findings, &linux.release, rows, |(place, name)| format!("cpuid-field {place} {name}"));
    check_overlaps(linux, findings);
    let releases = [&linux.release];
    for (field, folded) in &linux.fields {
        for (location, names) in within(&linux.bits, field) {
            let theirs = names.iter().flat_map(|name| &name.folded);
            let other =
                Other { name: joined_or_one(names), at: names.first().map_or(field.at, |name| name.at) };
            check_names((field, folded), location, theirs, other, (&releases, "Linux"), findings);
        }
        if let Some(places) = linux.by_name.get(folded) {
            check_elsewhere(field, places, (&releases, "Linux"), findings);
        }
    }
}

/// Compares the fields with QEMU's names of bits that Linux does not name.
pub(super) fn check_pair(linux: &LinuxIndex<'_>, qemu: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let releases = [&linux.release, &qemu.release];
    for (field, folded) in &linux.fields {
        for (location, name) in within(&qemu.bits, field) {
            if !linux.bits.contains_key(&location) {
                let other = Other { name: Cow::Borrowed(&name.bit.name), at: name.bit.at };
                let theirs = name.folded.iter();
                check_names((field, folded), location, theirs, other, (&releases, "QEMU"), findings);
            }
        }
        if linux.by_name.contains_key(folded) {
            continue;
        }
        if let Some(places) = qemu.by_name.get(folded.as_str()) {
            check_elsewhere(field, places, (&releases, "QEMU"), findings);
        }
    }
}

/// The other side of a finding.
struct Other<'n> {
    name: Cow<'n, str>,
    at: Span,
}

fn joined_or_one<'n>(names: &'n [LinuxName<'_>]) -> Cow<'n, str> {
    match names {
        [one] => Cow::Borrowed(one.name),
        several => Cow::Owned(joined(several)),
    }
}

/// The release of a finding, and the project on the other side.
type Sides<'r> = (&'r [&'r Release], &'static str);

fn shown(field: &CpuidField) -> String {
    field.place().to_string()
}

fn is_one_bit(field: &CpuidField) -> bool {
    field.low == field.high
}

/// The bits of a map that a field covers.
fn within<'m, T>(
    bits: &'m Map<Location, T>,
    field: &CpuidField,
) -> impl Iterator<Item = (Location, &'m T)> + use<'m, T> {
    let (register, low, high) = (field.register, field.low, field.high);
    let found = bits.range(&span_of(field)).map(|(location, value)| (*location, value));
    found.filter(move |(at, _)| at.word.register == register && low <= at.bit && at.bit <= high)
}

/// The range from the first bit of a field to the last; it includes other bits if the field has several subleaves.
fn span_of(field: &CpuidField) -> RangeInclusive<Location> {
    let at = |subleaf, bit| {
        let word = CpuidWord { leaf: field.leaf, subleaf, register: field.register };
        Location { word, bit }
    };
    at(field.first, field.low)..=at(field.last, field.high)
}

fn covers(field: &CpuidField, place: Location) -> bool {
    let subleafs = field.first <= place.word.subleaf && place.word.subleaf <= field.last;
    let register = (field.leaf, field.register) == (place.word.leaf, place.word.register);
    subleafs && register && field.low <= place.bit && place.bit <= field.high
}

/// Checks that a field of one bit has the feature's name, and that one of several bits contains no feature.
fn check_names<'n>(
    (field, folded): (&CpuidField, &String),
    location: Location,
    mut theirs: impl Iterator<Item = &'n String>,
    other: Other<'_>,
    (releases, project): Sides<'_>,
    findings: &mut Findings<'_>,
) {
    if !is_one_bit(field) {
        let left = format!("{} {}:{}", field.name, field.high.0, field.low.0);
        let key = Key::new(Kind::FieldWide, location.to_string(), &left, &*other.name);
        findings.add(key, releases, || {
            let message = format!("`{}` contains {location} and other bits", field.name);
            Diagnostic::error(field.at, message)
                .with_label(other.at, format!("which is the feature `{}` in {project}", other.name))
        });
        return;
    }
    if theirs.any(|name| name == folded) {
        return;
    }
    let key = Key::new(Kind::FieldName, location.to_string(), &field.name, &*other.name);
    findings.add(key, releases, || {
        Diagnostic::error(field.at, format!("{location} is `{}` in cpuid.csv", field.name))
            .with_label(other.at, format!("and `{}` in {project}", other.name))
    });
}

/// Checks that a field of one bit with a feature's name is at the feature's place.
fn check_elsewhere(
    field: &CpuidField,
    places: &[(Location, Span)],
    (releases, project): Sides<'_>,
    findings: &mut Findings<'_>,
) {
    if !is_one_bit(field) || places.iter().any(|(place, _)| covers(field, *place)) {
        return;
    }
    for (place, at) in places {
        let (left, right) = (shown(field), place.to_string());
        let key = Key::new(Kind::FieldElsewhere, &field.name, &left, &right);
        findings.add(key, releases, || {
            Diagnostic::error(field.at, format!("`{}` is {left} in cpuid.csv", field.name))
                .with_label(*at, format!("and {right} in {project}"))
        });
    }
}

/// Checks that no two fields of one register share a bit, in any subleaf.
fn check_overlaps(linux: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let mut by_register: Map<(u32, Register), Vec<&CpuidField>> = Map::new();
    for field in &linux.facts.cpuid_fields {
        let earlier = by_register.or_default((field.leaf.0, field.register));
        for other in earlier.iter().filter(|other| overlap(other, field)) {
            let (left, right) = (format!("{} {}", shown(other), other.name), &field.name);
            let key = Key::new(Kind::FieldOverlap, shown(field), &left, right);
            findings.add(key, &[&linux.release], || {
                Diagnostic::error(field.at, format!("{} is `{right}`", shown(field)))
                    .with_label(other.at, format!("and shares bits with `{}`", other.name))
            });
        }
        earlier.push(field);
    }
}

fn overlap(one: &CpuidField, other: &CpuidField) -> bool {
    let apart = |(a, b): (Bit, Bit), (c, d): (Bit, Bit)| b < c || d < a;
    let subleafs = one.first <= other.last && other.first <= one.last;
    let same = (one.first, one.last, one.low, one.high) == (other.first, other.last, other.low, other.high);
    let twice = same && one.name == other.name;
    subleafs && !apart((one.low, one.high), (other.low, other.high)) && !twice
}
