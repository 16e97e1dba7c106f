//! What KVM changed in a vCPU's table: compares the given table with the stored one, part by part.
//!
//! KVM updates some bits itself (`kvm_update_cpuid_runtime()` of Linux's `arch/x86/kvm/cpuid.c`); changes of these
//! are expected. Other changes are specific to a KVM.

use core::fmt;

use kvm_bindings::kvm_cpuid_entry2;

use super::system::entry_of;
use crate::bits::description::{Part, describe};
use crate::bits::feature::Feature;
use crate::bits::field::Field;
use crate::bits::known_fields::leaf_d;
use crate::bits::location::{CpuidPlace, CpuidWord, Leaf, Place, Register, Subleaf};
use crate::feature;
use crate::table::CpuidEntry;

/// Bits that KVM updates, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Expected {
    word: CpuidWord,
    /// Mask of the leaf number: a hypervisor's leaves are in one of several ranges.
    leaf_mask: u32,
    mask: u32,
    why: &'static str,
}

const fn feature(feature: Feature, why: &'static str) -> Expected {
    Expected { word: feature.location().word, leaf_mask: u32::MAX, mask: feature.mask(), why }
}

const fn field(field: Field, why: &'static str) -> Expected {
    let word = CpuidWord {
        leaf: field.leaf(),
        subleaf: Subleaf(*field.subleaves().start()),
        register: field.register(),
    };
    Expected { word, leaf_mask: u32::MAX, mask: field.mask(), why }
}

static EXPECTED: [Expected; 9] = [
    feature(feature::OSXSAVE, "follows CR4.OSXSAVE"),
    feature(feature::OSPKE, "follows CR4.PKE"),
    feature(feature::APIC, "follows the enable bit of IA32_APIC_BASE"),
    feature(feature::MWAIT, "follows IA32_MISC_ENABLE if KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT is disabled"),
    field(leaf_d::XSAVE_SZ_XCR0, "the size for the current XCR0"),
    field(leaf_d::XSAVE_SZ_XCR0_XSS, "the size for the current XCR0 and IA32_XSS"),
    Expected {
        leaf_mask: 0xffff_00ff,
        ..feature(feature::KVM_FEATURE_PV_UNHALT, "KVM clears KVM_FEATURE_PV_UNHALT if HLT does not exit")
    },
    Expected {
        word: CpuidWord::new(Leaf(0x12), Subleaf(1), Register::Ecx),
        leaf_mask: u32::MAX,
        mask: u32::MAX,
        why: "Linux 6.1 and older limit an enclave's components to the guest's",
    },
    Expected {
        word: CpuidWord::new(Leaf(0x12), Subleaf(1), Register::Edx),
        leaf_mask: u32::MAX,
        mask: u32::MAX,
        why: "Linux 6.1 and older limit an enclave's components to the guest's",
    },
];

/// Why KVM is expected to change all of these bits of a register.
fn expected(word: CpuidWord, changed: u32) -> Option<&'static str> {
    let here = EXPECTED.iter().find(|expected| {
        word.leaf.0 & expected.leaf_mask == expected.word.leaf.0
            && (word.subleaf, word.register) == (expected.word.subleaf, expected.word.register)
            && changed & !expected.mask == 0
    });
    here.map(|expected| expected.why)
}

/// A part of a register that KVM changed: a feature, a field, or an unnamed bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartChange {
    /// The register.
    pub word: CpuidWord,
    /// The part; `None` for an unnamed bit.
    pub part: Option<Part>,
    /// Its bits in the register.
    pub mask: u32,
    /// Its value in the given table.
    pub given: u32,
    /// Its value in the vCPU's table.
    pub stored: u32,
    /// Why KVM changes it, if every KVM updates it.
    pub expected: Option<&'static str>,
}

impl fmt::Display for PartChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CpuidWord { leaf, subleaf, register } = self.word;
        let place = CpuidPlace { leaf, subleaf: Some(subleaf), register: Some(register), bits: self.mask };
        place.fmt(f)?;
        if let Some(part) = self.part {
            write!(f, " {}", part.name())?;
        }
        write!(f, ": {:#x}, given {:#x}", self.stored, self.given)?;
        match self.expected {
            Some(why) => write!(f, " (expected: {why})"),
            None => Ok(()),
        }
    }
}

/// A difference between the given table and KVM's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A part of a register.
    Part(PartChange),
    /// An omitted or added entry: the other table has none with its leaf, index and flags.
    Entry {
        /// The given entry.
        given: Option<CpuidEntry>,
        /// The vCPU's entry.
        stored: Option<CpuidEntry>,
    },
}

