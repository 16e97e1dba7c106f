//! Conversions between this crate's types and those of kvm-bindings, which mirror KVM's structs.

use kvm_bindings::{CpuId, kvm_cpuid_entry2};

use super::system::{entry_for, entry_of};
use crate::table::{CpuidEntry, CpuidTable, TableFull};

impl From<kvm_cpuid_entry2> for CpuidEntry {
    fn from(entry: kvm_cpuid_entry2) -> CpuidEntry {
        entry_of(&entry)
    }
}

impl From<CpuidEntry> for kvm_cpuid_entry2 {
    fn from(entry: CpuidEntry) -> kvm_cpuid_entry2 {
        entry_for(&entry)
    }
}

impl TryFrom<&CpuId> for CpuidTable {
    type Error = TableFull;

    fn try_from(entries: &CpuId) -> Result<CpuidTable, TableFull> {
        CpuidTable::try_from(entries.as_slice())
    }
}

impl TryFrom<CpuId> for CpuidTable {
    type Error = TableFull;

    fn try_from(entries: CpuId) -> Result<CpuidTable, TableFull> {
        CpuidTable::try_from(&entries)
    }
}

impl TryFrom<&[kvm_cpuid_entry2]> for CpuidTable {
    type Error = TableFull;

    fn try_from(entries: &[kvm_cpuid_entry2]) -> Result<CpuidTable, TableFull> {
        let mut table = CpuidTable::new();
        entries.iter().try_for_each(|entry| table.push((*entry).into()))?;
        Ok(table)
    }
}

impl TryFrom<CpuidTable> for CpuId {
    type Error = TableFull;

    fn try_from(table: CpuidTable) -> Result<CpuId, TableFull> {
        CpuId::try_from(&table)
    }
}

impl TryFrom<&CpuidTable> for CpuId {
    type Error = TableFull;

    /// kvm-bindings accepts as many entries as a table can hold, so this does not fail.
    fn try_from(table: &CpuidTable) -> Result<CpuId, TableFull> {
        let entries: std::vec::Vec<kvm_cpuid_entry2> = table.iter().map(|entry| (*entry).into()).collect();
        CpuId::from_entries(&entries).map_err(|_| TableFull)
    }
}
