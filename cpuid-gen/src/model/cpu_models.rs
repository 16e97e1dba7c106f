//! CPU models of one QEMU release. Each version includes the properties of all earlier versions.
//!
//! QEMU loads the base definition, then sets the properties of version 1, 2 and so on, up to the selected version
//! (`x86_cpu_load_model` and `x86_cpu_apply_version_props` of target/i386/cpu.c). A property is a bit of a feature
//! word, a field of the model, or another property of `-cpu`. A name of several bits of a word sets all of them.
//!
//! Invariants: a model has at least one version, versions ascend from 1 without gaps, and no two models share a name,
//! including aliases.
//!
//! ```
//! use cpuid_gen::{diagnostic::Diagnostics, input, model::cpu_models::resolve, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let (_, qemu) = input::pinned(&mut sources, &mut diagnostics);
//! let newest = qemu.last().expect("a pinned release");
//! let models = resolve(newest, &mut diagnostics);
//! let milan = models.iter().find(|model| model.name == "EPYC-Milan").expect("a model");
//! assert_eq!((milan.base.family, milan.base.vendor.as_str()), (25, "AuthenticAMD"));
//! assert!(milan.versions.len() >= 2);
//! ```

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{QemuCache, QemuFacts, QemuModel, QemuModelVersion, QemuProp};
use crate::index::QemuRows;
use crate::location::Word;
use crate::ordered::Map;
use crate::source::Span;
use crate::vocabulary::cpu_model::{Cache, CacheSlot};

/// Public only for this workspace's tests, and not covered by the semver promise.
#[doc(hidden)]
pub use crate::index::{Properties, Property};

/// A CPU model of one release.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuModel {
    /// `EPYC-Milan`.
    pub name: String,
    /// The reason not to use it.
    pub deprecated: Option<String>,
    /// The definition before any version's properties, which machine types before 4.1 use.
    pub base: CpuDefinition,
    /// Its versions, from 1 on.
    pub versions: Vec<CpuModelVersion>,
}

/// A version of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuModelVersion {
    /// From 1 on.
    pub version: u32,
    /// An alias, besides `NAME-vN`.
    pub alias: Option<String>,
    /// Its distinguishing feature.
    pub note: Option<String>,
    /// The resulting definition.
    pub definition: CpuDefinition,
}

/// The definition of a CPU by a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuDefinition {
    /// Minimum value of the highest basic leaf.
    pub level: u32,
    /// Minimum value of the highest extended leaf.
    pub xlevel: u32,
    /// Twelve characters.
    pub vendor: String,
    /// Including the extended family.
    pub family: u32,
    /// Including the extended model.
    pub model: u32,
    /// 0 to 15.
    pub stepping: u32,
    /// The brand string.
    pub model_id: String,
    /// AVX10 version; 0 if none.
    pub avx10: u8,
    /// Masks of feature words, by index; words without bits are omitted.
    pub words: Map<Word, u64>,
    /// Other properties and their values, by name.
    pub props: Map<String, String>,
    /// Caches; empty if the model uses QEMU's legacy caches.
    pub caches: Map<CacheSlot, Cache>,
}

/// Resolves every model. An inconsistent row is an error, and its model is omitted.
#[must_use]
pub fn resolve(facts: &QemuFacts, diagnostics: &mut Diagnostics) -> Vec<CpuModel> {
    resolve_rows(&QemuRows::new(facts), diagnostics)
}

/// The same, where the release is indexed already.
pub(crate) fn resolve_rows(rows: &QemuRows<'_>, diagnostics: &mut Diagnostics) -> Vec<CpuModel> {
    let resolver = Resolver { rows };
    let mut models = Vec::new();
    let mut names = Map::new();
    for model in &rows.facts.models {
        let mut found = Diagnostics::new();
        names_of(model, &mut names, &mut found);
        let resolved = resolver.model(model, &mut found);
        if !found.has_errors() {
            models.push(resolved);
        }
        diagnostics.extend(found);
    }
    models
}