impl Change {
    /// True if every KVM may make this change.
    #[must_use]
    pub const fn is_expected(&self) -> bool {
        matches!(self, Change::Part(PartChange { expected: Some(_), .. }))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entry, what) = match self {
            Change::Part(part) => return fmt::Display::fmt(part, f),
            Change::Entry { given: Some(entry), .. } => (entry, "left out"),
            Change::Entry { stored: Some(entry), .. } => (entry, "added"),
            Change::Entry { given: None, stored: None } => return f.write_str("no entry"),
        };
        let (place, flags) = (Place::Leaf(entry.function, Some(entry.index)), entry.flags);
        write!(f, "the entry {place}, flags {flags:#x}: {what}")
    }
}

/// A table as given and as the vCPU has it, compared on demand.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'a> {
    given: &'a [kvm_cpuid_entry2],
    stored: &'a [kvm_cpuid_entry2],
}

impl<'a> Changes<'a> {
    /// Compares two tables in KVM's format.
    #[must_use]
    pub const fn between(given: &'a [kvm_cpuid_entry2], stored: &'a [kvm_cpuid_entry2]) -> Changes<'a> {
        Changes { given, stored }
    }

    /// True if KVM has exactly the given table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given == self.stored
    }

    /// Every change, in the table's order; within a register from the lowest bit.
    pub fn iter(&self) -> impl Iterator<Item = Change> + 'a {
        Pairs(*self).filter(|pair| !pair.is_same()).flat_map(|Pair { given, stored }| {
            let (given, stored) = (given.map(entry_of), stored.map(entry_of));
            let both = given.zip(stored);
            let parts = both.into_iter().flat_map(|(given, stored)| {
                let word = move |word: CpuidWord| {
                    parts(word, given.register(word.register), stored.register(word.register))
                };
                given.words().into_iter().flat_map(word)
            });
            let entry = both.is_none().then_some(Change::Entry { given, stored });
            entry.into_iter().chain(parts.map(Change::Part))
        })
    }

    /// The changes that not every KVM makes.
    pub fn unexpected(&self) -> impl Iterator<Item = Change> + 'a {
        self.iter().filter(|change| !change.is_expected())
    }

    /// The entries that the vCPU has.
    pub fn stored(&self) -> impl Iterator<Item = CpuidEntry> + 'a {
        self.stored.iter().map(entry_of)
    }
}

/// An entry as given and as the vCPU has it; at least one of them exists.
struct Pair<'a> {
    given: Option<&'a kvm_cpuid_entry2>,
    stored: Option<&'a kvm_cpuid_entry2>,
}

impl Pair<'_> {
    fn is_same(&self) -> bool {
        self.given == self.stored
    }
}

/// The entries of two tables, paired by leaf and index.
struct Pairs<'a>(Changes<'a>);

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let Changes { given, stored } = &mut self.0;
        let (first, other) = (given.first(), stored.first());
        let same = first.zip(other).is_some_and(|(a, b)| place(a) == place(b));
        // If the stored entry comes later in the given table, KVM omitted the entries before it.
        let left_out = other.is_none_or(|other| given.iter().any(|given| place(given) == place(other)));
        let take = |from: &mut &'a [kvm_cpuid_entry2]| -> Option<&'a kvm_cpuid_entry2> {
            let (first, rest) = from.split_first()?;
            *from = rest;
            Some(first)
        };
        let (given, stored) = match (same, left_out) {
            (true, _) => (take(given), take(stored)),
            (false, true) => (take(given), None),
            (false, false) => (None, take(stored)),
        };
        (given.is_some() || stored.is_some()).then_some(Pair { given, stored })
    }
}

const fn place(entry: &kvm_cpuid_entry2) -> (u32, u32, u32) {
    (entry.function, entry.index, entry.flags)
}

/// The changed parts of a register, named ones first, then single bits.
fn parts(word: CpuidWord, given: u32, stored: u32) -> impl Iterator<Item = PartChange> {
    let changed = given ^ stored;
    // KVM's leaves have names only at their usual base.
    let usual = Leaf(word.leaf.0 & 0xffff_00ff);
    let described = CpuidWord { leaf: if is_hypervisor(word.leaf) { usual } else { word.leaf }, ..word };
    let change = move |part: Option<Part>, mask: u32| PartChange {
        word,
        part,
        mask,
        given: (given & mask) >> mask.trailing_zeros(),
        stored: (stored & mask) >> mask.trailing_zeros(),
        expected: expected(word, changed & mask),
    };
    let quiet = changed == 0;
    let named = (!quiet).then(|| describe(described)).into_iter().flatten();
    let known = (!quiet).then(|| describe(described)).into_iter().flatten();
    let unnamed = changed & !known.fold(0, |known, part| known | part.mask());
    let named = named.filter(move |part| part.mask() & changed != 0);
    let bits = (0..32).filter(move |bit| unnamed >> bit & 1 != 0).map(move |bit| change(None, 1 << bit));
    named.map(move |part| change(Some(part), part.mask())).chain(bits)
}

const fn is_hypervisor(leaf: Leaf) -> bool {
    leaf.0 >> 28 == 4
}
