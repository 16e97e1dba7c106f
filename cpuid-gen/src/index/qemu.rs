//! The rows of one QEMU release.

use super::properties::Properties;
use crate::facts::{QemuFacts, QemuWord};
use crate::location::CpuidWord;
use crate::ordered::Map;

#[cfg(any(feature = "diff", feature = "verify"))]
use crate::facts::QemuBit;
#[cfg(any(feature = "diff", feature = "verify"))]
use crate::hash::QuickMap;

/// A release's feature words, and the properties of its CPUs.
pub(crate) struct QemuRows<'a> {
    /// All rows.
    pub(crate) facts: &'a QemuFacts,
    /// Words by enumerator.
    pub(crate) words: Map<&'a str, &'a QemuWord>,
    /// Words by CPUID register; a missing subleaf is 0.
    #[cfg_attr(
        not(any(feature = "merge", feature = "verify")),
        expect(dead_code, reason = "CPU models need no registers")
    )]
    pub(crate) registers: Map<CpuidWord, &'a QemuWord>,
    /// The properties of `-cpu`.
    pub(crate) properties: Properties<'a>,
}

impl<'a> QemuRows<'a> {
    pub(crate) fn new(facts: &'a QemuFacts) -> QemuRows<'a> {
        let words: Map<&str, &QemuWord> = facts.words.iter().map(|word| (word.name.as_str(), word)).collect();
        let mut registers = Map::new();
        for word in &facts.words {
            if let Some(register) = word.source.cpuid_word() {
                registers.or_insert(register, word);
            }
        }
        let properties = Properties::with_words(facts, &words);
        QemuRows { facts, words, registers, properties }
    }

    /// The named bits, by their word's enumerator and their number. Only `diff` and some checks need them.
    #[cfg(any(feature = "diff", feature = "verify"))]
    pub(crate) fn bits(&self) -> QuickMap<(&'a str, u8), &'a QemuBit> {
        self.facts.bits.iter().map(|bit| ((bit.word.as_str(), bit.bit.0), bit)).collect()
    }
}

impl<'f> Properties<'f> {
    /// The properties of a release.
    #[must_use]
    pub fn new(facts: &'f QemuFacts) -> Properties<'f> {
        QemuRows::new(facts).properties
    }
}
