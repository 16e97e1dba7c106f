//! crosvm: `x86_64/src/cpuid.rs`, with KVM's interrupt controllers. `host-cpu-topology`, where each vCPU takes what the
//! processor reports on which it was created, is not included.

use alloc::vec::Vec;

use super::{Common, EBX_OF_1, Preset, core_from, flat};
use crate::bits::known_fields::{leaf_1, leaf_4};
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::normalize::action::{Action, Missing, Partial, When};
use crate::normalize::apply::halves;
use crate::normalize::steps::set;
use crate::normalize::topology::width;
use crate::normalize::topology_steps::{X2APIC_ID_1F, X2APIC_ID_B};
use crate::table::{CpuidEntry, OwnNumber};

/// A VM's processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crosvm {
    /// Number of vCPUs, 1 to 255.
    pub vcpus: u32,
    /// `no-smt`: one thread in a core; otherwise two, if the number is even.
    pub no_smt: bool,
    /// `enable-hwp`: the host's hardware-controlled performance states.
    pub hwp: bool,
    /// `itmt`: with `hwp`, also Turbo Boost Max.
    pub itmt: bool,
    /// Guests of the guest; `Off` of crosvm's option clears their features.
    pub nested: bool,
    /// KVM has `KVM_CAP_TSC_DEADLINE_TIMER`.
    pub tsc_deadline: bool,
    /// The frequency in Hz of the time stamp counter for leaf 0x15 (`force_calibrated_tsc_leaf`).
    pub tsc_hz: Option<u64>,
}

/// The frequency in Hz of the local APIC's timer under KVM.
const BUS_HZ: u32 = 1_000_000_000;
/// The denominator of leaf 0x15.
const DENOMINATOR: u32 = 1000;

/// What crosvm passes to KVM.
#[must_use]
pub fn crosvm(vm: &Crosvm) -> Preset {
    let mut steps = Common(Vec::new());
    leaf_1(&mut steps, vm);
    if !vm.nested {
        let off = Action::Clear(set(&[feature::VMX, feature::SVM]));
        steps.push("no-nested", "guests of guests are an option", off);
    }
    let reason = "guests size buffers by the caches, and show the brand";
    for leaf in [2, 0x8000_0002, 0x8000_0003, 0x8000_0004, 0x8000_0005, 0x8000_0006] {
        steps.push("host-caches", reason, Action::HostRegisters { leaf: Leaf(leaf), subleaves: false });
    }
    steps.push("host-caches", reason, Action::HostRegisters { leaf: Leaf(4), subleaves: true });
    let count = Action::Put(leaf_4::NUM_CORES_ON_DIE, (cores(vm) - 1) & 0x3f, When::Always);
    steps.push("processor-count", "all cores are in one socket", count);
    if vm.hwp {
        power(&mut steps, vm.itmt);
    }
    levels(&mut steps, vm);
    if let Some(hz) = vm.tsc_hz {
        tsc(&mut steps, hz);
    }
    Preset {
        vmm: "crosvm",
        as_of: "main, 2026-08-21",
        steps: steps.0,
        topology: flat(vm.vcpus),
        layout: core_from(0),
    }
}

/// Cores as leaf 4 counts them.
fn cores(vm: &Crosvm) -> u32 {
    match vm.vcpus {
        0 | 1 => 1,
        vcpus if vm.no_smt => vcpus,
        vcpus if vcpus % 2 == 0 => vcpus / 2,
        _ => 1,
    }
}

fn leaf_1(steps: &mut Common, vm: &Crosvm) {
    let reason = "KVM emulates these whether or not it lists them";
    steps.push("hypervisor", reason, Action::Set(set(&[feature::HYPERVISOR, feature::X2APIC])));
    if vm.tsc_deadline {
        steps.push("hypervisor", reason, Action::Set(set(&[feature::TSC_DEADLINE_TIMER])));
    }
    let several = vm.vcpus > 1;
    let count = if several { vm.vcpus & 0xff } else { 0 };
    let reason = "leaf 1 describes the guest's processors, not the host's";
    let ebx = Action::Put(EBX_OF_1, count << 16 | 8 << 8, When::Always);
    steps.push("processor-count", reason, ebx);
    steps.push("apic-id", reason, Action::Own(leaf_1::LOCAL_APIC_ID, OwnNumber::ApicId));
    if several {
        steps.push("processor-count", reason, Action::Set(set(&[feature::HT])));
    }
}

fn power(steps: &mut Common, itmt: bool) {
    let reason = "a guest that knows its load requests the performance that it needs";
    let features = set(&[feature::HWP, feature::HWP_NOTIFY, feature::HWP_EPP, feature::EPB]);
    steps.push("hwp", reason, Action::SetAsHost(features));
    if itmt {
        let word = CpuidWord::new(Leaf(6), Subleaf(0), Register::Eax);
        steps.push("hwp", reason, Action::BitsAsHost { word, mask: 1 << 14 });
    }
}

fn levels(steps: &mut Common, vm: &Crosvm) {
    let reason = "leaves 0xB and 0x1F describe the guest's processors";
    let put = |eax, ebx, ecx| Partial { eax: Some(eax), ebx: Some(ebx), ecx: Some(ecx), edx: None };
    let all = width(vm.vcpus);
    let (shift, threads) = match vm.vcpus {
        1 => (0, 1),
        _ if vm.no_smt => (0, 1),
        vcpus if vcpus % 2 == 0 => (1, 2),
        // One core has all threads.
        vcpus => (all, vcpus),
    };
    for leaf in [Leaf(0xb), Leaf(0x1f)] {
        let first = put(shift, threads, 1 << 8);
        let second = put(all, vm.vcpus & 0xffff, 2 << 8 | 1);
        steps.push("levels", reason, Action::FurtherLevels { leaf, numbered: false });
        steps.push("levels", reason, Action::Registers(leaf, Subleaf(0), first, Missing::Skip));
        steps.push("levels", reason, Action::Registers(leaf, Subleaf(1), second, Missing::Skip));
    }
    steps.push("levels", reason, Action::Own(X2APIC_ID_B, OwnNumber::ApicId));
    steps.push("levels", reason, Action::Own(X2APIC_ID_1F, OwnNumber::ApicId));
}

fn tsc(steps: &mut Common, hz: u64) {
    let reason = "the guest need not calibrate its clocks";
    let leaf = Leaf(0x15);
    let ratio = hz.saturating_mul(u64::from(DENOMINATOR)) / u64::from(BUS_HZ);
    let [low, _] = halves(ratio);
    let entry = CpuidEntry::new(leaf, Registers::new(DENOMINATOR, low, BUS_HZ, 0));
    steps.push("tsc-frequency", reason, Action::Reach(leaf));
    steps.push("tsc-frequency", reason, Action::Entry(entry, Missing::Append));
}
