//! Entries: their number, which of them KVM finds, the index flag, and terminators of subleaf lists.
//!
//! KVM's look-up is `kvm_find_cpuid_entry2()` of Linux's `arch/x86/kvm/cpuid.c`: the first entry of the leaf whose
//! index matches or whose flags lack `KVM_CPUID_FLAG_SIGNIFCANT_INDEX`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::guest::Guest;
use super::{Findings, Input, Kind, Site};
use crate::bits::known_fields::{leaf_1f, leaf_4};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::{CpuidEntry, CpuidTable, IndexedLeaf, Terminator};

/// More entries than KVM accepts.
pub(super) fn count(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let count = guest.given.len();
        if count > CpuidTable::MAX {
            let at = guest.site_of_entry(CpuidTable::MAX);
            let what = format!("the table has {count} entries, but KVM accepts only {}", CpuidTable::MAX);
            findings.add(Kind::TooManyEntries, guest, at, what);
        }
    }
}

/// Entries that KVM never uses because an earlier one matches. [`flags`] reports entries hidden by a missing flag.
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
            format!("entry {at} is never used: entry {earlier} matches first, with different registers");
        findings.add(Kind::UnreachableEntry, guest, site, what).and(other);
    }
}

/// True if the guest reads something other than it would without the entry.
fn holds(entry: &CpuidEntry) -> bool {
    entry.registers != Registers::ZERO
}

/// Flags that are missing, that hide an entry, or that have no meaning.
pub(super) fn flags(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        for leaf in IndexedLeaf::all() {
            not_flagged(guest, leaf, findings);
        }
        for (at, entry) in guest.given.iter().enumerate() {
            let site = guest.site_of_entry(at);
            if entry.is_indexed() && holds(entry) && is_plain(entry.function) {
                let (leaf, index) = (entry.function, entry.index);
                let what =
                    format!("leaf {leaf} has no subleaves, but entry {at} answers only for ECX={index}");
                findings.add(Kind::FlagOnPlainLeaf, guest, site, what);
            }
            let unknown = entry.flags & !known_flags(entry.function);
            if unknown != 0 {
                let what = format!("entry {at} has flags {unknown:#x}, which KVM does not define");
                findings.add(Kind::UnknownFlag, guest, site, what);
            }
        }
    }
}

/// The first entry of a leaf that answers for every subleaf, and the entries that it hides.
fn not_flagged(guest: &Guest<'_>, leaf: IndexedLeaf, findings: &mut Findings) {
    let of_leaf = guest.given.iter().enumerate().filter(|(_, entry)| entry.function == leaf.leaf);
    let mut from = of_leaf.skip_while(|(_, entry)| entry.is_indexed());
    let Some((at, first)) = from.next() else { return };
    let hidden: Vec<Site> = from.map(|(at, _)| guest.site_of_entry(at)).collect();
    // Without an entry every subleaf reads as zeros too.
    if holds(first) || !hidden.is_empty() {
        let what = format!("entry {at} answers for every subleaf of leaf {}", leaf.leaf);
        let finding = findings.add(Kind::IndexNotFlagged, guest, guest.site_of_entry(at), what);
        finding.others.extend(hidden);
        finding.help_by(format!("set bit 0 of flags ({})", leaf.section));
    }
}

/// True for a leaf that is known to have no subleaves.
fn is_plain(leaf: Leaf) -> bool {
    // A hypervisor defines its own leaves; Xen's have subleaves.
    let hypervisor = (0x4000_0000..0x5000_0000).contains(&leaf.0);
    let described = crate::Field::in_leaf(leaf).next().is_some();
    let base_of_hypervisor = hypervisor && leaf.0 & 0xff == 0;
    IndexedLeaf::get(leaf).is_none() && (described && !hypervisor || base_of_hypervisor)
}

/// Leaf 2 has two more flags, which KVM ignores since 5.6 and QEMU 7.2 still sets.
const fn known_flags(leaf: Leaf) -> u32 {
    match leaf.0 {
        2 => CpuidEntry::SIGNIFICANT_INDEX | CpuidEntry::STATEFUL_FUNC | CpuidEntry::STATE_READ_NEXT,
        _ => CpuidEntry::SIGNIFICANT_INDEX,
    }
}

/// Leaves whose subleaf 0 holds the number of the last subleaf in EAX.
const COUNTED_BY_EAX: [u32; 8] = [0x7, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x20, 0x24];

/// A leaf's subleaves, each with its first entry's registers.
type Subleaves = BTreeMap<u32, Registers>;

