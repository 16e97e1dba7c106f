//! One QEMU release, indexed: which name stands at which place.

use std::collections::{BTreeMap, HashMap};

use super::finding::Release;
use super::fold;
use crate::facts::{QemuBit, QemuFacts, QemuWord};
use crate::location::{CpuidWord, Location};

/// A name that QEMU has for a hardware bit.
#[derive(Clone, Debug)]
pub(super) struct QemuName<'a> {
    pub(super) bit: &'a QemuBit,
    /// The name and its alternatives, folded.
    pub(super) folded: Vec<String>,
}

pub(super) struct QemuIndex<'a> {
    pub(super) facts: &'a QemuFacts,
    pub(super) release: Release,
    pub(super) words: HashMap<&'a str, &'a QemuWord>,
    /// Every CPUID word, by location.
    pub(super) hardware: BTreeMap<CpuidWord, &'a QemuWord>,
    /// Every named bit of the CPUID words.
    pub(super) bits: BTreeMap<Location, QemuName<'a>>,
    /// Every named bit by its word's enumerator and its number.
    pub(super) named: HashMap<(&'a str, u8), &'a QemuBit>,
}

impl<'a> QemuIndex<'a> {
    pub(super) fn new(facts: &'a QemuFacts, rank: usize) -> QemuIndex<'a> {
        let words: HashMap<&str, &QemuWord> =
            facts.words.iter().map(|word| (word.name.as_str(), word)).collect();
        let mut hardware = BTreeMap::new();
        for word in &facts.words {
            if let Some(location) = word.source.cpuid_word() {
                hardware.entry(location).or_insert(word);
            }
        }
        let mut bits = BTreeMap::new();
        for bit in &facts.bits {
            let word = words.get(bit.word.as_str()).and_then(|word| word.source.cpuid_word());
            if let Some(word) = word {
                let folded = bit.names().map(fold).collect();
                bits.entry(Location { word, bit: bit.bit }).or_insert(QemuName { bit, folded });
            }
        }
        QemuIndex {
            facts,
            release: Release { project: "QEMU", rank, name: facts.release.clone() },
            words,
            hardware,
            bits,
            named: facts.bits.iter().map(|bit| ((bit.word.as_str(), bit.bit.0), bit)).collect(),
        }
    }
}
