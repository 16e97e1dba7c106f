//! vCPUs counted by core, die and package, as a guest cuts their APIC ids.
//!
//! Intel SDM volume 3A, "Detecting Hardware Multi-threading Support and Topology"; AMD APM volume 3, E.4.8 and E.4.24. A guest
//! sees one core, die or package for each number that remains when an id is shifted right. This pass compares the number of
//! vCPUs in each of them with the number that the leaf states.
//!
//! Fewer vCPUs than a leaf states are not a fault, since others may be plugged in later. vCPUs with the same id are counted
//! once.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::apic_ids::apic_id;
use super::finding::counted;
use super::guest::Guest;
use super::levels::levels;
use super::{Findings, Input, Kind, Site};
use crate::bits::known_fields::leaf_1::N_LOGICAL_CPU;
use crate::bits::known_fields::leaf_1f::{DOMAIN_LCPUS_COUNT, X2APIC_ID_SHIFT};
use crate::bits::known_fields::leaf_4::NUM_THREADS_SHARING;
use crate::bits::known_fields::leaf_80000008::{APICID_COREID_LEN, CPU_NTHREADS};
use crate::bits::location::{Leaf, Register, Registers};
use crate::feature;
use crate::table::{CacheSubleaf, CpuidRead, TopologyLevel};

/// What a leaf states about a unit: its name, the shift that turns an id into its number, its processor count, and their
/// location.
struct Unit {
    name: String,
    by: Leaf,
    shift: u32,
    stated: u32,
    count_at: Site,
    shift_at: Site,
}

/// Units with more vCPUs than the table states.
pub(super) fn units(input: &Input<'_>, findings: &mut Findings) {
    let Some((first, [_, ..])) = input.guests.split_first() else { return };
    let mut seen = BTreeSet::new();
    for unit in units_of(first) {
        if seen.insert(unit.shift) {
            overfull(input, &unit, findings);
        }
    }
}

/// By all leaves of levels, packages first; where there are none, by the older leaves.
fn units_of(guest: &Guest<'_>) -> Vec<Unit> {
    let mut units = Vec::new();
    for leaf in TopologyLevel::LEAVES {
        let levels = levels(guest, leaf);
        // Shifts that contradict each other are a separate finding.
        let fits = |level: &TopologyLevel| u64::from(level.processors()) <= 1 << level.shift();
        let ascend = levels.is_sorted_by_key(TopologyLevel::shift)
            && levels.is_sorted_by_key(TopologyLevel::processors);
        if !ascend || !levels.iter().all(fits) {
            return Vec::new();
        }
        for (at, level) in levels.iter().enumerate().rev() {
            let above = levels.get(at + 1).map(TopologyLevel::domain);
            let name = match above {
                // AMD's levels are named after the unit, Intel's after what it consists of.
                _ if leaf.0 == 0x8000_0026 => level.domain().to_string(),
                Some(domain) => domain.to_string(),
                None => "package".into(),
            };
            let site = |register, bits| guest.site(level.leaf, level.subleaf).bits(register, bits);
            units.push(Unit {
                name,
                by: leaf,
                shift: level.shift(),
                stated: level.processors(),
                count_at: site(Register::Ebx, DOMAIN_LCPUS_COUNT.mask()),
                shift_at: site(Register::Eax, X2APIC_ID_SHIFT.mask()),
            });
        }
    }
    if units.is_empty() { package_of(guest).into_iter().collect() } else { units }
}

/// The package according to 0x80000008 (AMD) or 1.EBX; none if a count fills its field, since it may be cut off.
fn package_of(guest: &Guest<'_>) -> Option<Unit> {
    let shift = |count: u32| count.next_power_of_two().trailing_zeros();
    let amd = guest.registers(0x8000_0008, 0).filter(|_| guest.is_amd()).map(|registers| registers.ecx);
    if let Some(ecx) = amd.filter(|ecx| ecx & (CPU_NTHREADS.mask() | APICID_COREID_LEN.mask()) != 0) {
        let (stated, width) = (CPU_NTHREADS.read(ecx) + 1, APICID_COREID_LEN.read(ecx));
        let site = |bits| guest.site_of(0x8000_0008, 0, Register::Ecx, bits);
        return (stated <= CPU_NTHREADS.max()).then(|| Unit {
            name: "package".into(),
            by: Leaf(0x8000_0008),
            shift: if width == 0 { shift(stated) } else { width },
            stated,
            count_at: site(CPU_NTHREADS.mask()),
            shift_at: site(APICID_COREID_LEN.mask()),
        });
    }
    let Registers { ebx, .. } = guest.registers(1, 0).filter(|_| guest.has(feature::HT))?;
    let stated = N_LOGICAL_CPU.read(ebx);
    let at = guest.site_of(1, 0, Register::Ebx, N_LOGICAL_CPU.mask());
    (stated < N_LOGICAL_CPU.max()).then(|| Unit {
        name: "package".into(),
        by: Leaf(1),
        shift: shift(stated),
        stated,
        count_at: at,
        shift_at: at,
    })
}

