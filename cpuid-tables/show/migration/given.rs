//! What a VMM gives a guest beyond what KVM lists, and what it writes itself.

use crate::bits::feature::Feature;
use crate::bits::known_places::{AMD_ALIASES, ARCH_CAPABILITIES, FB_CLEAR, NOT_VULNERABLE};
use crate::bits::kvm_treatment::KvmTreatment;
use crate::bits::location::{Bit, CpuidWord, Leaf, Location, Msr, Register, Subleaf};
use crate::bits::release::LinuxRelease;
use crate::meaning::{Meaning, Rule};
use crate::table::{CpuidEntry, CpuidRead};

/// Features that a VMM gives a guest although KVM does not list them, with the reason (QEMU,
/// `kvm_arch_get_supported_cpuid` of target/i386/kvm/kvm.c).
static GIVEN_BY_VMM: [(Location, &str); 15] = [
    (at(1, 0, Register::Edx, 7), "KVM emulates machine checks, whatever an old one lists"),
    (at(1, 0, Register::Edx, 12), "KVM emulates the MTRRs, whatever an old one lists"),
    (at(1, 0, Register::Edx, 14), "KVM emulates machine checks, whatever an old one lists"),
    (at(1, 0, Register::Edx, 16), "KVM emulates the PAT, whatever an old one lists"),
    (at(1, 0, Register::Edx, 28), "the VMM sets it by the guest's topology"),
    (at(1, 0, Register::Ecx, 3), "the VMM lets guests execute MWAIT"),
    (at(1, 0, Register::Ecx, 21), "KVM's APIC has the x2APIC mode"),
    (at(1, 0, Register::Ecx, 24), "KVM emulates the TSC deadline timer"),
    (at(1, 0, Register::Ecx, 31), "the VMM sets it for every guest"),
    // On processors without leaf 6 KVM does not list it.
    (at(6, 0, Register::Eax, 2), "the timer of KVM's APIC does not stop"),
    (at(0x8000_0001, 0, Register::Ecx, 22), "the VMM fills the leaves that it announces"),
    (at(0x8000_0007, 0, Register::Ebx, 0), "KVM emulates AMD's machine check banks"),
    (at(0x8000_0007, 0, Register::Ebx, 1), "KVM emulates AMD's machine check banks"),
    (at(0x4000_0001, 0, Register::Eax, 7), "KVM emulates it with its own APIC"),
    (at(0x4000_0001, 0, Register::Eax, 15), "KVM emulates it with a split interrupt controller"),
];

/// Features that state how fast something is: a guest works without them. QEMU gives them by the CPU's word alone.
static SPEED: [Location; 6] = [
    at(7, 0, Register::Ebx, 9),
    at(7, 0, Register::Edx, 4),
    at(7, 1, Register::Eax, 10),
    at(7, 1, Register::Eax, 11),
    at(7, 1, Register::Eax, 12),
    at(7, 2, Register::Edx, 5),
];

pub(super) const fn at(leaf: u32, subleaf: u32, register: Register, bit: u8) -> Location {
    CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register).bit(Bit(bit))
}

/// XSAVE components that a VMM gives by the feature that announces them, whatever KVM lists: those that a process must ask
/// for (AMX), and that of architectural last branch records.
static COMPONENTS: [(CpuidWord, u32, Location); 2] = [
    (CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Eax), 3 << 17, at(7, 0, Register::Edx, 24)),
    (CpuidWord::new(Leaf(0xd), Subleaf(1), Register::Ecx), 1 << 15, at(7, 0, Register::Edx, 19)),
];

/// The bits of a register that a VMM can give a guest beyond those that KVM lists (`kvm`).
pub(super) fn beyond_kvm(word: CpuidWord, kvm: &[CpuidEntry]) -> u32 {
    let listed = GIVEN_BY_VMM.iter().filter(|(location, _)| location.word == word);
    let mut bits = listed.fold(0, |bits, (location, _)| bits | 1 << location.bit.0);
    let features = (0..32).filter_map(|bit| Feature::at(word.bit(Bit(bit))));
    bits |= features
        .filter(|feature| feature.kvm(LinuxRelease::NEWEST) == KvmTreatment::Emulated)
        .fold(0, |bits, feature| bits | feature.mask());
    if word == CpuidWord::new(Leaf(0x8000_0001), Subleaf(0), Register::Edx) {
        let leaf_1 = CpuidWord::new(Leaf(1), Subleaf(0), Register::Edx);
        bits |= (CpuidRead::word(kvm, leaf_1) | beyond_kvm(leaf_1, kvm)) & AMD_ALIASES;
    }
    // What enclaves may use of XCR0: the VMM writes it by the components that the guest has.
    if word.leaf == Leaf(0x12)
        && word.subleaf == Subleaf(1)
        && matches!(word.register, Register::Ecx | Register::Edx)
    {
        bits = u32::MAX;
    }
    bits | components(word, |feature| has(kvm, feature))
}

/// Components of a register whose feature is as wanted.
pub(super) fn components(word: CpuidWord, is: impl Fn(Location) -> bool) -> u32 {
    let here = COMPONENTS.iter().filter(|(at, _, feature)| *at == word && is(*feature));
    here.fold(0, |bits, (_, mask, _)| bits | mask)
}

/// An MSR as QEMU gives it to a guest: IA32_ARCH_CAPABILITIES has FB_CLEAR where nothing is vulnerable
/// (`kvm_arch_get_supported_msr_feature`).
pub(super) fn given_msr(msr: Msr, value: u64) -> u64 {
    let clears = msr == ARCH_CAPABILITIES && value & NOT_VULNERABLE == NOT_VULNERABLE;
    if clears { value | FB_CLEAR } else { value }
}

/// Details of MWAIT, which the VMM writes; KVM lists none.
pub(super) const MWAIT: Leaf = Leaf(5);

/// Numbers that the VMM writes itself: highest leaves and subleaves, the width of linear addresses, which follows from
/// LA57, and Centaur's copy of the signature.
pub(super) fn is_the_vmms(word: CpuidWord, meaning: &Meaning) -> bool {
    let eax = |leaf: u32| word == CpuidWord::new(Leaf(leaf), Subleaf(0), Register::Eax);
    if eax(0xc000_0001) || eax(0x8000_0008) && meaning.mask == 0xff00 {
        return true;
    }
    let first = matches!(word.leaf.0, 0 | 7 | 0x14 | 0x1d | 0x20 | 0x23 | 0x24 | 0x8000_0000 | 0xc000_0000);
    first && word.subleaf == Subleaf(0) && word.register == Register::Eax && meaning.rule == Rule::Min
}

/// Leaves that a hypervisor defines: the VMM writes them, whatever KVM lists.
pub(super) fn is_hypervisors(leaf: Leaf) -> bool {
    leaf.0 >> 28 == 4
}

/// QEMU gives a guest 40 bits of physical addresses unless it is asked for a number, whatever the host has: that number is
/// no promise that the guest's memory needs.
pub(super) fn is_qemus_default_width(word: CpuidWord, meaning: &Meaning, started: u32) -> bool {
    let width = CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Eax);
    word == width && meaning.mask == 0xff && started == 40
}

/// True if the bits of a mask state how fast something is.
pub(super) fn is_speed(word: CpuidWord, mask: u32) -> bool {
    SPEED.iter().any(|at| at.word == word && 1 << at.bit.0 == mask)
}

/// True if a table has a feature.
pub(super) fn has(entries: &[CpuidEntry], feature: Location) -> bool {
    CpuidRead::word(entries, feature.word) >> feature.bit.0 & 1 != 0
}