/// Subleaf lists without a beginning, with a gap, or without a terminator.
pub(super) fn subleaves(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        for leaf in IndexedLeaf::all() {
            let entries = guest.given.iter().filter(|entry| entry.function == leaf.leaf);
            // An entry that answers for every subleaf is a finding of its own.
            if entries.clone().any(|entry| !entry.is_indexed()) {
                continue;
            }
            let mut subleaves = Subleaves::new();
            for entry in entries {
                subleaves.entry(entry.index.0).or_insert(entry.registers);
            }
            match subleaves.first_key_value() {
                Some((0, _)) => list(guest, leaf, &subleaves, findings),
                Some((&first, _)) => no_first(guest, leaf, first, findings),
                None => {}
            }
        }
    }
}

fn no_first(guest: &Guest<'_>, leaf: IndexedLeaf, first: u32, findings: &mut Findings) {
    // Zeros carry no information: QEMU 7.2 writes such a subleaf 63 of 0xD.
    if guest.given.iter().any(|entry| entry.function == leaf.leaf && holds(entry)) {
        let what = format!("leaf {} has subleaf {first} but no subleaf 0", leaf.leaf);
        let (at, other) = (guest.site(leaf.leaf, Subleaf(0)), guest.site(leaf.leaf, Subleaf(first)));
        findings.add(Kind::NoFirstSubleaf, guest, at, what).and(other);
    }
}

/// A leaf's subleaves from 0 on.
fn list(guest: &Guest<'_>, leaf: IndexedLeaf, subleaves: &Subleaves, findings: &mut Findings) {
    let number = leaf.leaf.0;
    let site = |subleaf: u32| guest.site(leaf.leaf, Subleaf(subleaf));
    let counted = COUNTED_BY_EAX.contains(&number);
    // How many subleaves a guest's enumeration reaches, and whether the list has a terminator.
    let (reached, ends) = match leaf.terminator {
        Terminator::Counted if counted => {
            (subleaves.get(&0).map_or(1, |Registers { eax, .. }| eax.saturating_add(1)), true)
        }
        Terminator::Counted => return,
        terminator => walk(terminator, subleaves),
    };
    let last = reached.saturating_sub(1);
    let mut beyond = subleaves.range(reached..).filter(|(_, registers)| says(leaf.terminator, **registers));
    match beyond.next() {
        Some((&lost, _)) if counted => {
            let what = format!(
                "leaf {} has a subleaf {lost}, but its subleaf 0 gives {last} as the last",
                leaf.leaf
            );
            findings.add(Kind::SubleafNotReached, guest, site(lost), what).and(site(0));
        }
        Some((&lost, _)) => {
            let (why, other) = if ends { ("ends with", last) } else { ("breaks off after", reached) };
            let what = format!("leaf {} has a subleaf {lost}, but its list {why} subleaf {last}", leaf.leaf);
            findings.add(Kind::SubleafNotReached, guest, site(lost), what).and(site(other));
        }
        None if !ends => {
            let what = format!("the subleaves of leaf {} end at {last} without a terminator", leaf.leaf);
            findings.add(Kind::NoTerminator, guest, site(reached), what).and(site(last));
        }
        None => {}
    }
}

/// Follows a list to its terminator or to the first missing subleaf.
fn walk(terminator: Terminator, subleaves: &Subleaves) -> (u32, bool) {
    // Subleaves 0 and 1 of SGX's leaf are not sections; KVM reports no section.
    let start = if terminator == Terminator::SectionType { 2 } else { 0 };
    let mut reached = 0;
    for (&index, &registers) in subleaves {
        if index != reached {
            break;
        }
        reached += 1;
        if index >= start && ends_list(terminator, registers) {
            return (reached, true);
        }
    }
    (reached, reached <= start)
}

fn ends_list(terminator: Terminator, registers: Registers) -> bool {
    match terminator {
        Terminator::Counted => false,
        Terminator::CacheType => leaf_4::CACHE_TYPE.read_from(registers) == 0,
        Terminator::LevelType => leaf_1f::DOMAIN_TYPE.read_from(registers) == 0,
        // Bits 3 to 0 of EAX: cpuid.csv describes only the first section.
        Terminator::SectionType => registers.eax & 0xf == 0,
    }
}

/// True where a subleaf carries information. Past the last level, 0xB and 0x1F still report subleaf and x2APIC id.
fn says(terminator: Terminator, registers: Registers) -> bool {
    match terminator {
        Terminator::LevelType => {
            let Registers { eax, ebx, .. } = registers;
            eax | ebx != 0 || !ends_list(terminator, registers)
        }
        _ => registers != Registers::ZERO,
    }
}
