//! What the functions of crosvm take from its other crates.
use crate::fake::Entry;
use std::arch::x86_64::CpuidResult;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuIdEntry {
    pub function: u32,
    pub index: u32,
    pub flags: u32,
    pub cpuid: CpuidResult,
}
impl From<Entry> for CpuIdEntry {
    fn from([function, index, flags, eax, ebx, ecx, edx]: Entry) -> CpuIdEntry {
        CpuIdEntry { function, index, flags, cpuid: CpuidResult { eax, ebx, ecx, edx } }
    }
}
impl From<CpuIdEntry> for Entry {
    fn from(CpuIdEntry { function, index, flags, cpuid }: CpuIdEntry) -> Entry {
        [function, index, flags, cpuid.eax, cpuid.ebx, cpuid.ecx, cpuid.edx]
    }
}
pub struct CpuId {
    pub cpu_id_entries: Vec<CpuIdEntry>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NestedMode {
    Off,
    Auto,
    On,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)]
pub enum CpuHybridType {
    Atom,
    Core,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuConfigX86_64 {
    pub host_cpu_topology: bool,
    pub enable_hwp: bool,
    pub no_smt: bool,
    pub itmt: bool,
    pub hybrid_type: Option<CpuHybridType>,
    pub nested: NestedMode,
}
