//! Reading CPUID by field names, from any source.
//!
//! [`CpuidRead`] needs one function, the four registers of a leaf and subleaf; the rest follows the manuals.

use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::field::Field;
use crate::bits::known_fields::leaf_80000008;
use crate::bits::location::{CpuidWord, Leaf, Registers, Subleaf};
use crate::table::caches::{self, CacheSubleaf};
use crate::table::identity::{self, Brand, Hypervisor, Signature, Vendor};
use crate::table::topology::{self, AmdNode, TopologyLevel};
use crate::table::xsave::{self, XsaveSubleaf};
use crate::table::{CpuidEntry, CpuidTable, find_entry};

/// A source of CPUID values, such as a table or a list of entries.
///
/// ```
/// use cpuid_tables::{CpuidEntry, CpuidRead, Vendor, Leaf, Registers};
///
/// let entries = [
///     CpuidEntry::new(Leaf(0), Registers::new(1, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
///     CpuidEntry::new(Leaf(1), Registers::new(0x0008_06f8, 0, 0, 0)),
/// ];
/// assert_eq!(entries.vendor(), Some(Vendor::INTEL));
/// let signature = entries.signature().unwrap();
/// assert_eq!((signature.family(), signature.model(), signature.stepping()), (6, 0x8f, 8));
/// assert_eq!(entries.brand(), None);
/// ```
pub trait CpuidRead {
    /// EAX, EBX, ECX and EDX of a leaf and subleaf; `None` if the source does not have it.
    fn registers(&self, leaf: Leaf, subleaf: Subleaf) -> Option<Registers>;

    /// A register's value; 0 if the leaf is missing, as CPUID returns for a missing leaf in range.
    fn word(&self, word: CpuidWord) -> u32 {
        self.registers(word.leaf, word.subleaf).map_or(0, |registers| registers[word.register])
    }

    /// A field's value in the first subleaf that has it; `None` if that is missing.
    fn field(&self, field: Field) -> Option<u32> {
        self.registers(field.leaf(), Subleaf(*field.subleaves().start()))
            .map(|registers| field.read_from(registers))
    }

    /// A field's value in a subleaf; `None` if the field does not exist in it, or the source does not have it.
    fn field_in(&self, field: Field, subleaf: Subleaf) -> Option<u32> {
        let registers = self.registers(field.leaf(), subleaf)?;
        field.subleaves().contains(&subleaf.0).then(|| field.read_from(registers))
    }

    /// True if the feature is set.
    fn has(&self, feature: Feature) -> bool {
        self.word(feature.location().word) & feature.mask() != 0
    }

    /// Every known feature that is set.
    fn features(&self) -> FeatureSet {
        let mut features = FeatureSet::new();
        for (word, _) in FeatureSet::ALL.words() {
            // A set cannot hold bits that are not known features.
            let _ = features.set_word(word, self.word(word));
        }
        features
    }

    /// The vendor, from leaf 0.
    fn vendor(&self) -> Option<Vendor> {
        self.registers(Leaf(0), Subleaf(0)).map(Vendor::from_registers)
    }

    /// Family, model and stepping, from leaf 1.
    fn signature(&self) -> Option<Signature> {
        self.registers(Leaf(1), Subleaf(0)).map(|Registers { eax, .. }| Signature(eax))
    }

    /// The brand string of leaves 0x80000002 to 0x80000004; `None` unless all three exist.
    fn brand(&self) -> Option<Brand> {
        identity::brand(move |leaf, subleaf| self.registers(leaf, subleaf))
    }

    /// The widths of addresses, from leaf 0x80000008.
    fn address_widths(&self) -> Option<AddressWidths> {
        let registers = self.registers(Leaf(0x8000_0008), Subleaf(0))?;
        Some(AddressWidths {
            physical: leaf_80000008::PHYS_ADDR_BITS.read_from(registers),
            linear: leaf_80000008::VIRT_ADDR_BITS.read_from(registers),
            guest_physical: leaf_80000008::GUEST_PHYS_ADDR_BITS.read_from(registers),
        })
    }