/// Every name of a QEMU model: its own, its versions', and their aliases.
fn names_of(model: &QemuModel, names: &mut Map<String, Span>, found: &mut Diagnostics) {
    let mut add = |name: String, at: Span| {
        if let Some(earlier) = names.insert(name.clone(), at) {
            found.push(
                Diagnostic::error(at, format!("duplicate CPU model `{name}`"))
                    .with_label(earlier, "first here"),
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

/// Resolves the models of one release.
struct Resolver<'r, 'f> {
    rows: &'r QemuRows<'f>,
}

impl Resolver<'_, '_> {
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
            self.apply(&mut definition, (&model.name, version), found);
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
            match self.rows.words.get(word.word.as_str()) {
                Some(known) if word.mask != 0 => {
                    words.insert(known.index, word.mask);
                }
                Some(_) => {}
                None => {
                    let message = format!(
                        "`{}` names `{}`, which is not a word of this release",
                        model.name, word.word
                    );
                    found.push(Diagnostic::error(word.at, message));
                }
            }
        }
        let mut definition = CpuDefinition {
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
        };
        self.add_avx10(&mut definition);
        definition
    }

    /// Adds the features of the AVX10 version.
    fn add_avx10(&self, definition: &mut CpuDefinition) {
        let of_version = AVX10.iter().filter(|(version, _)| *version <= definition.avx10);
        for name in
            of_version.flat_map(|(_, names)| *names).filter(|_| self.rows.properties.avx10_sets_features)
        {
            if let Some(Property::Bits(word, mask)) = self.rows.properties.get(name) {
                let old = definition.words.get(&word).copied().unwrap_or(0);
                definition.words.insert(word, old | mask);
            }
        }
    }

    /// Applies a version's properties and caches.
    fn apply(
        &self,
        definition: &mut CpuDefinition,
        (model, version): (&str, &QemuModelVersion),
        found: &mut Diagnostics,
    ) {
        for prop in &version.props {
            if let Err(mut diagnostic) = self.set(definition, prop) {
                diagnostic.message = format!("`{model}-v{}`: {}", version.version, diagnostic.message);
                found.push(diagnostic);
            }
        }
        if !version.caches.is_empty() {
            definition.caches = caches(&version.caches);
        }
    }

    fn set(&self, definition: &mut CpuDefinition, prop: &QemuProp) -> Result<(), Diagnostic> {
        match self.rows.properties.get(&prop.name) {
            Some(Property::Bits(word, mask)) => {
                let on = truth(&prop.value).ok_or_else(|| {
                    let message = format!(
                        "`{}` is a bit, but its value `{}` is neither on nor off",
                        prop.name, prop.value
                    );
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
            Some(Property::Other) => {
                set_other(definition, prop)?;
                if prop.name == "avx10-version" {
                    self.add_avx10(definition);
                }
                Ok(())
            }
            None => {
                let message =
                    format!("`{}` is neither a feature bit nor another property of -cpu", prop.name);
                Err(Diagnostic::error(prop.at, message))
            }
        }
    }
}

/// The features that each version of AVX10 adds (`builtin_avx10_defs[]` of target/i386/cpu.c, since 11.0).
const AVX10: [(u8, &[&str]); 2] =
    [(1, &["avx10", "avx10-128", "avx10-256", "avx10-512"]), (2, &["avx10-vnni-int"])];

fn set_other(definition: &mut CpuDefinition, prop: &QemuProp) -> Result<(), Diagnostic> {
    let number = || {
        let value = prop
            .value
            .strip_prefix("0x")
            .map_or_else(|| prop.value.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok());
        value.ok_or_else(|| {
            let message = format!("the value `{}` of `{}` is not a 32-bit number", prop.value, prop.name);
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
                .map_err(|_| Diagnostic::error(prop.at, "this AVX10 version does not fit into 8 bits"))?;
        }
        _ => {
            definition.props.insert(prop.name.clone(), prop.value.clone());
        }
    }
    Ok(())
}

/// QEMU's spellings of a boolean (`qapi_bool_parse`).
fn truth(value: &str) -> Option<bool> {
    match value {
        "on" | "yes" | "true" | "y" => Some(true),
        "off" | "no" | "false" | "n" => Some(false),
        _ => None,
    }
}

fn caches(caches: &[QemuCache]) -> Map<CacheSlot, Cache> {
    caches.iter().map(|cache| (cache.slot, super::caches::cache(&cache.cache))).collect()
}
