//! Leaves with subleaves, whose entries have a significant index, and the terminators of their lists.
//!
//! Intel SDM volume 2A, "CPUID", and volume 1, chapter 13 (XSAVE); AMD APM volume 3, appendix E. KVM's own list is
//! `cpuid_function_is_indexed()` of Linux 7.3's `arch/x86/include/asm/cpuid/api.h`.

use crate::bits::location::Leaf;

/// The terminator of a leaf's subleaf list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Terminator {
    /// None: subleaf 0 or another field counts the subleaves, or a bitmap lists them.
    Counted,
    /// A subleaf whose EAX bits 4 to 0, the cache type, are 0.
    CacheType,
    /// A subleaf whose ECX bits 15 to 8, the level type, are 0.
    LevelType,
    /// A subleaf whose EAX bits 3 to 0, the section's type, are 0.
    SectionType,
}

/// A leaf with subleaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IndexedLeaf {
    /// The leaf.
    pub leaf: Leaf,
    /// Its terminator.
    pub terminator: Terminator,
    /// The manual section.
    pub section: &'static str,
    /// True if KVM itself sets the flag in its supported table, in any pinned release.
    pub flagged_by_kvm: bool,
}

const fn leaf(leaf: u32, terminator: Terminator, flagged_by_kvm: bool, section: &'static str) -> IndexedLeaf {
    IndexedLeaf { leaf: Leaf(leaf), terminator, section, flagged_by_kvm }
}

use Terminator::{CacheType, Counted, LevelType, SectionType};

/// In ascending order.
static INDEXED: &[IndexedLeaf] = &[
    leaf(0x4, CacheType, true, "Intel SDM 2A, CPUID, leaf 04H: deterministic cache parameters"),
    leaf(0x7, Counted, true, "Intel SDM 2A, CPUID, leaf 07H: structured extended feature flags"),
    leaf(0xb, LevelType, true, "Intel SDM 2A, CPUID, leaf 0BH: extended topology"),
    leaf(0xd, Counted, true, "Intel SDM 2A, CPUID, leaf 0DH, and 1, chapter 13: XSAVE state components"),
    leaf(0xf, Counted, true, "Intel SDM 2A, CPUID, leaf 0FH: resource director monitoring"),
    leaf(0x10, Counted, true, "Intel SDM 2A, CPUID, leaf 10H: resource director allocation"),
    leaf(0x12, SectionType, true, "Intel SDM 2A, CPUID, leaf 12H: SGX"),
    leaf(0x14, Counted, true, "Intel SDM 2A, CPUID, leaf 14H: processor trace"),
    leaf(0x17, Counted, true, "Intel SDM 2A, CPUID, leaf 17H: system on chip vendor"),
    leaf(0x18, Counted, true, "Intel SDM 2A, CPUID, leaf 18H: address translation parameters"),
    leaf(0x1b, Counted, false, "Intel SDM 2A, CPUID, leaf 1BH: PCONFIG"),
    leaf(0x1d, Counted, true, "Intel SDM 2A, CPUID, leaf 1DH: tile palettes"),
    leaf(0x1e, Counted, true, "Intel SDM 2A, CPUID, leaf 1EH: TMUL"),
    leaf(0x1f, LevelType, true, "Intel SDM 2A, CPUID, leaf 1FH: V2 extended topology"),
    leaf(0x20, Counted, false, "Intel SDM 2A, CPUID, leaf 20H: history reset"),
    leaf(0x23, Counted, true, "Intel SDM 2A, CPUID, leaf 23H: architectural performance monitoring"),
    leaf(0x24, Counted, true, "Intel SDM 2A, CPUID, leaf 24H: AVX10"),
    leaf(0x8000_001d, CacheType, true, "AMD APM 3, E.4.15, CPUID Fn8000_001D: cache topology"),
    leaf(0x8000_0020, Counted, false, "AMD APM 3, E.4.18, CPUID Fn8000_0020: platform quality of service"),
    leaf(0x8000_0026, LevelType, false, "AMD APM 3, E.4.24, CPUID Fn8000_0026: extended CPU topology"),
];

impl IndexedLeaf {
    /// Every leaf with subleaves, in ascending order.
    pub fn all() -> impl Iterator<Item = IndexedLeaf> {
        INDEXED.iter().copied()
    }

    /// A leaf's subleaf data; `None` if it has no subleaves.
    #[must_use]
    pub fn get(leaf: Leaf) -> Option<IndexedLeaf> {
        INDEXED.iter().find(|indexed| indexed.leaf == leaf).copied()
    }
}
