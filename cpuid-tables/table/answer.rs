//! KVM's answer when a guest executes CPUID: `kvm_cpuid()` of Linux's `arch/x86/kvm/cpuid.c`, equal in 6.1, 6.12 and
//! 7.3.
//!
//! KVM uses the first matching entry. Without one, the result depends on the vendor: for an out-of-range leaf,
//! Intel's processors and those that follow it return the highest basic leaf, AMD's and Hygon's return zeros. A leaf
//! is out of range if it is above the highest leaf of its class, or if its class has no first leaf:
//!
//! | leaves | first leaf of the class |
//! |---|---|
//! | 0 to 0x3FFFFFFF, 0x50000000 to 0x7FFFFFFF | 0 |
//! | 0x40000000 to 0x4FFFFFFF | the hypervisor's: the leaf's with its lowest byte 0 |
//! | 0x80000000 to 0xBFFFFFFF | 0x80000000; Transmeta's 0x80860000 has no class of its own |
//! | 0xC0000000 and above | 0xC0000000 |

use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::identity::Vendor;
use crate::table::{CpuidEntry, CpuidTable};

/// Which entries may match: KVM's parameter `exact_only`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// As for a guest's CPUID instruction: another leaf's entry too, if the leaf is out of range.
    #[default]
    Guest,
    /// As for KVM's internal queries: only an entry for the leaf itself.
    ExactOnly,
}

/// The source of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnsweredBy {
    /// The entry with this index, for the leaf and subleaf.
    Entry(usize),
    /// The entry with this index, for the highest basic leaf, since the leaf is out of range.
    HighestBasic(usize),
    /// No entry, but subleaf 1 of 0xB or 0x1F has one with this index: KVM fills in ECX and EDX.
    LevelOne(usize),
    /// No entry: zeros.
    None,
}

/// The values that a guest reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// EAX, EBX, ECX and EDX.
    pub registers: Registers,
    /// Their source.
    pub by: AnsweredBy,
    /// The leaf that was read: the requested one, or the highest basic leaf instead.
    pub leaf: Leaf,
}

/// KVM's answer for a leaf and subleaf with these entries, unmodified.
///
/// The entries of a vCPU that has run contain the values that depend on its state. [`RunState`](crate::RunState) puts
/// them into a table that KVM has not yet processed.
///
/// ```
/// use cpuid_tables::{AnsweredBy, CpuidEntry, Leaf, Lookup, Subleaf, kvm_answer, Registers};
///
/// let intel = [
///     CpuidEntry::new(Leaf(0), Registers::new(1, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
///     CpuidEntry::new(Leaf(1), Registers::new(0x806f8, 0, 0, 0)),
/// ];
/// let answer = kvm_answer(&intel, Leaf(0x123), Subleaf(0), Lookup::Guest);
/// assert_eq!((answer.registers.eax, answer.by), (0x806f8, AnsweredBy::HighestBasic(1)));
/// assert_eq!(kvm_answer(&intel, Leaf(0x123), Subleaf(0), Lookup::ExactOnly).by, AnsweredBy::None);
/// ```
#[must_use]
pub fn kvm_answer(entries: &[CpuidEntry], leaf: Leaf, subleaf: Subleaf, lookup: Lookup) -> Answer {
    if let Some(at) = position(entries, leaf, subleaf) {
        return Answer { registers: entries[at].registers, by: AnsweredBy::Entry(at), leaf };
    }
    let redirected = match lookup {
        Lookup::Guest => highest_basic_instead(entries, leaf),
        Lookup::ExactOnly => None,
    };
    let leaf = redirected.unwrap_or(leaf);
    if let Some(at) = redirected.and_then(|leaf| position(entries, leaf, subleaf)) {
        return Answer { registers: entries[at].registers, by: AnsweredBy::HighestBasic(at), leaf };
    }
    level_one(entries, leaf, subleaf).unwrap_or(Answer {
        registers: Registers::ZERO,
        by: AnsweredBy::None,
        leaf,
    })
}

impl CpuidTable {
    /// KVM's answer to a guest for a leaf and subleaf; see [`kvm_answer`].
    #[must_use]
    pub fn answer(&self, leaf: Leaf, subleaf: Subleaf) -> Answer {
        kvm_answer(self, leaf, subleaf, Lookup::Guest)
    }
}

fn position(entries: &[CpuidEntry], leaf: Leaf, subleaf: Subleaf) -> Option<usize> {
    entries.iter().position(|entry| entry.answers(leaf, subleaf))
}

/// The first entry for a leaf without subleaves, whatever its index (`kvm_find_cpuid_entry`).
pub(crate) fn first_of(entries: &[CpuidEntry], leaf: Leaf) -> Option<usize> {
    entries.iter().position(|entry| entry.function == leaf)
}

/// The highest basic leaf, if the leaf is out of range and the vendor's processors return that
/// (`get_out_of_range_cpuid_entry`).
fn highest_basic_instead(entries: &[CpuidEntry], leaf: Leaf) -> Option<Leaf> {
    let basic = &entries[first_of(entries, Leaf::BASIC)?];
    if Vendor::from_registers(basic.registers).is_amd_compatible() {
        return None;
    }
    let in_range = first_of(entries, class(leaf)).is_some_and(|at| leaf.0 <= entries[at].registers.eax);
    (!in_range).then_some(Leaf(basic.registers.eax))
}

/// The first leaf of a leaf's class.
const fn class(leaf: Leaf) -> Leaf {
    match leaf.0 {
        0x4000_0000..=0x4fff_ffff => Leaf(leaf.0 & 0xffff_ff00),
        0xc000_0000.. => Leaf::CENTAUR,
        other => Leaf(other & 0x8000_0000),
    }
}

/// Leaves 0xB and 0x1F beyond their last level: the low byte of ECX is the requested subleaf, and EDX is the x2APIC
/// id. For KVM the leaves exist if they have a subleaf 1.
fn level_one(entries: &[CpuidEntry], leaf: Leaf, subleaf: Subleaf) -> Option<Answer> {
    if !matches!(leaf.0, 0xb | 0x1f) {
        return None;
    }
    let at = position(entries, leaf, Subleaf(1))?;
    let Registers { edx: x2apic_id, .. } = entries[at].registers;
    Some(Answer {
        registers: Registers::new(0, 0, subleaf.0 & 0xff, x2apic_id),
        by: AnsweredBy::LevelOne(at),
        leaf,
    })
}
