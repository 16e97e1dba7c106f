//! What KVM answers when a guest executes CPUID: `kvm_cpuid()` of Linux's `arch/x86/kvm/cpuid.c`, the same in 6.1, 6.12
//! and 7.3.
//!
//! Of the entries the first that matches answers. Where none does, processors differ: Intel's and those that follow it
//! answer for a leaf out of range with the highest basic leaf, AMD's and Hygon's with zeros. A leaf is out of range when
//! it is above the highest of its class, or its class has no first leaf:
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

/// Which entries may answer: KVM's parameter `exact_only`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// As for a guest's CPUID instruction: an entry for another leaf too, if the leaf is out of range.
    #[default]
    Guest,
    /// As for KVM's emulation of other things: only an entry for the leaf itself.
    ExactOnly,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnsweredBy {
    /// The entry with this index, which is for the leaf and subleaf.
    Entry(usize),
    /// The entry with this index, which is for the highest basic leaf, the leaf being out of range.
    HighestBasic(usize),
    /// No entry, but one for subleaf 1 of 0xB or 0x1F, with this index: ECX and EDX are filled in.
    LevelOne(usize),
    /// No entry: zeros.
    None,
}

/// What a guest gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// EAX, EBX, ECX and EDX.
    pub registers: Registers,
    /// Where they come from.
    pub by: AnsweredBy,
    /// The leaf that answers: that asked for, or the highest basic one in its place.
    pub leaf: Leaf,
}

/// What KVM answers for a leaf and subleaf with these entries as they stand.
///
/// What depends on the vCPU's state is in the entries of a vCPU that has run; [`RunState`](crate::RunState) puts it there
/// for a table that no KVM had yet.
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
    /// What KVM answers a guest for a leaf and subleaf; see [`kvm_answer`].
    #[must_use]
    pub fn answer(&self, leaf: Leaf, subleaf: Subleaf) -> Answer {
        kvm_answer(self, leaf, subleaf, Lookup::Guest)
    }
}

fn position(entries: &[CpuidEntry], leaf: Leaf, subleaf: Subleaf) -> Option<usize> {
    entries.iter().position(|entry| entry.answers(leaf, subleaf))
}

/// The first entry for a leaf that KVM takes to have no subleaves, whatever index it stands under
/// (`kvm_find_cpuid_entry`).
pub(crate) fn first_of(entries: &[CpuidEntry], leaf: Leaf) -> Option<usize> {
    entries.iter().position(|entry| entry.function == leaf)
}

/// The highest basic leaf, when the leaf is out of range and the vendor's processors answer with that
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

/// Leaves 0xB and 0x1F beyond their last level: the low byte of ECX is the subleaf that was asked for, and EDX is the
/// x2APIC id. KVM takes both leaves to be there when they have a subleaf 1.
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
