//! Cloud Hypervisor: `arch/src/x86_64/mod.rs`, with KVM and the CPU profile `host`, without TDX.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{AMD, Common, EBX_OF_1, INTEL, Preset};
use crate::bits::field::{Field, constant};
use crate::bits::known_fields::{leaf_1, leaf_4, leaf_8000001d, leaf_8000001e, leaf_80000008};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::normalize::action::{Action, Missing, Partial, When};
use crate::normalize::step::Step;
use crate::normalize::steps::{self, set};
use crate::normalize::topology::VcpuTopology;
use crate::normalize::topology_steps::{X2APIC_ID_1F, X2APIC_ID_B};
use crate::table::{CpuidEntry, OwnNumber};

/// A VM's processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloudHypervisor {
    /// `topology=threads_per_core:...`.
    pub threads: u32,
    /// Cores in a die.
    pub cores: u32,
    /// Dies in a package.
    pub dies: u32,
    /// Packages.
    pub packages: u32,
    /// `max_phys_bits`, or the host's width.
    pub phys_bits: u32,
    /// `kvm_hyperv=on`.
    pub kvm_hyperv: bool,
    /// `features=amx`.
    pub amx: bool,
    /// `nested=on`.
    pub nested: bool,
    /// The vCPU's frequency in kHz (`KVM_GET_TSC_KHZ`); used if the host's counter is invariant.
    pub tsc_khz: Option<u32>,
}

/// The frequency in kHz of the local APIC's timer under KVM.
const APIC_KHZ: u32 = 1_000_000;
const X2APIC_ID_B1: Field = constant(0xb, 1..=1, Register::Edx, 0..=31, "x2apic_id");

/// What Cloud Hypervisor passes to KVM.
#[must_use]
pub fn cloud_hypervisor(vm: &CloudHypervisor) -> Preset {
    let topology = VcpuTopology {
        threads: vm.threads,
        cores: vm.cores,
        dies: vm.dies,
        sockets: vm.packages,
        ..VcpuTopology::default()
    };
    let mut steps = Common(Vec::new());
    common(&mut steps, vm);
    if vm.kvm_hyperv {
        hyperv(&mut steps);
    }
    own(&mut steps, vm);
    levels(&mut steps, &topology);
    caches(&mut steps, &topology);
    amd(&mut steps, &topology);
    if let Some(khz) = vm.tsc_khz.filter(|_| !vm.kvm_hyperv) {
        // Without an invariant counter the frequency says nothing.
        steps.0.extend(steps::tsc_frequency(khz, APIC_KHZ).into_iter().map(|step| {
            let action = Action::IfHost(feature::CONSTANT_TSC, Box::new(step.action));
            Step { action, ..step }
        }));
    }
    Preset {
        vmm: "cloud-hypervisor",
        as_of: "main, 2026-08-22",
        steps: steps.0,
        layout: topology.layout(),
        topology,
    }
}

/// `required_common_cpuid_updates`.
fn common(steps: &mut Common, vm: &CloudHypervisor) {
    for leaf in [0x8000_0002, 0x8000_0003, 0x8000_0004] {
        let entry = Action::HostEntry(Leaf(leaf), Missing::Append);
        steps.push("brand", "the guest shows the host's brand", entry);
    }
    let on = set(&[feature::HYPERVISOR, feature::MTRR, feature::TSC_DEADLINE_TIMER]);
    steps.push("hypervisor", "KVM emulates these whether or not it lists them", Action::Set(on));
    if !vm.amx {
        let reason = "AMX is an option, since a process must request its state from Linux";
        let amx = [
            feature::AMX_BF16,
            feature::AMX_TILE,
            feature::AMX_INT8,
            feature::AMX_FP16,
            feature::AMX_COMPLEX,
        ];
        steps.push("no-amx", reason, Action::Clear(set(&amx)));
        steps.push("no-amx", reason, Action::Zero(Leaf(0x1d)));
        steps.push("no-amx", reason, Action::Zero(Leaf(0x1e)));
    }
    for leaf in [0x8000_0005, 0x8000_0006] {
        let reason = "older KVMs do not describe the host's caches here";
        steps.push("legacy-caches", reason, Action::HostIfZero(Leaf(leaf)));
    }
    for field in [leaf_80000008::PHYS_ADDR_BITS, leaf_80000008::GUEST_PHYS_ADDR_BITS] {
        let reason = "the guest's devices are placed below this width";
        steps.push("phys-bits", reason, Action::Put(field, vm.phys_bits & 0xff, When::Always));
    }
    let wide = Action::Set(set(&[feature::KVM_FEATURE_MSI_EXT_DEST_ID]));
    steps.push("kvm-features", "devices can interrupt APIC ids above 254", wide);
}

/// The leaves of Hyper-V's `Hv#1` interface.
fn hyperv(steps: &mut Common) {
    let reason = "Windows uses Hyper-V's enlightenments, and looks for them at 0x40000000";
    let leaf = |leaf, eax, ebx, ecx, edx| {
        Action::Entry(CpuidEntry::new(Leaf(leaf), Registers::new(eax, ebx, ecx, edx)), Missing::Append)
    };
    let mut actions = alloc::vec![
        Action::Remove(Leaf(0x4000_0000)),
        Action::Remove(Leaf(0x4000_0001)),
        leaf(0x4000_0000, 0x4000_000a, 0x756e_694c, 0x564b_2078, 0x7648_204d),
        leaf(0x4000_0001, 0x3123_7648, 0, 0, 0),
        leaf(0x4000_0002, 0x3839, 0x000a_0000, 0, 0),
        leaf(0x4000_0003, 0xa7f, 0, 0, 0x118),
        leaf(0x4000_0004, 0x62e, 0xfff, 0, 0),
    ];
    actions.extend((0x4000_0005..=0x4000_000a).map(|number| leaf(number, 0, 0, 0, 0)));
    actions.into_iter().for_each(|action| steps.push("hyperv", reason, action));
}

