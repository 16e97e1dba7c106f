//! Features that announce a leaf which the table lacks.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

use alloc::format;

use super::apic_ids::apic_id;
use super::guest::Guest;
use super::{Findings, Input, Kind};
use crate::bits::feature::Feature;
use crate::bits::location::{Leaf, Place, Registers, Subleaf};
use crate::feature::*;
use crate::naming::name_of;

/// The vendors to which a row applies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Amd,
    Intel,
}

/// A feature, the leaf and subleaf that describe it, and what they hold. By leaf.
static LEAVES: &[(Of, Feature, u32, u32, &str)] = &[
    (Of::All, MWAIT, 0x5, 0, "the sizes of monitored lines"),
    (Of::Intel, PDCM, 0xa, 0, "performance monitoring"),
    (Of::All, X2APIC, 0xb, 0, "the x2APIC id"),
    (Of::All, CQM, 0xf, 0, "what can be monitored"),
    (Of::Intel, RDT_A, 0x10, 0, "what can be allocated"),
    (Of::All, SGX, 0x12, 0, "the versions of SGX"),
    (Of::All, SGX, 0x12, 1, "the attributes of enclaves"),
    (Of::All, INTEL_PT, 0x14, 0, "what can be traced"),
    (Of::Intel, HYBRID_CPU, 0x1a, 0, "the kind of core"),
    (Of::All, PCONFIG, 0x1b, 0, "the targets of PCONFIG"),
    (Of::All, ARCH_LBR, 0x1c, 0, "the depths of the stack"),
    (Of::All, AMX_TILE, 0x1d, 0, "the number of palettes"),
    (Of::All, AMX_TILE, 0x1d, 1, "the size of tiles"),
    (Of::All, AMX_TILE, 0x1e, 0, "the size of products"),
    (Of::All, ARCH_PERFMON_EXT, 0x23, 0, "performance monitoring"),
    (Of::All, AVX10, 0x24, 0, "AVX10's version"),
    (Of::All, LM, 0x8000_0008, 0, "the widths of addresses"),
    (Of::Amd, SVM, 0x8000_000a, 0, "SVM's revision and ASIDs"),
    (Of::Amd, IBS, 0x8000_001b, 0, "what can be sampled"),
    (Of::Amd, LWP, 0x8000_001c, 0, "what can be profiled"),
    (Of::Amd, TOPOEXT, 0x8000_001d, 0, "caches"),
    (Of::Amd, TOPOEXT, 0x8000_001e, 0, "APIC id, core and node"),
];

/// Leaves that are missing or all zero although a feature that they describe is set.
pub(super) fn leaves(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        for &(of, feature, leaf, subleaf, holds) in LEAVES {
            if guest.has(feature) && holds_for(of, guest) && !is_meant(guest, leaf) {
                leaf_of(guest, feature, (leaf, subleaf, holds), findings);
            }
        }
    }
}

fn holds_for(of: Of, guest: &Guest<'_>) -> bool {
    match of {
        Of::All => true,
        Of::Amd => guest.is_amd(),
        Of::Intel => !guest.is_amd(),
    }
}

/// True if zeros are a valid value, or if the table's processor is older than the leaf.
fn is_meant(guest: &Guest<'_>, leaf: u32) -> bool {
    let reaches = |base: u32| guest.registers(base, 0).is_some_and(|Registers { eax, .. }| eax >= leaf);
    match leaf {
        // The highest leaf of QEMU's older models is lower, and their guests read the id in leaf 1.
        0xb => !reaches(0),
        // The first thread of the first core, in a core of one thread.
        0x8000_001e => reaches(0x8000_0000) && apic_id(guest) == Some(0),
        _ => false,
    }
}

fn leaf_of(
    guest: &Guest<'_>,
    feature: Feature,
    (leaf, subleaf, holds): (u32, u32, &str),
    findings: &mut Findings,
) {
    let registers = guest.registers(leaf, subleaf);
    if registers.is_some_and(|registers| registers != Registers::ZERO) {
        return;
    }
    let state = if registers.is_some() { "is all zero" } else { "is missing" };
    let at = guest.site(Leaf(leaf), Subleaf(subleaf));
    let place = Place::Leaf(at.leaf, at.subleaf);
    let name = name_of(feature);
    let what = format!("{name} is set, and {place} ({holds}) {state}");
    let finding = findings.add(Kind::LeafMissing, guest, at, what);
    finding.feature(feature).and(guest.site_of_feature(feature));
}
