//! Caches of models that define none, leaf 2's bytes, and XSAVE components.

use super::names::Names;
use crate::diff::change::Change;
use crate::diff::rows::{Line, between, pair, table};
use crate::facts::{Cache, CacheSlot, QemuCacheDescriptor, QemuFacts, QemuLegacyCache, QemuXsave};

/// `qemu-cache` and `qemu-cache-descriptor`.
pub(super) fn changes(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let line = |cache: &QemuLegacyCache| {
        let slot = cache.slot.map(CacheSlot::name).map_or_else(String::new, |slot| format!(" {slot}"));
        described(Line::new(format!("{}{slot}", cache.name), cache.at), &cache.cache)
    };
    let key = |cache: &QemuLegacyCache| (cache.name.clone(), cache.slot);
    let mut changes = table(&old.legacy_caches, &new.legacy_caches, key, line);
    let byte = |descriptor: &QemuCacheDescriptor| {
        Line::new(format!("leaf 2, byte {:#x}", descriptor.byte), descriptor.at)
            .with("type", descriptor.kind.name())
            .with("level", descriptor.level)
            .with("size", descriptor.size)
            .with("line-size", descriptor.line_size)
            .with("associativity", descriptor.associativity)
    };
    changes.extend(table(&old.cache_descriptors, &new.cache_descriptors, |descriptor| descriptor.byte, byte));
    changes
}

/// Adds all properties of a cache except those that are zero or false.
pub(super) fn described(line: Line, cache: &Cache) -> Line {
    let line = line.with("type", cache.kind.name());
    let line = cache
        .numbers()
        .into_iter()
        .fold(line, |line, (key, value)| line.maybe(key, (value != 0).then_some(value)));
    line.maybe("share-level", cache.share_level.as_ref())
}

/// `qemu-xsave`: the feature that enables a component, and the place of its state.
pub(super) fn xsave(
    old: &QemuFacts,
    new: &QemuFacts,
    (before, after): (&Names<'_>, &Names<'_>),
) -> Vec<Change> {
    let line = |area: &QemuXsave, names: &Names<'_>| {
        Line::new(format!("component {}", area.component), area.at)
            .with("feature", names.bit(&area.word, area.bit.0))
            .with("in", format_args!("{} bit {}", area.word, area.bit.0))
            .with("size", area.size)
            .maybe("offset", area.offset)
    };
    let paired = pair(&old.xsave, &new.xsave, |area| area.component);
    let mut changes: Vec<Change> = paired.added.into_iter().map(|area| line(area, after).added()).collect();
    changes.extend(paired.removed.into_iter().map(|area| line(area, before).removed()));
    let moved = |(old, new): (&QemuXsave, &QemuXsave)| {
        // A renamed feature is the same feature.
        let same = (&old.word, old.bit) == (&new.word, new.bit);
        between(line(old, if same { after } else { before }), line(new, after))
    };
    changes.extend(paired.kept.into_iter().filter_map(moved));
    changes
}
