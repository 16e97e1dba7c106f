//! The generated tables of CPU models, machine types and caches.
//!
//! They are separate from the other tables, including their texts, so that a program without models does not contain
//! them. Models of all releases share equal parts: a definition, a word with its mask, a cache, a list or a text is
//! stored once and referred to by index. A list is referred to by its position in [`MODEL_LISTS`]: a count, then as
//! many numbers. Texts and lists are numbers because a slice takes 16 bytes and a relocation each time.

#[allow(unused_imports, reason = "a release may have no row of some kind")]
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf, WordSource};
#[allow(unused_imports, reason = "a release may have no row of some kind")]
use crate::bits::qemu_cpu::{Cache, CacheDescriptor, CacheKind, CacheSlot, DefaultVersion, SharedBy};

/// A model.
#[derive(Clone, Copy)]
pub(crate) struct ModelRow {
    /// Text.
    pub(crate) name: u16,
    /// Text: the reason for deprecation.
    pub(crate) deprecated: u16,
    /// List: the base definition; then for each version its definition, alias and note.
    pub(crate) versions: u16,
}

/// A word of a model.
pub(crate) struct Masked {
    /// Index in [`SOURCES`].
    pub(crate) source: u16,
    pub(crate) mask: u64,
}

/// One version of a model, or its base.
pub(crate) struct Definition {
    pub(crate) level: u32,
    pub(crate) xlevel: u32,
    pub(crate) family: u16,
    pub(crate) model: u16,
    pub(crate) stepping: u16,
    pub(crate) avx10: u8,
    /// Text.
    pub(crate) vendor: u16,
    /// Text.
    pub(crate) model_id: u16,
    /// List of words.
    pub(crate) words: u16,
    /// List of texts: property, value, and so on.
    pub(crate) props: u16,
    /// List of four caches plus 1, or the empty list.
    pub(crate) caches: u16,
}

/// A machine type.
#[derive(Clone, Copy)]
pub(crate) struct MachineRow {
    /// Text.
    pub(crate) name: u16,
    pub(crate) default_version: DefaultVersion,
    /// Index in [`COMPAT`].
    pub(crate) compat_start: u16,
    pub(crate) compat_count: u16,
    /// List of texts: property, value, and so on.
    pub(crate) kvm_defaults: u16,
}

/// A compatibility property: texts.
pub(crate) struct CompatRow {
    pub(crate) of: u16,
    pub(crate) property: u16,
    pub(crate) value: u16,
}

/// A cache of models without their own.
pub(crate) struct LegacyCacheRow {
    /// Text.
    pub(crate) name: u16,
    pub(crate) slot: Option<CacheSlot>,
    /// Index in [`CACHES`].
    pub(crate) cache: u16,
}

/// A property of `-cpu` that is not a bit of a feature word.
pub(crate) struct PropertyRow {
    /// Text.
    pub(crate) name: u16,
    /// Text.
    pub(crate) kind: u16,
    /// Text.
    pub(crate) field: u16,
    pub(crate) bit: Option<Bit>,
    /// Text.
    pub(crate) default: u16,
}

/// Machine types, defaults and properties of one release.
pub(crate) struct Board {
    pub(crate) machines: &'static [MachineRow],
    /// List of texts: property, value, and so on.
    pub(crate) kvm_defaults: u16,
    /// List of texts, likewise.
    pub(crate) tcg_defaults: u16,
    /// List of texts: second name, first name, and so on.
    pub(crate) aliases: u16,
    pub(crate) legacy_caches: &'static [LegacyCacheRow],
    pub(crate) cache_descriptors: &'static [CacheDescriptor],
    pub(crate) properties: &'static [PropertyRow],
}

include!(concat!(env!("OUT_DIR"), "/model_tables.rs"));

/// A text.
pub(crate) fn text(id: u16) -> &'static str {
    text_at(TEXT, &TEXT_STARTS, id)
}

/// One of the texts in a string that has one on each line.
pub(crate) fn text_at(texts: &'static str, starts: &[u16], id: u16) -> &'static str {
    let id = usize::from(id);
    let start = starts[id].into();
    let end = starts.get(id + 1).map_or(texts.len(), |&next| usize::from(next) - 1);
    texts.get(start..end).unwrap_or_default()
}

/// A text; 0 is `None`.
pub(crate) fn optional(id: u16) -> Option<&'static str> {
    (id != 0).then(|| text(id))
}

/// A list.
pub(crate) fn list(position: u16) -> &'static [u16] {
    let rest = &MODEL_LISTS[usize::from(position)..];
    match rest.split_first() {
        Some((&count, rest)) => &rest[..usize::from(count)],
        None => &[],
    }
}

/// The pairs of texts in a list.
pub(crate) fn pairs(position: u16) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    list(position).chunks_exact(2).map(|pair| (text(pair[0]), optional(pair[1])))
}
