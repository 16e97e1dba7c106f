//! APIC ids: each level of the topology has as many bits as its count needs (include/hw/i386/topology.h).

use super::topology::{Level, Topology};
use crate::table::ApicLayout;

/// The bit at which each level's number starts in an APIC id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offsets {
    pub(crate) core: u32,
    pub(crate) module: u32,
    pub(crate) die: u32,
    pub(crate) package: u32,
}

/// A vCPU's position on each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VcpuPlace {
    pub(crate) socket: u32,
    pub(crate) die: u32,
    pub(crate) module: u32,
    pub(crate) core: u32,
    pub(crate) thread: u32,
}

/// Bits that numbers below `count` need.
const fn width(count: u32) -> u32 {
    32 - count.saturating_sub(1).leading_zeros()
}

impl Offsets {
    pub(crate) fn from_topology(topology: &Topology) -> Offsets {
        let core = width(topology.threads);
        let module = core + width(topology.cores);
        let die = module + width(topology.modules);
        Offsets { core, module, die, package: die + width(topology.dies) }
    }
}

impl Topology {
    /// The positions of cores and nodes within an APIC id. Nodes are dies in machine types before 4.0
    /// (`legacy-multi-node`), sockets since.
    pub(crate) fn layout(&self, nodes_are_dies: bool) -> ApicLayout {
        let offsets = Offsets::from_topology(self);
        let [core, module, die, package] =
            [offsets.core, offsets.module, offsets.die, offsets.package].map(|bits| bits.to_le_bytes()[0]);
        let node_shift = if nodes_are_dies { die } else { package };
        ApicLayout { core_shift: core, core_width: module - core, node_shift }
    }
}

impl VcpuPlace {
    /// The position of the vCPU with this index (`x86_topo_ids_from_idx`).
    pub(crate) fn from_index(topology: &Topology, index: u32) -> VcpuPlace {
        let thread = index % topology.threads.max(1);
        let index = index / topology.threads.max(1);
        let (core, index) = (index % topology.cores.max(1), index / topology.cores.max(1));
        let (module, index) = (index % topology.modules.max(1), index / topology.modules.max(1));
        let (die, socket) = (index % topology.dies.max(1), index / topology.dies.max(1));
        VcpuPlace { socket, die, module, core, thread }
    }

    /// Its APIC id (`x86_apicid_from_topo_ids`).
    pub(crate) fn apic_id(self, offsets: Offsets) -> u32 {
        let at = |number: u32, offset: u32| number.checked_shl(offset).unwrap_or(0);
        at(self.socket, offsets.package)
            | at(self.die, offsets.die)
            | at(self.module, offsets.module)
            | at(self.core, offsets.core)
            | self.thread
    }
}

impl Offsets {
    /// The bit at which a level's number starts, which is the width of all lower levels.
    pub(crate) fn of_level(self, level: Level) -> u32 {
        match level {
            Level::Thread => 0,
            Level::Core => self.core,
            Level::Module => self.module,
            Level::Die => self.die,
            Level::Socket => self.package,
        }
    }
}

/// The properties of a vCPU on which its leaves depend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vcpu {
    pub(crate) apic_id: u32,
    /// Its core's number within the module.
    pub(crate) core: u32,
}

impl Vcpu {
    pub(crate) fn from_index(topology: &Topology, index: u32) -> Vcpu {
        let place = VcpuPlace::from_index(topology, index);
        Vcpu { apic_id: place.apic_id(Offsets::from_topology(topology)), core: place.core }
    }
}
