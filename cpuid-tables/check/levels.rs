//! Leaves that list the levels of the topology: 0xB, 0x1F and AMD's 0x80000026.
//!
//! Intel SDM volume 2A, "CPUID", leaves 0BH and 1FH, and volume 3A, "Detecting Hardware Multi-threading Support and Topology";
//! AMD APM volume 3, E.4.24. Linux: `arch/x86/kernel/cpu/topology_ext.c`.

use alloc::format;
use alloc::vec::Vec;

use super::finding::counted;
use super::guest::Guest;
use super::{Findings, Input, Kind, Site};
use crate::bits::known_fields::leaf_1f::{DOMAIN_LCPUS_COUNT, DOMAIN_LEVEL, DOMAIN_TYPE, X2APIC_ID_SHIFT};
use crate::bits::location::{Leaf, Register};
use crate::table::{CpuidRead, TopologyDomain, TopologyLevel};

/// The levels of a leaf.
pub(super) fn levels(guest: &Guest<'_>, leaf: Leaf) -> Vec<TopologyLevel> {
    guest.entries.topology_levels(leaf).collect()
}

fn site(guest: &Guest<'_>, level: &TopologyLevel, register: Register, bits: u32) -> Site {
    guest.site(level.leaf, level.subleaf).bits(register, bits)
}

/// A package according to the levels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) leaf: Leaf,
    /// By how much to shift an APIC id to get the core number.
    pub(super) core_shift: u32,
    /// By how much to shift it to get the package number.
    pub(super) shift: u32,
    /// Threads of a core.
    pub(super) threads_per_core: u32,
    /// Processors of a package.
    pub(super) processors: u32,
    first: TopologyLevel,
    last: TopologyLevel,
}

impl Package {
    /// From one leaf; `None` without levels.
    pub(super) fn by(guest: &Guest<'_>, leaf: Leaf) -> Option<Package> {
        let levels = levels(guest, leaf);
        let (&first, &last) = (levels.first()?, levels.last()?);
        let threads = first.domain() == TopologyDomain::Thread || leaf.0 == 0x8000_0026;
        Some(Package {
            leaf,
            core_shift: if threads { first.shift() } else { 0 },
            shift: last.shift(),
            threads_per_core: if threads { first.processors() } else { 1 },
            processors: last.processors(),
            first,
            last,
        })
    }

    /// From the leaf that a guest prefers.
    pub(super) fn from_guest(guest: &Guest<'_>) -> Option<Package> {
        guest.entries.topology_leaf().and_then(|leaf| Package::by(guest, leaf))
    }

    /// The location of the package's shift.
    pub(super) fn shift_site(&self, guest: &Guest<'_>) -> Site {
        site(guest, &self.last, Register::Eax, X2APIC_ID_SHIFT.mask())
    }

    /// The location of the core's shift.
    fn core_shift_site(&self, guest: &Guest<'_>) -> Site {
        site(guest, &self.first, Register::Eax, X2APIC_ID_SHIFT.mask())
    }

    /// The location of the package's processor count.
    pub(super) fn processors_site(&self, guest: &Guest<'_>) -> Site {
        site(guest, &self.last, Register::Ebx, DOMAIN_LCPUS_COUNT.mask())
    }

    /// The location of the core's thread count.
    pub(super) fn threads_site(&self, guest: &Guest<'_>) -> Site {
        site(guest, &self.first, Register::Ebx, DOMAIN_LCPUS_COUNT.mask())
    }
}

/// Order, numbers, shifts and counts within a leaf.
pub(super) fn each_leaf(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        for leaf in TopologyLevel::LEAVES {
            let levels = levels(guest, leaf);
            for (at, level) in levels.iter().enumerate() {
                let below = at.checked_sub(1).and_then(|below| levels.get(below));
                order(guest, level, below, findings);
                numbers(guest, level, below, findings);
            }
        }
    }
}

fn order(guest: &Guest<'_>, level: &TopologyLevel, below: Option<&TopologyLevel>, findings: &mut Findings) {
    let (leaf, subleaf, domain) = (level.leaf, level.subleaf.0, level.domain());
    let kind = DOMAIN_TYPE.read_from(level.registers);
    let at = site(guest, level, Register::Ecx, DOMAIN_TYPE.mask());
    if matches!(domain, TopologyDomain::Unknown(_)) {
        let what =
            format!("level {subleaf} of leaf {leaf} is of type {kind}, which that leaf does not define");
        findings.add(Kind::LevelOrder, guest, at, what);
    } else if let Some(below) = below.filter(|below| DOMAIN_TYPE.read_from(below.registers) >= kind) {
        let what = format!("level {subleaf} of leaf {leaf} is a {domain}, after a {}", below.domain());
        let other = site(guest, below, Register::Ecx, DOMAIN_TYPE.mask());
        findings.add(Kind::LevelOrder, guest, at, what).and(other);
    } else if below.is_none() && kind != 1 {
        let what = format!("leaf {leaf} begins with a {domain}: expected type 1");
        findings.add(Kind::LevelOrder, guest, at, what);
    }
    let number = level.number();
    if number != subleaf {
        let at = site(guest, level, Register::Ecx, DOMAIN_LEVEL.mask());
        let what = format!("level {subleaf} of leaf {leaf} has level number {number}");
        findings.add(Kind::LevelNumber, guest, at, what);
    }
}

