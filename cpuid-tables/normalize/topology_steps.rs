//! The steps that describe a topology: leaves 1, 4, 0xB and 0x1F, and AMD's 0x80000008, 0x8000001D, 0x8000001E and
//! 0x80000026. Intel SDM volume 3A, "Hierarchical mapping of shared resources"; AMD APM volume 3, appendix E.

use alloc::vec::Vec;

use super::action::{Action, Missing, Partial, When};
use super::step::Step;
use super::steps::{AMD, set};
use super::topology::VcpuTopology;
use crate::bits::field::{Field, constant};
use crate::bits::known_fields::{
    leaf_1, leaf_1f, leaf_4, leaf_8000001d, leaf_8000001e, leaf_80000008, leaf_80000026, leaf_b,
};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::table::{CpuidEntry, OwnNumber};

/// X2APIC ids of the lists of levels, in any subleaf.
pub(super) const X2APIC_ID_B: Field = constant(0xb, 0..=u32::MAX, Register::Edx, 0..=31, "x2apic_id");
pub(super) const X2APIC_ID_1F: Field = constant(0x1f, 0..=u32::MAX, Register::Edx, 0..=31, "x2apic_id");
const X2APIC_ID_26: Field = constant(0x8000_0026, 0..=u32::MAX, Register::Edx, 0..=31, "x2apic_id");

/// One level of a list: type, shift to the next level, processors.
type Level = (u32, u32, u32);

/// `apic-id`, `processor-count`, `levels`, `cache-sharing` and `amd-topology`.
pub(super) fn topology_steps(topology: &VcpuTopology) -> Vec<Step> {
    let mut steps = counts(topology);
    steps.extend(levels(topology));
    steps.extend(sharing(topology));
    steps.extend(amd(topology));
    steps
}

fn counts(topology: &VcpuTopology) -> Vec<Step> {
    let several = topology.threads_per_package() > 1;
    let ids = 1_u32.checked_shl(topology.package_shift()).unwrap_or(u32::MAX);
    let multi = set(&[feature::HT]);
    let cmp_legacy = set(&[feature::CMP_LEGACY]);
    let ht = if several { Action::Set(multi) } else { Action::Clear(multi) };
    let legacy = if several { Action::Set(cmp_legacy) } else { Action::Clear(cmp_legacy) };
    let count = "a processor without leaf 0xB is enumerated by leaf 1's count of APIC ids, valid with HTT";
    [
        Step::new(
            "apic-id",
            "each processor has its own APIC id",
            Action::Own(leaf_1::LOCAL_APIC_ID, OwnNumber::ApicId),
        ),
        Step::new("processor-count", count, ht),
        Step::new(
            "processor-count",
            count,
            Action::Put(leaf_1::N_LOGICAL_CPU, ids.min(leaf_1::N_LOGICAL_CPU.max()), When::Always),
        ),
        Step::new("processor-count", "AMD's HTT means cores only with CMP_LEGACY", legacy).only(AMD),
    ]
    .into()
}

fn levels(topology: &VcpuTopology) -> Vec<Step> {
    let thread = (1, topology.core_shift(), topology.threads);
    let package = (2, topology.package_shift(), topology.threads_per_package());
    let mut all = alloc::vec![thread, (2, topology.module_shift(), topology.threads_per_module())];
    if topology.modules > 1 {
        all.push((3, topology.die_shift(), topology.threads_per_die()));
    }
    if topology.dies > 1 {
        all.push((5, topology.package_shift(), topology.threads_per_package()));
    }
    let reason = "guests group processors by shifts of the X2APIC id";
    let mut steps = list(Leaf(0xb), &[thread, package], reason);
    if all.len() > 2 {
        // Leaf 0xB cannot describe modules and dies.
        let reach = Step::new("levels", reason, Action::Reach(Leaf(0x1f)));
        steps.push(reach.except(AMD));
    }
    steps.extend(list(Leaf(0x1f), &all, reason).into_iter().map(|step| step.except(AMD)));
    steps.push(Step::new("levels", reason, Action::Own(X2APIC_ID_B, OwnNumber::ApicId)));
    steps.push(Step::new("levels", reason, Action::Own(X2APIC_ID_1F, OwnNumber::ApicId)));
    steps
}

