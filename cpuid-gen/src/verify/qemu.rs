//! One QEMU release, indexed by the places of names.

use super::differences::Differences;
use super::fold::fold;
use super::release::Release;
use crate::diagnostic::Diagnostics;
use crate::facts::{QemuBit, QemuFacts, QemuSource};
use crate::hash::QuickMap;
use crate::index::QemuRows;
use crate::location::{Bit, Location, Msr};
use crate::model::cpu_models::{CpuModel, resolve_rows};
use crate::ordered::Map;
use crate::source::Span;

/// A name of a hardware bit in QEMU.
#[derive(Clone, Debug)]
pub(super) struct QemuName<'a> {
    pub(super) bit: &'a QemuBit,
    /// The name and its alternatives, folded.
    pub(super) folded: Vec<String>,
}

pub(super) struct QemuIndex<'a> {
    pub(super) facts: &'a QemuFacts,
    pub(super) release: Release,
    /// The CPU models with all versions; those with inconsistent rows are missing.
    pub(super) models: Vec<CpuModel>,
    /// Those rows.
    pub(super) inconsistent: Diagnostics,
    /// Its words by name and register, and its properties.
    pub(super) rows: QemuRows<'a>,
    /// Every named bit of the CPUID words.
    pub(super) bits: Map<Location, QemuName<'a>>,
    /// Every named bit by its word's enumerator and its number.
    pub(super) named: QuickMap<(&'a str, u8), &'a QemuBit>,
    /// Every named bit of the MSR words.
    pub(super) msr_bits: Map<(Msr, Bit), QemuName<'a>>,
    /// Every place of every folded name of the CPUID words.
    pub(super) by_name: QuickMap<String, Vec<(Location, Span)>>,
}

impl<'a> QemuIndex<'a> {
    pub(super) fn new(facts: &'a QemuFacts, rank: usize, differences: &Differences) -> QemuIndex<'a> {
        let rows = QemuRows::new(facts);
        let (mut bits, mut msr_bits) = (Map::new(), Map::new());
        for bit in &facts.bits {
            let Some(word) = rows.words.get(bit.word.as_str()) else { continue };
            let name = QemuName { bit, folded: folded(bit, differences) };
            match (word.source, word.source.cpuid_word()) {
                (QemuSource::Msr(msr), _) => drop(msr_bits.or_insert((msr, bit.bit), name)),
                (_, Some(word)) => drop(bits.or_insert(Location { word, bit: bit.bit }, name)),
                (_, None) => {}
            }
        }
        let mut by_name: QuickMap<String, Vec<(Location, Span)>> = QuickMap::default();
        for (location, name) in &bits {
            for folded in &name.folded {
                by_name.entry(folded.clone()).or_default().push((*location, name.bit.at));
            }
        }
        let mut inconsistent = Diagnostics::new();
        QemuIndex {
            facts,
            release: Release { project: "QEMU", rank, name: facts.release.clone() },
            models: resolve_rows(&rows, &mut inconsistent),
            bits,
            named: rows.bits(),
            msr_bits,
            by_name,
            inconsistent,
            rows,
        }
    }
}

/// A bit's names, and their remainders without the prefixes in its word's `macro-family`.
fn folded(bit: &QemuBit, differences: &Differences) -> Vec<String> {
    let mut all: Vec<String> = bit.names().map(fold).collect();
    let families = differences.families.iter().filter(|family| family.word.as_ref() == Some(&bit.word));
    for prefix in families.flat_map(|family| &family.name_prefixes) {
        let without = bit.names().filter_map(|name| name.strip_prefix(prefix.as_str()));
        all.extend(without.map(fold));
    }
    all
}
