//! A vCPU's table as the passes read it.

use alloc::vec::Vec;

use super::Site;
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::known_places::KVM_FEATURES;
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::table::{CpuidEntry, CpuidRead, Hypervisor, IndexedLeaf, Vendor};

/// A leaf that no pass looks at.
const NO_LEAF: Leaf = Leaf(u32::MAX);

/// One vCPU's table.
pub(super) struct Guest<'a> {
    pub(super) number: u32,
    /// The entries as given.
    pub(super) given: &'a [CpuidEntry],
    /// The entries with the index flag set for every leaf with subleaves: a missing flag is a finding of its own and
    /// must not cause others.
    pub(super) all: Vec<CpuidEntry>,
    /// The same, with [`NO_LEAF`] in the place of those above the maximum of their range, which guests do not read: a leaf
    /// there is a finding of its own, too.
    pub(super) entries: Vec<CpuidEntry>,
    /// The features that the table shows, with KVM's features read from wherever KVM's range begins.
    pub(super) features: FeatureSet,
    pub(super) vendor: Option<Vendor>,
}

impl<'a> Guest<'a> {
    pub(super) fn new(number: u32, given: &'a [CpuidEntry]) -> Guest<'a> {
        let all: Vec<CpuidEntry> = given.iter().map(flagged).collect();
        let hidden = |(at, entry): (u32, &CpuidEntry)| {
            let place = CpuidEntry::indexed(NO_LEAF, Subleaf(at), Registers::ZERO);
            if is_unread(&all, entry.function) { place } else { *entry }
        };
        let entries: Vec<CpuidEntry> = (0..).zip(&all).map(hidden).collect();
        let (features, vendor) = (features_of(&entries), entries.vendor());
        Guest { number, given, all, entries, features, vendor }
    }

    pub(super) fn has(&self, feature: Feature) -> bool {
        self.features.contains(feature)
    }

    /// True where AMD's rules apply.
    pub(super) fn is_amd(&self) -> bool {
        self.vendor.is_some_and(Vendor::is_amd_compatible)
    }

    pub(super) fn registers(&self, leaf: u32, subleaf: u32) -> Option<Registers> {
        self.entries.registers(Leaf(leaf), Subleaf(subleaf))
    }

    /// True for a leaf of the table that guests do not read.
    pub(super) fn hides(&self, leaf: Leaf) -> bool {
        self.all.iter().any(|entry| entry.function == leaf) && is_unread(&self.all, leaf)
    }

    /// The location of a leaf; without the subleaf if the leaf has none.
    pub(super) fn site(&self, leaf: Leaf, subleaf: Subleaf) -> Site {
        let entry = self.all.iter().position(|entry| entry.answers(leaf, subleaf));
        let subleaf = IndexedLeaf::get(leaf).map(|_| subleaf);
        Site { subleaf, entry, ..Site::leaf(leaf) }
    }

    /// Bits of a register; 0 for all of them.
    pub(super) fn site_of(&self, leaf: u32, subleaf: u32, register: Register, bits: u32) -> Site {
        self.site(Leaf(leaf), Subleaf(subleaf)).bits(register, bits)
    }

    pub(super) fn site_of_word(&self, word: CpuidWord, bits: u32) -> Site {
        self.site(word.leaf, word.subleaf).bits(word.register, bits)
    }

    pub(super) fn site_of_feature(&self, feature: Feature) -> Site {
        let mut word = feature.location().word;
        if word.leaf == KVM_FEATURES {
            word.leaf = kvm_base(&self.entries).map_or(word.leaf, |base| Leaf(base.0.saturating_add(1)));
        }
        self.site_of_word(word, feature.mask())
    }

    /// A leaf by its first entry, whatever the entry's subleaf.
    pub(super) fn site_of_leaf(&self, leaf: Leaf) -> Site {
        match self.all.iter().position(|entry| entry.function == leaf) {
            Some(entry) => Site { entry: Some(entry), ..Site::leaf(leaf) },
            None => Site::leaf(leaf),
        }
    }

    /// An entry by its index.
    pub(super) fn site_of_entry(&self, index: usize) -> Site {
        let entry = self.given.get(index);
        let leaf = entry.map_or(Leaf(0), |entry| entry.function);
        let subleaf = entry.filter(|entry| entry.is_indexed()).map(|entry| entry.index);
        Site { subleaf, entry: Some(index), ..Site::leaf(leaf) }
    }

    /// The words that hold features, each with its location in this table and its value.
    pub(super) fn feature_words(&self) -> Vec<(CpuidWord, CpuidWord, u32)> {
        let base = kvm_base(&self.entries);
        let here = |word| word_here(word, base).map(|here| (word, here, self.entries.word(here)));
        FeatureSet::ALL.words().filter_map(|(word, _)| here(word)).collect()
    }
}

fn flagged(entry: &CpuidEntry) -> CpuidEntry {
    let flags = IndexedLeaf::get(entry.function).map_or(0, |_| CpuidEntry::SIGNIFICANT_INDEX);
    CpuidEntry { flags: entry.flags | flags, ..*entry }
}

/// True for a leaf above the maximum of its range, where the table has that. The hypervisor's ranges are whatever it makes of
/// them.
fn is_unread(entries: &[CpuidEntry], leaf: Leaf) -> bool {
    let first = match leaf.0 {
        0..0x4000_0000 => Leaf::BASIC,
        0x8000_0000..0x8001_0000 => Leaf::EXTENDED,
        0xc000_0000..0xc001_0000 => Leaf::CENTAUR,
        _ => return false,
    };
    let Some(head) = entries.registers(first, Subleaf(0)) else { return false };
    // A processor without the range answers its highest basic leaf there.
    if first != Leaf::BASIC && head.eax < first.0 && Some(head) == highest_basic(entries) {
        return true;
    }
    // Another maximum outside its range is a finding, and no maximum.
    leaf != first && head.eax >= first.0 && leaf.0 > head.eax
}

/// What the highest basic leaf has.
fn highest_basic(entries: &[CpuidEntry]) -> Option<Registers> {
    let maximum = entries.registers(Leaf::BASIC, Subleaf(0))?.eax;
    entries.registers(Leaf(maximum), Subleaf(0))
}

/// The first leaf of KVM's range: the first range with KVM's signature.
pub(super) fn kvm_base(entries: &[CpuidEntry]) -> Option<Leaf> {
    entries.hypervisors().find(|range| range.signature == Hypervisor::KVM).map(|range| range.base)
}

/// A word's location in a table whose KVM leaves begin at `base`; `None` for KVM's words without a base.
fn word_here(word: CpuidWord, base: Option<Leaf>) -> Option<CpuidWord> {
    if word.leaf != KVM_FEATURES {
        return Some(word);
    }
    base.map(|base| CpuidWord { leaf: Leaf(base.0.saturating_add(1)), ..word })
}

/// The known features that a table shows; KVM's are found by its signature.
pub(super) fn features_of(entries: &[CpuidEntry]) -> FeatureSet {
    let base = kvm_base(entries);
    let mut features = FeatureSet::new();
    for (word, _) in FeatureSet::ALL.words() {
        let value = word_here(word, base).map_or(0, |here| entries.word(here));
        // Another pass checks unnamed bits.
        let _ = features.set_word(word, value);
    }
    features
}

/// Bits that describe the vCPU's state, not its capabilities: vCPUs may differ in them.
pub(super) const PER_VCPU: FeatureSet =
    FeatureSet::new().with(feature::OSXSAVE).with(feature::OSPKE).with(feature::APIC).with(feature::MWAIT);