fn overfull(input: &Input<'_>, unit: &Unit, findings: &mut Findings) {
    // By number of the unit: the ids in it, and the vCPUs that have them.
    let mut units: BTreeMap<u32, BTreeMap<u32, &Guest<'_>>> = BTreeMap::new();
    for guest in &input.guests {
        if let Some(id) = apic_id(guest) {
            units.entry(id >> unit.shift).or_default().insert(id, guest);
        }
    }
    for (number, ids) in units {
        let (Some(first), Ok(there)) = (ids.values().next(), u32::try_from(ids.len())) else { continue };
        // Levels without processors are a separate finding, and the cores of a hybrid processor may differ.
        let most = ids.values().map(|guest| stated(guest, unit)).max().unwrap_or(0);
        if most == 0 || there <= most {
            continue;
        }
        let (leaf, name, room) = (unit.by, &unit.name, 1_u64 << unit.shift);
        let what = format!(
            "{there} vCPUs have APIC ids of {name} {number}, and a {name} has {} by leaf {leaf}",
            counted(most, "logical processor")
        );
        // QEMU 7.2 counts a die's processors in all leaves but 0x1F, and cuts ids of several dies as it should.
        if unit.by.0 != 0x1f && name == "package" && u64::from(most) * 2 <= room {
            let at = unit.count_at;
            let finding = findings.add(Kind::UnitCountLow, first, at, what).and(unit.shift_at);
            finding.vcpus = numbers_of(&ids);
            continue;
        }
        let advice = format!(
            "let the ids of {name} n begin with n times {room}: {} stay in {name} {number}, the next {name} begins with id {}",
            counted(most, "vCPU"),
            (u64::from(number) + 1) * room
        );
        let finding = findings.add(Kind::UnitOverfull, first, unit.count_at, what).help_by(advice);
        if unit.shift_at != unit.count_at {
            finding.and(unit.shift_at);
        }
        finding.vcpus = numbers_of(&ids);
    }
}

fn numbers_of(ids: &BTreeMap<u32, &Guest<'_>>) -> Vec<u32> {
    let numbers: BTreeSet<u32> = ids.values().map(|guest| guest.number).collect();
    numbers.into_iter().collect()
}

/// How many processors one vCPU's table states for a unit: the largest count of any leaf, since leaves that differ are a
/// separate finding.
fn stated(guest: &Guest<'_>, unit: &Unit) -> u32 {
    let by = TopologyLevel::LEAVES.into_iter().flat_map(|leaf| levels(guest, leaf));
    let same = by.filter(|level| level.shift() == unit.shift);
    same.map(|level| level.processors()).max().unwrap_or(unit.stated)
}

/// AMD's caches whose number of sharing ids is not a power of two: Linux groups the vCPUs by division, and other guests by
/// shifting.
pub(super) fn uneven_caches(input: &Input<'_>, findings: &mut Findings) {
    let ids: Vec<u32> = input.guests.iter().filter_map(apic_id).collect();
    for guest in input.guests.iter().filter(|guest| guest.is_amd()) {
        for cache in guest.entries.caches(CacheSubleaf::AMD) {
            let shared = cache.threads_sharing();
            let Some(rounded) = shared.checked_next_power_of_two().filter(|&rounded| rounded != shared)
            else {
                continue;
            };
            // The same groups either way are as good as a power of two.
            let group = |id: u32| (id / shared, id / rounded);
            let by_both: BTreeSet<(u32, u32)> = ids.iter().map(|&id| group(id)).collect();
            let by_one: BTreeSet<u32> = by_both.iter().map(|both| both.0).collect();
            let by_other: BTreeSet<u32> = by_both.iter().map(|both| both.1).collect();
            if by_both.len() == by_one.len() && by_both.len() == by_other.len() {
                continue;
            }
            let (subleaf, level) = (cache.subleaf.0, cache.level());
            let what = format!(
                "cache {subleaf} of leaf 0x8000001D (level {level}) is shared by {shared} APIC ids, which is not a power of two"
            );
            let at = guest.site(cache.leaf, cache.subleaf).bits(Register::Eax, NUM_THREADS_SHARING.mask());
            let advice = format!("set bits 25 to 14 of the cache's EAX to {}", rounded - 1);
            findings.add(Kind::CacheSharingUneven, guest, at, what).help_by(advice);
        }
    }
}
