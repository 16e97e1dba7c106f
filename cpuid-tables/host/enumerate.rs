//! Enumerates every leaf and subleaf of the CPUID instruction, a recorded host or a guest.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

use alloc::vec::Vec;
use core::cell::RefCell;

use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::table::{CpuidEntry, Hypervisor, IndexedLeaf, Terminator};

/// Maximum number of leaves in a range; a larger maximum is invalid.
const MAX_LEAVES: u32 = 0x100;
/// Maximum number of subleaves in a list; a longer list is considered endless.
const MAX_SUBLEAVES: u32 = 0x100;

/// How to find the subleaves of a leaf with [`Terminator::Counted`].
#[derive(Clone, Copy)]
enum Count {
    /// The highest subleaf is EAX of subleaf 0.
    Highest,
    /// Subleaf 0, and the subleaves whose bits are set in a register of subleaf 0.
    Bitmap(Register),
    /// Subleaves 0 and 1, and XSAVE's components by the bits of 0xD.0 EDX:EAX and of 0xD.1 EDX:ECX.
    Components,
    /// Up to and including the one whose EAX bits 11 to 0 are 0.
    Type12,
}

/// How each counted leaf counts; `IndexedLeaf`'s sections cite the manual.
static COUNTS: &[(u32, Count)] = &[
    (0x7, Count::Highest),
    (0xd, Count::Components),
    (0xf, Count::Bitmap(Register::Edx)),
    (0x10, Count::Bitmap(Register::Ebx)),
    (0x14, Count::Highest),
    (0x17, Count::Highest),
    (0x18, Count::Highest),
    (0x1b, Count::Type12),
    (0x1d, Count::Highest),
    (0x1e, Count::Highest),
    (0x20, Count::Highest),
    (0x23, Count::Bitmap(Register::Eax)),
    (0x24, Count::Highest),
    (0x8000_0020, Count::Bitmap(Register::Ebx)),
];

/// Reads every leaf and subleaf in range, in ascending order.
///
/// Reads a hypervisor's leaves if 1.ECX announces one, and Transmeta's and Centaur's if their first leaf exists. The
/// ranges of several hypervisors follow each other: the search ends at the first gap after one. A list of subleaves
/// includes its terminator.
///
/// Each leaf and subleaf is read once, since a hypervisor may intercept the instruction, which takes microseconds: at
/// most ten reads find that something does not exist, unless a hypervisor is announced and has no leaves.
///
/// ```
/// use cpuid_tables::{CpuidEntry, Leaf, Subleaf, host, Registers};
///
/// let entries = host::enumerate(|leaf, subleaf| match (leaf, subleaf) {
///     (Leaf(0), _) => Registers::new(4, 0, 0, 0),
///     (Leaf(4), Subleaf(0)) => Registers::new(0x121, 0, 0, 0),
///     _ => Registers::ZERO,
/// });
/// assert_eq!(entries.len(), 6, "leaves 0 to 4, and the end of the list of caches");
/// assert_eq!(entries[5], CpuidEntry::indexed(Leaf(4), Subleaf(1), Registers::ZERO));
/// ```
#[must_use]
pub fn enumerate(cpuid: impl Fn(Leaf, Subleaf) -> Registers) -> Vec<CpuidEntry> {
    every_entry(&cpuid)
}

/// CPUID's answers.
type Cpuid<'a> = &'a dyn Fn(Leaf, Subleaf) -> Registers;

