//! Models based on those of the base: a version that the program states differently gets the difference as properties, and
//! a version or model that the base lacks is added.

use serde_json::Value;

use super::stated::{Model, Stated, written};
use crate::diagnostic::Diagnostics;
use crate::facts::{QemuFacts, QemuModel, QemuModelVersion, QemuModelWord, QemuProp};
use crate::index::{Properties, Property};
use crate::location::Word;
use crate::model::cpu_models::{CpuDefinition, resolve};
use crate::ordered::{Map, Set, sort_by};

/// Fields of a model that an expansion states unchanged.
const FIELDS: [&str; 4] = ["family", "model", "stepping", "model-id"];

/// Other properties that a model's version may set; the values of all others depend on the accelerator, on other
/// features or on caches.
const OTHER: [&str; 3] = ["x-force-cpuid-0x1f", "avx10-version", "cpuid-0xb"];

/// Features that the code sets in every model.
const OF_CODE: [&str; 1] = ["hypervisor"];

/// Replaces and adds models.
pub(super) fn overlay(stated: &Stated, facts: &mut QemuFacts) {
    let known: Set<&str> = stated.models.keys().map(|(model, _)| model.as_str()).collect();
    facts.models.retain(|model| known.contains(model.name.as_str()));
    for name in known {
        if !facts.models.iter().any(|model| model.name == name) {
            let model = stated.models.get(&(name.to_owned(), 1)).map(|first| new(name, first, facts));
            facts.models.extend(model);
        }
    }
    for at in 0..facts.models.len() {
        let name = facts.models[at].name.clone();
        let of = |(model, _): &&(String, u32)| *model == name;
        let versions: Vec<u32> = stated.models.keys().filter(of).map(|(_, version)| *version).collect();
        facts.models[at].versions.retain(|version| versions.contains(&version.version));
        if versions.len() > 1 || facts.models[at].versions.len() > 1 {
            complete(&mut facts.models[at], &versions, stated);
        }
        for version in versions {
            let Some(model) = stated.models.get(&(name.clone(), version)) else { continue };
            let differs = difference(facts, &name, version, model, stated);
            if !differs.is_empty() {
                complete(&mut facts.models[at], &[version], stated);
            }
            let rows = &mut facts.models[at].versions;
            if let Some(row) = rows.iter_mut().find(|row| row.version == version) {
                row.props.extend(differs);
            }
        }
        let deprecated = stated.models.iter().any(|((model, _), row)| *model == name && row.deprecated);
        let row = &mut facts.models[at];
        row.deprecated = match (deprecated, row.deprecated.take()) {
            (true, None) => Some("deprecated".to_owned()),
            (true, note) => note,
            (false, _) => None,
        };
    }
}

/// Adds the versions that the model lacks, with their aliases.
fn complete(model: &mut QemuModel, versions: &[u32], stated: &Stated) {
    for version in versions {
        if model.versions.iter().any(|row| row.version == *version) {
            continue;
        }
        let alias = stated.aliases.get(&(model.name.clone(), *version)).cloned();
        model.versions.push(QemuModelVersion {
            version: *version,
            alias,
            note: None,
            props: Vec::new(),
            caches: Vec::new(),
            at: model.at,
        });
    }
    sort_by(&mut model.versions, |a, b| a.version.cmp(&b.version));
}

