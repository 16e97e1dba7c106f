//! Leaves above the maximum of their range, which guests do not read, and excerpts.

use crate::common;
use cpuid_tables::check::{Check, Kind};
use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf};

const INTEL: [u32; 3] = [0x756e_6547, 0x6c65_746e, 0x4965_6e69];
const AMD: [u32; 3] = [0x6874_7541, 0x444d_4163, 0x6974_6e65];
/// Leaf 2 of an old processor, which answers so for every leaf above it.
const HIGHEST: [u32; 4] = [0x02b3_b001, 0xf0, 0, 0x2c04_307d];

fn entry(leaf: u32, registers: [u32; 4]) -> CpuidEntry {
    CpuidEntry::new(Leaf(leaf), Registers::from_array(registers))
}

fn first([ebx, ecx, edx]: [u32; 3]) -> Vec<CpuidEntry> {
    vec![entry(0, [2, ebx, ecx, edx]), entry(1, [0x6d6, 0, 0, 0x0388_fbff]), entry(2, HIGHEST)]
}

fn kinds(check: &Check<'_>) -> Vec<Kind> {
    check.run().findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn a_leaf_above_the_maximum_causes_no_other_finding() {
    // A topology, enclaves and SVM's features that a guest would find fault with, if it read them.
    let beyond = [
        CpuidEntry::indexed(Leaf(0xb), Subleaf(0), Registers::new(7, 1, 0x100, 3)),
        CpuidEntry::indexed(Leaf(0x12), Subleaf(0), Registers::new(3, 0, 0, 0)),
        CpuidEntry::indexed(Leaf(0x1f), Subleaf(0), Registers::new(1, 99, 0x200, 9)),
    ];
    let table: Vec<CpuidEntry> = first(INTEL).into_iter().chain(beyond).collect();
    assert_eq!(kinds(&Check::one(&table)), [Kind::LeafAboveMaximum]);
}

#[test]
fn an_entry_that_changes_no_answer_is_no_finding() {
    let with_copies = |vendor| {
        let copies = [3, 5, 7, 0x2000_0000].map(|leaf| match leaf {
            7 => CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::from_array(HIGHEST)),
            leaf => entry(leaf, HIGHEST),
        });
        first(vendor).into_iter().chain(copies).collect::<Vec<CpuidEntry>>()
    };
    assert_eq!(kinds(&Check::one(&with_copies(INTEL))), []);
    // AMD's processors answer zeros there.
    assert!(kinds(&Check::one(&with_copies(AMD))).contains(&Kind::LeafAboveMaximum));
}

#[test]
fn a_processor_without_extended_leaves_answers_its_highest_basic_leaf() {
    let extended = [0x8000_0000, 0x8000_0001, 0x8000_0008, 0x8000_000a].map(|leaf| entry(leaf, HIGHEST));
    let table: Vec<CpuidEntry> = first(INTEL).into_iter().chain(extended).collect();
    let found = kinds(&Check::one(&table));
    // KVM looks at the width of linear addresses in any case.
    assert_eq!(found, [Kind::VirtualWidth]);
}

/// KVM looks at the width of linear addresses wherever the maximum is.
#[test]
fn what_kvm_refuses_is_found_above_the_maximum() {
    let extended = [entry(0x8000_0000, [0x8000_0004, 0, 0, 0]), entry(0x8000_0008, [0x2020, 0, 0, 0])];
    let table: Vec<CpuidEntry> = first(INTEL).into_iter().chain(extended).collect();
    assert_eq!(kinds(&Check::one(&table)), [Kind::LeafAboveMaximum, Kind::VirtualWidth]);
}

#[test]
fn an_excerpt_has_no_finding_that_rests_on_what_it_lacks() {
    if !common::recent("an_excerpt_has_no_finding_that_rests_on_what_it_lacks") {
        return;
    }
    let table = [
        entry(1, [0x0008_06f8, 0, 0x0400_0000, 0x0788_abfd]),
        CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0)),
    ];
    let whole = kinds(&Check::one(&table));
    assert!(whole.contains(&Kind::NoLeafZero) && whole.contains(&Kind::NoXsaveLeaf), "{whole:?}");
    // avx2 without avx is there to see.
    assert_eq!(kinds(&Check::one(&table).excerpt()), [Kind::FeatureNeeds]);
}
