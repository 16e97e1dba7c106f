//! Bit fields of CPUID's leaves, from kcpuid's `cpuid.csv` (tools/arch/x86/kcpuid in a Linux tree).
//!
//! The newest release with the file determines the fields, their subleaves and their names. The file describes
//! processors, not the kernel, so a difference from an older file is a correction. (6.1 has the number of fixed
//! counters in 0xA.ECX; it is in EDX.) Older releases only contribute names of the same field: the same bits of the
//! same register of the same leaf, with a common subleaf.
//!
//! Invariants: fields ascend by leaf, subleaves, register and bits; no two share a bit of a subleaf; a bit that is a
//! [`Feature`] in each of its subleaves is not a field; constants' names are Rust identifiers, unique within a leaf,
//! and never `ALL`, the list of a leaf's fields. Names in capitals cannot be keywords.

use super::types::{Feature, Field};
use super::{field_constants as constants, release};
use crate::diagnostic::Diagnostics;
use crate::facts::{CpuidField, LinuxFacts};
use crate::location::{Bit, CpuidWord, FieldPlace, Leaf, Location, Register, Subleaf};
use crate::ordered::{Map, sort_by};
use crate::published::{Published, PublishedBit, PublishedConstant};

/// The fields of releases in ascending order, and the published constants of no field.
pub(super) fn merge(
    linux: &[&LinuxFacts],
    features: &[Feature],
    published: &Published,
    diagnostics: &mut Diagnostics,
) -> (Vec<Field>, Vec<PublishedConstant>) {
    let newest = linux.iter().rev().find(|facts| !facts.cpuid_fields.is_empty());
    // Newer versions of cpuid.csv are more correct, so one older than the published list is ignored.
    let newest = newest.filter(|facts| !release::is_older(&facts.release, &published.linux));
    let rows = match newest {
        Some(facts) => apart(&facts.cpuid_fields, diagnostics),
        None => published.constants.iter().filter_map(described).collect(),
    };
    let mut fields: Vec<Field> = rows
        .into_iter()
        .filter(|(place, _)| newest.is_none() || !is_feature(place, features))
        .map(|(place, name)| Field { constant: String::new(), name, place, linux: Vec::new() })
        .collect();
    // A place is ordered by leaf, subleaves, register and bits.
    sort_by(&mut fields, |a, b| a.place.cmp(&b.place));
    for facts in linux {
        name(&mut fields, facts);
    }
    let former = constants::name(&mut fields, published);
    (fields, former)
}

/// Place and name of a published field that is not deprecated.
fn described(constant: &PublishedConstant) -> Option<(FieldPlace, String)> {
    match &constant.bit {
        PublishedBit::Field(place, name) if constant.successor.is_none() => Some((*place, name.clone())),
        _ => None,
    }
}

/// True if the field is one bit that is a feature in each of its subleaves.
fn is_feature(place: &FieldPlace, features: &[Feature]) -> bool {
    let known = |subleaf| {
        let word = CpuidWord { leaf: place.leaf, subleaf: Subleaf(subleaf), register: place.register };
        let location = Location { word, bit: place.low };
        features.binary_search_by(|feature| feature.location.cmp(&location)).is_ok()
    };
    place.low == place.high && (place.first.0..=place.last.0).all(known)
}

/// The rows that do not overlap an earlier one.
fn apart(rows: &[CpuidField], diagnostics: &mut Diagnostics) -> Vec<(FieldPlace, String)> {
    let mut registers: Map<(Leaf, Register), Vec<&CpuidField>> = Map::new();
    for row in rows {
        let kept = registers.or_default((row.leaf, row.register));
        match kept.iter().find(|other| row.place().overlaps(&other.place())) {
            None => kept.push(row),
            Some(other) => {
                let message = format!("ignored `{}`: it shares bits with `{}`", row.name, other.name);
                diagnostics.warning(row.at, message);
            }
        }
    }
    registers.into_values().flatten().map(|row| (row.place(), row.name.clone())).collect()
}

/// Adds a release's name of each field.
fn name(fields: &mut [Field], facts: &LinuxFacts) {
    let mut named: Map<(Leaf, Register, Bit, Bit), Vec<&CpuidField>> = Map::new();
    for row in &facts.cpuid_fields {
        named.or_default((row.leaf, row.register, row.low, row.high)).push(row);
    }
    for field in fields {
        let FieldPlace { leaf, first, last, register, low, high } = field.place;
        let rows = named.get(&(leaf, register, low, high));
        let same = |row: &&&CpuidField| row.first <= last && first <= row.last;
        let row = rows.into_iter().flatten().find(same);
        field.linux.push(row.map(|row| row.name.clone()));
    }
}
