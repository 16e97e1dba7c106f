//! The generated tables of what QEMU's code works with, release by release.

use crate::cpu_tables::{longs, wide};
use crate::tables::lines;

/// What one release's code works with. Words are called by their index in the release.
pub(crate) struct GuestTables {
    /// By index: leaf or MSR; subleaf; register, [`MSR`] or [`NO_WORD`]; bits that `-cpu host` may have when it is to
    /// be migratable; bits that it leaves off.
    pub(crate) words: &'static [[u64; 5]],
    /// A word and bits of which any is needed, a word and the bits that need one: `feature_dependencies[]`.
    pub(crate) deps: &'static [[u64; 4]],
    /// By name: its number in [`NAMES`]; word with 1 added and bits, or 0 twice and the property's index.
    pub(crate) properties: &'static [[u64; 4]],
    /// Hyper-V feature, leaf, register, bits.
    pub(crate) hyperv: &'static [[u32; 4]],
    /// Hyper-V feature, and another that it needs.
    pub(crate) hyperv_deps: &'static [[u32; 2]],
    /// XSAVE component, word and bits that enable it, size.
    pub(crate) xsave: &'static [[u64; 4]],
}

/// What stands for an MSR where a register's number would be.
pub(crate) const MSR: u64 = 4;
/// What stands for an index without a word.
pub(crate) const NO_WORD: u64 = 5;

include!(concat!(env!("OUT_DIR"), "/guest.rs"));
