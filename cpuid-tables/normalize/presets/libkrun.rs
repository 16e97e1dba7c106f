//! libkrun: `src/cpuid/`. Processors of other vendors get KVM's table unchanged.

use alloc::vec::Vec;

use super::{AMD, Common, INTEL, Preset, core_from, flat};
use crate::bits::field::{Field, constant};
use crate::bits::known_fields::{leaf_4, leaf_8000001d};
use crate::bits::location::{Leaf, Register, Subleaf};
use crate::feature;
use crate::normalize::action::{Action, Frequency, HostBrand, ListEnd, Missing, Partial, When};
use crate::normalize::steps::set;
use crate::normalize::topology_steps::X2APIC_ID_B;
use crate::table::OwnNumber;

/// A microVM's processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Libkrun {
    /// Number of vCPUs, 1 to 64.
    pub vcpus: u32,
    /// Two threads in a core (`ht_enabled`).
    pub smt: bool,
    /// Guests of the guest (`nested_enabled`).
    pub nested: bool,
}

/// Bits of an APIC id in a socket.
const PACKAGE_SHIFT: u32 = 6;
/// The highest extended leaf of AMD's table.
pub(super) const HIGHEST_EXTENDED: u32 = 0x8000_001f;
/// EAX of leaf 0x80000000.
pub(super) const HIGHEST: Field = constant(0x8000_0000, 0..=0, Register::Eax, 0..=31, "max_ext_leaf");

/// What libkrun passes to KVM.
#[must_use]
pub fn libkrun(vm: &Libkrun) -> Preset {
    let Libkrun { vcpus, smt, nested } = *vm;
    let ht = u32::from(vcpus > 1 && smt);
    let mut steps = Common(Vec::new());
    intel(&mut steps, vcpus, ht, nested);
    let list = Action::HostList(Leaf(0x8000_001d), ListEnd::AllZero);
    steps.only(AMD, "host-caches", "KVM does not list AMD's caches on every kernel", list);
    for vendors in [INTEL, AMD] {
        steps.leaf_1(vendors, vcpus.next_power_of_two(), vcpus > 1);
        let on = Action::Set(set(&[feature::HYPERVISOR]));
        steps.only(vendors, "hypervisor", "the guest looks for KVM's leaves", on);
    }
    amd(&mut steps, vcpus, ht, smt, nested);
    Preset {
        vmm: "libkrun",
        as_of: "main, 2026-06-12",
        steps: steps.0,
        topology: flat(vcpus),
        layout: core_from(u8::from(smt)),
    }
}

fn intel(steps: &mut Common, vcpus: u32, ht: u32, nested: bool) {
    let timer = Action::Set(set(&[feature::TSC_DEADLINE_TIMER]));
    steps.only(INTEL, "hypervisor", "KVM emulates it whether or not it lists it", timer);
    if !nested {
        let vmx = Action::Clear(set(&[feature::VMX]));
        steps.only(INTEL, "no-nested", "guests of guests are an option", vmx);
    }
    steps.sharing(INTEL, leaf_4::NUM_THREADS_SHARING, ht, vcpus.saturating_sub(1));
    let count = Action::Put(leaf_4::NUM_CORES_ON_DIE, vcpus.saturating_sub(1), When::Always);
    steps.only(INTEL, "processor-count", "all cores are in one socket", count);
    let power = Action::Clear(set(&[feature::IDA, feature::EPB]));
    steps.only(INTEL, "no-power", "the guest does not select frequencies", power);
    steps.zero(INTEL, "no-pmu", "the guest has no counters", 0xa);
    levels(steps, vcpus, ht);
    steps.brand(Frequency::Decimal);
}

/// With one vCPU, the first level is a core and the second invalid.
fn levels(steps: &mut Common, vcpus: u32, ht: u32) {
    let leaf = Leaf(0xb);
    let put = |eax, ebx, ecx| Partial { eax: Some(eax), ebx: Some(ebx), ecx: Some(ecx), edx: None };
    let [first, second] = if vcpus == 1 {
        [put(ht, 1 + ht, 2 << 8), put(PACKAGE_SHIFT, 0, 1)]
    } else {
        [put(ht, 1 + ht, 1 << 8), put(PACKAGE_SHIFT, vcpus, 2 << 8 | 1)]
    };
    for action in [
        Action::FurtherLevels { leaf, numbered: true },
        Action::Registers(leaf, Subleaf(0), first, Missing::Skip),
        Action::Registers(leaf, Subleaf(1), second, Missing::Skip),
        Action::Own(X2APIC_ID_B, OwnNumber::ApicId),
    ] {
        steps.only(INTEL, "levels", "leaf 0xB describes the guest's processors", action);
    }
}

fn amd(steps: &mut Common, vcpus: u32, ht: u32, smt: bool, nested: bool) {
    let off = Action::Clear(set(&[feature::ARCH_CAPABILITIES]));
    steps.only(AMD, "no-arch-capabilities", "KVM emulates an MSR that AMD's processors lack", off);
    let highest = Action::Put(HIGHEST, HIGHEST_EXTENDED, When::Always);
    steps.only(AMD, "amd-topology", "the leaves up to 0x8000001E must be visible", highest);
    let on = Action::Set(set(&[feature::TOPOEXT]));
    steps.only(AMD, "amd-topology", "the cache leaf exists with this feature", on);
    if !nested {
        let svm = Action::Clear(set(&[feature::SVM]));
        steps.only(AMD, "no-nested", "guests of guests are an option", svm);
    }
    steps.amd(AMD, PACKAGE_SHIFT, vcpus, 1 + u32::from(smt));
    steps.sharing(AMD, leaf_8000001d::NUM_THREADS_SHARING, ht, vcpus.saturating_sub(1));
    let brand = Action::HostBrand(HostBrand::Text("AMD EPYC"));
    steps.only(AMD, "brand", "the host's model stays hidden", brand);
}
