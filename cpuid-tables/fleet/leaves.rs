//! Turns combined registers into a table: removes leaves whose feature is missing, computes XSAVE's sizes from its
//! components, and removes out-of-range and empty entries.

use alloc::vec::Vec;

use super::fold::{Row, Unequal};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::bits::xsave::XsaveComponent;
use crate::feature;
use crate::table::{CpuidEntry, IndexedLeaf, Terminator, find_entry};

/// A leaf that has no meaning without a feature.
struct OfFeature(Leaf, Feature);

const fn row(leaf: u32, feature: Feature) -> OfFeature {
    OfFeature(Leaf(leaf), feature)
}

/// Intel SDM volume 2A, "CPUID": each leaf names the feature bit that announces it. AMD APM volume 3, appendix E.
static OF_FEATURES: &[OfFeature] = &[
    row(0x5, feature::MWAIT),
    row(0xd, feature::XSAVE),
    row(0xf, feature::CQM),
    row(0x10, feature::RDT_A),
    row(0x12, feature::SGX),
    row(0x14, feature::INTEL_PT),
    row(0x1b, feature::PCONFIG),
    row(0x1c, feature::ARCH_LBR),
    row(0x1d, feature::AMX_TILE),
    row(0x1e, feature::AMX_TILE),
    row(0x23, feature::ARCH_PERFMON_EXT),
    row(0x24, feature::AVX10),
    row(0x8000_000a, feature::SVM),
    row(0x8000_001b, feature::IBS),
    row(0x8000_001c, feature::LWP),
];

const D0_EAX: CpuidWord = CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Eax);
const D0_EDX: CpuidWord = CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Edx);
const D1_ECX: CpuidWord = CpuidWord::new(Leaf(0xd), Subleaf(1), Register::Ecx);
const D1_EDX: CpuidWord = CpuidWord::new(Leaf(0xd), Subleaf(1), Register::Edx);

/// The table of combined rows. Keeps only those unequal fields whose leaf is still in the table.
pub(super) fn table(rows: &[Row], unequal: &mut Vec<Unequal>) -> Vec<CpuidEntry> {
    let mut entries: Vec<CpuidEntry> = rows.iter().map(Row::entry).collect();
    drop_out_of_range(&mut entries);
    let dropped = drop_what_differs(&mut entries, unequal);
    for OfFeature(leaf, feature) in OF_FEATURES {
        if word(&entries, feature.location().word) & feature.mask() == 0 {
            entries.retain(|entry| entry.function != *leaf);
        }
    }
    xsave(&mut entries);
    drop_topology(&mut entries);
    end_caches(&mut entries);
    drop_empty(&mut entries);
    unequal.retain(|unequal| {
        let CpuidWord { leaf, subleaf, .. } = unequal.word;
        find_entry(&entries, leaf, subleaf).is_some() || dropped.contains(&(leaf, subleaf))
    });
    entries
}

fn word(entries: &[CpuidEntry], word: CpuidWord) -> u32 {
    find_entry(entries, word.leaf, word.subleaf).map_or(0, |entry| entry.register(word.register))
}

fn register_mut(entries: &mut [CpuidEntry], word: CpuidWord) -> Option<&mut u32> {
    let entry = entries.iter_mut().find(|entry| entry.answers(word.leaf, word.subleaf))?;
    Some(entry.register_mut(word.register))
}

/// Removes leaves above the highest one of their range, if the table has it.
fn drop_out_of_range(entries: &mut Vec<CpuidEntry>) {
    for first in [0, 0x8000_0000, 0x8086_0000, 0xc000_0000] {
        let Some(head) = find_entry(entries, Leaf(first), Subleaf(0)) else { continue };
        let last = head.register(Register::Eax).max(first);
        entries.retain(|entry| entry.function.0 & 0xffff_0000 != first || entry.function.0 <= last);
    }
    let subleaves = word(entries, CpuidWord::new(Leaf(7), Subleaf(0), Register::Eax));
    entries.retain(|entry| entry.function != Leaf(7) || entry.subleaf().0 <= subleaves);
}

/// Removes features whose leaf must be equal but differs between hosts, XSAVE components whose size or offset
/// differs, and everything that depends on them. Returns the subleaves that caused it.
fn drop_what_differs(entries: &mut [CpuidEntry], unequal: &[Unequal]) -> Vec<(Leaf, Subleaf)> {
    let mut dropped = Vec::new();
    for CpuidWord { leaf, subleaf, .. } in unequal.iter().map(|unequal| unequal.word) {
        let mut features = if leaf == Leaf(0xd) {
            drop_component(entries, subleaf.0)
        } else {
            OF_FEATURES.iter().filter(|of| of.0 == leaf).map(|of| of.1).collect()
        };
        features.retain(|feature| word(entries, feature.location().word) & feature.mask() != 0);
        if !features.is_empty() {
            dropped.push((leaf, subleaf));
        }
        for feature in features {
            drop_feature(entries, feature);
        }
    }
    dropped
}

/// Removes a feature and everything that needs it.
fn drop_feature(entries: &mut [CpuidEntry], feature: Feature) {
    for feature in &(FeatureSet::new().with(feature) | feature.needed_by()) {
        if let Some(register) = register_mut(entries, feature.location().word) {
            *register &= !feature.mask();
        }
    }
}

/// Leaves that describe only the topology.
const TOPOLOGY_LEAVES: [u32; 4] = [0xb, 0x1f, 0x8000_001e, 0x8000_0026];

