//! APIC ids: every leaf of a vCPU gives the same id, and no two vCPUs share one.
//!
//! Intel SDM volume 3A, "Advanced Programmable Interrupt Controller"; AMD APM volume 2, chapter 16. A vCPU's APIC id
//! is the id with which KVM created it.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::guest::Guest;
use super::{Findings, Input, Kind, Site};
use crate::bits::known_fields::leaf_1::LOCAL_APIC_ID;
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::table::{AmdNode, CpuidRead, TopologyLevel};

/// `KVM_CAP_MAX_VCPU_ID`.
const MAX_VCPU_ID: u32 = 128;

/// In xAPIC mode this id addresses all processors.
const BROADCAST: u32 = 0xff;

/// An APIC id and its location.
struct LocatedId {
    id: u32,
    at: Site,
    /// Which bits of the id the location holds.
    mask: u32,
}

/// Every location that holds the vCPU's APIC id, the most complete first.
fn located_ids(guest: &Guest<'_>) -> Vec<LocatedId> {
    let mut all = Vec::new();
    for leaf in TopologyLevel::LEAVES {
        for level in guest.entries.topology_levels(leaf) {
            let at = guest.site(level.leaf, level.subleaf).bits(Register::Edx, 0);
            all.push(LocatedId { id: level.x2apic_id(), at, mask: u32::MAX });
        }
    }
    // KVM reports the leaf with zeros, and QEMU has zeros where a core id takes more than 8 bits.
    if let Some(node) = guest.entries.amd_node().filter(|node| guest.is_amd() && node.0 != Registers::ZERO) {
        let at = guest.site(AmdNode::LEAF, Subleaf(0)).bits(Register::Eax, 0);
        all.push(LocatedId { id: node.apic_id(), at, mask: u32::MAX });
    }
    // Before family 17h, 1.EBX keeps the reset value when firmware assigns another id, which 0x8000001E then has (BKDG of family
    // 15h, CPUID Fn0000_0001_EBX and Fn8000_001E_EAX).
    let family = guest.entries.signature().map(|signature| signature.family());
    let keeps_first = !all.is_empty()
        && guest.is_amd()
        && family.is_some_and(|family| family < AmdNode::FIRST_FAMILY_WITH_THREADS);
    if let Some(Registers { ebx, .. }) = guest.registers(1, 0).filter(|_| !keeps_first) {
        let at = guest.site(Leaf(1), Subleaf(0)).bits(Register::Ebx, LOCAL_APIC_ID.mask());
        all.push(LocatedId { id: LOCAL_APIC_ID.read(ebx), at, mask: LOCAL_APIC_ID.max() });
    }
    all
}

/// A vCPU's APIC id, from the most complete leaf.
pub(super) fn apic_id(guest: &Guest<'_>) -> Option<u32> {
    located_ids(guest).first().map(|found| found.id)
}

/// Ids of one table that differ, and ids that the guest cannot use.
pub(super) fn of_one_vcpu(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let found = located_ids(guest);
        let Some((first, others)) = found.split_first() else { continue };
        for other in others.iter().filter(|other| other.id != first.id & other.mask) {
            let what = format!("the APIC id is {} here but {} there", other.id, first.id);
            findings.add(Kind::ApicIdsDiffer, guest, other.at, what).and(first.at);
        }
        if first.id >= BROADCAST && !guest.has(feature::X2APIC) {
            let what = format!("the APIC id is {}, but x2apic is not set", first.id);
            let other = guest.site_of_feature(feature::X2APIC);
            findings.add(Kind::ApicIdTooWide, guest, first.at, what).feature(feature::X2APIC).and(other);
        }
        let limit = input.host.and_then(|host| host.capabilities.get(&MAX_VCPU_ID));
        if let Some(&limit) = limit.filter(|&&limit| limit > 0 && i64::from(first.id) >= limit) {
            let what =
                format!("the APIC id is {}, but this host's KVM accepts only ids below {limit}", first.id);
            findings.add(Kind::ApicIdLimit, guest, first.at, what);
        }
    }
}

/// Two vCPUs with the same id.
pub(super) fn of_all_vcpus(input: &Input<'_>, findings: &mut Findings) {
    let mut used: BTreeMap<u32, (&Guest<'_>, Site)> = BTreeMap::new();
    for guest in &input.guests {
        let Some(found) = located_ids(guest).into_iter().next() else { continue };
        match used.get(&found.id) {
            Some(&(first, site)) => {
                let what =
                    format!("vCPUs {} and {} both have APIC id {}", first.number, guest.number, found.id);
                findings.add(Kind::ApicIdUsedTwice, guest, found.at, what).and(site.of_vcpu(first.number));
            }
            None => drop(used.insert(found.id, (guest, found.at))),
        }
    }
}
