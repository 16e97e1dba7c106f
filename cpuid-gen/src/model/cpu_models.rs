//! CPU models of one QEMU release, each version with the properties of all before it applied.
//!
//! QEMU loads the base definition, then sets the properties of version 1, 2 and so on, up to the one that is asked for
//! (`x86_cpu_load_model` and `x86_cpu_apply_version_props` of target/i386/cpu.c). A property is a bit of a feature
//! word, a field of the model, or something else that `-cpu` takes. A name at several bits of a word sets them all.
//!
//! What always holds: a model has at least one version, versions ascend from 1 without a gap, and no two models,
//! aliases included, share a name.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{QemuCache, QemuFacts, QemuModel, QemuModelVersion, QemuProp};
use crate::location::Word;
use crate::ordered::Map;
use crate::source::Span;
use crate::vocabulary::cpu_model::{Cache, CacheSlot};

/// A CPU model of one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuModel {
    /// `EPYC-Milan`.
    pub name: String,
    /// Why not to use it.
    pub deprecated: Option<String>,
    /// The definition before any version's properties: what machine types before 4.1 take.
    pub base: CpuDefinition,
    /// Its versions, 1 and up.
    pub versions: Vec<CpuModelVersion>,
}

/// A version of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuModelVersion {
    /// 1 and up.
    pub version: u32,
    /// A second name, besides `NAME-vN`.
    pub alias: Option<String>,
    /// What sets it apart.
    pub note: Option<String>,
    /// What a guest gets.
    pub definition: CpuDefinition,
}

/// What a model says of a CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuDefinition {
    /// Least highest basic leaf.
    pub level: u32,
    /// Least highest extended leaf.
    pub xlevel: u32,
    /// Twelve characters.
    pub vendor: String,
    /// Extended family included.
    pub family: u32,
    /// Extended model included.
    pub model: u32,
    /// 0 to 15.
    pub stepping: u32,
    /// The brand string.
    pub model_id: String,
    /// AVX10 version; 0 for none.
    pub avx10: u8,
    /// Feature words by index; those without a bit are left out.
    pub words: Map<Word, u64>,
    /// Other properties with their values, by name.
    pub props: Map<String, String>,
    /// Caches; none means QEMU's legacy ones.
    pub caches: Map<CacheSlot, Cache>,
}

/// Resolves every model. Each row that makes no sense becomes an error; its model is then left out.
#[must_use]
pub fn resolve(facts: &QemuFacts, diagnostics: &mut Diagnostics) -> Vec<CpuModel> {
    let properties = Properties::new(facts);
    let mut models = Vec::new();
    let mut names = Map::new();
    for model in &facts.models {
        let mut found = Diagnostics::new();
        names_of(model, &mut names, &mut found);
        let resolved = properties.model(model, &mut found);
        if !found.has_errors() {
            models.push(resolved);
        }
        diagnostics.extend(found);
    }
    models
}

/// Every name under which QEMU knows a model: its own, its versions', their aliases.
fn names_of(model: &QemuModel, names: &mut Map<String, Span>, found: &mut Diagnostics) {
    let mut add = |name: String, at: Span| {
        if let Some(earlier) = names.insert(name.clone(), at) {
            found.push(
                Diagnostic::error(at, format!("a second CPU model `{name}`"))
                    .with_label(earlier, "the first"),
            );
        }
    };
    add(model.name.clone(), model.at);
    for version in &model.versions {
        add(format!("{}-v{}", model.name, version.version), version.at);
        if let Some(alias) = &version.alias {
            add(alias.clone(), version.at);
        }
    }
}

/// What a property sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// These bits of a feature word.
    Bits(Word, u64),
    /// A field of the definition, or anything else that has no bit of its own.
    Other,
}

/// The properties that `-cpu` takes in one release.
pub struct Properties<'f> {
    words: Map<&'f str, Word>,
    bits: Map<String, (Word, u64)>,
    aliases: Map<&'f str, &'f str>,
    others: Map<&'f str, Span>,
}

impl<'f> Properties<'f> {
    /// The properties of a release.
    #[must_use]
    pub fn new(facts: &'f QemuFacts) -> Properties<'f> {
        let words: Map<&str, Word> =
            facts.words.iter().map(|word| (word.name.as_str(), word.index)).collect();
        let mut bits: Map<String, (Word, u64)> = Map::new();
        for bit in &facts.bits {
            let Some(word) = words.get(bit.word.as_str()) else { continue };
            let mask = 1u64.checked_shl(bit.bit.0.into()).unwrap_or(0);
            for name in bit.names() {
                // Properties have no `_`, as QEMU registers them.
                let entry = bits.or_insert(name.replace('_', "-"), (*word, 0));
                if entry.0 == *word {
                    entry.1 |= mask;
                }
            }
        }
        let aliases =
            facts.aliases.iter().map(|alias| (alias.name.as_str(), alias.target.as_str())).collect();
        let others = facts.properties.iter().map(|property| (property.name.as_str(), property.at)).collect();
        Properties { words, bits, aliases, others }
    }

    /// What a property sets; none for one that does not exist.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Property> {
        let name = self.aliases.get(name).copied().unwrap_or(name);
        if let Some((word, mask)) = self.bits.get(name) {
            return Some(Property::Bits(*word, *mask));
        }
        // Old releases take names with `_`, too.
        if let Some((word, mask)) = self.bits.get(&name.replace('_', "-")) {
            return Some(Property::Bits(*word, *mask));
        }
        (FIELDS.contains(&name) || self.others.contains_key(name)).then_some(Property::Other)
    }

