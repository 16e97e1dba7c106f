//! What the functions of Cloud Hypervisor take from its other crates.
use crate::fake::Entry;
#[derive(Clone, Copy, Default, Debug)]
pub struct CpuIdEntry {
    pub function: u32,
    pub index: u32,
    pub flags: u32,
    pub eax: u32,
    pub ebx: u32,
    pub ecx: u32,
    pub edx: u32,
}
impl From<Entry> for CpuIdEntry {
    fn from([function, index, flags, eax, ebx, ecx, edx]: Entry) -> CpuIdEntry {
        CpuIdEntry { function, index, flags, eax, ebx, ecx, edx }
    }
}
impl From<CpuIdEntry> for Entry {
    fn from(e: CpuIdEntry) -> Entry {
        [e.function, e.index, e.flags, e.eax, e.ebx, e.ecx, e.edx]
    }
}
pub const CPUID_FLAG_VALID_INDEX: u32 = 1;
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CpuVendor {
    Unknown,
    Intel,
    AMD,
}
pub enum HypervisorType {
    Kvm,
}
pub enum CpuProfile {
    Host,
    #[allow(dead_code)]
    Other,
}
impl CpuProfile {
    pub fn adjust_cpuid(
        &self,
        _: Vec<CpuIdEntry>,
        _: bool,
        _: CpuVendor,
    ) -> std::result::Result<Vec<CpuIdEntry>, ()> {
        unreachable!()
    }
}
pub struct CpuidFeatureEntry;
impl CpuidFeatureEntry {
    pub fn check_cpuid_compatibility_with_descriptions(
        _: &[CpuIdEntry],
        _: &str,
        _: &[CpuIdEntry],
        _: &str,
    ) -> std::result::Result<(), ()> {
        unreachable!()
    }
}
pub struct CpuidConfig {
    pub phys_bits: u8,
    pub kvm_hyperv: bool,
    pub amx: bool,
    pub profile: CpuProfile,
}
#[derive(Debug)]
#[allow(dead_code)]
pub enum Error {
    CpuidGetSupported(()),
    MissingExpectedCpuidEntry(()),
    CpuProfileCpuidIncompatibility,
    GetTscFrequency(()),
    SetSupportedCpusFailed(()),
}
pub type Result<T> = std::result::Result<T, Error>;
pub trait Hypervisor {
    fn get_supported_cpuid(&self) -> std::result::Result<Vec<CpuIdEntry>, ()>;
    fn hypervisor_type(&self) -> HypervisorType {
        HypervisorType::Kvm
    }
    fn get_cpu_vendor(&self) -> CpuVendor;
}
pub trait Vcpu {
    fn tsc_khz(&self) -> std::result::Result<Option<u32>, ()>;
    fn set_cpuid2(&self, c: &[CpuIdEntry]) -> std::result::Result<(), ()>;
}
