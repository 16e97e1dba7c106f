//! The base of each vCPU's table.

use alloc::vec::Vec;
use core::ops::Deref;

use super::own::{ApicLayout, OwnBits, OwnNumber, is_unused_list, missing_node_entry};
use super::{CpuidEntry, CpuidTable, TableFull};
use crate::bits::known_fields::{leaf_1, leaf_8000001e};
use crate::bits::location::{Leaf, Registers};

/// A part of an entry that differs between vCPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnPart {
    /// The field holds the number, truncated to its width.
    Field(OwnBits),
    /// Leaf 1's APIC id over a count that overflowed into its bits, which QEMU before 10.0 allows.
    #[cfg_attr(
        not(any(feature = "guest", feature = "serde")),
        expect(dead_code, reason = "only guests of an old QEMU have it")
    )]
    CountedId,
    /// All of AMD's leaf 0x8000001E. It is omitted if it is all zero, and QEMU makes it zero if the core's number
    /// does not fit.
    Node,
}

/// The location of a vCPU-specific part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnPlace {
    /// The entry's position.
    pub(crate) entry: usize,
    pub(crate) part: OwnPart,
}

/// The base of each vCPU's table: a table with every entry that any vCPU has, and a list of the parts that differ
/// between vCPUs.
///
/// vCPUs differ by their APIC ids (leaves 1, 0xB, 0x1F, 0x8000001E and 0x80000026), and in one more way: AMD's leaf
/// 0x8000001E is all zero on the first vCPU of a guest without SMT, and then omitted from that vCPU's table only. A
/// copy of the first vCPU's table therefore lacks an entry that the other vCPUs have; the base has it.
///
/// Caches (leaves 4 and 0x8000001D) are the same on every vCPU.
///
/// With the feature `serde` a base can be stored with a snapshot: a vCPU that is added after the guest was restored gets the
/// table that it would have had before. One vCPU's table does not suffice where it lacks the layout.
///
/// It dereferences to the table with every entry (`base.iter()`, `base.find(..)`).
///
/// ```
/// use cpuid_tables::{CpuidEntry, CpuidTable, VcpuBase, feature, Leaf, Registers};
///
/// // The first vCPU of an AMD guest without SMT: it has 0x8000001E, all zero, so its entry is left out.
/// let first = [
///     CpuidEntry::new(Leaf(1), Registers::new(0x00a0_0f11, 0x0004_0800, 0, feature::HT.mask())),
///     CpuidEntry::new(Leaf(0x8000_0000), Registers::new(0x8000_001e, 0, 0, 0)),
///     CpuidEntry::new(Leaf(0x8000_0001), Registers::new(0, 0, feature::TOPOEXT.mask(), 0)),
/// ];
/// let base = VcpuBase::new(&first)?;
/// let mut table = CpuidTable::new();
/// base.write(3, &mut table);
/// assert_eq!(table.last().map(|entry| entry.registers), Some(Registers::new(3, 3, 0, 0)));
/// base.write(0, &mut table);
/// assert_eq!(table.len(), 3);
/// # Ok::<(), cpuid_tables::TableFull>(())
/// ```
#[derive(Clone, Debug)]
pub struct VcpuBase {
    table: CpuidTable,
    own: Vec<OwnPlace>,
    layout: ApicLayout,
}

impl VcpuBase {
    /// From any vCPU's table, which also provides the positions of cores and nodes within an APIC id.
    ///
    /// An AMD table that has leaves up to 0x8000001E but lacks its entry gets an entry of zeros, since that is what
    /// was omitted.
    ///
    /// # Errors
    ///
    /// [`TableFull`].
    pub fn new(table: &[CpuidEntry]) -> Result<VcpuBase, TableFull> {
        VcpuBase::with_layout(table, ApicLayout::from_cpuid(table))
    }

    /// The same with a given layout: a table with several dies or nodes per socket may not contain the layout.
    ///
    /// # Errors
    ///
    /// [`TableFull`].
    pub fn with_layout(table: &[CpuidEntry], layout: ApicLayout) -> Result<VcpuBase, TableFull> {
        let mut table = CpuidTable::from_entries(table)?;
        if let Some(at) = missing_node_entry(&table) {
            table.insert(at, CpuidEntry::new(Leaf::NODE, Registers::ZERO))?;
        }
        let mut own = Vec::new();
        for (entry, of) in table.iter().enumerate() {
            if of.function == Leaf::NODE {
                own.push(OwnPlace { entry, part: OwnPart::Node });
            } else if !is_unused_list(&table, of.function) {
                let here = OwnBits::all().iter().filter(|own| own.field.leaf() == of.function);
                own.extend(here.map(|&own| OwnPlace { entry, part: OwnPart::Field(own) }));
            }
        }
        Ok(VcpuBase { table, own, layout })
    }

