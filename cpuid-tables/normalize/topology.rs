//! The vCPUs of a guest and how they are grouped.
//!
//! A level's units have consecutive numbers; in an APIC id each number has as many bits as its largest value needs
//! (Intel SDM volume 3A, "Hierarchical mapping of shared resources").

use crate::table::ApicLayout;

/// How APIC ids follow from a vCPU's index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApicIds {
    /// Each level's number has its own bits, as processors and QEMU do.
    #[default]
    Packed,
    /// The index itself, whatever the topology.
    Index,
}

/// The vCPUs of a guest and how they are grouped. The default is one vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VcpuTopology {
    /// Threads in a core.
    pub threads: u32,
    /// Cores in a module.
    pub cores: u32,
    /// Modules in a die.
    pub modules: u32,
    /// Dies in a socket.
    pub dies: u32,
    /// Sockets.
    pub sockets: u32,
    /// Number of vCPUs, if they do not fill the last unit.
    pub vcpus: Option<u32>,
    /// How APIC ids are assigned.
    pub ids: ApicIds,
}

impl Default for VcpuTopology {
    fn default() -> VcpuTopology {
        VcpuTopology {
            threads: 1,
            cores: 1,
            modules: 1,
            dies: 1,
            sockets: 1,
            vcpus: None,
            ids: ApicIds::Packed,
        }
    }
}

/// Bits that number this many units.
pub(super) const fn width(count: u32) -> u32 {
    if count <= 1 { 0 } else { 32 - (count - 1).leading_zeros() }
}

impl VcpuTopology {
    /// A flat topology: one socket of this many cores with one thread each.
    #[must_use]
    pub fn cores(count: u32) -> VcpuTopology {
        VcpuTopology { cores: count, ..VcpuTopology::default() }
    }

    /// Number of vCPUs.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.vcpus.unwrap_or(self.threads_per_package().saturating_mul(self.sockets))
    }

    /// Threads in a module.
    #[must_use]
    pub fn threads_per_module(&self) -> u32 {
        self.threads.saturating_mul(self.cores)
    }

    /// Threads in a die.
    #[must_use]
    pub fn threads_per_die(&self) -> u32 {
        self.threads_per_module().saturating_mul(self.modules)
    }

    /// Threads in a socket.
    #[must_use]
    pub fn threads_per_package(&self) -> u32 {
        self.threads_per_die().saturating_mul(self.dies)
    }

    /// Cores in a socket.
    #[must_use]
    pub fn cores_per_package(&self) -> u32 {
        self.cores.saturating_mul(self.modules).saturating_mul(self.dies)
    }

    /// The lowest bit of the core's number in an APIC id.
    #[must_use]
    pub fn core_shift(&self) -> u32 {
        width(self.threads)
    }

    /// The lowest bit of the module's number.
    #[must_use]
    pub fn module_shift(&self) -> u32 {
        self.core_shift() + width(self.cores)
    }

    /// The lowest bit of the die's number.
    #[must_use]
    pub fn die_shift(&self) -> u32 {
        self.module_shift() + width(self.modules)
    }

    /// The lowest bit of the socket's number.
    #[must_use]
    pub fn package_shift(&self) -> u32 {
        self.die_shift() + width(self.dies)
    }

    /// The APIC id of a vCPU, by its index from 0.
    ///
    /// ```
    /// use cpuid_tables::normalize::VcpuTopology;
    ///
    /// let topology = VcpuTopology { threads: 2, cores: 3, sockets: 2, ..VcpuTopology::default() };
    /// assert_eq!([0, 1, 2, 5, 6].map(|index| topology.apic_id(index)), [0, 1, 2, 5, 8]);
    /// ```
    #[must_use]
    pub fn apic_id(&self, index: u32) -> u32 {
        if self.ids == ApicIds::Index {
            return index;
        }
        let levels = [
            (self.threads, 0),
            (self.cores, self.core_shift()),
            (self.modules, self.module_shift()),
            (self.dies, self.die_shift()),
        ];
        let mut rest = index;
        let mut id = 0;
        for (count, shift) in levels {
            id |= (rest % count.max(1)).checked_shl(shift).unwrap_or(0);
            rest /= count.max(1);
        }
        id | rest.checked_shl(self.package_shift()).unwrap_or(0)
    }

    /// The positions of core and node (die) in an APIC id.
    #[must_use]
    pub fn layout(&self) -> ApicLayout {
        let byte = |number: u32| number.to_le_bytes()[0];
        let (core, node) = (self.core_shift(), self.die_shift());
        ApicLayout { core_shift: byte(core), core_width: byte(node - core), node_shift: byte(node) }
    }
}
