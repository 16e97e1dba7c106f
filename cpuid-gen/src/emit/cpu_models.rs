//! `cpu_models.rs`: CPU models and what surrounds them, data alone. The runtime crate's `cpu_tables` module says what
//! each array means.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::GenerateError;
use super::layout::fits;
use super::machines;
use super::pools::{Pool, Pools};
use super::tables::{fixed, size};
use super::text::{lines, rows};
use crate::facts::{Cache, CacheKind, CacheSlot, QemuSource};
use crate::model::board::share_level;
use crate::model::cpu_models::{CpuDefinition, CpuModel};
use crate::model::{Model, QemuRelease};

/// What stands for an MSR where a register's number would be.
const MSR: u64 = 4;

/// Everything in `cpu_models.rs`.
pub(super) fn tables(model: &Model) -> Result<TokenStream, GenerateError> {
    let mut pools = Pools::new();
    let mut cpus = Cpus { sources: Pool::new(), words: Pool::new(), definitions: Pool::new() };
    let models: Vec<TokenStream> =
        model.qemu.iter().map(|release| cpus.release(release, &mut pools)).collect();
    let (boards, compat) = machines::tables(model, &mut pools)?;
    let Pools { strings, caches, lists } = pools;
    let (sources, words) = (cpus.sources.finish("registers")?, cpus.words.finish("models' words")?);
    let definitions = cpus.definitions.finish("definitions of models")?;
    let lists = lists.finish()?;
    let strings = strings.finish()?;
    let bytes = strings.iter().map(|text| text.len() + 1).sum();
    fits("bytes of models' texts", bytes, usize::from(u16::MAX))?;
    let statics = [
        array("SOURCES", quote!(Source), "sources", &sources),
        array("WORDS", quote!(Masked), "masked", &words),
        array("DEFINITIONS", quote!(Definition), "definitions", &definitions),
        array("CACHES", quote!(CacheRow), "caches", &caches.finish("caches")?),
        array("COMPAT", quote!([u16; 3]), "numbers", &compat),
    ];
    let count = size(model.qemu.len());
    let (texts, text) = (size(strings.len()), lines(&strings));
    let lists = fixed("MODEL_LISTS", &lists);
    Ok(quote! {
        pub(crate) static MODELS: [&[[u16; 3]]; #count] = [#(#models),*];
        pub(crate) static BOARDS: [Board; #count] = [#(#boards),*];
        #(#statics)*
        #lists
        pub(crate) static TEXT: &str = #text;
        pub(crate) static TEXT_STARTS: [u16; #texts] = line_starts(TEXT);
    })
}

/// What only models need.
struct Cpus {
    /// Leaf, subleaf and register, or MSR, 0 and [`MSR`].
    sources: Pool<[u64; 3]>,
    /// Source and mask.
    words: Pool<[u64; 2]>,
    definitions: Pool<[u64; 11]>,
}

impl Cpus {
    /// Of each model: name, deprecation note, list of versions.
    fn release<'m>(&mut self, release: &'m QemuRelease, pools: &mut Pools<'m>) -> TokenStream {
        let mut models = Vec::new();
        for model in &release.models {
            let name = pools.strings.id(&model.name);
            let deprecated = pools.strings.optional(model.deprecated.as_deref());
            let versions = self.versions(release, model, pools);
            models.push([name, deprecated, versions].map(u64::from));
        }
        slice("numbers", &models)
    }

    /// The base definition; then of each version its definition, alias and note.
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
        let mut words: Vec<([u64; 3], u64)> = Vec::new();
        for (word, mask) in &definition.words {
            words.extend(release.sources.get(word).map(|source| (source_row(*source), *mask)));
        }
        // By location: registers first, MSRs after.
        words.sort_by_key(|([place, subleaf, register], _)| (*register == MSR, *place, *subleaf, *register));
        let words: Vec<u16> = words
            .iter()
            .map(|(source, mask)| {
                let source = self.sources.id(source);
                self.words.id(&[u64::from(source), *mask])
            })
            .collect();
        let words = pools.lists.position(words);
        let props = definition.props.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())));
        let props = pools.pairs(props);
        let caches = caches(definition, pools);
        let (vendor, id) = (pools.strings.id(&definition.vendor), pools.strings.id(&definition.model_id));
        let numbers = [definition.level, definition.xlevel, definition.family, definition.model];
        let [level, xlevel, family, model] = numbers.map(u64::from);
        let [vendor, id, words, props, caches] = [vendor, id, words, props, caches].map(u64::from);
        let (stepping, avx10) = (u64::from(definition.stepping), u64::from(definition.avx10));
        self.definitions
            .id(&[level, xlevel, family, model, stepping, avx10, vendor, id, words, props, caches])
    }
}

fn source_row(source: QemuSource) -> [u64; 3] {
    match source {
        QemuSource::Cpuid { leaf, subleaf, register } => {
            [leaf.0.into(), subleaf.map_or(0, |subleaf| subleaf.0).into(), register as u64]
        }
        QemuSource::Msr(msr) => [msr.0.into(), 0, MSR],
    }
}

/// Four caches, each with 1 added, 0 for one that is absent; the empty list where there is none.
fn caches<'m>(definition: &'m CpuDefinition, pools: &mut Pools<'m>) -> u16 {
    if definition.caches.is_empty() {
        return 0;
    }
    let slot = |(slot, _)| definition.caches.get(&slot).map_or(0, |found| cache(found, pools) + 1);
    let all = CacheSlot::ALL.map(slot).to_vec();
    pools.lists.position(all)
}

/// The index of a cache.
pub(super) fn cache(cache: &Cache, pools: &mut Pools<'_>) -> u16 {
    let flags = [cache.self_init, cache.no_invd_sharing, cache.inclusive, cache.complex_indexing];
    let flags = flags.iter().rev().fold(0, |all, &flag| all << 1 | u64::from(flag));
    let numbers = [cache.level, cache.line_size, cache.associativity, cache.partitions, cache.sets];
    let [level, line_size, associativity, partitions, sets] = numbers.map(u64::from);
    let (tag, shared) = (u64::from(cache.lines_per_tag), share_level(cache).map_or(0, |at| at as u64 + 1));
    let kind = kind(cache.kind);
    pools.caches.id(&[
        kind,
        level,
        cache.size,
        line_size,
        associativity,
        partitions,
        sets,
        tag,
        flags,
        shared,
    ])
}

/// The index of a cache's kind.
pub(super) fn kind(kind: CacheKind) -> u64 {
    CacheKind::ALL.iter().zip(0..).find(|((known, _), _)| *known == kind).map_or(0, |(_, index)| index)
}

/// A static array, decoded from rows of numbers by a function of the runtime crate.
pub(super) fn array<const C: usize>(
    name: &str,
    ty: TokenStream,
    decode: &str,
    all: &[[u64; C]],
) -> TokenStream {
    let (name, decode) = (format_ident!("{name}"), format_ident!("{decode}"));
    let (count, text) = (size(all.len()), rows(all));
    quote!(pub(crate) static #name: [#ty; #count] = #decode(#text);)
}

/// The same as a slice.
pub(super) fn slice<const C: usize>(decode: &str, all: &[[u64; C]]) -> TokenStream {
    let decode = format_ident!("{decode}");
    let (count, columns, text) = (size(all.len()), size(C), rows(all));
    quote!(&#decode::<#count, #columns>(#text))
}
