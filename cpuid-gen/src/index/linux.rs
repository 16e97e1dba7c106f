//! The rows of one Linux release.

use crate::facts::{KvmBit, LinuxFacts, LinuxFlag, LinuxWord};
use crate::location::{CpuidWord, Location, Word};
use crate::ordered::{Map, sort_by};

/// A release's words, and the places of its features.
pub(crate) struct LinuxRows<'a> {
    /// All rows.
    #[cfg(feature = "merge")]
    pub(crate) facts: &'a LinuxFacts,
    /// Words by enumerator.
    pub(crate) words: Map<&'a str, &'a LinuxWord>,
    /// Words by number.
    pub(crate) numbers: Map<Word, &'a LinuxWord>,
    /// Words by register.
    pub(crate) registers: Map<CpuidWord, &'a LinuxWord>,
    /// Places that scattered.c and KVM's translations state for a macro.
    elsewhere: Map<&'a str, Vec<Location>>,
    /// Every place of each macro.
    named: Map<&'a str, Vec<Location>>,
}

impl<'a> LinuxRows<'a> {
    pub(crate) fn new(facts: &'a LinuxFacts) -> LinuxRows<'a> {
        let mut rows = LinuxRows {
            #[cfg(feature = "merge")]
            facts,
            words: facts.words.iter().map(|word| (word.name.as_str(), word)).collect(),
            numbers: facts.words.iter().map(|word| (word.word, word)).collect(),
            registers: Map::new(),
            elsewhere: Map::new(),
            named: Map::new(),
        };
        for word in &facts.words {
            if let Some(register) = word.location {
                rows.registers.or_insert(register, word);
            }
        }
        for bit in &facts.scattered {
            push(&mut rows.elsewhere, &bit.name, bit.location);
        }
        for bit in &facts.kvm_translates {
            if let Some(location) = rows.kvm_location(bit) {
                push(&mut rows.elsewhere, &bit.name, location);
            }
        }
        for flag in &facts.features {
            for location in rows.locations(flag) {
                push(&mut rows.named, &flag.name, location);
            }
        }
        for bit in &facts.kvm_features {
            if let Some(location) = rows.kvm_location(bit) {
                push(&mut rows.named, &bit.name, location);
            }
        }
        rows
    }

    /// The register of a word, by its enumerator.
    pub(crate) fn register(&self, word: &str) -> Option<CpuidWord> {
        self.words.get(word)?.location
    }

    /// The place of KVM's bit.
    pub(crate) fn kvm_location(&self, bit: &KvmBit) -> Option<Location> {
        Some(Location { word: self.register(&bit.leaf_name)?, bit: bit.bit })
    }

    /// The places of a kernel feature, ascending: in its word's register, else where another table puts it. Empty if software
    /// defines it.
    pub(crate) fn locations(&self, flag: &LinuxFlag) -> Vec<Location> {
        match self.numbers.get(&flag.word).and_then(|word| word.location) {
            Some(word) => vec![Location { word, bit: flag.bit }],
            None => {
                let mut all = self.elsewhere.get(flag.name.as_str()).cloned().unwrap_or_default();
                sort_by(&mut all, Ord::cmp);
                all
            }
        }
    }

    /// Every place of a macro of the kernel or of KVM; empty if software defines it.
    pub(crate) fn named(&self, name: &str) -> &[Location] {
        self.named.get(name).map_or(&[], Vec::as_slice)
    }
}

fn push<'a>(map: &mut Map<&'a str, Vec<Location>>, name: &'a str, location: Location) {
    let all = map.or_default(name);
    if !all.contains(&location) {
        all.push(location);
    }
}
