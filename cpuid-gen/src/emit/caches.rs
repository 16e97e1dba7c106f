//! Rows of caches, which CPU models and machine types share.

use super::pools::Pools;
use crate::model::cpu_models::CpuDefinition;
use crate::vocabulary::cpu_model::{Cache, CacheSlot};

/// The list of a definition's four caches, each as its index plus 1, or 0 if absent; the empty list if all are absent.
pub(super) fn caches<'m>(definition: &'m CpuDefinition, pools: &mut Pools<'m>) -> u16 {
    if definition.caches.is_empty() {
        return 0;
    }
    let slot = |(slot, _)| definition.caches.get(&slot).map_or(0, |found| cache(found, pools) + 1);
    let all = CacheSlot::ALL.map(slot).to_vec();
    pools.lists.position(all)
}

/// The index of a cache's row.
pub(super) fn cache(cache: &Cache, pools: &mut Pools<'_>) -> u16 {
    let Cache { kind, level, size, line_size, associativity, partitions, sets, lines_per_tag, .. } = cache;
    let shared = match cache.shared_by {
        Some(level) => format!("Some(SharedBy::{level:?})"),
        None => "None".to_owned(),
    };
    let sizes =
        format!("level: {level}, size: {size}, line_size: {line_size}, associativity: {associativity}");
    let counts = format!("partitions: {partitions}, sets: {sets}, lines_per_tag: {lines_per_tag}");
    let flags = format!(
        "self_init: {}, no_invd_sharing: {}, inclusive: {}, complex_indexing: {}",
        cache.self_init, cache.no_invd_sharing, cache.inclusive, cache.complex_indexing
    );
    pools
        .caches
        .id(format!("Cache {{ kind: CacheKind::{kind:?}, {sizes}, {counts}, {flags}, shared_by: {shared} }}"))
}
