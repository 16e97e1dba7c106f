//! A current KVM on a CPU: the answers of KVM_GET_SUPPORTED_CPUID, feature MSRs and capabilities, from the CPU's CPUID
//! instruction and Linux's facts about each bit (`kvm_set_cpu_caps` and
//! `__do_cpuid_func` of arch/x86/kvm/cpuid.c).

use std::collections::BTreeMap;

use cpuid_tables::host::Host;
use cpuid_tables::{
    CpuidEntry, Feature, KvmTreatment, Leaf, LinuxRelease, Msr, Register, Registers, Subleaf,
};

use super::{Vendor, find, msrs};

/// Registers that hold features, possibly with other fields.
const FEATURE_REGISTERS: [(u32, u32, Register); 22] = [
    (1, 0, Register::Ecx),
    (1, 0, Register::Edx),
    (7, 0, Register::Ebx),
    (7, 0, Register::Ecx),
    (7, 0, Register::Edx),
    (7, 1, Register::Eax),
    (7, 1, Register::Ecx),
    (7, 1, Register::Edx),
    (7, 2, Register::Edx),
    (0xd, 1, Register::Eax),
    (0x12, 0, Register::Eax),
    (0x1e, 1, Register::Eax),
    (0x24, 0, Register::Ebx),
    (0x8000_0001, 0, Register::Ecx),
    (0x8000_0001, 0, Register::Edx),
    (0x8000_0007, 0, Register::Edx),
    (0x8000_0008, 0, Register::Ebx),
    (0x8000_000a, 0, Register::Edx),
    (0x8000_001f, 0, Register::Eax),
    (0x8000_0021, 0, Register::Eax),
    (0x8000_0021, 0, Register::Ecx),
    (0xc000_0001, 0, Register::Edx),
];

/// Leaves that KVM reports as zero, or not at all.
const WITHHELD: [u32; 7] = [3, 5, 0xb, 0xf, 0x10, 0x15, 0x16];

/// VMX controls, as KVM has them on any CPU with EPT and VPID: bits that must be 1 in the lower half, bits that may be 1 in
/// the upper half.
const VMX: &[(u32, u64)] = &[
    (0x480, 0x00da_0400_1103_05f2),
    (0x485, 0x0004_c1e7),
    (0x486, 0x8000_0021),
    (0x487, 0xffff_ffff),
    (0x488, 0x2000),
    (0x489, 0x003f_7fff),
    (0x48a, 0x2e),
    (0x48b, 0x0013_7cff_0000_0000),
    (0x48c, 0x0f01_0633_4141),
    (0x48d, 0x0000_007f_0000_0016),
    (0x48e, 0xfff9_fffe_0400_6172),
    (0x48f, 0x01ff_ffff_0003_6dfb),
    (0x490, 0x0003_ffff_0000_11fb),
    (0x491, 1),
];

/// The host of a CPU with a current KVM.
pub(super) fn host(vendor: Vendor, instruction: Vec<CpuidEntry>, arch_capabilities: u64) -> Host {
    let mut supported: Vec<CpuidEntry> =
        instruction.iter().copied().filter(|entry| !WITHHELD.contains(&entry.function.0)).collect();
    for (leaf, subleaf, register) in FEATURE_REGISTERS {
        if let Some(entry) = find(&mut supported, leaf, subleaf) {
            let word = entry.register_mut(register);
            *word = offered(leaf, subleaf, register, *word);
        }
    }
    narrow(&mut supported);
    supported.push(CpuidEntry::new(
        Leaf(0x4000_0000),
        Registers::new(0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d),
    ));
    supported.push(CpuidEntry::new(Leaf(0x4000_0001), Registers::new(0x0100_7efb, 0, 0, 0)));
    let xcr0 = find(&mut supported, 0xd, 0).map_or((0, 0), |entry| {
        let all = entry.registers.eax;
        // AMX needs permission first.
        entry.registers.eax &= !(3 << 17);
        (all, entry.registers.ecx)
    });
    Host {
        msrs: feature_msrs(&supported, arch_capabilities),
        capabilities: capabilities(vendor, xcr0.1),
        guest_xcomponents: (xcr0.0 != 0).then_some(xcr0.0.into()),
        supported,
        instruction,
        ..Host::default()
    }
}

fn offered(leaf: u32, subleaf: u32, register: Register, has: u32) -> u32 {
    let here = |feature: &Feature| {
        (feature.leaf(), feature.subleaf(), feature.register()) == (Leaf(leaf), Subleaf(subleaf), register)
    };
    Feature::all().filter(here).fold(0, |all, feature| {
        all | match feature.kvm(LinuxRelease::NEWEST) {
            KvmTreatment::Emulated => feature.mask(),
            KvmTreatment::Unknown | KvmTreatment::NotAdvertised | KvmTreatment::Runtime => 0,
            _ => has & feature.mask(),
        }
    })
}

/// Leaves of which KVM reports less than the CPU has.
fn narrow(supported: &mut [CpuidEntry]) {
    if let Some(entry) = find(supported, 6, 0) {
        entry.registers = Registers::new(4, 0, 0, 0);
    }
    if let Some(entry) = find(supported, 0x14, 0) {
        entry.registers =
            Registers::new(entry.registers.eax.min(1), entry.registers.ebx, entry.registers.ecx, 0);
    }
    if let Some(entry) = find(supported, 0x8000_0007, 0) {
        entry.registers = Registers { edx: entry.registers.edx, ..Registers::ZERO };
    }
}

fn feature_msrs(supported: &[CpuidEntry], arch_capabilities: u64) -> BTreeMap<Msr, u64> {
    let is = |leaf: u32| move |entry: &&CpuidEntry| entry.function == Leaf(leaf);
    let vmx = supported.iter().find(is(1)).is_some_and(|entry| entry.registers.ecx & 1 << 5 != 0);
    let mut all = msrs(&[(0x10a, arch_capabilities), (0x8b, 0x1_0000_0000), (0xce, 0x8000_0000)]);
    if supported.iter().any(|entry| entry.function == Leaf(0xa) && entry.registers.eax != 0) {
        all.extend(msrs(&[(0x345, 0x2000)]));
    }
    if vmx {
        all.extend(msrs(VMX));
    }
    all
}

fn capabilities(vendor: Vendor, xsave_size: u32) -> BTreeMap<u32, i64> {
    let tsc_control = if vendor == Vendor::INTEL || vendor.is_amd() { 1 } else { 0 };
    [(60, tsc_control), (72, 1), (143, 0xf), (208, i64::from(xsave_size.max(4096))), (209, 1)].into()
}