/// The subleaves of a list of levels, with its terminator.
fn list(leaf: Leaf, levels: &[Level], reason: &'static str) -> Vec<Step> {
    let before = [Action::Indexed(leaf), Action::FurtherLevels { leaf, numbered: true }];
    let before = before.map(|action| Step::new("levels", reason, action));
    let terminator = (0, 0, 0);
    let level = |(number, &(kind, shift, count)): (u32, &Level)| {
        let partial = Partial {
            eax: Some(shift & leaf_1f::X2APIC_ID_SHIFT.max()),
            ebx: Some(count & leaf_1f::DOMAIN_LCPUS_COUNT.max()),
            ecx: Some(kind << 8 | number),
            edx: None,
        };
        Step::new("levels", reason, Action::Registers(leaf, Subleaf(number), partial, Missing::InsertInRange))
    };
    before.into_iter().chain((0..).zip(levels.iter().chain([&terminator])).map(level)).collect()
}

fn sharing(topology: &VcpuTopology) -> Vec<Step> {
    let reason =
        "the host's sharing is in the host's APIC ids; threads of a core share levels 1 and 2, a die level 3";
    let ids = |shift: u32| 1_u32.checked_shl(shift).map_or(u32::MAX, |ids| ids - 1);
    let (core, die) = (ids(topology.core_shift()), ids(topology.die_shift()));
    let cores = ids(topology.package_shift() - topology.core_shift());
    let mut steps = Vec::new();
    for field in [leaf_4::NUM_THREADS_SHARING, leaf_8000001d::NUM_THREADS_SHARING] {
        for (level, shared) in [(1, core), (2, core), (3, die), (4, die)] {
            let action = Action::Put(field, shared.min(field.max()), When::CacheLevel(level));
            steps.push(Step::new("cache-sharing", reason, action));
        }
    }
    let field = leaf_4::NUM_CORES_ON_DIE;
    let count = Action::Put(field, cores.min(field.max()), When::Cache);
    steps.push(Step::new("processor-count", "leaf 4 counts the core ids of a socket", count));
    steps
}

fn amd(topology: &VcpuTopology) -> Vec<Step> {
    let reason = "AMD's leaves count threads, and number cores and nodes";
    let step = |action| Step::new("amd-topology", reason, action).only(AMD);
    let threads = topology.threads_per_package() - 1;
    let node = CpuidEntry::new(leaf_8000001e::CORE_ID.leaf(), Registers::ZERO);
    let counted = leaf_80000008::CPU_NTHREADS;
    let width = leaf_80000008::APICID_COREID_LEN;
    let mut steps = alloc::vec![
        step(Action::Put(counted, threads.min(counted.max()), When::Always)),
        step(Action::Put(width, topology.package_shift().min(width.max()), When::Always)),
        step(Action::Entry(node, Missing::InsertInRange)),
        step(Action::Put(leaf_8000001e::CORE_NTHREADS, topology.threads - 1, When::Always)),
        step(Action::Put(leaf_8000001e::NNODES_PER_SOCKET, topology.dies - 1, When::Always)),
        step(Action::Own(leaf_8000001e::EXT_APIC_ID, OwnNumber::ApicId)),
        step(Action::Own(leaf_8000001e::CORE_ID, OwnNumber::Core)),
        step(Action::Own(leaf_8000001e::NODE_ID, OwnNumber::Node)),
    ];
    let die = (topology.die_shift(), topology.threads_per_die());
    let levels = [
        (1, topology.core_shift(), topology.threads),
        (2, die.0, die.1),
        (3, die.0, die.1),
        (4, topology.package_shift(), topology.threads_per_package()),
    ];
    let leaf = leaf_80000026::X2APIC_ID.leaf();
    steps.extend(list(leaf, &levels, reason).into_iter().map(|step| step.only(AMD)));
    steps.push(step(Action::Own(X2APIC_ID_26, OwnNumber::ApicId)));
    debug_assert!(leaf_b::X2APIC_ID.leaf() == X2APIC_ID_B.leaf());
    steps
}
