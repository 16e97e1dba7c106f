//! Numbers of sockets, dies, modules, cores and threads (hw/core/machine-smp.c), and the leaves that tell of them.

use core::fmt;

use super::apic_id::Offsets;
use super::machine::Machine;

/// What `-smp` says; what it leaves out is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Smp {
    /// vCPUs there are at the start.
    pub cpus: Option<u32>,
    /// vCPUs there may be.
    pub max_cpus: Option<u32>,
    /// Sockets.
    pub sockets: Option<u32>,
    /// Dies of a socket.
    pub dies: Option<u32>,
    /// Modules of a die.
    pub modules: Option<u32>,
    /// Cores of a module.
    pub cores: Option<u32>,
    /// Threads of a core.
    pub threads: Option<u32>,
}

/// All of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topology {
    /// vCPUs there are at the start.
    pub cpus: u32,
    /// vCPUs there may be: the product of what follows.
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

/// Numbers that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopologyError {
    /// A number is 0.
    Zero,
    /// The machine has no such level; its number must be 1.
    Unsupported(&'static str),
    /// The product of all levels is not the number of vCPUs that there may be.
    Product {
        /// The product; none if it does not fit 32 bits.
        product: Option<u32>,
        /// How many vCPUs there may be.
        max_cpus: u32,
    },
    /// More vCPUs at the start than there may be.
    TooManyAtStart {
        /// At the start.
        cpus: u32,
        /// There may be.
        max_cpus: u32,
    },
    /// More than the machine type takes.
    TooManyForMachine {
        /// There may be.
        max_cpus: u32,
        /// The machine type takes.
        machine: u32,
    },
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TopologyError::Zero => f.write_str("a number of the CPU topology is 0"),
            TopologyError::Unsupported(level) => write!(f, "this machine has no {level}: expected 1"),
            TopologyError::Product { product: Some(product), max_cpus } => write!(
                f,
                "sockets, dies, modules, cores and threads make {product} vCPUs, not maxcpus={max_cpus}"
            ),
            TopologyError::Product { product: None, .. } => {
                f.write_str("sockets, dies, modules, cores and threads make more vCPUs than can be counted")
            }
            TopologyError::TooManyAtStart { cpus, max_cpus } => {
                write!(f, "{cpus} vCPUs at the start, and maxcpus={max_cpus}")
            }
            TopologyError::TooManyForMachine { max_cpus, machine } => {
                write!(f, "{max_cpus} vCPUs, and the machine type takes at most {machine}")
            }
        }
    }
}

impl Smp {
    fn given(&self) -> [Option<u32>; 7] {
        [self.cpus, self.max_cpus, self.sockets, self.dies, self.modules, self.cores, self.threads]
    }

    /// A number is given as 0.
    pub(crate) fn has_zero(&self) -> bool {
        self.given().contains(&Some(0))
    }

    /// All numbers on a machine (`machine_parse_smp_config`).
    pub(crate) fn resolve(&self, machine: &Machine) -> Result<Topology, TopologyError> {
        let given = self.given();
        if machine.zero_is_error && self.has_zero() {
            return Err(TopologyError::Zero);
        }
        for (level, count, supported) in
            [("modules", self.modules, machine.modules), ("dies", self.dies, machine.dies)]
        {
            let unknown = level == "modules" && !machine.knows_modules && count.is_some();
            if unknown || !supported && count.is_some_and(|count| count > 1) {
                return Err(TopologyError::Unsupported(level));
            }
        }
        // What is left out is 0 from here on.
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
        Ok(Topology { cpus, max_cpus, sockets, dies, modules, cores, threads })
    }
}

/// What is left out of sockets, cores and threads: cores before sockets before threads, or sockets first.
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

    /// Modules or dies: leaf 0x1F has something to say.
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

    fn has(&self, level: Level) -> bool {
        match level {
            Level::Module => self.modules > 1,
            Level::Die => self.dies > 1,
            _ => true,
        }
    }

    /// The `at`th level that there is below the socket, with the one above it (`encode_topo_cpuid1f`).
    fn level_at(&self, at: u32) -> Option<(Level, Level)> {
        let all = [Level::Thread, Level::Core, Level::Module, Level::Die, Level::Socket];
        let mut there = all.into_iter().filter(|level| self.has(*level));
        let level = there.nth(usize::try_from(at).ok()?)?;
        Some((level, there.next()?))
    }

    /// Leaf 0xB without the APIC id.
    pub(crate) fn leaf_b(&self, subleaf: u32, threads_per_package: u32) -> [u32; 4] {
        let offsets = Offsets::of(self);
        let [eax, ebx, kind] = match subleaf {
            0 => [offsets.core, self.threads, 1],
            1 => [offsets.package, threads_per_package, 2],
            _ => [0, 0, 0],
        };
        [eax, ebx & 0xffff, subleaf & 0xff | kind << 8, 0]
    }

    /// Leaf 0x1F without the APIC id.
    pub(crate) fn leaf_1f(&self, subleaf: u32) -> [u32; 4] {
        let Some((level, next)) = self.level_at(subleaf) else { return [0, 0, subleaf & 0xff, 0] };
        let kind = match level {
            Level::Thread => 1,
            Level::Core => 2,
            Level::Module => 3,
            Level::Die => 5,
            Level::Socket => 0,
        };
        let offset = Offsets::of(self).of_level(next);
        [offset, self.threads_of(next) & 0xffff, subleaf & 0xff | kind << 8, 0]
    }
}

impl Offsets {
    /// Where a level's number starts, which is how many bits the levels below have.
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
