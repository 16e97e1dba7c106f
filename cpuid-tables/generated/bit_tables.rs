//! The generated tables and the meaning of their columns.
//!
//! A hardware feature's *slot* is 32 times its register's index plus its bit. Arrays "per feature" follow the order
//! of slots without the gaps; [`STARTS`] and [`KNOWN`] turn a slot into such an index. Texts are numbers into
//! [`STRINGS`], where 0 is none. A *place* is Linux's `word * 32 + bit`; columns of places hold it plus 1, and 0 for
//! none.
//!
//! Numbers that refer to a bit of any sort ([`NAME_BITS`], `places`, `bugs`, `vmx`) are 0 for none, an id plus 1
//! below [`LIST`], and from there on a position in [`LISTS`]: a count, then as many ids. Ids are slots first, then
//! the indices of software-defined features, bugs, VMX capabilities and MSR bits, one sort after another.
//!
//! [`NEEDS`] holds pairs of ids, ascending and transitively closed: a bit and a dependency, plus [`LIST`] if a
//! release lists the dependency directly. [`NEEDS_ONE_OF`] holds pairs of an id and a position in [`LISTS`].

#[allow(unused_imports, reason = "a release may have no row of some kind")]
use crate::bits::kvm_module::{KvmModule, ModuleAction};
#[allow(unused_imports, reason = "a release may have no row of some kind")]
use crate::bits::kvm_treatment::KvmTreatment as K;
#[allow(unused_imports, reason = "a release may have no row of some kind")]
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf};

/// No word, in a column of word indices.
pub(crate) const NO_WORD: u16 = u16::MAX;

/// Numbers from here on point into [`LISTS`].
pub(crate) const LIST: u16 = 0x8000;

/// One release of Linux.
pub(crate) struct LinuxTables {
    /// Its name.
    pub(crate) name: u16,
    /// Words below this are the kernel's; the others are only KVM's.
    pub(crate) kernel_words: u16,
    /// Enumerators by word.
    pub(crate) word_names: &'static [u16],
    /// Per register: KVM's word for it.
    pub(crate) words: &'static [u16],
    /// Per feature: the macro.
    pub(crate) macros: &'static [u16],
    /// Per feature: the flag.
    pub(crate) flags: &'static [u16],
    /// Per feature: KVM's treatment.
    pub(crate) kvm: &'static [K],
    /// Slots, and what a vendor module does with the feature, with the condition.
    pub(crate) modules: &'static [(u16, KvmModule, ModuleAction, u16)],
    /// Module parameters: names and defaults.
    pub(crate) parameters: &'static [(KvmModule, u16, u16)],
    /// Slots, ascending, whose place in the kernel's words does not follow from their register; with that place.
    pub(crate) exceptions: &'static [(u16, u16)],
    /// The bits at each place of the kernel's and KVM's words.
    pub(crate) places: &'static [u16],
    /// The bits at each place of the bug words.
    pub(crate) bugs: &'static [u16],
    /// The bits at each place of the VMX words.
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
/// The first VMX capability's id.
pub(crate) const VMX_BASE: u16 = BUG_BASE + short(BUGS.names.len());
/// The first MSR bit's id.
pub(crate) const MSR_BASE: u16 = VMX_BASE + short(VMX.names.len());

/// A text; 0 is `None`.
pub(crate) const fn string(id: u16) -> Option<&'static str> {
    if id == 0 { None } else { Some(text(id)) }
}

/// Every text, one after the other: an array of `&str` takes 16 bytes and a relocation for each.
static TEXTS: [u8; ENDS[STRINGS.len() - 1] as usize] = {
    let mut all = [0; ENDS[STRINGS.len() - 1] as usize];
    let (mut id, mut at) = (0, 0);
    while id < STRINGS.len() {
        let text = STRINGS[id].as_bytes();
        let mut byte = 0;
        while byte < text.len() {
            all[at] = text[byte];
            (byte, at) = (byte + 1, at + 1);
        }
        id += 1;
    }
    all
};

/// Where each text ends.
static ENDS: [u16; STRINGS.len()] = {
    let mut all = [0; STRINGS.len()];
    let (mut id, mut end) = (0, 0);
    while id < STRINGS.len() {
        end += STRINGS[id].len();
        all[id] = short(end);
        id += 1;
    }
    all
};

/// The same as one text.
static TEXT: &str = match core::str::from_utf8(&TEXTS) {
    Ok(text) => text,
    Err(_) => panic!("texts are UTF-8"),
};

const fn start(id: u16) -> usize {
    if id == 0 { 0 } else { ENDS[id as usize - 1] as usize }
}

/// A text, for code that does not need it at compile time: faster than [`text`].
pub(crate) fn text_at_run_time(id: u16) -> &'static str {
    TEXT.get(start(id)..usize::from(ENDS[usize::from(id)])).unwrap_or_default()
}

/// A text.
pub(crate) const fn text(id: u16) -> &'static str {
    let (until, _) = TEXTS.split_at(ENDS[id as usize] as usize);
    match core::str::from_utf8(until.split_at(start(id)).1) {
        Ok(text) => text,
        // No text is cut within a character.
        Err(_) => "",
    }
}

/// A length as a number of the tables; all of them fit.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked, at compile time where it is used for constants"
)]
pub(crate) const fn short(length: usize) -> u16 {
    assert!(length <= u16::MAX as usize, "the generator numbers with 16 bits");
    length as u16
}
