//! Caches from the lists in leaf 4 (Intel) and 0x8000001D (AMD).
//!
//! Intel SDM volume 2A, "CPUID", leaf 04H; AMD APM volume 3, E.4.15. Both have the same layout, but leaf 4 also
//! counts cores. A list ends with a subleaf whose type is 0.

use crate::bits::known_fields::leaf_4;
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::bits::qemu_cpu::CacheKind;
use crate::table::cpuid_fn::CpuidFn;

/// A subleaf that describes a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheSubleaf {
    /// [`INTEL`](CacheSubleaf::INTEL) or [`AMD`](CacheSubleaf::AMD).
    pub leaf: Leaf,
    /// The cache's index, from 0.
    pub subleaf: Subleaf,
    /// EAX, EBX, ECX and EDX.
    pub registers: Registers,
}

impl CacheSubleaf {
    /// Intel's leaf.
    pub const INTEL: Leaf = Leaf(4);
    /// AMD's leaf, which exists with the topology extensions (`TOPOEXT`).
    pub const AMD: Leaf = Leaf(0x8000_001d);

    /// Its kind; `None` if the type is reserved.
    #[must_use]
    pub const fn kind(&self) -> Option<CacheKind> {
        match leaf_4::CACHE_TYPE.read_from(self.registers) {
            1 => Some(CacheKind::Data),
            2 => Some(CacheKind::Instruction),
            3 => Some(CacheKind::Unified),
            _ => None,
        }
    }

    /// Its level, from 1.
    #[must_use]
    pub const fn level(&self) -> u32 {
        leaf_4::CACHE_LEVEL.read_from(self.registers)
    }

    /// Line size in bytes.
    #[must_use]
    pub const fn line_size(&self) -> u32 {
        leaf_4::CACHE_LINESIZE.read_from(self.registers) + 1
    }

    /// Line partitions.
    #[must_use]
    pub const fn partitions(&self) -> u32 {
        leaf_4::CACHE_NPARTITIONS.read_from(self.registers) + 1
    }

    /// Ways of associativity.
    #[must_use]
    pub const fn ways(&self) -> u32 {
        leaf_4::CACHE_NWAYS.read_from(self.registers) + 1
    }

    /// Sets.
    #[must_use]
    pub const fn sets(&self) -> u32 {
        leaf_4::CACHE_NSETS.read_from(self.registers) + 1
    }

    /// Size in bytes: line size, partitions, ways and sets multiplied; `u64::MAX` on overflow.
    #[must_use]
    pub const fn size(&self) -> u64 {
        let set = self.line_size() as u64 * self.partitions() as u64 * self.ways() as u64;
        set.saturating_mul(self.sets() as u64)
    }

    /// Maximum number of APIC ids that share it.
    #[must_use]
    pub const fn threads_sharing(&self) -> u32 {
        leaf_4::NUM_THREADS_SHARING.read_from(self.registers) + 1
    }

    /// Maximum number of core ids in a package; only in leaf 4.
    #[must_use]
    pub const fn cores(&self) -> Option<u32> {
        if self.leaf.0 != Self::INTEL.0 {
            return None;
        }
        Some(leaf_4::NUM_CORES_ON_DIE.read_from(self.registers) + 1)
    }

    /// True when any line may be anywhere.
    #[must_use]
    pub const fn is_fully_associative(&self) -> bool {
        leaf_4::FULLY_ASSOCIATIVE.read_from(self.registers) != 0
    }
}

/// Number of subleaves after which a list without a terminator is considered endless.
const MAX_CACHES: u32 = 64;

pub(crate) fn caches(cpuid: impl CpuidFn, leaf: Leaf) -> impl Iterator<Item = CacheSubleaf> {
    (0..MAX_CACHES).map_while(move |subleaf| {
        let subleaf = Subleaf(subleaf);
        let registers = cpuid(leaf, subleaf)?;
        let more = leaf_4::CACHE_TYPE.read_from(registers) != 0;
        more.then_some(CacheSubleaf { leaf, subleaf, registers })
    })
}
