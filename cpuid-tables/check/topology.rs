//! The topology in older leaves: 1.EBX, 0x80000008.ECX and 0x8000001E.
//!
//! Intel SDM volume 3A, "Detecting Hardware Multi-threading Support and Topology"; AMD APM volume 3, E.4.8 and E.4.16.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::apic_ids::apic_id;
use super::finding::counted;
use super::guest::Guest;
use super::levels::Package;
use super::{Findings, Input, Kind, Site};
use crate::bits::known_fields::leaf_1::N_LOGICAL_CPU;
use crate::bits::known_fields::leaf_8000001e::{CORE_ID, CORE_NTHREADS, NODE_ID};
use crate::bits::known_fields::leaf_80000008::{APICID_COREID_LEN, CPU_NTHREADS};
use crate::bits::location::{Register, Registers};
use crate::feature;
use crate::table::{AmdNode, CpuidRead};

/// 1.EBX's logical processor count has 8 bits; larger counts become 255.
const MOST_LOGICAL: u32 = 255;

/// 1.EBX's count against HTT and the levels, and CMP_LEGACY.
pub(super) fn logical_count(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let Some(Registers { ebx, .. }) = guest.registers(1, 0) else { continue };
        let count = N_LOGICAL_CPU.read(ebx);
        let at = guest.site_of(1, 0, Register::Ebx, N_LOGICAL_CPU.mask());
        let htt = guest.site_of_feature(feature::HT);
        if guest.has(feature::HT) {
            // Early Pentium 4s have a count of one.
            if count == 0 {
                let what = format!("ht is set, but 1.EBX counts {}", counted(count, "logical processor"));
                findings.add(Kind::HttAlone, guest, htt, what).feature(feature::HT).and(at);
            } else {
                against_levels(guest, count, findings);
            }
        } else if count > 1 {
            let what = format!("1.EBX counts {count} logical processors, but ht is not set");
            findings.add(Kind::LogicalCountHidden, guest, at, what).feature(feature::HT).and(htt);
        }
        cmp_legacy(guest, findings);
    }
}

fn against_levels(guest: &Guest<'_>, count: u32, findings: &mut Findings) {
    let Some(package) = Package::from_guest(guest) else { return };
    let at = guest.site_of(1, 0, Register::Ebx, N_LOGICAL_CPU.mask());
    let room = 1_u64 << package.shift;
    if count < package.processors.min(MOST_LOGICAL) {
        let what = format!(
            "1.EBX counts {count} logical processors, but leaf {} {}",
            package.leaf, package.processors
        );
        findings.add(Kind::LogicalCountLow, guest, at, what).and(package.processors_site(guest));
    } else if count < MOST_LOGICAL && u64::from(count) > room {
        let what = format!(
            "1.EBX counts {count} logical processors, but a package has room for only {room} according to leaf {}",
            package.leaf
        );
        findings.add(Kind::LogicalCount, guest, at, what).and(package.shift_site(guest));
    }
}

fn cmp_legacy(guest: &Guest<'_>, findings: &mut Findings) {
    if !guest.has(feature::CMP_LEGACY) {
        return;
    }
    let at = guest.site_of_feature(feature::CMP_LEGACY);
    if !guest.is_amd() && guest.vendor.is_some() {
        let what = "cmp_legacy is set, but the vendor is not AMD";
        findings.add(Kind::CmpLegacy, guest, at, what).feature(feature::CMP_LEGACY);
    } else if guest.is_amd() && !guest.has(feature::HT) {
        let what = "cmp_legacy is set, but ht is not";
        let htt = guest.site_of_feature(feature::HT);
        findings.add(Kind::CmpLegacy, guest, at, what).feature(feature::CMP_LEGACY).and(htt);
    }
}

/// 0x80000008.ECX: the threads of a package, and the width of their ids within the APIC id.
struct Threads {
    count: u32,
    /// 0 if the width follows from the count.
    width: u32,
    at: Site,
    width_at: Site,
}

impl Threads {
    /// `None` if the register is zero, which carries no information.
    fn from_guest(guest: &Guest<'_>) -> Option<Threads> {
        let Registers { ecx, .. } = guest.registers(0x8000_0008, 0)?;
        let site = |bits| guest.site_of(0x8000_0008, 0, Register::Ecx, bits);
        (ecx & (CPU_NTHREADS.mask() | APICID_COREID_LEN.mask()) != 0).then_some(Threads {
            count: CPU_NTHREADS.read(ecx) + 1,
            width: APICID_COREID_LEN.read(ecx),
            at: site(CPU_NTHREADS.mask()),
            width_at: site(APICID_COREID_LEN.mask()),
        })
    }
}

/// 0x80000008.ECX by itself, and against the levels or 1.EBX; on other vendors' processors it has no meaning.
pub(super) fn amd_threads(input: &Input<'_>, findings: &mut Findings) {
    for guest in input.guests.iter().filter(|guest| guest.is_amd()) {
        let Some(threads) = Threads::from_guest(guest) else { continue };
        let (count, width) = (counted(threads.count, "thread"), threads.width);
        if width != 0 && threads.count > 1 << width {
            let what =
                format!("leaf 0x80000008 counts {count}, but gives them only {width} bits of the APIC id");
            findings.add(Kind::AmdThreadCount, guest, threads.at, what).and(threads.width_at);
        }
        match Package::from_guest(guest) {
            Some(package) => by_levels(guest, &threads, &package, findings),
            None => by_leaf_1(guest, &threads, findings),
        }
    }
}

