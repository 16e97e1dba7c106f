//! Bit fields of CPUID's leaves, by kcpuid's `cpuid.csv` (tools/arch/x86/kcpuid in a Linux tree).
//!
//! The newest release that has the file says which fields there are, for which subleaves, and what they are called: the
//! file describes processors, not the kernel, so what a later one says otherwise or no longer says was corrected. (6.1
//! counts fixed counters in 0xA.ECX; they stand in EDX.) Older releases only name the same field: the same bits of the
//! same register of the same leaf, with a subleaf in common.
//!
//! What always holds: fields ascend by leaf, subleaves, register and bits; no two have a bit of a subleaf in common; a
//! bit that is a [`Feature`] in each of its subleaves is no field; constants' names are Rust identifiers, unique within
//! a leaf, and never `ALL`, which is the list of a leaf's fields. A name in capitals is no reserved word.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::constants::settle_alike;
use super::{Feature, doubt};
use crate::diagnostic::Diagnostics;
use crate::facts::{CpuidField, LinuxFacts};
use crate::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf, hex};

/// A bit field of a leaf, where no [`Feature`] is all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The constant's name, unique within the leaf.
    pub constant: String,
    /// The short name of the newest release.
    pub name: String,
    /// Input EAX.
    pub leaf: Leaf,
    /// The first subleaf that has it.
    pub first: Subleaf,
    /// The last one.
    pub last: Subleaf,
    /// Which of the four.
    pub register: Register,
    /// Lowest bit.
    pub low: Bit,
    /// Highest bit, 31 at most.
    pub high: Bit,
    /// What each Linux release calls it, in the order of [`Model::linux`](super::Model::linux).
    pub linux: Vec<Option<String>>,
}

impl fmt::Display for Field {
    /// The manuals' notation: `CPUID.(EAX=4,ECX=0-31):EAX[4:0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CPUID.(EAX={},ECX={}", hex(self.leaf.0), self.first.0)?;
        if self.last > self.first {
            write!(f, "-{}", self.last.0)?;
        }
        write!(f, "):{}[{}", self.register, self.high.0)?;
        if self.high > self.low {
            write!(f, ":{}", self.low.0)?;
        }
        f.write_str("]")
    }
}

/// The fields of releases that ascend.
pub(super) fn merge(
    linux: &[&LinuxFacts],
    features: &[Feature],
    diagnostics: &mut Diagnostics,
) -> Vec<Field> {
    let newest = linux.iter().rev().find(|facts| !facts.cpuid_fields.is_empty());
    let rows = newest.into_iter().flat_map(|facts| &facts.cpuid_fields);
    let mut rows = apart(rows, diagnostics);
    rows.retain(|row| !is_feature(row, features));
    let mut fields: Vec<Field> = rows.into_iter().map(field).collect();
    fields.sort_by_key(|field| (field.leaf, field.first, field.last, field.register, field.low));
    for facts in linux {
        name(&mut fields, facts);
    }
    for leaf in fields.chunk_by_mut(|a, b| a.leaf == b.leaf) {
        constants(leaf);
    }
    fields
}

/// True when the row is one bit, and each of its subleaves has it as a feature.
fn is_feature(row: &CpuidField, features: &[Feature]) -> bool {
    let known = |subleaf| {
        let word = CpuidWord { leaf: row.leaf, subleaf: Subleaf(subleaf), register: row.register };
        let location = Location { word, bit: row.low };
        features.binary_search_by(|feature| feature.location.cmp(&location)).is_ok()
    };
    row.low == row.high && (row.first.0..=row.last.0).all(known)
}

/// The rows without those that overlap an earlier one.
fn apart<'a>(
    rows: impl Iterator<Item = &'a CpuidField>,
    diagnostics: &mut Diagnostics,
) -> Vec<&'a CpuidField> {
    let mut registers: BTreeMap<(Leaf, Register), Vec<&CpuidField>> = BTreeMap::new();
    for row in rows {
        let kept = registers.entry((row.leaf, row.register)).or_default();
        let overlaps = |other: &&&CpuidField| {
            let subleaves = row.first <= other.last && other.first <= row.last;
            subleaves && row.low <= other.high && other.low <= row.high
        };
        match kept.iter().find(overlaps) {
            None => kept.push(row),
            Some(other) => {
                let message =
                    format!("`{}` is left out: it has bits in common with `{}`", row.name, other.name);
                doubt(diagnostics, row.at, message);
            }
        }
    }
    registers.into_values().flatten().collect()
}

fn field(row: &CpuidField) -> Field {
    Field {
        constant: String::new(),
        name: row.name.clone(),
        leaf: row.leaf,
        first: row.first,
        last: row.last,
        register: row.register,
        low: row.low,
        high: row.high,
        linux: Vec::new(),
    }
}

/// Adds what a release calls each field.
fn name(fields: &mut [Field], facts: &LinuxFacts) {
    let mut named: HashMap<(Leaf, Register, Bit, Bit), Vec<&CpuidField>> = HashMap::new();
    for row in &facts.cpuid_fields {
        named.entry((row.leaf, row.register, row.low, row.high)).or_default().push(row);
    }
    for field in fields {
        let rows = named.get(&(field.leaf, field.register, field.low, field.high));
        let same = |row: &&&CpuidField| row.first <= field.last && field.first <= row.last;
        let row = rows.into_iter().flatten().find(same);
        field.linux.push(row.map(|row| row.name.clone()));
    }
}

/// What no field's constant is called.
const LIST: &str = "all";

/// Names the constants of one leaf: as the field, in capitals. Fields of one name get their first subleaf, register and
/// lowest bit appended, and so does one that would be called as the leaf's list is.
fn constants(leaf: &mut [Field]) {
    let suffix = |field: &Field| format!("{}_{}_{}", field.first.0, field.register, field.low.0);
    let wanted = leaf.iter().map(|field| (field.name.as_str(), suffix(field)));
    let constants = settle_alike(wanted.chain([(LIST, String::new())]));
    for (field, constant) in leaf.iter_mut().zip(constants) {
        field.constant = constant;
    }
}