/// A model that the base lacks: the named bits that are set.
fn new(name: &str, stated: &Model, facts: &QemuFacts) -> QemuModel {
    let number = |name: &str| {
        let number = stated.properties.get(name).and_then(Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
    };
    let text =
        |name: &str| stated.properties.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut words: Map<usize, u64> = Map::new();
    for bit in &facts.bits {
        let on = |name: &str| stated.properties.get(name).and_then(Value::as_bool) == Some(true);
        let code = bit.names().any(|name| OF_CODE.contains(&name));
        if let Some(at) = facts.words.iter().position(|word| word.name == bit.word) {
            if !code && bit.names().any(on) {
                *words.or_default(at) |= 1u64.checked_shl(bit.bit.0.into()).unwrap_or(0);
            }
        }
    }
    QemuModel {
        name: name.to_owned(),
        level: number("min-level"),
        xlevel: number("min-xlevel"),
        vendor: text("vendor"),
        family: number("family"),
        model: number("model"),
        stepping: number("stepping"),
        model_id: text("model-id"),
        avx10: u8::try_from(number("avx10-version")).ok().filter(|version| *version != 0),
        words: words
            .into_iter()
            .map(|(at, mask)| QemuModelWord { word: facts.words[at].name.clone(), mask, at: facts.at })
            .collect(),
        caches: Vec::new(),
        versions: Vec::new(),
        deprecated: None,
        places: Vec::new(),
        at: facts.at,
    }
}

/// The properties that turn the facts' version of a model into the one that the program states.
fn difference(facts: &QemuFacts, name: &str, version: u32, stated: &Model, all: &Stated) -> Vec<QemuProp> {
    let mut of_model = facts.clone();
    of_model.models.retain(|model| model.name == name);
    let resolved = resolve(&of_model, &mut Diagnostics::new());
    let found = resolved.first().and_then(|model| model.versions.iter().find(|row| row.version == version));
    let Some(definition) = found.map(|row| &row.definition) else { return Vec::new() };
    let at = of_model.models.first().map_or(facts.at, |model| model.at);
    let mut differs = Vec::new();
    let mut set = |name: &str, value: String| {
        differs.push(QemuProp { name: name.to_owned(), value, at });
    };
    let properties = Properties::new(facts);
    let words = without_unmet(definition, facts);
    let ignored = |name: &str| {
        OF_CODE.contains(&name) || facts.tcg_defaults.iter().any(|default| default.property == name)
    };
    let mut names: Vec<&str> =
        facts.bits.iter().filter_map(|bit| bit.names().find(|n| all.names.contains(*n))).collect();
    names.dedup();
    for name in names.into_iter().filter(|name| !ignored(name)) {
        let on = stated.properties.get(name).and_then(Value::as_bool);
        let (Some(Property::Bits(word, mask)), Some(on)) = (properties.get(name), on) else { continue };
        let has = words.get(&word).copied().unwrap_or(0) & mask == mask;
        if has != on {
            set(name, if on { "on" } else { "off" }.to_owned());
        }
    }
    for name in FIELDS {
        let Some(value) = stated.properties.get(name).map(written) else { continue };
        let is = match name {
            "family" => definition.family.to_string(),
            "model" => definition.model.to_string(),
            "stepping" => definition.stepping.to_string(),
            _ => definition.model_id.clone(),
        };
        if is != value {
            set(name, value);
        }
    }
    for name in OTHER {
        let (Some(value), Some(default)) = (stated.properties.get(name), all.empty.properties.get(name))
        else {
            continue;
        };
        let is = match name {
            "avx10-version" => definition.avx10.to_string(),
            _ => definition.props.get(name).cloned().unwrap_or_else(|| written(default)),
        };
        if is != written(value) {
            set(name, written(value));
        }
    }
    differs
}

/// The words as an expansion shows them: with VMX and SVM, and without features whose dependencies are missing.
fn without_unmet(definition: &CpuDefinition, facts: &QemuFacts) -> Map<Word, u64> {
    let mut words = definition.words.clone();
    let index = |name: &str| facts.word_named(name).map(|word| word.index);
    for name in ["vmx", "svm"] {
        let row = facts.bits.iter().find(|row| row.names().any(|known| known == name));
        if let Some((word, row)) = row.and_then(|row| Some((index(&row.word)?, row))) {
            let old = words.get(&word).copied().unwrap_or(0);
            words.insert(word, old | 1u64.checked_shl(row.bit.0.into()).unwrap_or(0));
        }
    }
    for dep in &facts.deps {
        let (Some(from), Some(to)) = (index(&dep.from.0), index(&dep.to.0)) else { continue };
        if words.get(&from).copied().unwrap_or(0) & dep.from.1 == 0 {
            let old = words.get(&to).copied().unwrap_or(0);
            words.insert(to, old & !dep.to.1);
        }
    }
    words
}
