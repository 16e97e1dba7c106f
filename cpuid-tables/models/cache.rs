//! Caches as QEMU describes them to a guest (`CPUCacheInfo` of target/i386/cpu.h).

use crate::bits::qemu_cpu::{Cache, CacheDescriptor, CacheSlot};
use crate::bits::release::QemuRelease;
use crate::generated::model_tables::{BOARDS, Board, CACHES, list, text};

/// The caches of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caches {
    /// Level 1, data.
    pub l1d: Option<Cache>,
    /// Level 1, instructions.
    pub l1i: Option<Cache>,
    /// Level 2.
    pub l2: Option<Cache>,
    /// Level 3.
    pub l3: Option<Cache>,
}

impl Caches {
    /// Those that there are, each with its slot.
    pub fn iter(&self) -> impl Iterator<Item = (CacheSlot, Cache)> {
        let all = [
            (CacheSlot::L1d, self.l1d),
            (CacheSlot::L1i, self.l1i),
            (CacheSlot::L2, self.l2),
            (CacheSlot::L3, self.l3),
        ];
        all.into_iter().filter_map(|(slot, cache)| Some((slot, cache?)))
    }

    /// From a list of four; none for the empty one.
    pub(crate) fn of_list(position: u16) -> Option<Caches> {
        let cache = |id: u16| Some(CACHES[usize::from(id.checked_sub(1)?)]);
        match *list(position) {
            [l1d, l1i, l2, l3] => {
                Some(Caches { l1d: cache(l1d), l1i: cache(l1i), l2: cache(l2), l3: cache(l3) })
            }
            _ => None,
        }
    }
}

/// A cache that QEMU gives to models that have none of their own (or are asked for `legacy-cache=on`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LegacyCache {
    /// QEMU's variable: `legacy_l1d_cache`; since 10.1 one for each set of four, `legacy_amd_cache_info`.
    pub name: &'static str,
    /// Which of the set; none where the variable is one cache.
    pub slot: Option<CacheSlot>,
    /// What it is like.
    pub cache: Cache,
}

impl QemuRelease {
    /// The caches of models that have none of their own, in QEMU's order.
    pub fn legacy_caches(self) -> impl Iterator<Item = LegacyCache> {
        self.board().legacy_caches.iter().map(|row| LegacyCache {
            name: text(row.name),
            slot: row.slot,
            cache: CACHES[usize::from(row.cache)],
        })
    }

    /// The bytes of leaf 2 that QEMU knows, in its order (`cpuid2_cache_descriptors[]`).
    pub fn cache_descriptors(self) -> impl Iterator<Item = CacheDescriptor> {
        self.board().cache_descriptors.iter().copied()
    }

    /// The byte of leaf 2 that stands for a cache: QEMU's first. None if there is none, for which leaf 2 has 0xff:
    /// leaf 4 tells.
    #[must_use]
    pub fn cache_descriptor(self, cache: &Cache) -> Option<u8> {
        self.cache_descriptors().find(|known| known.describes(cache)).map(|known| known.byte)
    }

    pub(crate) fn board(self) -> &'static Board {
        &BOARDS[self.index()]
    }
}