    /// A table whose vCPU-specific parts are known.
    #[cfg(any(feature = "guest", feature = "normalize"))]
    pub(crate) const fn from_parts(table: CpuidTable, own: Vec<OwnPlace>, layout: ApicLayout) -> VcpuBase {
        VcpuBase { table, own, layout }
    }

    /// The positions of cores and nodes within an APIC id.
    #[must_use]
    pub const fn layout(&self) -> ApicLayout {
        self.layout
    }

    /// The APIC id in leaf 1 is added to what the base has there.
    #[cfg(feature = "serde")]
    pub(crate) fn has_counted_id(&self) -> bool {
        self.own.iter().any(|place| place.part == OwnPart::CountedId)
    }

    /// The same base with that.
    #[cfg(feature = "serde")]
    pub(crate) fn with_counted_id(mut self) -> VcpuBase {
        let is_first =
            |place: &&mut OwnPlace| self.table.get(place.entry).is_some_and(|at| at.function == Leaf(1));
        self.own.iter_mut().filter(is_first).for_each(|place| place.part = OwnPart::CountedId);
        self
    }

    /// Replaces `table` by the table of the vCPU with this APIC id. Does not allocate.
    pub fn write(&self, apic_id: u32, table: &mut CpuidTable) {
        table.clone_from(&self.table);
        self.apply(apic_id, &mut table[..]);
        if let Some(at) = self.left_out(apic_id) {
            table.remove(at);
        }
    }

    /// Changes a table made from this base to another vCPU's. Writes only the differences.
    #[cfg(feature = "guest")]
    pub(crate) fn rewrite(&self, apic_id: u32, table: &mut CpuidTable) {
        if table.len() != self.table.len() || self.left_out(apic_id).is_some() {
            self.write(apic_id, table);
        } else {
            self.apply(apic_id, &mut table[..]);
        }
    }

    /// Changes entries made from this base to another vCPU's, without omitting any.
    pub(crate) fn apply(&self, apic_id: u32, entries: &mut [CpuidEntry]) {
        for place in &self.own {
            if let (Some(entry), Some(base)) = (entries.get_mut(place.entry), self.table.get(place.entry)) {
                entry.registers = self.registers(place.part, base, apic_id, entry.registers);
            }
        }
    }

    /// The registers of an entry, with one part changed to this vCPU's.
    pub(crate) fn registers(
        &self,
        part: OwnPart,
        base: &CpuidEntry,
        apic_id: u32,
        mut registers: Registers,
    ) -> Registers {
        let put = |registers: &mut Registers, own: &OwnBits| {
            let number = self.layout.number(own.number, apic_id);
            own.put(&mut registers[own.field.register()], number);
        };
        match part {
            OwnPart::Field(own) => put(&mut registers, &own),
            OwnPart::CountedId => {
                registers.ebx = base.registers.ebx | apic_id << leaf_1::LOCAL_APIC_ID.bits().start();
            }
            OwnPart::Node if self.layout.number(OwnNumber::Core, apic_id) > leaf_8000001e::CORE_ID.max() => {
                registers = Registers::ZERO;
            }
            OwnPart::Node => {
                registers = base.registers;
                let here = OwnBits::all().iter().filter(|own| own.field.leaf() == Leaf::NODE);
                here.for_each(|own| put(&mut registers, own));
            }
        }
        registers
    }

    /// The vCPU-specific parts, by entry.
    #[cfg(feature = "kvm")]
    pub(crate) fn own(&self) -> &[OwnPlace] {
        &self.own
    }

    /// The entry that the vCPU with this APIC id lacks.
    pub(crate) fn left_out(&self, apic_id: u32) -> Option<usize> {
        let place = self.own.iter().find(|place| place.part == OwnPart::Node)?;
        let base = self.table.get(place.entry)?;
        let registers = self.registers(place.part, base, apic_id, base.registers);
        (registers == Registers::ZERO).then_some(place.entry)
    }
}

impl Deref for VcpuBase {
    type Target = CpuidTable;
    fn deref(&self) -> &CpuidTable {
        &self.table
    }
}
