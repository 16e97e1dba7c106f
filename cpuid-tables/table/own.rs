//! Bits of CPUID that differ between processors: APIC ids and numbers derived from them.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

use crate::bits::field::Field;
use crate::bits::known_fields::{leaf_1, leaf_1f, leaf_8000001e, leaf_80000008, leaf_80000026, leaf_b};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::table::read::CpuidRead;
use crate::table::topology::TopologyDomain;
use crate::table::{CpuidEntry, CpuidTable, Vendor};

/// The source of a processor-specific number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OwnNumber {
    /// The APIC id.
    ApicId,
    /// The core part of it.
    Core,
    /// The node part of it.
    Node,
}

/// A processor-specific field, in every subleaf of its leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnBits {
    /// The field.
    pub field: Field,
    /// Its content.
    pub number: OwnNumber,
}

/// By leaf.
static OWN: [OwnBits; 7] = [
    OwnBits { field: leaf_1::LOCAL_APIC_ID, number: OwnNumber::ApicId },
    OwnBits { field: leaf_b::X2APIC_ID, number: OwnNumber::ApicId },
    OwnBits { field: leaf_1f::X2APIC_ID, number: OwnNumber::ApicId },
    OwnBits { field: leaf_8000001e::EXT_APIC_ID, number: OwnNumber::ApicId },
    OwnBits { field: leaf_8000001e::CORE_ID, number: OwnNumber::Core },
    OwnBits { field: leaf_8000001e::NODE_ID, number: OwnNumber::Node },
    OwnBits { field: leaf_80000026::X2APIC_ID, number: OwnNumber::ApicId },
];

impl OwnBits {
    /// All processor-specific fields, by leaf.
    #[must_use]
    pub fn all() -> &'static [OwnBits] {
        &OWN
    }

    /// Clears the processor-specific bits of all entries: the result does not depend on the processor that was read.
    ///
    /// ```
    /// use cpuid_tables::{CpuidEntry, OwnBits, Leaf, Registers};
    ///
    /// let mut entries = [CpuidEntry::new(Leaf(1), Registers::new(0x806f8, 0x0310_0800, 0, 0))];
    /// OwnBits::clear(&mut entries);
    /// assert_eq!(entries[0].registers.ebx, 0x0010_0800);
    /// ```
    pub fn clear(entries: &mut [CpuidEntry]) {
        for entry in entries {
            let leaf = entry.function;
            for own in OWN.iter().filter(|own| own.field.leaf() == leaf) {
                own.put(entry.register_mut(own.field.register()), 0);
            }
        }
    }

    /// The processor-specific bits of a leaf's register, in any subleaf.
    #[must_use]
    pub fn mask(leaf: Leaf, register: Register) -> u32 {
        let here = OWN.iter().filter(|own| own.field.leaf() == leaf && own.field.register() == register);
        here.fold(0, |mask, own| mask | own.field.mask())
    }
}

/// The positions of the core and node numbers within an APIC id.
///
/// ```
/// use cpuid_tables::{ApicLayout, OwnNumber};
///
/// // Two threads, up to eight cores, then nodes.
/// let layout = ApicLayout { core_shift: 1, core_width: 3, node_shift: 4 };
/// assert_eq!(layout.number(OwnNumber::Core, 0x1b), 5);
/// assert_eq!(layout.number(OwnNumber::Node, 0x1b), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ApicLayout {
    /// The lowest bit of the core's number.
    pub core_shift: u8,
    /// Width of the core's number in bits.
    pub core_width: u8,
    /// The lowest bit of the node's number.
    pub node_shift: u8,
}

impl ApicLayout {
    /// The layout that a table describes.
    ///
    /// A core begins where the thread level ends (leaf 0x1F or 0xB), else where the threads of leaf 0x8000001E end.
    /// It ends where the core level does, which is where a node begins; without levels, at the width in 0x80000008 or
    /// of the processor count in leaf 1. A table with several dies or nodes per socket and only leaf 0xB does not
    /// contain their layout: build the layout explicitly instead.
    #[must_use]
    pub fn from_cpuid<C: CpuidRead + ?Sized>(cpuid: &C) -> ApicLayout {
        let level = |domain: TopologyDomain| {
            let mut levels = cpuid.topology_leaf().into_iter().flat_map(|leaf| cpuid.topology_levels(leaf));
            levels.find(|level| level.domain() == domain).map(|level| level.shift())
        };
        let core = level(TopologyDomain::Thread)
            .or_else(|| cpuid.amd_node().map(|node| width_of(node.threads_per_core())))
            .unwrap_or(0);
        let node = level(TopologyDomain::Core).or_else(|| package_shift(cpuid)).unwrap_or(core).max(core);
        let byte = |number: u32| number.to_le_bytes()[0];
        ApicLayout { core_shift: byte(core), core_width: byte(node - core), node_shift: byte(node) }
    }

