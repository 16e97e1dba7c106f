//! `cpu_models.rs`: CPU models and machine types. The runtime crate's `cpu_tables` module documents the rows.
//!
//! Definitions, words, caches, lists and texts are stored once and referenced by number: most models are the same in
//! several releases, and a nested slice costs 16 bytes and a relocation each time.

use super::caches::caches;
use super::error::GenerateError;
use super::guest::source;
use super::machines;
use super::pools::{Pool, Pools};
use super::rust::{Rust, slice_of_rows};
use super::tables::fixed;
use super::texts::texts;
use crate::location::WordSource;
use crate::model::cpu_models::{CpuDefinition, CpuModel};
use crate::model::{Model, QemuRelease};
use crate::ordered::sort_by;

/// Everything in `cpu_models.rs`.
pub(super) fn tables(model: &Model) -> Result<Rust, GenerateError> {
    let mut pools = Pools::new();
    let mut cpus = Cpus { sources: Pool::new(), words: Pool::new(), definitions: Pool::new() };
    let models: Vec<String> = model.qemu.iter().map(|release| cpus.release(release, &mut pools)).collect();
    let (boards, compat) = machines::tables(model, &mut pools)?;
    let Pools { strings, caches, lists } = pools;
    let strings = strings.finish()?;
    let mut out = Rust::new();
    out.rows("MODELS", "&[ModelRow]", &models);
    out.rows("BOARDS", "Board", &boards);
    out.rows("SOURCES", "WordSource", &cpus.sources.finish("registers")?);
    out.rows("WORDS", "Masked", &cpus.words.finish("models' words")?);
    out.rows("DEFINITIONS", "Definition", &cpus.definitions.finish("definitions of models")?);
    out.rows("CACHES", "Cache", &caches.finish("caches")?);
    out.rows("COMPAT", "CompatRow", &compat);
    fixed(&mut out, "MODEL_LISTS", &lists.finish()?);
    texts(&mut out, ["TEXT", "TEXT_STARTS"], &strings)?;
    Ok(out)
}

/// The pools used only by models.
struct Cpus {
    /// The rows are expressions.
    sources: Pool,
    words: Pool,
    definitions: Pool,
}

impl Cpus {
    fn release<'m>(&mut self, release: &'m QemuRelease, pools: &mut Pools<'m>) -> String {
        let mut models = Vec::new();
        for model in &release.models {
            let name = pools.strings.id(&model.name);
            let deprecated = pools.strings.optional(model.deprecated.as_deref());
            let versions = self.versions(release, model, pools);
            models
                .push(format!("ModelRow {{ name: {name}, deprecated: {deprecated}, versions: {versions} }}"));
        }
        slice_of_rows(&models)
    }

    /// The list of the base definition, followed by each version's definition, alias and note.
    fn versions<'m>(&mut self, release: &QemuRelease, model: &'m CpuModel, pools: &mut Pools<'m>) -> u16 {
        let mut list = vec![self.definition(release, &model.base, pools)];
        for version in &model.versions {
            list.push(self.definition(release, &version.definition, pools));
            list.push(pools.strings.optional(version.alias.as_deref()));
            list.push(pools.strings.optional(version.note.as_deref()));
        }
        pools.lists.position(list)
    }

    fn definition<'m>(
        &mut self,
        release: &QemuRelease,
        definition: &'m CpuDefinition,
        pools: &mut Pools<'m>,
    ) -> u16 {
        let mut words: Vec<(WordSource, u64)> = Vec::new();
        for (word, mask) in &definition.words {
            words.extend(release.sources.get(word).map(|source| (*source, *mask)));
        }
        sort_by(&mut words, |(a, _), (b, _)| a.cmp(b));
        let word = |(from, mask): &(WordSource, u64)| {
            let source = self.sources.id(source(*from));
            self.words.id(format!("Masked {{ source: {source}, mask: {mask:#x} }}"))
        };
        let words: Vec<u16> = words.iter().map(word).collect();
        let words = pools.lists.position(words);
        let props = definition.props.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())));
        let props = pools.pairs(props);
        let caches = caches(definition, pools);
        let (vendor, id) = (pools.strings.id(&definition.vendor), pools.strings.id(&definition.model_id));
        let CpuDefinition { level, xlevel, family, model, stepping, avx10, .. } = definition;
        let signature = format!("family: {family}, model: {model}, stepping: {stepping}, avx10: {avx10}");
        let texts = format!("vendor: {vendor}, model_id: {id}");
        let lists = format!("words: {words}, props: {props}, caches: {caches}");
        self.definitions.id(format!(
            "Definition {{ level: {level:#x}, xlevel: {xlevel:#x}, {signature}, {texts}, {lists} }}"
        ))
    }
}