fn by_levels(guest: &Guest<'_>, threads: &Threads, package: &Package, findings: &mut Findings) {
    let (leaf, processors) = (package.leaf, package.processors);
    if threads.count < processors.min(CPU_NTHREADS.max() + 1) {
        let what = format!(
            "leaf 0x80000008 counts {}, but leaf {leaf} {processors}",
            counted(threads.count, "thread")
        );
        findings.add(Kind::AmdThreadCountLow, guest, threads.at, what).and(package.processors_site(guest));
    }
    if threads.width != 0 && threads.width != package.shift {
        let (width, shift) = (threads.width, package.shift);
        let what =
            format!("leaf 0x80000008 gives threads {width} bits of the APIC id, but leaf {leaf} {shift}");
        findings.add(Kind::AmdThreadCount, guest, threads.width_at, what).and(package.shift_site(guest));
    }
}

fn by_leaf_1(guest: &Guest<'_>, threads: &Threads, findings: &mut Findings) {
    let Some(Registers { ebx, .. }) = guest.registers(1, 0).filter(|_| guest.has(feature::HT)) else {
        return;
    };
    let count = N_LOGICAL_CPU.read(ebx);
    if count < threads.count.min(MOST_LOGICAL) {
        let what = format!("leaf 0x80000008 counts {}, but 1.EBX {count}", counted(threads.count, "thread"));
        let other = guest.site_of(1, 0, Register::Ebx, N_LOGICAL_CPU.mask());
        findings.add(Kind::AmdThreadCount, guest, threads.at, what).and(other);
    }
}

/// 0x8000001E: a core's threads against the levels.
pub(super) fn amd_core_threads(input: &Input<'_>, findings: &mut Findings) {
    let of_threads = |guest: &&Guest<'_>| {
        guest
            .entries
            .signature()
            .is_none_or(|signature| signature.family() >= AmdNode::FIRST_FAMILY_WITH_THREADS)
    };
    for guest in input.guests.iter().filter(|guest| guest.is_amd()).filter(of_threads) {
        let (Some(node), Some(package)) = (guest.entries.amd_node(), Package::from_guest(guest)) else {
            continue;
        };
        let (threads, expected) = (node.threads_per_core(), package.threads_per_core);
        if threads != expected {
            let leaf = package.leaf;
            let what = format!(
                "a core has {} in leaf 0x8000001E, but {expected} in leaf {leaf}",
                counted(threads, "thread")
            );
            let at = guest.site_of(AmdNode::LEAF.0, 0, Register::Ebx, CORE_NTHREADS.mask());
            findings.add(Kind::AmdCoreThreads, guest, at, what).and(package.threads_site(guest));
        }
    }
}

/// 0x8000001E across vCPUs: a core's threads have the same core id, and a node is in one package.
pub(super) fn amd_cores(input: &Input<'_>, findings: &mut Findings) {
    let amd: Vec<&Guest<'_>> = input.guests.iter().filter(|guest| guest.is_amd()).collect();
    // Another pass reports vCPUs that split ids differently.
    let Some(package) = amd.first().and_then(|guest| Package::from_guest(guest)) else { return };
    // By core of all packages, and by node: the first vCPU with it, and its value.
    let mut cores: BTreeMap<u32, (&Guest<'_>, u32)> = BTreeMap::new();
    let mut nodes: BTreeMap<u32, (&Guest<'_>, u32)> = BTreeMap::new();
    let site = |guest: &Guest<'_>, register, bits| guest.site_of(AmdNode::LEAF.0, 0, register, bits);
    for guest in amd {
        let (Some(node), Some(id)) = (guest.entries.amd_node(), apic_id(guest)) else { continue };
        let (core, socket) = (id >> package.core_shift, id >> package.shift);
        let (first, seen) = *cores.entry(core).or_insert((guest, node.core()));
        if seen != node.core() {
            let (one, two) = (first.number, guest.number);
            let what = format!(
                "vCPUs {one} and {two} are threads of one core by their APIC ids, but have core ids {seen} and {}",
                node.core()
            );
            let (at, other) =
                (site(guest, Register::Ebx, CORE_ID.mask()), site(first, Register::Ebx, CORE_ID.mask()));
            findings.add(Kind::CoreIds, guest, at, what).and(other.of_vcpu(one));
        }
        let (first, seen) = *nodes.entry(node.node()).or_insert((guest, socket));
        // Node ids have 8 bits and wrap after 255.
        if seen != socket && socket.max(seen) <= NODE_ID.max() {
            let (one, two) = (first.number, guest.number);
            let what = format!(
                "vCPUs {one} and {two} both have node id {}, but are in packages {seen} and {socket} by their APIC ids",
                node.node()
            );
            let (at, other) =
                (site(guest, Register::Ecx, NODE_ID.mask()), site(first, Register::Ecx, NODE_ID.mask()));
            findings.add(Kind::NodeIds, guest, at, what).and(other.of_vcpu(one));
        }
    }
}
