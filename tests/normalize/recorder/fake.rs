//! The CPUID instruction of a recorded host.
use std::arch::x86_64::CpuidResult;
use std::cell::RefCell;
/// Function, index, flags, EAX, EBX, ECX and EDX.
pub type Entry = [u32; 7];
thread_local! { pub static HOST: RefCell<Vec<Entry>> = RefCell::new(Vec::new()); }
pub fn cpuid_count(leaf: u32, sub: u32) -> CpuidResult {
    HOST.with(|h| {
        h.borrow().iter().find(|e| e[0] == leaf && (e[2] & 1 == 0 || e[1] == sub)).map_or(
            CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 },
            |e| CpuidResult { eax: e[3], ebx: e[4], ecx: e[5], edx: e[6] },
        )
    })
}
pub fn __cpuid_count(l: u32, s: u32) -> CpuidResult {
    cpuid_count(l, s)
}
pub fn __cpuid(l: u32) -> CpuidResult {
    cpuid_count(l, 0)
}
pub fn __get_cpuid_max(l: u32) -> (u32, u32) {
    let r = cpuid_count(l, 0);
    (r.eax, r.ebx)
}
