//! Numbers of sockets, dies, modules, cores and threads (hw/core/machine-smp.c).

use super::machine::Machine;
use crate::bits::qemu_cpu::SharedBy;
use crate::guest::error::TopologyError;
use crate::guest::parse::smp::Smp;
use crate::guest::parse::smp::{DIES, MODULES};

/// A complete topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Topology {
    /// Initial number of vCPUs.
    pub cpus: u32,
    /// Maximum number of vCPUs: the product of the numbers below.
    pub max_cpus: u32,
    /// Sockets.
    pub sockets: u32,
    /// Dies of a socket.
    pub dies: u32,
    /// Modules of a die.
    pub modules: u32,
    /// Cores of a module.
    pub cores: u32,
    /// Threads of a core.
    pub threads: u32,
}

impl Smp {
    /// Computes all numbers for a machine (`machine_parse_smp_config`).
    pub(crate) fn resolve(&self, machine: &Machine) -> Result<Topology, TopologyError> {
        let given = self.given();
        if machine.zero_is_error && self.has_zero() {
            return Err(TopologyError::Zero);
        }
        if self.has_foreign_levels() && !machine.knows_books {
            return Err(TopologyError::Unknown("books and drawers"));
        }
        if self.has_wide_foreign_level() && machine.asks_whole_counts {
            return Err(TopologyError::Unsupported("clusters, books and drawers"));
        }
        for (level, at, supported) in [("modules", MODULES, machine.modules), ("dies", DIES, machine.is_pc())]
        {
            let (count, is_wide) = (given[at], self.is_wide(at));
            if at == MODULES && !machine.knows_modules && (count.is_some() || is_wide) {
                return Err(TopologyError::Unknown(level));
            }
            let is_wide = is_wide && machine.asks_whole_counts;
            if !supported && (is_wide || count.is_some_and(|count| count > 1)) {
                return Err(TopologyError::Unsupported(level));
            }
        }
        // From here on an omitted number is 0.
        let [cpus, mut max_cpus, sockets, dies, modules, cores, threads] =
            given.map(Option::unwrap_or_default);
        let (dies, modules) = (dies.max(1), modules.max(1));
        let [sockets, cores, threads] = if cpus == 0 && max_cpus == 0 {
            [sockets, cores, threads].map(|count| count.max(1))
        } else {
            max_cpus = if max_cpus > 0 { max_cpus } else { cpus };
            let fixed = u64::from(dies) * u64::from(modules);
            fill(max_cpus, fixed, [sockets, cores, threads], machine.prefers_sockets)
        };
        let all = [sockets, dies, modules, cores, threads];
        let product = all.iter().try_fold(1u32, |product, count| product.checked_mul(*count));
        let max_cpus = if max_cpus > 0 { max_cpus } else { product.unwrap_or(u32::MAX) };
        let cpus = if cpus > 0 { cpus } else { max_cpus };
        if product != Some(max_cpus) {
            return Err(TopologyError::Product { product, max_cpus });
        }
        if max_cpus < cpus {
            return Err(TopologyError::TooManyAtStart { cpus, max_cpus });
        }
        if cpus == 0 {
            return Err(TopologyError::Zero);
        }
        if max_cpus > machine.max_cpus {
            return Err(TopologyError::TooManyForMachine { max_cpus, machine: machine.max_cpus });
        }
        let topology = Topology { cpus, max_cpus, sockets, dies, modules, cores, threads };
        match (topology.threads_per_package(), machine.max_package) {
            (vcpus, Some(most)) if vcpus > most => Err(TopologyError::TooManyForSmbios { vcpus, most }),
            _ => Ok(topology),
        }
    }
}

/// Computes omitted sockets, cores and threads: cores before sockets before threads, or sockets first.
fn fill(max_cpus: u32, fixed: u64, [sockets, cores, threads]: [u32; 3], prefers_sockets: bool) -> [u32; 3] {
    let mut counts = [sockets, cores, threads].map(u64::from);
    let rest = |counts: [u64; 3], left_out: usize| {
        let others = counts.iter().enumerate().filter(|(at, _)| *at != left_out);
        let product = others.fold(fixed, |product, (_, count)| product.saturating_mul(*count));
        u64::from(max_cpus).checked_div(product).unwrap_or(0)
    };
    let (first, second) = if prefers_sockets { (0, 1) } else { (1, 0) };
    if counts[first] == 0 {
        counts[second] = counts[second].max(1);
        counts[2] = counts[2].max(1);
        counts[first] = rest(counts, first);
    } else if counts[second] == 0 {
        counts[2] = counts[2].max(1);
        counts[second] = rest(counts, second);
    }
    if counts[2] == 0 {
        counts[2] = rest(counts, 2);
    }
    counts.map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

/// A level of the topology, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Thread,
    Core,
    Module,
    Die,
    Socket,
}

impl Topology {
    /// Threads of a module.
    pub(crate) fn threads_per_module(&self) -> u32 {
        self.threads * self.cores
    }

    /// Threads of a die.
    pub(crate) fn threads_per_die(&self) -> u32 {
        self.threads_per_module() * self.modules
    }

    /// Threads of a package.
    pub(crate) fn threads_per_package(&self) -> u32 {
        self.threads_per_die() * self.dies
    }

    /// True if there are modules or dies, which leaf 0x1F lists.
    pub(crate) fn has_extended_levels(&self) -> bool {
        self.modules > 1 || self.dies > 1
    }

    /// Threads that share a level.
    pub(crate) fn threads_of(&self, level: Level) -> u32 {
        match level {
            Level::Thread => 1,
            Level::Core => self.threads,
            Level::Module => self.threads_per_module(),
            Level::Die => self.threads_per_die(),
            Level::Socket => self.threads_per_package(),
        }
    }

    /// True if there are several units of the level, or every machine has it.
    pub(crate) fn has(&self, level: Level) -> bool {
        match level {
            Level::Module => self.modules > 1,
            Level::Die => self.dies > 1,
            _ => true,
        }
    }
}

impl Level {
    /// The level whose threads share a cache.
    pub(crate) const fn from_shared_by(shared: SharedBy) -> Level {
        match shared {
            SharedBy::Thread => Level::Thread,
            SharedBy::Core => Level::Core,
            SharedBy::Module => Level::Module,
            SharedBy::Die => Level::Die,
            SharedBy::Socket => Level::Socket,
        }
    }
}
