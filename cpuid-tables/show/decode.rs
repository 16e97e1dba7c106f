//! Decodes a table, register by register, into features and fields.
//!
//! Every set bit of a register belongs to a feature or a field, or is listed as unknown.

use alloc::string::String;
use alloc::vec::Vec;

use super::hypervisor::{self, Kind, Ranges};
use super::{facts, leaves};
use crate::bits::description::{Part, describe};
use crate::bits::feature::Feature;
use crate::bits::field::Field;
use crate::bits::location::{CpuidWord, Register};
use crate::meaning::own_fields;
use crate::table::CpuidEntry;

/// A register and the meaning of its bits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodedRegister {
    /// The register.
    pub word: CpuidWord,
    /// Its value.
    pub value: u32,
    /// The features that are set, by bit.
    pub features: Vec<Feature>,
    /// All its fields with their values, by position.
    pub fields: Vec<(Field, u32)>,
    /// Set bits that no table describes.
    pub unknown: u32,
}

/// An entry and its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodedEntry {
    /// The entry.
    pub entry: CpuidEntry,
    /// The leaf's title; `None` for an unknown leaf.
    pub title: Option<&'static str>,
    /// Facts that follow from its registers together, such as a cache's size or a topology level, as short phrases.
    pub facts: Vec<String>,
    /// EAX, EBX, ECX and EDX.
    pub registers: [DecodedRegister; 4],
}

/// Decodes a table, entry by entry.
#[must_use]
pub fn decode(entries: &[CpuidEntry]) -> Vec<DecodedEntry> {
    let ranges = Ranges::from_table(entries);
    entries.iter().map(|entry| decode_entry(entry, &ranges)).collect()
}

pub(super) fn decode_entry(entry: &CpuidEntry, ranges: &Ranges) -> DecodedEntry {
    let kind = ranges.kind(entry.function);
    DecodedEntry {
        entry: *entry,
        title: leaves::title(entry.function, kind),
        facts: facts::entry(entry, kind, ranges.processor()),
        registers: entry.words().map(|word| register(word, entry.register(word.register), ranges)),
    }
}

/// Decodes one register. A hypervisor's register is decoded as KVM's.
///
/// ```
/// use cpuid_tables::{CpuidWord, Register, feature, show, Leaf, Subleaf};
///
/// let decoded = show::decode_register(CpuidWord::new(Leaf(7), Subleaf(0), Register::Ecx), 0x0142_0000);
/// assert_eq!(decoded.features, [feature::RDPID, feature::BUS_LOCK_DETECT]);
/// assert_eq!(decoded.fields.iter().map(|(field, value)| (field.name(), *value)).next_back(), Some(("key_locker", 0)));
/// assert_eq!(decoded.unknown, 0);
/// ```
#[must_use]
pub fn decode_register(word: CpuidWord, value: u32) -> DecodedRegister {
    register(word, value, &Ranges::default())
}

/// Decodes one register of Hyper-V's leaves.
pub(super) fn decode_hyperv_register(word: CpuidWord, value: u32) -> DecodedRegister {
    register(word, value, &Ranges::of_hyperv())
}

fn register(word: CpuidWord, value: u32, ranges: &Ranges) -> DecodedRegister {
    let mut decoded =
        DecodedRegister { word, value, features: Vec::new(), fields: Vec::new(), unknown: value };
    let at = ranges.described_at(word);
    let kind = ranges.kind(word.leaf);
    for part in parts(at, kind) {
        decoded.unknown &= !part.mask();
        match part {
            Part::Feature(feature) if value & feature.mask() != 0 => decoded.features.push(feature),
            Part::Feature(_) => {}
            Part::Field(field) => decoded.fields.push((field, field.read(value))),
        }
    }
    decoded
}

/// The parts of a register. The tables describe KVM's leaves; of other hypervisors they describe only the first leaf.
fn parts(at: CpuidWord, kind: Option<Kind>) -> Vec<Part> {
    let Some(kind) = kind else {
        return describe(at).chain(own_fields(at).map(Part::Field)).collect();
    };
    let own = hypervisor::fields(kind, at).map(Part::Field);
    if kind == Kind::Kvm || at.leaf.0 & 0xff == 0 { own.chain(describe(at)).collect() } else { own.collect() }
}

impl DecodedRegister {
    /// One of EAX, EBX, ECX and EDX.
    #[must_use]
    pub const fn register(&self) -> Register {
        self.word.register
    }
}
