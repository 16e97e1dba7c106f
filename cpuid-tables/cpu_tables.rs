//! The generated tables of CPU models and of what surrounds them, and how their text becomes arrays.
//!
//! They are apart from the other tables, texts included, so that a program that asks for no model does not carry
//! them. Models of all releases share what is the same: a definition, a word with its mask, a cache, a list, a text
//! is there once, and called by its index. A list is called by its position in [`MODEL_LISTS`]: a count, then as many
//! numbers.
//!
//! Everything is decoded at compile time from hexadecimal numbers; text that does not fit its array does not compile.

use crate::tables::decimal;

/// Where a word of a model comes from.
pub(crate) struct Source {
    /// Leaf or MSR.
    pub(crate) place: u32,
    /// Subleaf; 0 for an MSR.
    pub(crate) subleaf: u32,
    /// The register's index, or [`MSR`].
    pub(crate) register: u8,
}

/// What stands for an MSR where a register's index would be.
pub(crate) const MSR: u8 = 4;

/// A word of a model.
pub(crate) struct Masked {
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
    pub(crate) avx10: u16,
    pub(crate) vendor: u16,
    pub(crate) model_id: u16,
    /// List of words.
    pub(crate) words: u16,
    /// List of texts: property, value, and so on.
    pub(crate) props: u16,
    /// List of four caches with 1 added, or the empty list.
    pub(crate) caches: u16,
}

/// A cache.
pub(crate) struct CacheRow {
    pub(crate) size: u64,
    pub(crate) line_size: u32,
    pub(crate) associativity: u32,
    pub(crate) partitions: u32,
    pub(crate) sets: u32,
    pub(crate) lines_per_tag: u32,
    pub(crate) level: u32,
    /// The index of its kind.
    pub(crate) kind: u8,
    /// Bits 0 to 3: self-initializing, no WBINVD sharing, inclusive, complex indexing.
    pub(crate) flags: u8,
    /// The index of the level that shares it, with 1 added.
    pub(crate) shared: u8,
}

/// What surrounds the models of one release.
pub(crate) struct Board {
    /// Name; default version, 0 for the base, 0xffff for the last; start and count in [`COMPAT`]; list of KVM's
    /// defaults.
    pub(crate) machines: &'static [[u16; 5]],
    /// List of texts: property, value, and so on.
    pub(crate) kvm_defaults: u16,
    /// The same.
    pub(crate) tcg_defaults: u16,
    /// List of texts: second name, first name, and so on.
    pub(crate) aliases: u16,
    /// Variable, slot with 1 added, cache.
    pub(crate) legacy_caches: &'static [[u16; 3]],
    /// Byte, kind, level, size, line size, associativity.
    pub(crate) cache_descriptors: &'static [[u32; 6]],
    /// Name, kind, field, bit with 1 added, default.
    pub(crate) properties: &'static [[u16; 5]],
}

include!(concat!(env!("OUT_DIR"), "/cpu_models.rs"));

/// A text.
pub(crate) fn text(id: u16) -> &'static str {
    let id = usize::from(id);
    let start = TEXT_STARTS[id].into();
    let end = TEXT_STARTS.get(id + 1).map_or(TEXT.len(), |&next| usize::from(next) - 1);
    TEXT.get(start..end).unwrap_or_default()
}

/// A text, or none for 0.
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

/// Decoders of rows: a const function cannot be told which element to make.
macro_rules! decoders {
    ($($name:ident: [$of:ident; $columns:literal])+) => {$(
        const fn $name<const N: usize>(text: &str) -> [$of; N] {
            let (mut all, mut at, mut i) = ([const { $of::new([0; $columns]) }; N], 0, 0);
            while i < N {
                let numbers;
                (numbers, at) = row(text, at);
                all[i] = $of::new(numbers);
                i += 1;
            }
            end(text, at);
            all
        }
    )+};
}

decoders! {
    sources: [Source; 3]
    masked: [Masked; 2]
    definitions: [Definition; 11]
    caches: [CacheRow; 10]
}

impl Source {
    const fn new([place, subleaf, register]: [u64; 3]) -> Source {
        Source { place: long(place), subleaf: long(subleaf), register: byte(register) }
    }
}

