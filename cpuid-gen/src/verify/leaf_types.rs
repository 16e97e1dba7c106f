//! Compares the structures of leaf_types.h with cpuid.csv and with the names of features in the same release.
//!
//! Both files are generated from one database, so that their places must be the same. Their names need not be: a field
//! has the name of cpuid.csv, of the feature, or one that the differences explain.

use super::finding::Findings;
use super::fold::fold;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::CpuidField;
use crate::location::Leaf;
use crate::ordered::Map;

/// Runs the checks.
pub(super) fn check(linux: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let (types, rows) = (by_leaf(&linux.facts.leaf_fields), by_leaf(&linux.facts.cpuid_fields));
    for field in &linux.facts.leaf_fields {
        let described = rows.get(&field.leaf).map_or(&[][..], Vec::as_slice);
        let shared: Vec<&CpuidField> = described.iter().copied().filter(|row| share(row, field)).collect();
        match shared.as_slice() {
            [row] if row.place() == field.place() => check_name(linux, field, row, findings),
            [] if described.is_empty() => {}
            other => add_place(linux, field, other.first().copied(), findings),
        }
    }
    for row in &linux.facts.cpuid_fields {
        let here = types.get(&row.leaf).map_or(&[][..], Vec::as_slice);
        let has_type = here.iter().any(|field| subleafs(row, field));
        if has_type && !here.iter().any(|field| share(row, field)) {
            add_place(linux, row, None, findings);
        }
    }
}

fn by_leaf(fields: &[CpuidField]) -> Map<Leaf, Vec<&CpuidField>> {
    let mut map: Map<Leaf, Vec<&CpuidField>> = Map::new();
    for field in fields {
        map.or_default(field.leaf).push(field);
    }
    map
}

fn subleafs(one: &CpuidField, other: &CpuidField) -> bool {
    one.first <= other.last && other.first <= one.last
}

/// True if the fields have a bit in common.
fn share(one: &CpuidField, other: &CpuidField) -> bool {
    (one.leaf, one.register) == (other.leaf, other.register)
        && subleafs(one, other)
        && one.low <= other.high
        && other.low <= one.high
}

fn check_name(linux: &LinuxIndex<'_>, field: &CpuidField, row: &CpuidField, findings: &mut Findings<'_>) {
    let own = fold(&field.name);
    let feature = linux.bits.get(&field.word().bit(field.low)).filter(|_| field.low == field.high);
    let of_feature = feature.into_iter().flatten().any(|name| name.folded.contains(&own));
    if own == fold(&row.name) || of_feature {
        return;
    }
    let place = field.place().to_string();
    findings.add(Key::new(Kind::LeafTypeName, &place, &field.name, &row.name), &[&linux.release], || {
        Diagnostic::error(field.at, format!("{place} is `{}` in leaf_types.h", field.name))
            .with_label(row.at, format!("and `{}` in cpuid.csv", row.name))
    });
}

fn add_place(
    linux: &LinuxIndex<'_>,
    field: &CpuidField,
    other: Option<&CpuidField>,
    findings: &mut Findings<'_>,
) {
    let place = field.place().to_string();
    let right = other.map_or("-".to_owned(), |other| other.place().to_string());
    findings.add(Key::new(Kind::LeafTypePlace, &field.name, &place, &right), &[&linux.release], || {
        let found = Diagnostic::error(field.at, format!("`{}` is {place} here", field.name));
        match other {
            Some(other) => {
                found.with_label(other.at, format!("but cpuid.csv has `{}` at {right}", other.name))
            }
            None => found.with_help("leaf_types.h and cpuid.csv have the same fields, by leaf"),
        }
    });
}
