//! Entries: how many, which of them KVM finds, the flag that makes an index count, and subleaves that end.
//!
//! KVM's look-up is `kvm_find_cpuid_entry2()` of Linux's `arch/x86/kvm/cpuid.c`: the first entry of the leaf whose index
//! is the one asked for, or whose flags lack `KVM_CPUID_FLAG_SIGNIFCANT_INDEX`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::guest::Guest;
use super::{Findings, Input, Kind, Site};
use crate::field::leaf_1f;
use crate::field::leaf_4;
use crate::location::{Leaf, Register, Subleaf};
use crate::table::{CpuidEntry, CpuidRead, CpuidTable, IndexedLeaf, Terminator};

/// More entries than KVM takes.
pub(super) fn count(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let count = guest.given.len();
        if count > CpuidTable::MAX {
            let at = guest.site_of_entry(CpuidTable::MAX);
            let what = format!("the table has {count} entries, KVM takes {}", CpuidTable::MAX);
            findings.add(Kind::TooManyEntries, guest, at, what);
        }
    }
}

/// Entries that KVM never takes, an earlier one matching. What a missing flag hides is told of the flag.
pub(super) fn duplicates(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        // The first entry for a leaf with any index, and for each index.
        let mut first: BTreeMap<(Leaf, Option<Subleaf>), usize> = BTreeMap::new();
        for (at, entry) in guest.entries.iter().enumerate() {
            let index = entry.is_indexed().then_some(entry.index);
            let for_any = first.get(&(entry.function, None));
            match for_any.or_else(|| first.get(&(entry.function, index))).copied() {
                Some(earlier) => duplicate(guest, at, earlier, findings),
                None => drop(first.insert((entry.function, index), at)),
            }
        }
    }
}

fn duplicate(guest: &Guest<'_>, at: usize, earlier: usize, findings: &mut Findings) {
    let registers = |at: usize| guest.given.get(at).map(|entry| entry.registers);
    let (site, other) = (guest.site_of_entry(at), guest.site_of_entry(earlier));
    if registers(at) == registers(earlier) {
        let what = format!("entry {at} repeats entry {earlier}");
        findings.add(Kind::RepeatedEntry, guest, site, what).and(other);
    } else {
        let what =
            format!("entry {at} is never looked at: entry {earlier} matches first, with other registers");
        findings.add(Kind::UnreachableEntry, guest, site, what).and(other);
    }
}

/// True where an entry says other than no entry does.
fn holds(entry: &CpuidEntry) -> bool {
    entry.registers != [0; 4]
}

/// Flags that are missing, that hide an entry, or that mean nothing.
pub(super) fn flags(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        for leaf in IndexedLeaf::all() {
            not_flagged(guest, leaf, findings);
        }
        for (at, entry) in guest.given.iter().enumerate() {
            let site = guest.site_of_entry(at);
            if entry.is_indexed() && holds(entry) && is_plain(entry.function) {
                let (leaf, index) = (entry.function.0, entry.index.0);
                let what =
                    format!("0x{leaf:X} has no subleaves, and entry {at} answers for ECX={index} alone");
                findings.add(Kind::FlagOnPlainLeaf, guest, site, what);
            }
            let unknown = entry.flags & !known_flags(entry.function);
            if unknown != 0 {
                let what = format!("entry {at} has flags {unknown:#x} that KVM has no meaning for");
                findings.add(Kind::UnknownFlag, guest, site, what);
            }
        }
    }
}

/// The first entry of a leaf that answers for every subleaf, with those that it hides.
fn not_flagged(guest: &Guest<'_>, leaf: IndexedLeaf, findings: &mut Findings) {
    let of_leaf = guest.given.iter().enumerate().filter(|(_, entry)| entry.function == leaf.leaf);
    let mut from = of_leaf.skip_while(|(_, entry)| entry.is_indexed());
    let Some((at, first)) = from.next() else { return };
    let hidden: Vec<Site> = from.map(|(at, _)| guest.site_of_entry(at)).collect();
    // Zeros for every subleaf are what no entry answers too.
    if holds(first) || !hidden.is_empty() {
        let what = format!("entry {at} answers for every subleaf of 0x{:X}", leaf.leaf.0);
        let finding = findings.add(Kind::IndexNotFlagged, guest, guest.site_of_entry(at), what);
        finding.others.extend(hidden);
        finding.help_by(format!("set bit 0 of flags ({})", leaf.section));
    }
}

/// True for a leaf that is known to have no subleaves.
fn is_plain(leaf: Leaf) -> bool {
    // What a hypervisor's leaves are is the hypervisor's own; Xen's have subleaves.
    let hypervisor = (0x4000_0000..0x5000_0000).contains(&leaf.0);
    let described = crate::Field::in_leaf(leaf).next().is_some();
    let base_of_hypervisor = hypervisor && leaf.0 & 0xff == 0;
    IndexedLeaf::of(leaf).is_none() && (described && !hypervisor || base_of_hypervisor)
}

/// Leaf 2 has two more, which KVM ignores since 5.6 and QEMU 7.2 still sets.
const fn known_flags(leaf: Leaf) -> u32 {
    match leaf.0 {
        2 => CpuidEntry::SIGNIFICANT_INDEX | CpuidEntry::STATEFUL_FUNC | CpuidEntry::STATE_READ_NEXT,
        _ => CpuidEntry::SIGNIFICANT_INDEX,
    }
}

