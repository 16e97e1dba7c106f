//! Dragonball, of Kata Containers: `src/dragonball/crates/dbs_arch/src/x86_64/cpuid/`.

use alloc::vec::Vec;

use super::libkrun::{HIGHEST, HIGHEST_EXTENDED};
use super::{Common, INTEL, Preset, core_from, flat};
use crate::bits::field::{Field, constant};
use crate::bits::known_fields::{leaf_4, leaf_8000001d};
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::feature;
use crate::normalize::action::{Action, Frequency, HostBrand, ListEnd, Missing, Partial, When};
use crate::normalize::step::Step;
use crate::normalize::steps::set;
use crate::normalize::topology::width;
use crate::normalize::topology_steps::{X2APIC_ID_1F, X2APIC_ID_B};
use crate::table::{OwnNumber, Vendor};

/// Which performance counters the guest has (`VpmuFeatureLevel`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Vpmu {
    /// None.
    #[default]
    Disabled,
    /// Cycles and instructions.
    Limited,
    /// All architectural events.
    Full,
}

/// A VM's processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dragonball {
    /// Number of vCPUs with those that can be plugged in, 1 to 254.
    pub vcpus: u32,
    /// Threads in a core.
    pub threads: u32,
    /// Cores in a die.
    pub cores: u32,
    /// Dies in a socket.
    pub dies: u32,
    /// Performance counters.
    pub vpmu: Vpmu,
}

static AMD: &[Vendor] = &[Vendor::AMD, Vendor::HYGON];
/// Bits of an APIC id in a socket, on AMD.
const PACKAGE_SHIFT: u32 = 8;
const PMU_VERSION: Field = constant(0xa, 0..=0, Register::Eax, 0..=7, "pmu_version");
const PMU_EVENTS: Field = constant(0xa, 0..=0, Register::Eax, 24..=31, "pmu_events");

/// What Dragonball passes to KVM.
#[must_use]
pub fn dragonball(vm: &Dragonball) -> Preset {
    let mut steps = Common(Vec::new());
    static KNOWN: &[Vendor] = &[Vendor::INTEL, Vendor::AMD, Vendor::HYGON];
    let refuse = Step::new("vendor", "other vendors are not supported", Action::Refuse);
    steps.0.push(refuse.except(KNOWN));
    let host = Action::HostEntry(Leaf(0), Missing::Append);
    steps.push("vendor", "the highest leaf and the vendor are the host's", host);
    let list = Action::HostList(Leaf(0x8000_001d), ListEnd::AllZero);
    steps.only(AMD, "host-caches", "KVM does not list AMD's caches on every kernel", list);
    let shared = u32::from(vm.vcpus > 1 && vm.threads == 2);
    steps.leaf_1(&[], vm.threads * vm.cores * vm.dies, vm.vcpus > 1);
    let on = set(&[feature::TSC_DEADLINE_TIMER, feature::HYPERVISOR]);
    steps.push("hypervisor", "KVM emulates both whether or not it lists them", Action::Set(on));
    levels(&mut steps, vm);
    intel(&mut steps, vm, shared);
    amd(&mut steps, vm, shared);
    Preset {
        vmm: "dragonball",
        as_of: "kata-containers main, 2026-08-22",
        steps: steps.0,
        topology: flat(vm.vcpus),
        layout: core_from(u8::from(vm.threads == 2)),
    }
}

/// The level of dies is in subleaf 5, where guests do not find it.
fn levels(steps: &mut Common, vm: &Dragonball) {
    let reason = "leaves 0xB and 0x1F describe the guest's processors";
    let put = |eax, ebx, ecx| Partial { eax: Some(eax), ebx: Some(ebx), ecx: Some(ecx), edx: None };
    let core = width(vm.threads);
    let die = core + width(vm.cores);
    let package = die + width(vm.dies);
    for leaf in [Leaf(0xb), Leaf(0x1f)] {
        let first = put(core, vm.threads, 1 << 8);
        let second = put(die, vm.threads * vm.cores, 2 << 8 | 1);
        steps.push("levels", reason, Action::FurtherLevels { leaf, numbered: true });
        steps.push("levels", reason, Action::Registers(leaf, Subleaf(0), first, Missing::Skip));
        steps.push("levels", reason, Action::Registers(leaf, Subleaf(1), second, Missing::Skip));
    }
    let dies = put(package, vm.threads * vm.cores * vm.dies, 5 << 8 | 5);
    steps.push("levels", reason, Action::Registers(Leaf(0x1f), Subleaf(5), dies, Missing::Skip));
    steps.push("levels", reason, Action::Own(X2APIC_ID_B, OwnNumber::ApicId));
    steps.push("levels", reason, Action::Own(X2APIC_ID_1F, OwnNumber::ApicId));
}

fn intel(steps: &mut Common, vm: &Dragonball, shared: u32) {
    let others = vm.vcpus.saturating_sub(1);
    steps.sharing(INTEL, leaf_4::NUM_THREADS_SHARING, shared, others);
    if vm.vcpus <= 64 {
        let count = Action::Put(leaf_4::NUM_CORES_ON_DIE, others, When::Always);
        steps.only(INTEL, "processor-count", "all cores are in one socket", count);
    }
    steps.zero(INTEL, "no-power", "the guest does not select frequencies", 6);
    pmu(steps, vm.vpmu);
    steps.brand(Frequency::Decimal);
}

fn pmu(steps: &mut Common, vpmu: Vpmu) {
    let reason = "counters are an option";
    if vpmu == Vpmu::Disabled {
        return steps.zero(INTEL, "pmu", reason, 0xa);
    }
    // A set bit means that the event is not available.
    let missing = if vpmu == Vpmu::Limited { 0x78 } else { 0 };
    let events = CpuidWord::new(Leaf(0xa), Subleaf(0), Register::Ebx);
    for action in [
        Action::Put(PMU_VERSION, 2, When::Always),
        Action::Put(PMU_EVENTS, 7, When::Always),
        Action::Bits { word: events, mask: 0x7f, value: missing },
    ] {
        steps.only(INTEL, "pmu", reason, action);
    }
}

fn amd(steps: &mut Common, vm: &Dragonball, shared: u32) {
    let off = Action::Clear(set(&[feature::ARCH_CAPABILITIES]));
    steps.only(AMD, "no-arch-capabilities", "KVM emulates an MSR that AMD's processors lack", off);
    let highest = Action::Put(HIGHEST, HIGHEST_EXTENDED, When::Always);
    steps.only(AMD, "amd-topology", "the leaves up to 0x8000001E must be visible", highest);
    let on = Action::Set(set(&[feature::TOPOEXT]));
    steps.only(AMD, "amd-topology", "the cache leaf exists with this feature", on);
    steps.amd(AMD, PACKAGE_SHIFT, vm.vcpus, vm.threads);
    steps.sharing(AMD, leaf_8000001d::NUM_THREADS_SHARING, shared, vm.vcpus.saturating_sub(1));
    let reason = "the host's model stays hidden";
    steps.only(super::AMD, "brand", reason, Action::HostBrand(HostBrand::Text("AMD EPYC")));
    static HYGON: &[Vendor] = &[Vendor::HYGON];
    steps.only(HYGON, "brand", reason, Action::HostBrand(HostBrand::Text("")));
}
