//! The MSRs that a KVM saves (KVM_GET_MSR_INDEX_LIST): which of those that QEMU looks for.

use cpuid_tables::Msr;

use crate::oracle::random::Random;

/// The MSRs whose presence QEMU looks for (`kvm_get_supported_msrs` of target/i386/kvm/kvm.c, 10.0.13 and 11.0.3).
const LOOKED_FOR: [u32; 32] = [
    0x34,
    0x3b,
    0x48,
    0x8b,
    0x9e,
    0xcf,
    0xe1,
    0x10a,
    0x122,
    0x1a0,
    0x345,
    0x48b,
    0x491,
    0x6e0,
    0x6e1,
    0xd90,
    0xda0,
    0x4000_0002,
    0x4000_0003,
    0x4000_0010,
    0x4000_0022,
    0x4000_0080,
    0x4000_00b0,
    0x4000_0105,
    0x4000_0106,
    0xc000_0081,
    0xc000_0103,
    0xc000_0104,
    0xc001_0015,
    0xc001_0117,
    0xc001_011f,
    0x10,
];

/// Most of them: which ones depends on the seed.
pub fn saved_msrs(seed: u64) -> Vec<Msr> {
    let mut random = Random::new(seed ^ 0x6d73_725f_6c69_7374);
    LOOKED_FOR.iter().filter(|_| random.percent(80)).map(|msr| Msr(*msr)).collect()
}
