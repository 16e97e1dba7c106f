//! The topology in leaves 0xB and 0x1F (Intel, AMD), 0x80000026 and 0x8000001E (AMD).
//!
//! Intel SDM volume 2A, "CPUID", leaves 0BH and 1FH; AMD APM volume 3, E.4.16 and E.4.24. A list ends with a subleaf
//! whose level type is 0.

use core::fmt;

use crate::bits::known_fields::{leaf_1f, leaf_8000001e};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::cpuid_fn::CpuidFn;

/// The unit that the processors of a level share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TopologyDomain {
    /// A logical processor: the level's shift leads to the core.
    Thread,
    /// A core.
    Core,
    /// A module.
    Module,
    /// A tile.
    Tile,
    /// A die.
    Die,
    /// A group of dies.
    DieGroup,
    /// AMD's core complex.
    Complex,
    /// A socket.
    Socket,
    /// An unknown type, by its number.
    Unknown(u8),
}

impl TopologyDomain {
    /// The domain of a level type; AMD's leaf has its own numbers.
    const fn from_type(leaf: Leaf, number: u32) -> TopologyDomain {
        match (leaf.0, number) {
            (0x8000_0026, 1) => TopologyDomain::Core,
            (0x8000_0026, 2) => TopologyDomain::Complex,
            (0x8000_0026, 3) => TopologyDomain::Die,
            (0x8000_0026, 4) => TopologyDomain::Socket,
            (0xb | 0x1f, 1) => TopologyDomain::Thread,
            (0xb | 0x1f, 2) => TopologyDomain::Core,
            (0x1f, 3) => TopologyDomain::Module,
            (0x1f, 4) => TopologyDomain::Tile,
            (0x1f, 5) => TopologyDomain::Die,
            (0x1f, 6) => TopologyDomain::DieGroup,
            _ => TopologyDomain::Unknown(number.to_le_bytes()[0]),
        }
    }
}

impl fmt::Display for TopologyDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TopologyDomain::Thread => "thread",
            TopologyDomain::Core => "core",
            TopologyDomain::Module => "module",
            TopologyDomain::Tile => "tile",
            TopologyDomain::Die => "die",
            TopologyDomain::DieGroup => "die group",
            TopologyDomain::Complex => "core complex",
            TopologyDomain::Socket => "socket",
            TopologyDomain::Unknown(number) => return write!(f, "level type {number}"),
        })
    }
}

/// A subleaf that describes a level of the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopologyLevel {
    /// 0xB, 0x1F or 0x80000026.
    pub leaf: Leaf,
    /// The level, from 0.
    pub subleaf: Subleaf,
    /// EAX, EBX, ECX and EDX.
    pub registers: Registers,
}

impl TopologyLevel {
    /// The leaves that list levels.
    pub const LEAVES: [Leaf; 3] = [Leaf(0xb), Leaf(0x1f), Leaf(0x8000_0026)];

    /// The level's domain.
    #[must_use]
    pub const fn domain(&self) -> TopologyDomain {
        TopologyDomain::from_type(self.leaf, leaf_1f::DOMAIN_TYPE.read_from(self.registers))
    }

    /// By how much to shift an x2APIC id right to number the next level's units.
    #[must_use]
    pub const fn shift(&self) -> u32 {
        leaf_1f::X2APIC_ID_SHIFT.read_from(self.registers)
    }

    /// Logical processors per unit of the next level.
    #[must_use]
    pub const fn processors(&self) -> u32 {
        leaf_1f::DOMAIN_LCPUS_COUNT.read_from(self.registers)
    }

    /// The level's own number, which is its subleaf.
    #[must_use]
    pub const fn number(&self) -> u32 {
        leaf_1f::DOMAIN_LEVEL.read_from(self.registers)
    }

    /// The x2APIC id of the processor on which CPUID ran.
    #[must_use]
    pub const fn x2apic_id(&self) -> u32 {
        leaf_1f::X2APIC_ID.read_from(self.registers)
    }
}

/// Number of subleaves after which a list without a terminator is considered endless; a level's number has 8 bits.
const MAX_LEVELS: u32 = 256;

pub(crate) fn levels(cpuid: impl CpuidFn, leaf: Leaf) -> impl Iterator<Item = TopologyLevel> {
    (0..MAX_LEVELS).map_while(move |subleaf| {
        let subleaf = Subleaf(subleaf);
        let registers = cpuid(leaf, subleaf)?;
        let more = leaf_1f::DOMAIN_TYPE.read_from(registers) != 0;
        more.then_some(TopologyLevel { leaf, subleaf, registers })
    })
}

/// AMD's leaf 0x8000001E: EAX, EBX, ECX and EDX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AmdNode(pub Registers);

impl AmdNode {
    /// The leaf.
    pub const LEAF: Leaf = Leaf(0x8000_001e);

    /// The first of AMD's families that have the threads of a core there; earlier ones have the cores of a compute unit
    /// (BKDG of family 15h).
    #[cfg(any(feature = "check", feature = "show"))]
    pub(crate) const FIRST_FAMILY_WITH_THREADS: u32 = 0x17;

    /// The extended APIC id.
    #[must_use]
    pub const fn apic_id(&self) -> u32 {
        leaf_8000001e::EXT_APIC_ID.read_from(self.0)
    }

    /// The core's number.
    #[must_use]
    pub const fn core(&self) -> u32 {
        leaf_8000001e::CORE_ID.read_from(self.0)
    }

    /// Threads per core.
    #[must_use]
    pub const fn threads_per_core(&self) -> u32 {
        leaf_8000001e::CORE_NTHREADS.read_from(self.0) + 1
    }

    /// The node's number.
    #[must_use]
    pub const fn node(&self) -> u32 {
        leaf_8000001e::NODE_ID.read_from(self.0)
    }

    /// Nodes per processor.
    #[must_use]
    pub const fn nodes_per_processor(&self) -> u32 {
        leaf_8000001e::NNODES_PER_SOCKET.read_from(self.0) + 1
    }
}
