//! The generated tables that QEMU's code uses, by release.

use super::model_tables::text_at;
#[allow(unused_imports, reason = "a release may have no row of some kind")]
use crate::bits::location::{CpuidWord, Leaf, Msr, Register, Subleaf, WordSource};

/// The tables that one release's code uses. Words are identified by their index in the release.
pub(crate) struct GuestTables {
    /// By index.
    pub(crate) words: &'static [GuestWord],
    /// `feature_dependencies[]`.
    pub(crate) deps: &'static [Dependency],
    /// By name.
    pub(crate) properties: &'static [Property],
    pub(crate) hyperv: &'static [HypervBits],
    pub(crate) hyperv_deps: &'static [HypervDependency],
    /// By number.
    pub(crate) xsave: &'static [Component],
}

/// A feature word.
#[derive(Clone, Copy)]
pub(crate) struct GuestWord {
    /// None for an index without a word.
    pub(crate) source: Option<WordSource>,
    /// QEMU names it with its subleaf.
    pub(crate) has_subleaf: bool,
    /// Bits that `-cpu host` may have if the guest must be migratable.
    pub(crate) migratable: u64,
    /// Bits that `-cpu host` does not set by itself.
    pub(crate) no_autoenable: u64,
}

/// Bits of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WordMask {
    pub(crate) word: u16,
    pub(crate) mask: u64,
}

/// Bits of which at least one is needed, and the bits that depend on them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dependency {
    pub(crate) needed: WordMask,
    pub(crate) needing: WordMask,
}

/// A property of `-cpu`.
#[derive(Clone, Copy)]
pub(crate) struct Property {
    /// Its number in [`NAMES`]: releases share most names, and a `&str` takes 16 bytes and a relocation.
    name: u16,
    target: Packed,
}

/// What a property sets, in four bytes instead of 24: there are 2,500 rows.
#[derive(Clone, Copy)]
enum Packed {
    /// The word, and the bit.
    Bit(u8, u8),
    /// The word, and the mask's number in [`MASKS`].
    Bits(u8, u8),
    /// As [`Target::Other`].
    Other(u16),
}

impl Property {
    pub(crate) fn name(self) -> &'static str {
        text_at(NAMES, &NAME_STARTS, self.name)
    }

    pub(crate) fn target(self) -> Target {
        let bits = |word: u8, mask| Target::Bits(WordMask { word: word.into(), mask });
        match self.target {
            Packed::Bit(word, bit) => bits(word, 1 << bit),
            Packed::Bits(word, mask) => bits(word, MASKS[usize::from(mask)]),
            Packed::Other(index) => Target::Other(index),
        }
    }
}

/// What a property sets.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Bits of a feature word.
    Bits(WordMask),
    /// The property with this index in the board's list.
    Other(u16),
}

/// A register's bits of a Hyper-V feature, which is identified by its bit in QEMU's `hyperv_features`.
#[derive(Clone, Copy)]
pub(crate) struct HypervBits {
    pub(crate) feature: u8,
    pub(crate) register: CpuidWord,
    pub(crate) mask: u32,
}

/// A Hyper-V feature and another that it depends on.
#[derive(Clone, Copy)]
pub(crate) struct HypervDependency {
    pub(crate) feature: u8,
    pub(crate) needs: u8,
}

/// An XSAVE component.
#[derive(Clone, Copy)]
pub(crate) struct Component {
    /// Its bit in XCR0 or `IA32_XSS`.
    pub(crate) number: u8,
    /// The bits that enable it; empty for a component that is always enabled.
    pub(crate) feature: WordMask,
    /// Bytes.
    pub(crate) size: u32,
}

include!(concat!(env!("OUT_DIR"), "/guest_tables.rs"));
