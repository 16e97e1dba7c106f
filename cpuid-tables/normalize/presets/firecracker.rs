//! Firecracker: `src/vmm/src/cpu_config/x86_64/cpuid/`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{AMD, Common, INTEL, Preset, core_from, flat};
use crate::bits::known_fields::{leaf_4, leaf_8000001d};
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::feature;
use crate::normalize::action::{Action, Frequency, HostBrand, ListEnd, Missing, Partial, When};
use crate::normalize::step::Step;
use crate::normalize::steps::set;
use crate::normalize::topology_steps::X2APIC_ID_B;
use crate::table::{OwnNumber, Vendor};

/// A microVM's processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firecracker {
    /// Number of vCPUs, 1 to 32.
    pub vcpus: u32,
    /// `smt`: two threads in a core, if there are several vCPUs.
    pub smt: bool,
}

/// `MAX_SUPPORTED_VCPUS` is 32, which are five bits of an APIC id.
const PACKAGE_SHIFT: u32 = 5;

/// What Firecracker passes to KVM, in its order, which is sorted. It applies a template
/// ([`steps::template`](crate::normalize::steps::template)) before these steps:
/// `Normalizer::new(&supported).preset(firecracker(&vm)).before("order", template)`.
#[must_use]
pub fn firecracker(vm: &Firecracker) -> Preset {
    let Firecracker { vcpus, smt } = *vm;
    let bits = u8::from(vcpus > 1 && smt);
    let threads = 1 << bits;
    let mut steps = Common(Vec::new());
    steps.push("order", "entries are kept in a map by leaf and subleaf", Action::Sort);
    let others = Step::new("vendor", "templates are made for Intel and AMD", Action::Refuse);
    static BOTH: &[Vendor] = &[Vendor::INTEL, Vendor::AMD];
    steps.0.push(others.except(BOTH));
    require(&mut steps, &[], 0);
    steps.push("vendor", "a template must not change the vendor", Action::HostVendor);
    require(&mut steps, &[], 1);
    steps.leaf_1(&[], vcpus.next_power_of_two(), vcpus > 1);
    let on = set(&[feature::TSC_DEADLINE_TIMER, feature::HYPERVISOR]);
    steps.push("hypervisor", "KVM emulates both whether or not it lists them", Action::Set(on));
    steps.push("no-pmu", "the guest has no counters", Action::Clear(set(&[feature::PDCM])));
    levels(&mut steps, vcpus, threads, u32::from(bits));
    legacy_caches(&mut steps);
    intel(&mut steps, vcpus, threads);
    amd(&mut steps, vcpus, threads);
    Preset {
        vmm: "firecracker",
        as_of: "main, 2026-08-21",
        steps: steps.0,
        topology: flat(vcpus),
        layout: core_from(bits),
    }
}

fn require(steps: &mut Common, vendors: &'static [Vendor], leaf: u32) {
    let reason = "a host without the leaf is not supported";
    steps.only(vendors, "required", reason, Action::Require(Leaf(leaf), Subleaf(0)));
}

fn levels(steps: &mut Common, vcpus: u32, threads: u32, bits: u32) {
    let reason = "leaf 0xB describes the guest's processors; KVM lists only its subleaf 0 since 6.2";
    let leaf = Leaf(0xb);
    let put = |eax, ebx, ecx| Partial { eax: Some(eax), ebx: Some(ebx), ecx: Some(ecx), edx: None };
    let first = Action::Registers(leaf, Subleaf(0), put(bits, threads, 1 << 8), Missing::Skip);
    let second = put(PACKAGE_SHIFT, vcpus, 2 << 8 | 1);
    let second = Action::Registers(leaf, Subleaf(1), second, Missing::Skip);
    let empty = Action::Registers(leaf, Subleaf(1), Partial::default(), Missing::Insert);
    steps.push("levels", reason, empty);
    // Without subleaf 0 the others stay as they are.
    for action in [
        Action::Indexed(leaf),
        Action::FurtherLevels { leaf, numbered: true },
        first,
        second,
        Action::Own(X2APIC_ID_B, OwnNumber::ApicId),
    ] {
        steps.push("levels", reason, Action::IfEntry(leaf, Subleaf(0), Box::new(action)));
    }
}

