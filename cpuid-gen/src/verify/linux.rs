//! One Linux release, indexed by the places of features and words.

use super::fold::fold;
use super::release::Release;
use crate::facts::{CpuidField, KvmBit, LinuxFacts, LinuxFlag, LinuxMsrBit, LinuxWord};
use crate::hash::QuickMap;
use crate::index::LinuxRows;
use crate::location::{Location, Word};
use crate::ordered::Map;
use crate::source::Span;

/// A name of a hardware bit in Linux.
#[derive(Clone, Debug)]
pub(super) struct LinuxName<'a> {
    /// The macro without its prefix.
    pub(super) name: &'a str,
    /// The macro and, if shown, its flag, both folded.
    pub(super) folded: Vec<String>,
    /// The kind of its rows, as in statements.
    pub(super) sort: &'static str,
    pub(super) at: Span,
}

/// The kinds of rows of features and of KVM's own leaf.
const FEATURE: &str = "linux-feature";
const PARA: &str = "kvm-para";

pub(super) struct LinuxIndex<'a> {
    pub(super) facts: &'a LinuxFacts,
    pub(super) release: Release,
    /// Its words by name, number and register.
    pub(super) rows: LinuxRows<'a>,
    pub(super) features: QuickMap<&'a str, &'a LinuxFlag>,
    pub(super) kvm_features: QuickMap<&'a str, &'a KvmBit>,
    pub(super) translates: QuickMap<&'a str, &'a KvmBit>,
    /// Every hardware bit with its names in all tables.
    pub(super) bits: Map<Location, Vec<LinuxName<'a>>>,
    /// Fields of cpuid.csv with their folded names.
    pub(super) fields: Vec<(&'a CpuidField, String)>,
    /// Bits of MSRs with their folded names.
    pub(super) msr_bits: Vec<(&'a LinuxMsrBit, String)>,
    /// Every place of every folded name.
    pub(super) by_name: QuickMap<String, Vec<(Location, Span)>>,
}

impl<'a> LinuxIndex<'a> {
    pub(super) fn new(facts: &'a LinuxFacts, rank: usize) -> LinuxIndex<'a> {
        let mut index = LinuxIndex {
            facts,
            release: Release { project: "Linux", rank, name: facts.release.clone() },
            rows: LinuxRows::new(facts),
            features: facts.features.iter().map(|feature| (feature.name.as_str(), feature)).collect(),
            kvm_features: facts.kvm_features.iter().map(|bit| (bit.name.as_str(), bit)).collect(),
            translates: facts.kvm_translates.iter().map(|bit| (bit.name.as_str(), bit)).collect(),
            bits: Map::new(),
            fields: facts.cpuid_fields.iter().map(|field| (field, fold(&field.name))).collect(),
            msr_bits: facts.msr_bits.iter().map(|bit| (bit, fold(&bit.name))).collect(),
            by_name: QuickMap::default(),
        };
        index.add_bits();
        for (&location, names) in &index.bits {
            for name in names {
                for folded in &name.folded {
                    index.by_name.entry(folded.clone()).or_default().push((location, name.at));
                }
            }
        }
        index
    }

    fn add_bits(&mut self) {
        let facts = self.facts;
        for feature in &facts.features {
            if let Some(location) = self.hardware_place(feature) {
                self.add_bit(location, (FEATURE, &feature.name), feature.at);
            }
        }
        for bit in &facts.scattered {
            self.add_bit(bit.location, (FEATURE, &bit.name), bit.at);
        }
        for para in &facts.kvm_para {
            self.add_bit(para.location, (PARA, &para.name), para.at);
        }
        for bit in facts.kvm_features.iter().chain(&facts.kvm_translates) {
            if let Some(location) = self.rows.kvm_location(bit) {
                self.add_bit(location, (FEATURE, &bit.name), bit.at);
            }
        }
    }

    fn add_bit(&mut self, location: Location, (sort, name): (&'static str, &'a str), at: Span) {
        let feature = self.features.get(name).filter(|_| sort == FEATURE);
        let flag = feature.and_then(|feature| feature.flag.as_deref());
        let names = self.bits.or_default(location);
        if names.iter().any(|known| known.name == name) {
            return;
        }
        let mut folded = vec![fold(name)];
        folded.extend(flag.map(fold).filter(|flag| *flag != folded[0]));
        names.push(LinuxName { name, folded, sort, at });
    }

    /// The hardware location of a kernel feature; `None` if software defines it.
    pub(super) fn hardware_place(&self, feature: &LinuxFlag) -> Option<Location> {
        let word = self.kernel_word(feature.word)?.location?;
        Some(Location { word, bit: feature.bit })
    }

    /// The word of the kernel's own array with this number.
    pub(super) fn kernel_word(&self, number: Word) -> Option<&'a LinuxWord> {
        self.rows.numbers.get(&number).copied().filter(|word| self.facts.is_kernel_word(word.word))
    }

    /// True if cpufeatures.h or reverse_cpuid.h defines the feature.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.features.contains_key(name) || self.kvm_features.contains_key(name)
    }
}
