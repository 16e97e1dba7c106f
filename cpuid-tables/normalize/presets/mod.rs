//! What VMMs do today, as steps.
//!
//! Each preset gives the table that its VMM passes to `KVM_SET_CPUID2` for every vCPU, entry for entry: tests compare
//! them with tables recorded from the VMMs' own code (`tests/normalize/README.md`). That includes what is wrong with
//! these tables, which `docs/vmms.md` lists; for a VMM of your own start from [`steps`](super::steps) and
//! [`Normalizer::topology`](super::Normalizer::topology).
//!
//! ```
//! use cpuid_tables::normalize::presets::{Firecracker, firecracker};
//! use cpuid_tables::{Vendor, feature};
//!
//! let preset = firecracker(&Firecracker { vcpus: 1, smt: false });
//! let timer = feature::TSC_DEADLINE_TIMER;
//! assert_ne!(preset.decides(Vendor::INTEL, timer.location().word) & timer.mask(), 0);
//! ```

mod cloud_hypervisor;
mod crosvm;
mod dragonball;
mod firecracker;
mod libkrun;
mod vmm;

use alloc::vec::Vec;

pub use cloud_hypervisor::{CloudHypervisor, cloud_hypervisor};
pub use crosvm::{Crosvm, crosvm};
pub use dragonball::{Dragonball, Vpmu, dragonball};
pub use firecracker::{Firecracker, firecracker};
pub use libkrun::{Libkrun, libkrun};
pub use vmm::Vmm;

use super::action::{Action, Frequency, HostBrand, When};
use super::step::Step;
use super::topology::{ApicIds, VcpuTopology};
use crate::bits::field::{Field, constant};
use crate::bits::known_fields::{leaf_1, leaf_8000001e, leaf_80000008};
use crate::bits::location::{CpuidWord, Leaf, Register};
use crate::feature;
use crate::table::{ApicLayout, OwnNumber, Vendor};

/// All of 1.EBX, which some VMMs write as one number.
const EBX_OF_1: Field = constant(1, 0..=0, Register::Ebx, 0..=31, "ebx");

/// A VMM's steps, for a number of vCPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The VMM's name.
    pub vmm: &'static str,
    /// The release or commit whose behaviour this is.
    pub as_of: &'static str,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The vCPUs and their APIC ids.
    pub topology: VcpuTopology,
    /// Where an APIC id has the numbers of core and node.
    pub layout: ApicLayout,
}

impl Preset {
    /// The bits of a register that the VMM's steps decide on a processor of this vendor, whatever table they get: a
    /// template of the VMM has no effect on them.
    ///
    /// ```
    /// use cpuid_tables::normalize::presets::{Firecracker, firecracker};
    /// use cpuid_tables::{Vendor, feature};
    ///
    /// let preset = firecracker(&Firecracker { vcpus: 1, smt: false });
    /// let timer = feature::TSC_DEADLINE_TIMER;
    /// assert_ne!(preset.decides(Vendor::INTEL, timer.location().word) & timer.mask(), 0);
    /// ```
    #[must_use]
    pub fn decides(&self, vendor: Vendor, word: CpuidWord) -> u32 {
        let steps = self.steps.iter().filter(|step| step.is_for(Some(vendor)));
        steps.fold(0, |bits, step| bits | step.action.decides(word))
    }

    /// Those of them that the VMM clears: a template agrees with it if it clears them too.
    #[must_use]
    pub fn clears(&self, vendor: Vendor, word: CpuidWord) -> u32 {
        let steps = self.steps.iter().filter(|step| step.is_for(Some(vendor)));
        steps.fold(0, |bits, step| {
            let decided = step.action.decides(word);
            if step.action.only_clears() { bits | decided } else { bits & !decided }
        })
    }
}

static INTEL: &[Vendor] = &[Vendor::INTEL];
static AMD: &[Vendor] = &[Vendor::AMD];