/// Registers with fields of the topology: the bits of these fields, and features that follow from it.
const TOPOLOGY_FIELDS: [(u32, Register, u32); 6] = [
    (1, Register::Ebx, 0xffff_0000),
    (1, Register::Edx, feature::HT.mask()),
    (4, Register::Eax, 0xffff_c000),
    (0x8000_0001, Register::Ecx, feature::CMP_LEGACY.mask()),
    (0x8000_0008, Register::Ecx, 0x0000_f0ff),
    (0x8000_001d, Register::Eax, 0x03ff_c000),
];

/// The VMM defines the topology of a guest; that of a host is not a promise.
fn drop_topology(entries: &mut Vec<CpuidEntry>) {
    entries.retain(|entry| !TOPOLOGY_LEAVES.contains(&entry.function.0));
    for entry in entries {
        for (leaf, register, mask) in TOPOLOGY_FIELDS {
            if entry.function.0 == leaf {
                *entry.register_mut(register) &= !mask;
            }
        }
    }
}

/// Removes a component from XCR0 and `IA32_XSS`; returns the features that enable it, if the component was present.
fn drop_component(entries: &mut [CpuidEntry], number: u32) -> Vec<Feature> {
    let bit = 1u32 << (number % 32);
    let words = if number < 32 { [D0_EAX, D1_ECX] } else { [D0_EDX, D1_EDX] };
    if words.iter().all(|at| word(entries, *at) & bit == 0) {
        return Vec::new();
    }
    for at in words {
        if let Some(register) = register_mut(entries, at) {
            *register &= !bit;
        }
    }
    let known = u8::try_from(number).ok().and_then(XsaveComponent::numbered);
    known.map(|component| component.features().collect()).unwrap_or_default()
}

/// The sizes of components in bytes, in the standard and the compacted format (Intel SDM volume 1, chapter 13), from
/// the leaf 0xD of a table.
pub(super) fn xsave_sizes(entries: &[CpuidEntry], xcr0: u64, xss: u64) -> [u32; 2] {
    /// The legacy region and the header.
    const BASE: u32 = 512 + 64;
    let (mut standard, mut compacted) = (BASE, BASE);
    for number in (2..64).filter(|number| (xcr0 | xss) >> number & 1 != 0) {
        let entry = find_entry(entries, Leaf(0xd), Subleaf(number));
        let Registers { eax: size, ebx: offset, ecx: flags, .. } =
            entry.map_or(Registers::ZERO, |entry| entry.registers);
        if xcr0 >> number & 1 != 0 {
            standard = standard.max(offset.saturating_add(size));
        }
        if flags & 2 != 0 {
            compacted = compacted.checked_next_multiple_of(64).unwrap_or(u32::MAX);
        }
        compacted = compacted.saturating_add(size);
    }
    [standard, compacted]
}

/// Keeps the subleaves of existing components, and recomputes the sizes.
fn xsave(entries: &mut Vec<CpuidEntry>) {
    let xcr0 = u64::from(word(entries, D0_EDX)) << 32 | u64::from(word(entries, D0_EAX));
    let xss = u64::from(word(entries, D1_EDX)) << 32 | u64::from(word(entries, D1_ECX));
    let both = xcr0 | xss;
    entries.retain(|entry| {
        let number = entry.subleaf().0;
        entry.function != Leaf(0xd) || number < 2 || number < 64 && both >> number & 1 != 0
    });
    let [standard, compacted] = xsave_sizes(entries, xcr0, xss);
    let compacts = word(entries, CpuidWord::new(Leaf(0xd), Subleaf(1), Register::Eax))
        & (feature::XSAVEC.mask() | feature::XSAVES.mask());
    for (at, size) in [
        (CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Ebx), standard),
        (CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Ecx), standard),
        (CpuidWord::new(Leaf(0xd), Subleaf(1), Register::Ebx), if compacts == 0 { 0 } else { compacted }),
    ] {
        if let Some(register) = register_mut(entries, at) {
            *register = size;
        }
    }
}

/// Ends a list of caches where hosts have different ones.
fn end_caches(entries: &mut Vec<CpuidEntry>) {
    let of_caches = IndexedLeaf::all().filter(|indexed| indexed.terminator == Terminator::CacheType);
    for IndexedLeaf { leaf, .. } in of_caches {
        // Neither a cache's type nor its level is ever 0.
        let none = |eax: u32| eax & 0x1f == 0 || eax >> 5 & 7 == 0;
        let ends = |entry: &&CpuidEntry| entry.function == leaf && none(entry.registers.eax);
        let Some(end) = entries.iter().find(ends).map(CpuidEntry::subleaf) else { continue };
        entries.retain(|entry| entry.function != leaf || entry.subleaf() <= end);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.answers(leaf, end)) {
            entry.registers = Registers::ZERO;
        }
    }
}

/// Removes entries of zeros, except subleaf 0 and terminators.
fn drop_empty(entries: &mut Vec<CpuidEntry>) {
    let is_empty = |entry: &CpuidEntry| entry.registers == Registers::ZERO;
    let full: Vec<Leaf> =
        entries.iter().filter(|entry| !is_empty(entry)).map(|entry| entry.function).collect();
    entries.retain(|entry| {
        let indexed = IndexedLeaf::get(entry.function);
        let ends = indexed.is_some_and(|indexed| indexed.terminator != Terminator::Counted);
        let needed = full.binary_search(&entry.function).is_ok();
        !is_empty(entry) || needed && (ends || entry.subleaf() == Subleaf(0)) || entry.function == Leaf(0)
    });
}
