//! Rows of CPU models, their caches, dependencies and XSAVE components.

use std::fmt::{self, Display};

use super::row::{Hex, Or, Text, row};
use crate::facts::{Cache, CacheSlot, QemuCache, QemuFacts, QemuModel, QemuModelVersion};

/// Writes all of them.
pub(super) fn rows(out: &mut String, facts: &QemuFacts) {
    for model in &facts.models {
        model_rows(out, model);
    }
    for dep in &facts.deps {
        row(out, "qemu-dep", &[&dep.from.0, &Hex(dep.from.1), &dep.to.0, &Hex(dep.to.1)]);
    }
    for area in &facts.xsave {
        let columns: [&dyn Display; 5] =
            [&area.component, &area.word, &area.bit.0, &area.size, &Or(area.offset)];
        row(out, "qemu-xsave", &columns);
    }
    for cache in &facts.legacy_caches {
        let slot = Or(cache.slot.map(CacheSlot::name));
        row(out, "qemu-cache", &[&cache.name, &slot, &Values(&cache.cache)]);
    }
    for descriptor in &facts.cache_descriptors {
        let columns: [&dyn Display; 6] = [
            &Hex(descriptor.byte.into()),
            &descriptor.kind.name(),
            &descriptor.level,
            &descriptor.size,
            &descriptor.line_size,
            &descriptor.associativity,
        ];
        row(out, "qemu-cache-descriptor", &columns);
    }
}

fn model_rows(out: &mut String, model: &QemuModel) {
    let columns: [&dyn Display; 8] = [
        &model.name,
        &Hex(model.level.into()),
        &Hex(model.xlevel.into()),
        &Text(&model.vendor),
        &model.family,
        &model.model,
        &model.stepping,
        &Text(&model.model_id),
    ];
    row(out, "qemu-model", &columns);
    if let Some(avx10) = model.avx10 {
        row(out, "qemu-model-avx10", &[&model.name, &avx10]);
    }
    if let Some(note) = &model.deprecated {
        row(out, "qemu-model-deprecated", &[&model.name, &Text(note)]);
    }
    for word in &model.words {
        row(out, "qemu-model-word", &[&model.name, &word.word, &Hex(word.mask)]);
    }
    caches(out, model, None, &model.caches);
    for version in &model.versions {
        version_rows(out, model, version);
    }
}

fn version_rows(out: &mut String, model: &QemuModel, version: &QemuModelVersion) {
    let note = Or(version.note.as_deref().map(Text));
    let columns: [&dyn Display; 4] = [&model.name, &version.version, &Or(version.alias.as_deref()), &note];
    row(out, "qemu-model-version", &columns);
    for prop in &version.props {
        let columns: [&dyn Display; 4] = [&model.name, &version.version, &prop.name, &Text(&prop.value)];
        row(out, "qemu-model-prop", &columns);
    }
    caches(out, model, Some(version.version), &version.caches);
}

fn caches(out: &mut String, model: &QemuModel, version: Option<u32>, caches: &[QemuCache]) {
    for cache in caches {
        let columns: [&dyn Display; 4] =
            [&model.name, &Or(version), &cache.slot.name(), &Values(&cache.cache)];
        row(out, "qemu-model-cache", &columns);
    }
}

/// `KEY=VALUE` columns, without those that are zero or false.
struct Values<'a>(&'a Cache);

impl Display for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Values(cache) = *self;
        write!(f, "type={}", cache.kind.name())?;
        for (key, value) in cache.numbers().into_iter().filter(|(_, value)| *value != 0) {
            write!(f, "\t{key}={value}")?;
        }
        match &cache.share_level {
            Some(level) => write!(f, "\tshare-level={level}"),
            None => Ok(()),
        }
    }
}