    /// The highest leaf of the range that begins at `base`: EAX there.
    fn highest_leaf(&self, base: Leaf) -> Option<Leaf> {
        self.registers(base, Subleaf(0)).map(|Registers { eax, .. }| Leaf(eax))
    }

    /// The highest basic leaf.
    fn highest_basic_leaf(&self) -> Option<Leaf> {
        self.highest_leaf(Leaf::BASIC)
    }

    /// The highest extended leaf, 0x80000000 or above.
    fn highest_extended_leaf(&self) -> Option<Leaf> {
        self.highest_leaf(Leaf::EXTENDED)
    }

    /// The hypervisors' ranges that exist, from 0x40000000 in steps of 0x100, in ascending order.
    fn hypervisors(&self) -> impl Iterator<Item = Hypervisor> {
        identity::hypervisors(move |leaf, subleaf| self.registers(leaf, subleaf))
    }

    /// The caches listed in leaf 4 ([`CacheSubleaf::INTEL`]) or 0x8000001D ([`CacheSubleaf::AMD`]), up to the
    /// terminator.
    fn caches(&self, leaf: Leaf) -> impl Iterator<Item = CacheSubleaf> {
        caches::caches(move |leaf, subleaf| self.registers(leaf, subleaf), leaf)
    }

    /// The levels listed in leaf 0xB, 0x1F or 0x80000026, up to the terminator.
    fn topology_levels(&self, leaf: Leaf) -> impl Iterator<Item = TopologyLevel> {
        topology::levels(move |leaf, subleaf| self.registers(leaf, subleaf), leaf)
    }

    /// The leaf that Intel's manual prefers for the topology: 0x1F if it has a level, else 0xB if that has one.
    fn topology_leaf(&self) -> Option<Leaf> {
        [Leaf(0x1f), Leaf(0xb)].into_iter().find(|&leaf| self.topology_levels(leaf).next().is_some())
    }

    /// AMD's topology in leaf 0x8000001E.
    fn amd_node(&self) -> Option<AmdNode> {
        self.registers(AmdNode::LEAF, Subleaf(0)).map(AmdNode)
    }

    /// The components that may be set in XCR0, from 0xD.0; 0 without that leaf.
    fn xcr0(&self) -> u64 {
        self.registers(Leaf(0xd), Subleaf(0)).map_or(0, |Registers { eax, edx, .. }| xsave::wide(eax, edx))
    }

    /// The components that may be set in IA32_XSS, from 0xD.1; 0 without that subleaf.
    fn xss(&self) -> u64 {
        self.registers(Leaf(0xd), Subleaf(1)).map_or(0, |Registers { ecx, edx, .. }| xsave::wide(ecx, edx))
    }

    /// The subleaves of 0xD from 2 on that describe a component, except those of size 0.
    fn xsave_components(&self) -> impl Iterator<Item = XsaveSubleaf> {
        xsave::components(move |leaf, subleaf| self.registers(leaf, subleaf))
    }

    /// Bytes of an XSAVE area with these components, in the compacted or the standard format, by the sizes and
    /// offsets of leaf 0xD.
    fn xsave_size(&self, components: u64, compacted: bool) -> u32 {
        xsave::size(move |leaf, subleaf| self.registers(leaf, subleaf), components, compacted)
    }
}

/// The widths of addresses in bits, from leaf 0x80000008.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressWidths {
    /// Physical addresses.
    pub physical: u32,
    /// Linear addresses.
    pub linear: u32,
    /// Addresses that a guest can use under a hypervisor (`GuestPhysAddrSize`); 0 if it does not differ.
    pub guest_physical: u32,
}

impl CpuidRead for [CpuidEntry] {
    fn registers(&self, leaf: Leaf, subleaf: Subleaf) -> Option<Registers> {
        find_entry(self, leaf, subleaf).map(|entry| entry.registers)
    }
}

impl CpuidRead for CpuidTable {
    fn registers(&self, leaf: Leaf, subleaf: Subleaf) -> Option<Registers> {
        (**self).registers(leaf, subleaf)
    }
}
