//! A guest's CPUID table, by KVM's rules (Linux, `arch/x86/kvm/cpuid.c`).
//!
//! A table has at most [`CpuidTable::MAX`] entries and keeps their order, since KVM uses the first match.

use core::fmt;
use core::ops::{Deref, DerefMut};

use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::location::{CpuidWord, Leaf, Subleaf};

mod answer;
mod caches;
mod cpuid_fn;
mod edit;
mod entry;
mod identity;
mod own;
mod read;
mod run_state;
mod subleaves;
mod topology;
#[cfg(feature = "alloc")]
mod vcpu_base;
mod xsave;

pub use answer::{Answer, AnsweredBy, Lookup, kvm_answer};
pub use caches::CacheSubleaf;
pub use edit::SetFieldError;
pub use entry::CpuidEntry;
#[cfg(feature = "normalize")]
pub(crate) use identity::brand;
pub use identity::{Brand, Hypervisor, Signature, Vendor};
pub use own::{ApicLayout, OwnBits, OwnNumber};
pub use read::{AddressWidths, CpuidRead};
#[cfg(feature = "show")]
pub(crate) use run_state::Mirror;
pub use run_state::RunState;
pub use subleaves::{IndexedLeaf, Terminator};
pub use topology::{AmdNode, TopologyDomain, TopologyLevel};
#[cfg(feature = "alloc")]
pub use vcpu_base::VcpuBase;
#[cfg(any(feature = "guest", feature = "normalize"))]
pub(crate) use vcpu_base::{OwnPart, OwnPlace};
#[cfg(feature = "check")]
pub(crate) use xsave::LEGACY_AND_HEADER;
pub use xsave::XsaveSubleaf;

/// A table of CPUID entries for `KVM_SET_CPUID2`.
///
/// It stores its entries inline: reading, changing and copying a table does not allocate. It dereferences to a slice
/// (`table.iter()`, `table[3]`, `table.len()`) of the entries in order.
///
/// ```
/// use cpuid_tables::{CpuidEntry, CpuidTable, Leaf, Subleaf, feature, Registers};
///
/// let mut table = CpuidTable::new();
/// table.push(CpuidEntry::new(Leaf(0), Registers::new(7, 0, 0, 0)))?;
/// table.push(CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0)))?;
/// assert!(table.has(feature::AVX2));
/// assert!(table.find(Leaf(7), Subleaf(1)).is_none());
/// # Ok::<(), cpuid_tables::TableFull>(())
/// ```
#[derive(Clone)]
pub struct CpuidTable {
    /// At most `MAX`.
    len: u16,
    entries: [CpuidEntry; CpuidTable::MAX],
}

/// The table would have more entries than KVM accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

impl fmt::Display for TableFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KVM accepts at most {} CPUID entries", CpuidTable::MAX)
    }
}

impl core::error::Error for TableFull {}

/// The entry that KVM uses for a leaf and subleaf: the first match (`kvm_find_cpuid_entry_index`).
#[must_use]
pub fn find_entry(entries: &[CpuidEntry], leaf: Leaf, subleaf: Subleaf) -> Option<&CpuidEntry> {
    entries.iter().find(|entry| entry.answers(leaf, subleaf))
}

impl CpuidTable {
    /// KVM's maximum number of entries: `KVM_MAX_CPUID_ENTRIES`, 256 since Linux 5.11 (80 before).
    pub const MAX: usize = 256;

    /// A table without entries.
    #[must_use]
    pub const fn new() -> CpuidTable {
        CpuidTable { len: 0, entries: [CpuidEntry::ZERO; CpuidTable::MAX] }
    }

    /// A table of these entries, in their order.
    ///
    /// # Errors
    ///
    /// [`TableFull`]: more than [`MAX`](CpuidTable::MAX) entries.
    pub fn from_entries(entries: &[CpuidEntry]) -> Result<CpuidTable, TableFull> {
        let mut table = CpuidTable::new();
        table.entries.get_mut(..entries.len()).ok_or(TableFull)?.copy_from_slice(entries);
        table.len = u16::try_from(entries.len()).map_err(|_| TableFull)?;
        Ok(table)
    }

