//! Caches of CPU models and of models that define none.
//!
//! Invariant: every cache's share level is known, or not stated.

#[cfg(feature = "merge")]
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts;
#[cfg(feature = "merge")]
use crate::facts::QemuFacts;
#[cfg(feature = "merge")]
use crate::source::Span;
use crate::vocabulary::cpu_model::{Cache, SharedBy};

/// Reports unknown share levels.
#[cfg(feature = "merge")]
pub(super) fn check(facts: &QemuFacts, diagnostics: &mut Diagnostics) {
    /// QEMU's name for an unspecified share level.
    const NOT_SHARED: &str = "invalid";
    let mut check = |cache: &facts::Cache, at: Span| {
        if let Some(level) = &cache.share_level {
            if level != NOT_SHARED && shared_by(cache).is_none() {
                let allowed = SharedBy::ALL.map(|(_, name)| name).join(", ");
                let message = format!("`{level}` is not a level that can share a cache");
                diagnostics.push(
                    Diagnostic::error(at, message)
                        .with_help(format!("expected one of {allowed}, {NOT_SHARED}")),
                );
            }
        }
    };
    for model in &facts.models {
        let of_versions = model.versions.iter().flat_map(|version| &version.caches);
        model.caches.iter().chain(of_versions).for_each(|row| check(&row.cache, row.at));
    }
    facts.legacy_caches.iter().for_each(|row| check(&row.cache, row.at));
}

/// The CPUs that share a cache; `None` if QEMU does not specify them.
fn shared_by(record: &facts::Cache) -> Option<SharedBy> {
    let level = record.share_level.as_deref()?;
    SharedBy::ALL.into_iter().find(|(_, name)| *name == level).map(|(shared, _)| shared)
}

/// A cache, from its record.
pub(super) fn cache(record: &facts::Cache) -> Cache {
    Cache {
        kind: record.kind,
        level: record.level,
        size: record.size,
        line_size: record.line_size,
        associativity: record.associativity,
        partitions: record.partitions,
        sets: record.sets,
        lines_per_tag: record.lines_per_tag,
        self_init: record.self_init,
        no_invd_sharing: record.no_invd_sharing,
        inclusive: record.inclusive,
        complex_indexing: record.complex_indexing,
        shared_by: shared_by(record),
    }
}