    /// The number of a processor with this APIC id.
    #[must_use]
    pub const fn number(&self, number: OwnNumber, apic_id: u32) -> u32 {
        match number {
            OwnNumber::ApicId => apic_id,
            OwnNumber::Core => {
                let above = part(apic_id, self.core_shift.saturating_add(self.core_width));
                part(apic_id, self.core_shift)
                    & !(if self.core_width < 32 { above << self.core_width } else { 0 })
            }
            OwnNumber::Node => part(apic_id, self.node_shift),
        }
    }
}

/// The part of an APIC id from a bit on.
const fn part(apic_id: u32, shift: u8) -> u32 {
    if shift < 32 { apic_id >> shift } else { 0 }
}

/// Number of bits needed to number this many units.
const fn width_of(count: u32) -> u32 {
    count.next_power_of_two().trailing_zeros()
}

/// Where a package begins, without a list of levels.
fn package_shift<C: CpuidRead + ?Sized>(cpuid: &C) -> Option<u32> {
    let amd = cpuid.field(leaf_80000008::APICID_COREID_LEN).filter(|width| *width != 0);
    let processors = || cpuid.field(leaf_1::N_LOGICAL_CPU).filter(|_| cpuid.has(feature::HT));
    amd.or_else(|| processors().filter(|count| *count != 0).map(width_of))
}

impl CpuidTable {
    /// Changes the table to that of the processor with this APIC id: sets all [`OwnBits`]. An id too wide for a field
    /// is truncated, as processors do. A list of levels that begins with the terminator has no ids.
    ///
    /// AMD's leaf 0x8000001E is omitted if it is all zero, as QEMU does. If an AMD table has leaves up to it but
    /// lacks its entry, the entry is added back, unless the table is full.
    pub fn set_apic_id(&mut self, apic_id: u32, layout: &ApicLayout) {
        if let Some(at) = missing_node_entry(self) {
            let _ = self.insert(at, CpuidEntry::new(Leaf::NODE, Registers::ZERO));
        }
        let unused = [Leaf::LEVELS, Leaf::LEVELS_V2, Leaf::AMD_LEVELS].map(|leaf| is_unused_list(self, leaf));
        let [levels, levels_v2, amd_levels] = unused;
        for entry in self.iter_mut() {
            let leaf = entry.function;
            let without = match leaf {
                Leaf::LEVELS => levels,
                Leaf::LEVELS_V2 => levels_v2,
                Leaf::AMD_LEVELS => amd_levels,
                _ => false,
            };
            for own in OwnBits::all().iter().filter(|own| !without && own.field.leaf() == leaf) {
                let number = layout.number(own.number, apic_id);
                own.put(entry.register_mut(own.field.register()), number);
            }
        }
        self.retain(|entry| entry.function != Leaf::NODE || entry.registers != Registers::ZERO);
    }

    /// Its APIC id: the x2APIC id of 0x1F, 0xB or 0x80000026, else the 8 bits of leaf 1.
    #[must_use]
    pub fn apic_id(&self) -> Option<u32> {
        let wide = [leaf_1f::X2APIC_ID, leaf_b::X2APIC_ID, leaf_80000026::X2APIC_ID];
        wide.into_iter().chain([leaf_1::LOCAL_APIC_ID]).find_map(|field| self.field(field))
    }
}

impl Leaf {
    /// Levels of the topology.
    const LEVELS: Leaf = Leaf(0xb);
    /// Intel's newer list of them.
    const LEVELS_V2: Leaf = Leaf(0x1f);
    /// AMD's newer list of them.
    const AMD_LEVELS: Leaf = Leaf(0x8000_0026);
    /// AMD's APIC id, core and node.
    pub(crate) const NODE: Leaf = Leaf(0x8000_001e);
}

/// True if a list of levels begins with the terminator: the leaf then holds nothing, not even APIC ids.
pub(super) fn is_unused_list(entries: &[CpuidEntry], leaf: Leaf) -> bool {
    let list = [Leaf::LEVELS, Leaf::LEVELS_V2, Leaf::AMD_LEVELS].contains(&leaf);
    let first = entries.iter().find(|entry| entry.answers(leaf, Subleaf(0)));
    list && first.is_some_and(|first| leaf_1f::DOMAIN_TYPE.read_from(first.registers) == 0)
}

/// The position of AMD's leaf 0x8000001E in an AMD table that has leaves up to it but no entry for it.
pub(super) fn missing_node_entry(table: &CpuidTable) -> Option<usize> {
    let highest = table.find(Leaf::EXTENDED, Subleaf(0)).map_or(0, |entry| entry.registers.eax);
    let amds = table.has(feature::TOPOEXT)
        || table.vendor().is_some_and(|vendor| [Vendor::AMD, Vendor::HYGON].contains(&vendor));
    if !amds || highest < Leaf::NODE.0 || table.find(Leaf::NODE, Subleaf(0)).is_some() {
        return None;
    }
    let before = |entry: &CpuidEntry| (Leaf::EXTENDED..Leaf::NODE).contains(&entry.function);
    table.iter().rposition(before).map(|last| last + 1)
}

impl OwnBits {
    /// Writes a number, truncated to the field, into a register.
    pub(crate) const fn put(&self, register: &mut u32, number: u32) {
        let mask = self.field.mask();
        *register = *register & !mask | number << mask.trailing_zeros() & mask;
    }
}
