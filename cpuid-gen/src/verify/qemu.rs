//! One QEMU release, indexed by the places of names.

use std::collections::BTreeMap;

use super::differences::Differences;
use super::finding::Release;
use super::fold::fold;
use crate::diagnostic::Diagnostics;
use crate::facts::{QemuBit, QemuFacts, QemuSource, QemuWord};
use crate::hash::QuickMap;
use crate::location::{Bit, CpuidWord, Location, Msr};
use crate::model::cpu_models::{CpuModel, resolve};
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
    pub(super) words: QuickMap<&'a str, &'a QemuWord>,
    /// Every CPUID word, by location.
    pub(super) hardware: BTreeMap<CpuidWord, &'a QemuWord>,
    /// Every named bit of the CPUID words.
    pub(super) bits: BTreeMap<Location, QemuName<'a>>,
    /// Every named bit by its word's enumerator and its number.
    pub(super) named: QuickMap<(&'a str, u8), &'a QemuBit>,
    /// Every named bit of the MSR words.
    pub(super) msr_bits: BTreeMap<(Msr, Bit), QemuName<'a>>,
    /// Every place of every folded name of the CPUID words.
    pub(super) by_name: QuickMap<String, Vec<(Location, Span)>>,
}

impl<'a> QemuIndex<'a> {
    pub(super) fn new(facts: &'a QemuFacts, rank: usize, differences: &Differences) -> QemuIndex<'a> {
        let words: QuickMap<&str, &QemuWord> =
            facts.words.iter().map(|word| (word.name.as_str(), word)).collect();
        let mut hardware = BTreeMap::new();
        for word in &facts.words {
            if let Some(location) = word.source.cpuid_word() {
                hardware.entry(location).or_insert(word);
            }
        }
        let (mut bits, mut msr_bits) = (BTreeMap::new(), BTreeMap::new());
        for bit in &facts.bits {
            let Some(word) = words.get(bit.word.as_str()) else { continue };
            let name = QemuName { bit, folded: folded(bit, differences) };
            match (word.source, word.source.cpuid_word()) {
                (QemuSource::Msr(msr), _) => drop(msr_bits.entry((msr, bit.bit)).or_insert(name)),
                (_, Some(word)) => drop(bits.entry(Location { word, bit: bit.bit }).or_insert(name)),
                (_, None) => {}
            }
        }
        let mut by_name: QuickMap<String, Vec<(Location, Span)>> = QuickMap::default();
        for (location, name) in &bits {
            for folded in &name.folded {
                by_name.entry(folded.clone()).or_default().push((*location, name.bit.at));
            }
        }
        QemuIndex {
            facts,
            release: Release { project: "QEMU", rank, name: facts.release.clone() },
            models: resolve(facts, &mut Diagnostics::new()),
            words,
            hardware,
            bits,
            named: facts.bits.iter().map(|bit| ((bit.word.as_str(), bit.bit.0), bit)).collect(),
            msr_bits,
            by_name,
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