fn numbers(guest: &Guest<'_>, level: &TopologyLevel, below: Option<&TopologyLevel>, findings: &mut Findings) {
    let (leaf, subleaf) = (level.leaf, level.subleaf.0);
    let (shift, processors) = (level.shift(), level.processors());
    let at = site(guest, level, Register::Ebx, DOMAIN_LCPUS_COUNT.mask());
    let shift_site = |level: &TopologyLevel| site(guest, level, Register::Eax, X2APIC_ID_SHIFT.mask());
    if let Some(below) = below.filter(|below| below.shift() > shift) {
        let what =
            format!("level {subleaf} of leaf {leaf} has shift {shift}, but the one below {}", below.shift());
        findings.add(Kind::LevelShift, guest, shift_site(level), what).and(shift_site(below));
    }
    if processors == 0 {
        let what = format!("level {subleaf} of leaf {leaf} has no processors");
        findings.add(Kind::LevelCount, guest, at, what);
    } else if u64::from(processors) > 1 << shift {
        let room = 1_u64 << shift;
        let what = format!(
            "level {subleaf} of leaf {leaf} has {}, but its shift {shift} has room for only {room}",
            counted(processors, "processor")
        );
        findings.add(Kind::LevelCount, guest, at, what).and(shift_site(level));
    } else if let Some(below) = below.filter(|below| below.processors() > processors) {
        let what = format!(
            "level {subleaf} of leaf {leaf} has {}, but the one below {}",
            counted(processors, "processor"),
            below.processors()
        );
        let other = site(guest, below, Register::Ebx, DOMAIN_LCPUS_COUNT.mask());
        findings.add(Kind::LevelCount, guest, at, what).and(other);
    }
}

/// Compares thread and package between the leaves.
pub(super) fn between_leaves(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let [basic, others @ ..] = TopologyLevel::LEAVES;
        let Some(basic) = Package::by(guest, basic) else { continue };
        for other in others.into_iter().filter_map(|leaf| Package::by(guest, leaf)) {
            let leaves = (basic.leaf, other.leaf);
            let mut differ = |kind, name, (one, two): (u32, u32), (at, and)| {
                if one != two {
                    let what = format!("{name} {one} in leaf {}, but {two} in leaf {}", leaves.0, leaves.1);
                    findings.add(kind, guest, at, what).and(and);
                }
            };
            let sites = |site: fn(&Package, &Guest<'_>) -> Site| (site(&other, guest), site(&basic, guest));
            let (shifts, cores) = ((basic.shift, other.shift), (basic.core_shift, other.core_shift));
            let threads = (basic.threads_per_core, other.threads_per_core);
            let processors = (basic.processors, other.processors);
            differ(Kind::LevelsDiffer, "the core shift is", cores, sites(Package::core_shift_site));
            differ(Kind::LevelsDiffer, "the package shift is", shifts, sites(Package::shift_site));
            differ(
                Kind::LevelCountsDiffer,
                "the threads per core are",
                threads,
                sites(Package::threads_site),
            );
            differ(
                Kind::LevelCountsDiffer,
                "the processors per package are",
                processors,
                sites(Package::processors_site),
            );
        }
    }
}

/// Shifts must be equal in all vCPUs; processor counts may differ where cores differ.
pub(super) fn between_vcpus(input: &Input<'_>, findings: &mut Findings) {
    let Some((first, others)) = input.guests.split_first() else { return };
    for guest in others {
        for leaf in TopologyLevel::LEAVES {
            let shifts = |guest: &Guest<'_>| -> Vec<(TopologyDomain, u32)> {
                levels(guest, leaf).iter().map(|level| (level.domain(), level.shift())).collect()
            };
            let (own, expected) = (shifts(guest), shifts(first));
            if own != expected {
                let what = format!(
                    "leaf {} of vCPU {} has the levels {}, but of vCPU {} {}",
                    leaf,
                    guest.number,
                    in_words(&own),
                    first.number,
                    in_words(&expected)
                );
                let other = first.site_of_leaf(leaf).of_vcpu(first.number);
                findings.add(Kind::TopologiesDiffer, guest, guest.site_of_leaf(leaf), what).and(other);
            }
        }
    }
}

fn in_words(shifts: &[(TopologyDomain, u32)]) -> alloc::string::String {
    if shifts.is_empty() {
        return "none".into();
    }
    let all: Vec<_> = shifts.iter().map(|(domain, shift)| format!("{domain} {shift}")).collect();
    all.join(", ")
}
