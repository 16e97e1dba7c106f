//! CPU models: each version with its definition. Releases that define it in the same way share one row.

use serde_json::{Map, Value, json};

use super::keys::source_key;
use crate::model::cpu_models::{CpuDefinition, CpuModel, CpuModelVersion};
use crate::model::{Model, QemuRelease};
use crate::vocabulary::cpu_model::Cache;

/// Every version of every model in the order of the newest release; versions that only older releases have come last.
pub(super) fn models(model: &Model) -> Value {
    let mut rows: Vec<(String, Vec<Value>, Vec<Vec<usize>>)> = Vec::new();
    for (release, qemu) in model.qemu.iter().enumerate().rev() {
        for (of, version) in qemu.models.iter().flat_map(|of| of.versions.iter().map(move |v| (of, v))) {
            let name = format!("{}-v{}", of.name, version.version);
            let row = definition(qemu, of, version);
            let at = rows.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| {
                rows.push((name, Vec::new(), Vec::new()));
                rows.len() - 1
            });
            let (_, definitions, releases) = &mut rows[at];
            match definitions.iter().position(|known| *known == row) {
                Some(same) => releases[same].insert(0, release),
                None => {
                    definitions.push(row);
                    releases.push(vec![release]);
                }
            }
        }
    }
    let rows = rows.into_iter().map(|(name, definitions, releases)| {
        let definitions: Vec<Value> = definitions
            .into_iter()
            .zip(releases)
            .map(|(mut definition, releases)| {
                definition["qemu"] = json!(releases);
                definition
            })
            .collect();
        json!({"name": name, "definitions": definitions})
    });
    rows.collect()
}

fn definition(release: &QemuRelease, model: &CpuModel, version: &CpuModelVersion) -> Value {
    let definition = &version.definition;
    let mut row = Map::new();
    let mut text = |key: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            row.insert(key.to_owned(), json!(value));
        }
    };
    text("alias", version.alias.as_deref());
    text("note", version.note.as_deref());
    text("deprecated", model.deprecated.as_deref());
    text("model_id", Some(&definition.model_id));
    row.insert("vendor".to_owned(), json!(definition.vendor));
    let CpuDefinition { level, xlevel, family, model, stepping, avx10, .. } = definition;
    row.insert("signature".to_owned(), json!([family, model, stepping]));
    row.insert("levels".to_owned(), json!([level, xlevel]));
    if *avx10 != 0 {
        row.insert("avx10".to_owned(), json!(avx10));
    }
    row.insert("words".to_owned(), words(release, definition));
    if !definition.props.is_empty() {
        let props = definition.props.iter().map(|(name, value)| (name.clone(), json!(value)));
        row.insert("props".to_owned(), Value::Object(props.collect()));
    }
    if !definition.caches.is_empty() {
        let caches = definition.caches.iter().map(|(slot, cache)| (slot.name().to_owned(), shape(cache)));
        row.insert("caches".to_owned(), Value::Object(caches.collect()));
    }
    Value::Object(row)
}

/// Registers and masks. A mask of more than 53 bits does not fit in a JavaScript number, so all masks are hexadecimal text.
fn words(release: &QemuRelease, definition: &CpuDefinition) -> Value {
    let known = definition.words.iter().filter_map(|(word, mask)| {
        let source = release.sources.get(word)?;
        Some((source_key(*source), json!(format!("{mask:x}"))))
    });
    Value::Object(known.collect())
}

/// Bytes, ways, bytes of a line.
fn shape(cache: &Cache) -> Value {
    json!([cache.size, cache.associativity, cache.line_size])
}