fn every_entry(cpuid: Cpuid<'_>) -> Vec<CpuidEntry> {
    let known: RefCell<Vec<((Leaf, Subleaf), Registers)>> = RefCell::default();
    let cpuid = |leaf: Leaf, subleaf: Subleaf| -> Registers {
        let place = (leaf, subleaf);
        if let Some((_, registers)) = known.borrow().iter().find(|(known, _)| *known == place) {
            return *registers;
        }
        let registers = cpuid(leaf, subleaf);
        known.borrow_mut().push((place, registers));
        registers
    };
    let mut entries = Vec::new();
    let highest = |base: Leaf| cpuid(base, Subleaf(0)).eax;
    leaves(&cpuid, Leaf::BASIC, highest(Leaf::BASIC), &mut entries);
    let hypervisor = feature::HYPERVISOR;
    if cpuid(hypervisor.leaf(), Subleaf(0))[hypervisor.register()] & hypervisor.mask() != 0 {
        let mut found = false;
        for base in Hypervisor::bases() {
            let before = entries.len();
            // Old KVMs report 0, which stands for their feature leaf.
            let old_kvm = highest(base) == 0
                && Hypervisor::from_registers(base, cpuid(base, Subleaf(0))).signature == Hypervisor::KVM;
            leaves(&cpuid, base, if old_kvm { base.0 + 1 } else { highest(base) }, &mut entries);
            if found && entries.len() == before {
                break;
            }
            found |= entries.len() > before;
        }
    }
    for base in [Leaf::EXTENDED, Leaf::TRANSMETA, Leaf::CENTAUR] {
        leaves(&cpuid, base, highest(base), &mut entries);
    }
    entries
}

/// The leaves of a range, if it exists: its first leaf gives a highest leaf within the range.
fn leaves(cpuid: Cpuid<'_>, base: Leaf, highest: u32, entries: &mut Vec<CpuidEntry>) {
    let range = base.0..=highest;
    if highest.checked_sub(base.0).is_some_and(|count| count < MAX_LEAVES) {
        for leaf in range {
            subleaves(cpuid, Leaf(leaf), entries);
        }
    }
}

fn subleaves(cpuid: Cpuid<'_>, leaf: Leaf, entries: &mut Vec<CpuidEntry>) {
    let first = cpuid(leaf, Subleaf(0));
    let Some(indexed) = IndexedLeaf::get(leaf) else {
        entries.push(CpuidEntry::new(leaf, first));
        return;
    };
    let mut push = |subleaf: u32| -> Registers {
        let registers = cpuid(leaf, Subleaf(subleaf));
        entries.push(CpuidEntry::indexed(leaf, Subleaf(subleaf), registers));
        registers
    };
    let mut until = |from: u32, ends: fn(Registers) -> bool| {
        // The terminator is pushed too.
        (from..MAX_SUBLEAVES).map(&mut push).find(|registers| ends(*registers));
    };
    match indexed.terminator {
        Terminator::CacheType => until(0, |Registers { eax, .. }| eax & 0x1f == 0),
        Terminator::LevelType => until(0, |Registers { ecx, .. }| ecx >> 8 & 0xff == 0),
        Terminator::SectionType => {
            // Subleaves 0 and 1 are not sections; these begin with 2.
            until(0, |_| true);
            until(1, |_| true);
            until(2, |Registers { eax, .. }| eax & 0xf == 0);
        }
        Terminator::Counted => match COUNTS.iter().find(|count| count.0 == leaf.0).map(|count| count.1) {
            Some(Count::Type12) => until(0, |Registers { eax, .. }| eax & 0xfff == 0),
            Some(Count::Highest) => {
                for at in 0..=first.eax.min(MAX_SUBLEAVES) {
                    push(at);
                }
            }
            Some(Count::Bitmap(register)) => {
                for at in (0..32).filter(|bit| *bit == 0 || first[register] >> bit & 1 != 0) {
                    push(at);
                }
            }
            Some(Count::Components) => {
                let Registers { eax, edx, .. } = push(0);
                let Registers { ecx, edx: high, .. } = push(1);
                let components = u64::from(edx | high) << 32 | u64::from(eax | ecx);
                for at in (2..64).filter(|bit| components >> bit & 1 != 0) {
                    push(at);
                }
            }
            None => until(0, |_| true),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counted_leaf_says_how() {
        let counted = IndexedLeaf::all().filter(|leaf| leaf.terminator == Terminator::Counted);
        assert!(counted.map(|leaf| leaf.leaf.0).eq(COUNTS.iter().map(|count| count.0)));
    }
}
