//! Constants at compile time: bits, fields and masks, without allocation and without a look-up.
//!
//! `cargo run --example constants --no-default-features`

#![allow(clippy::print_stdout, reason = "an example's output")]

use cpuid_tables::field::leaf_80000008::PHYS_ADDR_BITS;
use cpuid_tables::{CpuidWord, FeatureSet, Leaf, Register, Subleaf, feature};

/// EBX of leaf 7, subleaf 0.
const LEAF_7_EBX: CpuidWord = CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx);

/// What this VMM never offers, known when it is compiled.
const WITHHELD: FeatureSet = FeatureSet::new().with(feature::RTM).with(feature::HLE);

/// EAX of leaf 0x80000008 for 46 bits of physical addresses.
const ADDRESS_SIZES: u32 = PHYS_ADDR_BITS.encode(46);

fn main() {
    println!("{} is {}", feature::AVX2, feature::AVX2.location());
    println!("{LEAF_7_EBX}: without {:#x}", WITHHELD.word(LEAF_7_EBX));
    println!("0x80000008.EAX: {ADDRESS_SIZES:#x}, {} bits", PHYS_ADDR_BITS.read(ADDRESS_SIZES));
}
