//! Caches of QEMU's models: their numbers against each other, against their place in a model, and against dumps of the processor.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::processors::Processor;
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{Cache, CacheKind, CacheSlot};
use crate::source::Span;

/// Runs the checks.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    for model in &index.facts.models {
        let versions = model.versions.iter().flat_map(|version| {
            version.caches.iter().map(|cache| (format!("{}-v{}", model.name, version.version), cache))
        });
        let own = model.caches.iter().map(|cache| (model.name.clone(), cache));
        for (name, cache) in own.chain(versions) {
            check_numbers(index, (&name, Some(cache.slot)), (&cache.cache, cache.at), findings);
        }
    }
    for row in &index.facts.legacy_caches {
        check_numbers(index, (&row.name, row.slot), (&row.cache, row.at), findings);
    }
    for processor in &findings.differences().processors {
        check_real(index, processor, findings);
    }
}

/// Level and contents of a cache in this place.
fn expected(slot: CacheSlot) -> (u32, CacheKind) {
    match slot {
        CacheSlot::L1d => (1, CacheKind::Data),
        CacheSlot::L1i => (1, CacheKind::Instruction),
        CacheSlot::L2 => (2, CacheKind::Unified),
        CacheSlot::L3 => (3, CacheKind::Unified),
    }
}

fn check_numbers(
    index: &QemuIndex<'_>,
    (name, slot): (&str, Option<CacheSlot>),
    (cache, at): (&Cache, Span),
    findings: &mut Findings<'_>,
) {
    let subject = slot.map_or_else(|| name.to_owned(), |slot| format!("{name} {slot}"));
    let parts = [cache.line_size, cache.associativity, cache.partitions, cache.sets];
    let product = parts.iter().try_fold(1, |all: u64, part| all.checked_mul(u64::from(*part)));
    // A cache that only a byte of leaf 2 describes has no sets.
    if cache.sets != 0 && product != Some(cache.size) {
        let product = product.map_or("too much".to_owned(), |product| product.to_string());
        let key = Key::new(Kind::CacheNumbers, &subject, cache.size.to_string(), &product);
        findings.add(key, &[&index.release], || {
            let [line, ways, partitions, sets] = parts;
            let message = format!("`{subject}` has {} bytes, but its parts are {product}", cache.size);
            Diagnostic::error(at, message).with_help(format!(
                "line size {line}, associativity {ways}, partitions {partitions}, sets {sets}"
            ))
        });
    }
    let Some((level, kind)) = slot.map(expected).filter(|own| *own != (cache.level, cache.kind)) else {
        return;
    };
    let own = format!("{} {}", cache.level, cache.kind);
    let wanted = format!("{level} {kind}");
    findings.add(Key::new(Kind::CacheNumbers, &subject, &own, &wanted), &[&index.release], || {
        Diagnostic::error(at, format!("`{subject}` has the level and type {own}, not {wanted}"))
    });
}

/// The newest version that states caches counts, since a released version never changes.
fn check_real(index: &QemuIndex<'_>, processor: &Processor, findings: &mut Findings<'_>) {
    let Some(model) = index.facts.models.iter().find(|model| model.name == processor.model) else { return };
    let newest = model.versions.iter().rev().map(|version| &version.caches).find(|caches| !caches.is_empty());
    for row in newest.unwrap_or(&model.caches) {
        let real: Vec<(u64, u32, u32)> = processor
            .caches
            .iter()
            .filter(|(slot, _)| *slot == row.slot)
            .map(|(_, numbers)| *numbers)
            .collect();
        let own = (row.cache.size, row.cache.associativity, row.cache.line_size);
        if real.is_empty() || real.contains(&own) {
            continue;
        }
        let shown = |(size, ways, line): (u64, u32, u32)| format!("{size}/{ways}/{line}");
        let wanted = real.into_iter().map(shown).collect::<Vec<_>>().join(",");
        let subject = format!("{} {}", model.name, row.slot);
        findings.add(Key::new(Kind::CacheReal, &subject, shown(own), &wanted), &[&index.release], || {
            Diagnostic::error(row.at, format!("`{subject}` is {}", shown(own)))
                .with_label(processor.at, format!("dumps of the processor have {wanted}"))
                .with_help("size in bytes/associativity/line size")
        });
    }
}