    fn model(&self, model: &QemuModel, found: &mut Diagnostics) -> CpuModel {
        let base = self.base(model, found);
        let mut definition = base.clone();
        let mut versions = Vec::new();
        for (expected, version) in (1..).zip(&model.versions) {
            if version.version != expected {
                let message = format!(
                    "version {} of `{}` is out of order: expected {expected}",
                    version.version, model.name
                );
                found.push(Diagnostic::error(version.at, message));
            }
            self.apply(&mut definition, version, found);
            versions.push(CpuModelVersion {
                version: version.version,
                alias: version.alias.clone(),
                note: version.note.clone(),
                definition: definition.clone(),
            });
        }
        if versions.is_empty() {
            versions.push(CpuModelVersion { version: 1, alias: None, note: None, definition });
        }
        CpuModel { name: model.name.clone(), deprecated: model.deprecated.clone(), base, versions }
    }

    fn base(&self, model: &QemuModel, found: &mut Diagnostics) -> CpuDefinition {
        let mut words = Map::new();
        for word in &model.words {
            match self.words.get(word.word.as_str()) {
                Some(index) if word.mask != 0 => {
                    words.insert(*index, word.mask);
                }
                Some(_) => {}
                None => {
                    let message =
                        format!("`{}` names `{}`, which is no word of this release", model.name, word.word);
                    found.push(Diagnostic::error(word.at, message));
                }
            }
        }
        CpuDefinition {
            level: model.level,
            xlevel: model.xlevel,
            vendor: model.vendor.clone(),
            family: model.family,
            model: model.model,
            stepping: model.stepping,
            model_id: model.model_id.clone(),
            avx10: model.avx10.unwrap_or(0),
            words,
            props: Map::new(),
            caches: caches(&model.caches),
        }
    }

    /// Sets a version's properties and caches.
    fn apply(&self, definition: &mut CpuDefinition, version: &QemuModelVersion, found: &mut Diagnostics) {
        for prop in &version.props {
            if let Err(diagnostic) = self.set(definition, prop) {
                found.push(diagnostic);
            }
        }
        if !version.caches.is_empty() {
            definition.caches = caches(&version.caches);
        }
    }

    fn set(&self, definition: &mut CpuDefinition, prop: &QemuProp) -> Result<(), Diagnostic> {
        match self.get(&prop.name) {
            Some(Property::Bits(word, mask)) => {
                let on = truth(&prop.value).ok_or_else(|| {
                    let message =
                        format!("`{}` is a bit, and `{}` neither on nor off", prop.name, prop.value);
                    Diagnostic::error(prop.at, message)
                })?;
                let old = definition.words.get(&word).copied().unwrap_or(0);
                let new = if on { old | mask } else { old & !mask };
                if new == 0 {
                    definition.words.remove(&word);
                } else {
                    definition.words.insert(word, new);
                }
                Ok(())
            }
            Some(Property::Other) => set_other(definition, prop),
            None => {
                let message =
                    format!("`{}` is a property of no bit, and none that -cpu takes otherwise", prop.name);
                Err(Diagnostic::error(prop.at, message))
            }
        }
    }
}

/// Properties that set a field of the definition.
const FIELDS: [&str; 8] =
    ["min-level", "min-xlevel", "vendor", "family", "model", "stepping", "model-id", "avx10-version"];

fn set_other(definition: &mut CpuDefinition, prop: &QemuProp) -> Result<(), Diagnostic> {
    let number = || {
        let value = prop
            .value
            .strip_prefix("0x")
            .map_or_else(|| prop.value.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok());
        value.ok_or_else(|| {
            let message = format!("`{}` of `{}` is not a number of 32 bits", prop.value, prop.name);
            Diagnostic::error(prop.at, message)
        })
    };
    match prop.name.as_str() {
        "min-level" => definition.level = number()?,
        "min-xlevel" => definition.xlevel = number()?,
        "vendor" => definition.vendor.clone_from(&prop.value),
        "family" => definition.family = number()?,
        "model" => definition.model = number()?,
        "stepping" => definition.stepping = number()?,
        "model-id" => definition.model_id.clone_from(&prop.value),
        "avx10-version" => {
            definition.avx10 = u8::try_from(number()?)
                .map_err(|_| Diagnostic::error(prop.at, "an AVX10 version of more than 8 bits"))?;
        }
        _ => {
            definition.props.insert(prop.name.clone(), prop.value.clone());
        }
    }
    Ok(())
}

/// QEMU's words for a boolean (`qapi_bool_parse`).
fn truth(value: &str) -> Option<bool> {
    match value {
        "on" | "yes" | "true" | "y" => Some(true),
        "off" | "no" | "false" | "n" => Some(false),
        _ => None,
    }
}

fn caches(caches: &[QemuCache]) -> Map<CacheSlot, Cache> {
    caches.iter().map(|cache| (cache.slot, super::board::cache(&cache.cache))).collect()
}
