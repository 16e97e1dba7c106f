//! Records of QEMU's CPU models and of their caches.

use crate::location::Bit;
use crate::source::Span;
use crate::vocabulary::cpu_model::{CacheKind, CacheSlot};

/// A row of `builtin_x86_defs[]`.
#[derive(Clone, Debug)]
pub struct QemuModel {
    /// `EPYC-Milan`.
    pub name: String,
    /// Minimum value of the highest basic leaf; 0 if the source states none.
    pub level: u32,
    /// Minimum value of the highest extended leaf; 0 if the source states none.
    pub xlevel: u32,
    /// Twelve characters.
    pub vendor: String,
    /// As computed by a guest, with the extended family added.
    pub family: u32,
    /// As computed by a guest, with the extended model in the upper bits.
    pub model: u32,
    /// 0 to 15.
    pub stepping: u32,
    /// The brand string; empty if the model has none.
    pub model_id: String,
    /// AVX10 version, if the source states one (10.0 and later).
    pub avx10: Option<u8>,
    /// The words that the source states, in its order.
    pub words: Vec<QemuModelWord>,
    /// The base definition's own caches.
    pub caches: Vec<QemuCache>,
    /// Versions in the source's order; empty for a model without a list, which QEMU registers as version 1.
    pub versions: Vec<QemuModelVersion>,
    /// The reason not to use it.
    pub deprecated: Option<String>,
    /// The places of its fields, by their names as properties: `model-id`. A facts file has them in the model's row.
    pub places: Vec<(&'static str, Span)>,
    /// Its place.
    pub at: Span,
}

impl QemuModel {
    /// The place of a field, or of the model.
    #[cfg(feature = "verify")]
    pub(crate) fn place_of(&self, field: &str) -> Span {
        self.places.iter().find(|(name, _)| *name == field).map_or(self.at, |(_, at)| *at)
    }
}

/// A feature word of a model.
#[derive(Clone, Debug)]
pub struct QemuModelWord {
    /// The word's enumerator.
    pub word: String,
    /// The mask of its bits, including bits without a name.
    pub mask: u64,
    /// Its place.
    pub at: Span,
}

/// A version of a model: its changes to the previous version.
#[derive(Clone, Debug)]
pub struct QemuModelVersion {
    /// From 1 on.
    pub version: u32,
    /// A second name.
    pub alias: Option<String>,
    /// Its distinguishing feature, in QEMU's words.
    pub note: Option<String>,
    /// Properties in order.
    pub props: Vec<QemuProp>,
    /// Caches, which replace all earlier ones (10.1 and later).
    pub caches: Vec<QemuCache>,
    /// Its place.
    pub at: Span,
}

/// A property and the value it is set to.
#[derive(Clone, Debug)]
pub struct QemuProp {
    /// `vmx-xsaves`, `model-id`.
    pub name: String,
    /// `on`, `off`, a number or text.
    pub value: String,
    /// Its place.
    pub at: Span,
}

/// `CPUCacheInfo`: a field that the source omits is zero or false, as in C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// Its contents.
    pub kind: CacheKind,
    /// 1, 2 or 3.
    pub level: u32,
    /// Bytes.
    pub size: u64,
    /// Bytes of a line.
    pub line_size: u32,
    /// Ways.
    pub associativity: u32,
    /// Line partitions.
    pub partitions: u32,
    /// Sets.
    pub sets: u32,
    /// Lines that share a tag (AMD).
    pub lines_per_tag: u32,
    /// Needs no initialization by software.
    pub self_init: bool,
    /// WBINVD does not affect lower-level caches of other threads.
    pub no_invd_sharing: bool,
    /// Includes the contents of lower-level caches.
    pub inclusive: bool,
    /// Uses a complex function to select the set.
    pub complex_indexing: bool,
    /// The CPUs that share it: `thread`, `core`, `module`, `die`, if the release states it (9.1 and later).
    pub share_level: Option<String>,
}

impl Cache {
    /// A cache of which only the kind is known.
    #[must_use]
    pub fn new(kind: CacheKind) -> Cache {
        Cache {
            kind,
            level: 0,
            size: 0,
            line_size: 0,
            associativity: 0,
            partitions: 0,
            sets: 0,
            lines_per_tag: 0,
            self_init: false,
            no_invd_sharing: false,
            inclusive: false,
            complex_indexing: false,
            share_level: None,
        }
    }

    /// Its numbers and flags by their keys in facts; 0 if the source omits them.
    #[must_use]
    pub fn numbers(&self) -> [(&'static str, u64); 11] {
        [
            ("level", self.level.into()),
            ("size", self.size),
            ("line-size", self.line_size.into()),
            ("associativity", self.associativity.into()),
            ("partitions", self.partitions.into()),
            ("sets", self.sets.into()),
            ("lines-per-tag", self.lines_per_tag.into()),
            ("self-init", self.self_init.into()),
            ("no-invd-sharing", self.no_invd_sharing.into()),
            ("inclusive", self.inclusive.into()),
            ("complex-indexing", self.complex_indexing.into()),
        ]
    }
}

/// One cache of a model or of one of its versions.
#[derive(Clone, Debug)]
pub struct QemuCache {
    /// Which of the four caches.
    pub slot: CacheSlot,
    /// The cache.
    pub cache: Cache,
    /// Its place.
    pub at: Span,
}

/// A cache of models that do not define their own (`legacy_*`).
#[derive(Clone, Debug)]
pub struct QemuLegacyCache {
    /// The variable: `legacy_amd_cache_info`, or `legacy_l2_cache_cpuid2` before 10.1.
    pub name: String,
    /// Which of the variable's four caches; `None` if the variable is a single cache.
    pub slot: Option<CacheSlot>,
    /// The cache.
    pub cache: Cache,
    /// Its place.
    pub at: Span,
}

/// An element of `cpuid2_cache_descriptors[]`: a byte of leaf 2 and the cache that it describes.
#[derive(Clone, Debug)]
pub struct QemuCacheDescriptor {
    /// The byte.
    pub byte: u8,
    /// The contents of the cache.
    pub kind: CacheKind,
    /// 1, 2 or 3.
    pub level: u32,
    /// Bytes.
    pub size: u32,
    /// Bytes of a line.
    pub line_size: u32,
    /// Ways.
    pub associativity: u32,
    /// Its place.
    pub at: Span,
}

/// A row of `feature_dependencies[]`: the bits of `to` are dropped if a bit of `from` is missing.
#[derive(Clone, Debug)]
pub struct QemuDep {
    /// The prerequisite: a word's enumerator and its bits.
    pub from: (String, u64),
    /// The dependent bits.
    pub to: (String, u64),
    /// Its place.
    pub at: Span,
}

/// An element of `x86_ext_save_areas[]`: an XSAVE state component.
#[derive(Clone, Debug)]
pub struct QemuXsave {
    /// Number of the component: its bit in XCR0 or `IA32_XSS`.
    pub component: u8,
    /// The word of the feature that enables it.
    pub word: String,
    /// The feature's bit.
    pub bit: Bit,
    /// Bytes.
    pub size: u32,
    /// Offset in the standard format in bytes, if the source fixes it.
    pub offset: Option<u32>,
    /// Its place.
    pub at: Span,
}