/// `configure_vcpu`: APIC ids and nested virtualization.
fn own(steps: &mut Common, vm: &CloudHypervisor) {
    let reason = "each processor has its own APIC id";
    steps.push("apic-id", reason, Action::Own(X2APIC_ID_B, OwnNumber::ApicId));
    steps.push("apic-id", reason, Action::Own(X2APIC_ID_1F, OwnNumber::ApicId));
    steps.only(AMD, "apic-id", reason, node(Partial { eax: Some(0), ..Partial::default() }));
    steps.only(AMD, "apic-id", reason, Action::Own(leaf_8000001e::EXT_APIC_ID, OwnNumber::ApicId));
    steps.push("apic-id", reason, Action::Own(leaf_1::LOCAL_APIC_ID, OwnNumber::ApicId));
    if !vm.nested {
        let reason = "guests of guests are an option";
        let [vmx, svm] = [feature::VMX, feature::SVM].map(|feature| Action::Clear(set(&[feature])));
        steps.only(INTEL, "no-nested", reason, vmx);
        let svm = Step::new("no-nested", reason, svm);
        steps.0.push(svm.except(INTEL));
    }
}

fn node(partial: Partial) -> Action {
    Action::Registers(Leaf(0x8000_001e), Subleaf(0), partial, Missing::Append)
}

/// Subleaves that KVM does not list are appended; their level numbers are 0, which is a fault.
fn levels(steps: &mut Common, topology: &VcpuTopology) {
    let reason = "leaves 0xB and 0x1F describe the guest's processors";
    let count = topology.threads_per_package();
    let put = |steps: &mut Common, leaf, number, shift, count, kind: u32| {
        let partial = Partial { eax: Some(shift), ebx: Some(count), ecx: Some(kind << 8), edx: None };
        let action = Action::Registers(Leaf(leaf), Subleaf(number), partial, Missing::Append);
        steps.push("levels", reason, action);
    };
    let total = Action::Put(leaf_1::N_LOGICAL_CPU, count & 0xff, When::Always);
    steps.push("processor-count", "leaf 1 counts a package's processors", total);
    let multi = Action::Set(set(&[feature::HT]));
    steps.push("processor-count", "the count is valid", multi);
    put(steps, 0xb, 0, topology.core_shift(), topology.threads, 1);
    put(steps, 0xb, 1, topology.package_shift(), count & 0xffff, 2);
    steps.push("levels", reason, Action::Own(X2APIC_ID_B1, OwnNumber::ApicId));
    put(steps, 0x1f, 0, topology.core_shift(), topology.threads, 1);
    put(steps, 0x1f, 1, topology.die_shift(), topology.threads_per_die(), 2);
    put(steps, 0x1f, 2, topology.package_shift(), count & 0xffff, 5);
    steps.push("levels", reason, Action::Own(X2APIC_ID_1F, OwnNumber::ApicId));
}

fn caches(steps: &mut Common, topology: &VcpuTopology) {
    let reason = "the host's sharing is in the host's APIC ids: a cache must not span the guest's dies";
    let ids = |width: u32, most: u32| 1_u32.checked_shl(width).map_or(most, |ids| (ids - 1).min(most));
    for field in [leaf_4::NUM_THREADS_SHARING, leaf_8000001d::NUM_THREADS_SHARING] {
        let most = ids(topology.die_shift(), field.max());
        steps.push("cache-sharing", reason, Action::AtMost(field, most, When::Cache));
    }
    let field = leaf_4::NUM_CORES_ON_DIE;
    let cores = ids(topology.package_shift() - topology.core_shift(), field.max());
    let count = Action::Put(field, cores, When::Cache);
    steps.push("processor-count", "leaf 4 counts the core ids of a package", count);
}

/// The core's number is the APIC id, and the node's a sum of widths: both are faults.
fn amd(steps: &mut Common, topology: &VcpuTopology) {
    let reason = "AMD's leaves count threads, and number cores and nodes";
    let (threads, dies) = (topology.threads, topology.dies);
    let widths = topology.core_shift() + topology.package_shift();
    let partial = Partial {
        eax: None,
        ebx: Some((threads - 1) << 8),
        ecx: Some((dies - 1) << 8 | widths & 0xff),
        edx: Some(0),
    };
    steps.only(AMD, "amd-topology", reason, node(partial));
    steps.only(AMD, "amd-topology", reason, Action::Own(leaf_8000001e::CORE_ID, OwnNumber::ApicId));
    let in_die = topology.threads_per_die();
    let ecx = |ecx| {
        let partial = Partial { ecx: Some(ecx), ..Partial::default() };
        Action::Registers(Leaf(0x8000_0008), Subleaf(0), partial, Missing::Append)
    };
    if in_die <= 1 {
        return steps.only(AMD, "amd-topology", reason, ecx(0));
    }
    let none = Action::Registers(Leaf(0x8000_0001), Subleaf(0), Partial::default(), Missing::Append);
    let several = set(&[feature::CMP_LEGACY, feature::TOPOEXT]);
    let leaf_1 = Action::Put(EBX_OF_1, (in_die & 0xff) << 16 | 8 << 8, When::Always);
    let widths = widths + topology.die_shift();
    let counts = ecx(widths << 12 | (in_die - 1));
    for action in [none, Action::Set(several), leaf_1, counts] {
        steps.only(AMD, "amd-topology", reason, action);
    }
}
