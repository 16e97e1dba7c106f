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
    /// The caches that exist, each with its slot.
    pub fn iter(&self) -> impl Iterator<Item = (CacheSlot, Cache)> {
        let all = [
            (CacheSlot::L1d, self.l1d),
            (CacheSlot::L1i, self.l1i),
            (CacheSlot::L2, self.l2),
            (CacheSlot::L3, self.l3),
        ];
        all.into_iter().filter_map(|(slot, cache)| Some((slot, cache?)))
    }

    /// From a list of four; `None` for the empty list.
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

/// A cache that QEMU gives to models without their own (or with `legacy-cache=on`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LegacyCache {
    /// QEMU's variable: `legacy_l1d_cache`; since 10.1 one for each set of four, `legacy_amd_cache_info`.
    pub name: &'static str,
    /// Its slot in the set; `None` if the variable is a single cache.
    pub slot: Option<CacheSlot>,
    /// The cache.
    pub cache: Cache,
}

impl QemuRelease {
    /// The caches of models without their own, in QEMU's order.
    pub fn legacy_caches(self) -> impl Iterator<Item = LegacyCache> {
        self.board().legacy_caches.iter().map(|row| LegacyCache {
            name: text(row.name),
            slot: row.slot,
            cache: CACHES[usize::from(row.cache)],
        })
    }

    /// The descriptor bytes of leaf 2 that QEMU knows, in its order (`cpuid2_cache_descriptors[]`).
    pub fn cache_descriptors(self) -> impl Iterator<Item = CacheDescriptor> {
        self.board().cache_descriptors.iter().copied()
    }

    /// The descriptor byte of leaf 2 for a cache: QEMU's first. `None` if there is none; leaf 2 then has 0xff, which
    /// refers to leaf 4.
    #[must_use]
    pub fn cache_descriptor(self, cache: &Cache) -> Option<u8> {
        self.cache_descriptors().find(|known| known.describes(cache)).map(|known| known.byte)
    }

    pub(crate) fn board(self) -> &'static Board {
        &BOARDS[self.index()]
    }
}