impl Masked {
    const fn new([source, mask]: [u64; 2]) -> Masked {
        Masked { source: short(source), mask }
    }
}

impl Definition {
    const fn new(row: [u64; 11]) -> Definition {
        let [level, xlevel, family, model, stepping, avx10, vendor, model_id, words, props, caches] = row;
        Definition {
            level: long(level),
            xlevel: long(xlevel),
            family: short(family),
            model: short(model),
            stepping: short(stepping),
            avx10: short(avx10),
            vendor: short(vendor),
            model_id: short(model_id),
            words: short(words),
            props: short(props),
            caches: short(caches),
        }
    }
}

impl CacheRow {
    const fn new(row: [u64; 10]) -> CacheRow {
        let [kind, level, size, line_size, associativity, partitions, sets, lines_per_tag, flags, shared] =
            row;
        CacheRow {
            size,
            line_size: long(line_size),
            associativity: long(associativity),
            partitions: long(partitions),
            sets: long(sets),
            lines_per_tag: long(lines_per_tag),
            level: long(level),
            kind: byte(kind),
            flags: byte(flags),
            shared: byte(shared),
        }
    }
}

/// Decoders of rows of numbers.
macro_rules! number_decoders {
    ($($(#[$about:meta])* $visibility:vis $name:ident: $of:ident by $fit:ident)+) => {$(
        $(#[$about])*
        $visibility const fn $name<const N: usize, const C: usize>(text: &str) -> [[$of; C]; N] {
            let (mut all, mut at, mut i) = ([[0; C]; N], 0, 0);
            while i < N {
                let numbers: [u64; C];
                (numbers, at) = row(text, at);
                let mut j = 0;
                while j < C {
                    all[i][j] = $fit(numbers[j]);
                    j += 1;
                }
                i += 1;
            }
            end(text, at);
            all
        }
    )+};
}

number_decoders! {
    /// Rows of numbers of 16 bits.
    numbers: u16 by short
    /// Rows of numbers of 32 bits.
    pub(crate) longs: u32 by long
    /// Rows of numbers of 64 bits.
    #[cfg(feature = "alloc")]
    pub(crate) wide: u64 by same
}

/// Where each line starts.
const fn line_starts<const N: usize>(text: &str) -> [u16; N] {
    let (text, mut starts, mut at, mut i) = (text.as_bytes(), [0; N], 0, 1);
    while at < text.len() {
        if text[at] == b'\n' {
            starts[i] = short(at as u64 + 1);
            i += 1;
        }
        at += 1;
    }
    assert!(i == N || N == 0, "as many lines as the array has room for");
    starts
}

/// The hexadecimal numbers from `at` on, and where the next ones start.
const fn row<const C: usize>(text: &str, mut at: usize) -> ([u64; C], usize) {
    let (text, mut numbers, mut i) = (text.as_bytes(), [0; C], 0);
    while i < C {
        let mut value = 0;
        while at < text.len() && text[at] >= b'0' {
            let digit = if text[at] >= b'a' { text[at] - b'a' + 10 } else { text[at] - b'0' };
            value = value << 4 | digit as u64;
            at += 1;
        }
        numbers[i] = value;
        at += 1;
        i += 1;
    }
    (numbers, at)
}

const fn end(text: &str, at: usize) {
    assert!(at >= text.len(), "more rows than the array has room for");
}

#[cfg(feature = "alloc")]
const fn same(value: u64) -> u64 {
    value
}

#[expect(clippy::cast_possible_truncation, reason = "checked, at compile time")]
const fn long(value: u64) -> u32 {
    assert!(value <= u32::MAX as u64, "a number of 32 bits");
    value as u32
}

#[expect(clippy::cast_possible_truncation, reason = "checked, at compile time")]
const fn short(value: u64) -> u16 {
    assert!(value <= u16::MAX as u64, "a number of 16 bits");
    value as u16
}

#[expect(clippy::cast_possible_truncation, reason = "checked, at compile time")]
const fn byte(value: u64) -> u8 {
    assert!(value <= u8::MAX as u64, "a number of 8 bits");
    value as u8
}