    /// Adds an entry at the end.
    ///
    /// # Errors
    ///
    /// [`TableFull`]: it already has [`MAX`](CpuidTable::MAX) entries.
    pub fn push(&mut self, entry: CpuidEntry) -> Result<(), TableFull> {
        *self.entries.get_mut(usize::from(self.len)).ok_or(TableFull)? = entry;
        self.len += 1;
        Ok(())
    }

    /// Inserts an entry at a position and moves later ones up; appends it if the position is past the end.
    ///
    /// # Errors
    ///
    /// [`TableFull`]: it already has [`MAX`](CpuidTable::MAX) entries.
    pub fn insert(&mut self, at: usize, entry: CpuidEntry) -> Result<(), TableFull> {
        self.push(entry)?;
        if let Some(moved) = self.get_mut(at..) {
            moved.rotate_right(1);
        }
        Ok(())
    }

    /// Removes the entry at a position and moves later ones down; `None` if there is none.
    pub fn remove(&mut self, at: usize) -> Option<CpuidEntry> {
        let entry = *self.get(at)?;
        self.get_mut(at..)?.rotate_left(1);
        self.len -= 1;
        Some(entry)
    }

    /// Keeps the entries for which `keep` returns true, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&CpuidEntry) -> bool) {
        let mut kept = 0;
        for at in 0..usize::from(self.len) {
            let entry = self.entries[at];
            if keep(&entry) {
                self.entries[usize::from(kept)] = entry;
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// The entry that KVM uses for a leaf and subleaf.
    #[must_use]
    pub fn find(&self, leaf: Leaf, subleaf: Subleaf) -> Option<&CpuidEntry> {
        find_entry(self, leaf, subleaf)
    }

    /// The same, mutable.
    pub fn find_mut(&mut self, leaf: Leaf, subleaf: Subleaf) -> Option<&mut CpuidEntry> {
        self.iter_mut().find(|entry| entry.answers(leaf, subleaf))
    }

    /// A register's value; 0 without an entry, as CPUID returns for a missing leaf in range.
    #[must_use]
    pub fn word(&self, word: CpuidWord) -> u32 {
        CpuidRead::word(&**self, word)
    }

    /// True if the table has the feature.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        CpuidRead::has(&**self, feature)
    }

    /// Sets a feature; false if the table has no entry for its leaf and is unchanged.
    #[must_use = "false: the table has no entry for the feature"]
    pub fn set(&mut self, feature: Feature) -> bool {
        self.find_mut(feature.leaf(), feature.subleaf())
            .map(|entry| *entry.register_mut(feature.register()) |= feature.mask())
            .is_some()
    }

    /// Clears a feature.
    pub fn clear(&mut self, feature: Feature) {
        if let Some(entry) = self.find_mut(feature.leaf(), feature.subleaf()) {
            *entry.register_mut(feature.register()) &= !feature.mask();
        }
    }

    /// Every known feature that the table has.
    #[must_use]
    pub fn features(&self) -> FeatureSet {
        CpuidRead::features(&**self)
    }
}

impl Default for CpuidTable {
    fn default() -> CpuidTable {
        CpuidTable::new()
    }
}

impl Deref for CpuidTable {
    type Target = [CpuidEntry];
    fn deref(&self) -> &[CpuidEntry] {
        &self.entries[..usize::from(self.len)]
    }
}

impl DerefMut for CpuidTable {
    fn deref_mut(&mut self) -> &mut [CpuidEntry] {
        &mut self.entries[..usize::from(self.len)]
    }
}

impl PartialEq for CpuidTable {
    fn eq(&self, other: &CpuidTable) -> bool {
        **self == **other
    }
}

impl Eq for CpuidTable {}

impl fmt::Debug for CpuidTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