/// CLFLUSH's line in units of 8 bytes.
const CLFLUSH_SIZE: Field = constant(1, 0..=0, Register::Ebx, 8..=15, "clflush_size");

/// vCPUs whose APIC ids are their indices.
fn flat(vcpus: u32) -> VcpuTopology {
    VcpuTopology { cores: vcpus, ids: ApicIds::Index, ..VcpuTopology::default() }
}

/// The core's number is the APIC id without its lowest bits.
fn core_from(shift: u8) -> ApicLayout {
    ApicLayout { core_shift: shift, core_width: 32, node_shift: 31 }
}

/// Steps that the VMMs with Firecracker's heritage have in common.
struct Common(Vec<Step>);

impl Common {
    fn push(&mut self, name: &'static str, reason: &'static str, action: Action) {
        self.0.push(Step::new(name, reason, action));
    }

    fn only(&mut self, vendors: &'static [Vendor], name: &'static str, reason: &'static str, action: Action) {
        self.0.push(Step::new(name, reason, action).only(vendors));
    }

    /// Leaf 1: 64-byte lines, the count of APIC ids, APIC ids, HTT with several vCPUs.
    fn leaf_1(&mut self, vendors: &'static [Vendor], count: u32, several: bool) {
        let reason = "leaf 1 describes the guest's processors, not the host's";
        let ht = super::steps::set(&[feature::HT]);
        let ht = if several { Action::Set(ht) } else { Action::Clear(ht) };
        self.only(
            vendors,
            "clflush",
            "KVM leaves the host's value",
            Action::Put(CLFLUSH_SIZE, 8, When::Always),
        );
        self.only(
            vendors,
            "processor-count",
            reason,
            Action::Put(leaf_1::N_LOGICAL_CPU, count, When::Always),
        );
        self.only(vendors, "processor-count", reason, ht);
        self.only(vendors, "apic-id", reason, Action::Own(leaf_1::LOCAL_APIC_ID, OwnNumber::ApicId));
    }

    /// Levels 1 and 2 of a cache list are shared by a core, level 3 by all.
    fn sharing(&mut self, vendors: &'static [Vendor], field: Field, core: u32, all: u32) {
        let reason = "threads of a core share caches of levels 1 and 2, all vCPUs that of level 3";
        for (level, ids) in [(1, core), (2, core), (3, all)] {
            self.only(vendors, "cache-sharing", reason, Action::Put(field, ids, When::CacheLevel(level)));
        }
    }

    /// AMD's leaves 0x80000008 and 0x8000001E.
    fn amd(&mut self, vendors: &'static [Vendor], width: u32, vcpus: u32, threads: u32) {
        let reason = "AMD's leaves count threads, and number cores; all vCPUs are in one node";
        let put = |field, value| Action::Put(field, value, When::Always);
        for action in [
            put(leaf_80000008::APICID_COREID_LEN, width),
            put(leaf_80000008::CPU_NTHREADS, vcpus.saturating_sub(1)),
            put(leaf_8000001e::CORE_NTHREADS, threads.saturating_sub(1)),
            put(leaf_8000001e::NNODES_PER_SOCKET, 0),
            put(leaf_8000001e::NODE_ID, 0),
            Action::Own(leaf_8000001e::EXT_APIC_ID, OwnNumber::ApicId),
            Action::Own(leaf_8000001e::CORE_ID, OwnNumber::Core),
        ] {
            self.only(vendors, "amd-topology", reason, action);
        }
    }

    /// The brand strings that do not identify the host's model.
    fn brand(&mut self, rule: Frequency) {
        let reason = "the host's model stays hidden; its frequency does not";
        let intel = HostBrand::Frequency("Intel(R) Xeon(R) Processor", rule);
        self.only(INTEL, "brand", reason, Action::HostBrand(intel));
    }

    fn zero(&mut self, vendors: &'static [Vendor], name: &'static str, reason: &'static str, leaf: u32) {
        self.only(vendors, name, reason, Action::Zero(Leaf(leaf)));
    }
}