fn legacy_caches(steps: &mut Common) {
    let reason = "KVM does not describe the host's caches in AMD's older leaves";
    for leaf in [0x8000_0005, 0x8000_0006] {
        require(steps, &[], leaf);
        let registers = Action::HostRegisters { leaf: Leaf(leaf), subleaves: false };
        steps.push("legacy-caches", reason, registers);
    }
    let word = CpuidWord::new(Leaf(0x8000_0006), Subleaf(0), Register::Edx);
    steps.push("legacy-caches", "these bits are reserved", Action::Bits { word, mask: 3 << 16, value: 0 });
}

fn intel(steps: &mut Common, vcpus: u32, threads: u32) {
    steps.sharing(INTEL, leaf_4::NUM_THREADS_SHARING, threads - 1, vcpus.saturating_sub(1));
    let cores = (vcpus / threads).saturating_sub(1);
    let count = Action::Put(leaf_4::NUM_CORES_ON_DIE, cores, When::NotZero);
    steps.only(INTEL, "processor-count", "all cores are in one socket", count);
    require(steps, INTEL, 6);
    let power = set(&[feature::IDA, feature::EPB]);
    steps.only(INTEL, "no-power", "the guest does not select frequencies", Action::Clear(power));
    require(steps, INTEL, 7);
    let fpu = set(&[feature::FDP_EXCPTN_ONLY, feature::ZERO_FCS_FDS]);
    let reason = "they state what a processor does not do: a guest on other hosts must assume the worst";
    steps.only(INTEL, "fpu-pointers", reason, Action::Set(fpu));
    let waitpkg = Action::Clear(set(&[feature::WAITPKG]));
    steps.only(INTEL, "no-power", "an idle vCPU must give its processor back to the host", waitpkg);
    require(steps, INTEL, 0xa);
    steps.zero(INTEL, "no-pmu", "the guest has no counters", 0xa);
    let copy = Action::CopyLevels { from: Leaf(0xb), to: Leaf(0x1f) };
    steps.only(INTEL, "levels", "leaf 0x1F, where the host has it, repeats 0xB", copy);
    (0x8000_0002..=0x8000_0004).for_each(|leaf| require(steps, INTEL, leaf));
    steps.brand(Frequency::UpToEnd);
}

fn amd(steps: &mut Common, vcpus: u32, threads: u32) {
    let reason = "KVM does not list AMD's cache and topology leaves on every kernel";
    steps.only(AMD, "host-caches", reason, Action::HostEntry(Leaf(0x8000_001e), Missing::Insert));
    steps.only(AMD, "host-caches", reason, Action::HostList(Leaf(0x8000_001d), ListEnd::CacheType));
    require(steps, AMD, 7);
    let off = Action::Clear(set(&[feature::ARCH_CAPABILITIES]));
    steps.only(AMD, "no-arch-capabilities", "KVM emulates an MSR that AMD's processors lack", off);
    require(steps, AMD, 0x8000_0001);
    let on = Action::Set(set(&[feature::TOPOEXT]));
    steps.only(AMD, "amd-topology", "the leaves above exist with this feature", on);
    require(steps, AMD, 0x8000_0008);
    steps.amd(AMD, 7, vcpus, threads);
    steps.sharing(AMD, leaf_8000001d::NUM_THREADS_SHARING, threads - 1, vcpus.saturating_sub(1));
    (0x8000_0002..=0x8000_0004).for_each(|leaf| require(steps, AMD, leaf));
    let brand = Action::HostBrand(HostBrand::Text("AMD EPYC"));
    steps.only(AMD, "brand", "the host's model stays hidden", brand);
}