/// Leaves whose subleaf 0 says in EAX which subleaf is the last.
const COUNTED_BY_EAX: [u32; 8] = [0x7, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x20, 0x24];

/// Lists of subleaves without a beginning, with a gap, or without an end.
pub(super) fn subleaves(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        for leaf in IndexedLeaf::all() {
            let entries = guest.given.iter().filter(|entry| entry.function == leaf.leaf);
            // An entry that answers for all of them is told of elsewhere.
            if entries.clone().any(|entry| !entry.is_indexed()) {
                continue;
            }
            let mut indices: Vec<u32> = entries.map(|entry| entry.index.0).collect();
            indices.sort_unstable();
            indices.dedup();
            match indices.first() {
                None => {}
                Some(0) => list(guest, leaf, &indices, findings),
                // Zeros say nothing: QEMU 7.2 has a subleaf 63 of 0xD with them.
                Some(_) if !guest.entries.iter().any(|entry| entry.function == leaf.leaf && holds(entry)) => {
                }
                Some(&first) => {
                    let what = format!("0x{:X} has subleaf {first} and no subleaf 0", leaf.leaf.0);
                    let other = guest.site(leaf.leaf, Subleaf(first));
                    let at = guest.site(leaf.leaf, Subleaf(0));
                    findings.add(Kind::NoFirstSubleaf, guest, at, what).and(other);
                }
            }
        }
    }
}

/// A leaf's subleaves, ascending from 0.
fn list(guest: &Guest<'_>, leaf: IndexedLeaf, indices: &[u32], findings: &mut Findings) {
    let registers = |index: u32| guest.entries.registers(leaf.leaf, Subleaf(index));
    let counted = COUNTED_BY_EAX.contains(&leaf.leaf.0);
    // How many subleaves a guest's walk comes to, and whether it ends by itself.
    let (reached, ends) = match leaf.terminator {
        Terminator::Counted if counted => (registers(0).map_or(0, |[eax, ..]| eax.saturating_add(1)), true),
        Terminator::Counted => return,
        terminator => walk(terminator, indices, registers),
    };
    let says =
        |index: &&u32| registers(**index).is_some_and(|registers| registers_hold(leaf.leaf, registers));
    if let Some(&lost) = indices.iter().filter(|index| **index >= reached).find(says) {
        let number = leaf.leaf.0;
        let (last, what) = match reached.checked_sub(1).filter(|_| counted) {
            Some(last) => (
                0,
                format!(
                    "subleaf 0 of 0x{number:X} says that {last} is the last, and there is a subleaf {lost}"
                ),
            ),
            None => (
                reached,
                format!(
                    "the subleaves of 0x{number:X} end before subleaf {reached}, and there is a subleaf {lost}"
                ),
            ),
        };
        let other = guest.site(leaf.leaf, Subleaf(last));
        findings.add(Kind::SubleafNotReached, guest, guest.site(leaf.leaf, Subleaf(lost)), what).and(other);
    } else if !ends {
        let last = reached.saturating_sub(1);
        let what = format!("the subleaves of 0x{:X} go to {last}, and none says that they end", leaf.leaf.0);
        let at = Site { entry: None, ..guest.site(leaf.leaf, Subleaf(reached)) };
        let other = guest.site(leaf.leaf, Subleaf(last));
        findings.add(Kind::NoTerminator, guest, at, what).and(other);
    }
}

/// Follows a list to its terminator or to the first subleaf that is not there.
fn walk(terminator: Terminator, indices: &[u32], registers: impl Fn(u32) -> Option<[u32; 4]>) -> (u32, bool) {
    // Subleaves 0 and 1 of SGX's leaf are no sections.
    let start = if terminator == Terminator::SectionType { 2 } else { 0 };
    for (expected, &index) in (0..).zip(indices) {
        if index != expected {
            return (expected, terminator == Terminator::SectionType && expected <= start);
        }
        if index >= start && registers(index).is_some_and(|registers| ends_list(terminator, registers)) {
            return (index + 1, true);
        }
    }
    let count = u32::try_from(indices.len()).unwrap_or(u32::MAX);
    (count, terminator == Terminator::SectionType && count <= start)
}

fn ends_list(terminator: Terminator, registers: [u32; 4]) -> bool {
    match terminator {
        Terminator::Counted => false,
        Terminator::CacheType => leaf_4::CACHE_TYPE.read_from(registers) == 0,
        Terminator::LevelType => leaf_1f::DOMAIN_TYPE.read_from(registers) == 0,
        // Bits 3 to 0 of EAX: cpuid.csv describes the first section alone.
        Terminator::SectionType => registers[0] & 0xf == 0,
    }
}

/// True where an entry says anything. Past the last level, 0xB and 0x1F still tell subleaf and x2APIC id.
fn registers_hold(leaf: Leaf, registers: [u32; 4]) -> bool {
    match IndexedLeaf::of(leaf).map(|leaf| leaf.terminator) {
        Some(Terminator::LevelType) => {
            registers[Register::Eax as usize] | registers[Register::Ebx as usize] != 0
                || leaf_1f::DOMAIN_TYPE.read_from(registers) != 0
        }
        _ => registers != [0; 4],
    }
}
