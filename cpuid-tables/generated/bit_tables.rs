//! The generated tables, and what each of their columns means.
//!
//! A hardware feature's *slot* is 32 times its register's index plus its bit. Arrays "per feature" follow the order of
//! slots without the gaps; [`STARTS`] and [`KNOWN`] turn a slot into such an index. Texts are numbers into [`STRINGS`],
//! where 0 is none. A *place* is Linux's `word * 32 + bit`; columns of places hold it with 1 added, where 0 is none.
//!
//! Numbers that stand for a bit of any sort ([`NAME_BITS`], `places`, `bugs`, `vmx`) hold 0 for none, below [`LIST`]
//! an id with 1 added, and from there on a position in [`LISTS`]: a count, then as many ids. Ids are slots first,
//! then the indices of software-defined features, bugs, VMX flags and MSR bits, one sort after another.
//!
//! [`NEEDS`] holds pairs of ids, ascending and transitively closed: a bit and one that it needs, to which [`LIST`] is
//! added where a release states just that. [`NEEDS_ONE_OF`] holds pairs of an id and a position in [`LISTS`].

use crate::bits::kvm_treatment::KvmTreatment as K;
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf};

/// No word, in a column of words' indices.
pub(crate) const NO_WORD: u16 = u16::MAX;

/// From here on a number points into [`LISTS`].
pub(crate) const LIST: u16 = 0x8000;

/// One release of Linux.
pub(crate) struct LinuxTables {
    /// Its name.
    pub(crate) name: u16,
    /// Words below this are the kernel's; those from it on are KVM's alone.
    pub(crate) kernel_words: u16,
    /// Enumerators by word.
    pub(crate) word_names: &'static [u16],
    /// Per register: KVM's word for it.
    pub(crate) words: &'static [u16],
    /// Per feature: the macro.
    pub(crate) macros: &'static [u16],
    /// Per feature: the flag.
    pub(crate) flags: &'static [u16],
    /// Per feature: what KVM does with it.
    pub(crate) kvm: &'static [K],
    /// Slots, ascending, whose place in the kernel's words does not follow from their register; and that place.
    pub(crate) exceptions: &'static [(u16, u16)],
    /// What stands at each place of the kernel's and KVM's words.
    pub(crate) places: &'static [u16],
    /// What stands at each place of the bug words.
    pub(crate) bugs: &'static [u16],
    /// What stands at each place of the VMX words.
    pub(crate) vmx: &'static [u16],
}

/// One release of QEMU.
pub(crate) struct QemuTables {
    /// Its name.
    pub(crate) name: u16,
    /// `FeatureWord` enumerators by index.
    pub(crate) word_names: &'static [u16],
    /// Per register: its feature word.
    pub(crate) words: &'static [u16],
    /// Per feature: the name.
    pub(crate) names: &'static [u16],
    /// Per MSR bit: its feature word.
    pub(crate) msr_words: &'static [u16],
    /// Per MSR bit: the name.
    pub(crate) msr_names: &'static [u16],
}

/// One sort of bits that Linux numbers.
pub(crate) struct KernelTables {
    /// Constants' names.
    pub(crate) names: &'static [u16],
    /// Macros.
    pub(crate) macros: &'static [u16],
    /// Places, per release.
    pub(crate) places: [&'static [u16]; LINUX.len()],
    /// Flags, per release.
    pub(crate) flags: [&'static [u16]; LINUX.len()],
}

include!(concat!(env!("OUT_DIR"), "/bit_tables.rs"));

/// Ids below this are slots.
pub(crate) const SOFTWARE_BASE: u16 = short(CPUID_WORDS.len() * 32);
/// The first bug's id.
pub(crate) const BUG_BASE: u16 = SOFTWARE_BASE + short(SOFTWARE.names.len());
/// The first VMX flag's id.
pub(crate) const VMX_BASE: u16 = BUG_BASE + short(BUGS.names.len());
/// The first MSR bit's id.
pub(crate) const MSR_BASE: u16 = VMX_BASE + short(VMX.names.len());

/// A text, or none for 0.
pub(crate) const fn string(id: u16) -> Option<&'static str> {
    if id == 0 { None } else { Some(STRINGS[id as usize]) }
}

/// A length as a number of the tables; those all fit.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked, at compile time where it is used for constants"
)]
pub(crate) const fn short(length: usize) -> u16 {
    assert!(length <= u16::MAX as usize, "the generator numbers with 16 bits");
    length as u16
}
