//! Features among each other: what one needs, and what vCPUs must have in common.
//!
//! What needs what is Linux's `cpuid_deps[]`, QEMU's `feature_dependencies[]` and this crate's
//! [`OWN_NEEDS`](super::OWN_NEEDS).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::guest::{Guest, PER_VCPU};
use super::own_needs::own_needs;
use super::{Findings, Input, Kind};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::feature;
use crate::naming::name_of;

/// Features without what they need.
pub(super) fn needs(input: &Input<'_>, findings: &mut Findings) {
    // KVM clears APIC's bit where a guest has turned the APIC off, in 1.EDX alone.
    let of_one = input.guests.iter().any(|guest| guest.has(feature::APIC));
    for guest in &input.guests {
        let alias = guest.registers(0x8000_0001, 0).is_some_and(|all| all.edx & feature::APIC.mask() != 0);
        let shown = if of_one || alias { guest.features.with(feature::APIC) } else { guest.features };
        for feature in guest.features {
            let [own, expected] = own_needs(feature);
            let needs = (feature.needs() - not_needed(feature)) | own;
            let kinds = [(Kind::FeatureNeeds, needs), (Kind::FeatureExpects, expected - needs)];
            for (kind, missing) in kinds.map(|(kind, needs)| (kind, needs - shown)) {
                if !missing.is_empty() {
                    let what = format!("{} is set without {}", name_of(feature), names(missing, ", "));
                    needed(kind, guest, feature, missing, (what, " and "), findings);
                }
            }
            for choice in feature.needs_one_of().filter(|choice| choice.is_disjoint(&guest.features)) {
                let what = format!("{} is set without any of {}", name_of(feature), names(choice, ", "));
                needed(Kind::FeatureNeedsOneOf, guest, feature, choice, (what, " or "), findings);
            }
        }
    }
}

fn needed(
    kind: Kind,
    guest: &Guest<'_>,
    feature: Feature,
    missing: FeatureSet,
    (what, between): (String, &str),
    findings: &mut Findings,
) {
    let advice = format!("set {}, or clear {}", names(missing, between), name_of(feature));
    let finding = findings.add(kind, guest, guest.site_of_feature(feature), what);
    finding
        .feature(feature)
        .help_by(advice)
        .others
        .extend(missing.iter().map(|one| guest.site_of_feature(one)));
}

/// A need that is Linux's own: there are processors with the one and without the other.
#[derive(Clone, Copy, Debug)]
pub struct NotNeeded {
    /// The feature.
    pub feature: Feature,
    /// What Linux lets it need.
    pub needs: Feature,
    /// Why it does not.
    pub reason: &'static str,
}

const fn row(feature: Feature, needs: Feature, reason: &'static str) -> NotNeeded {
    NotNeeded { feature, needs, reason }
}

/// Needs that are no fault when they are not met.
pub const NOT_NEEDED: &[NotNeeded] = &[
    row(feature::CMOV, feature::FXSR, "the Pentium Pro is older than FXSAVE"),
    row(feature::MMX, feature::FXSR, "the Pentium MMX is older than FXSAVE: its MMX registers are FSAVE's"),
    row(feature::MMXEXT, feature::FXSR, "the Geode LX has AMD's additions to MMX, and no FXSAVE"),
    row(
        feature::SPEC_CTRL_SSBD,
        feature::SPEC_CTRL,
        "either of them brings IA32_SPEC_CTRL (Intel SDM 4, 2.1)",
    ),
    row(feature::INVLPGB, feature::PCID, "it works without PCIDs; Linux has no use for it then"),
];

fn not_needed(feature: Feature) -> FeatureSet {
    NOT_NEEDED.iter().filter(|row| row.feature == feature).map(|row| row.needs).collect()
}

/// Features that not all vCPUs have: each told once, of those that differ from the first vCPU in it.
pub(super) fn differences(input: &Input<'_>, findings: &mut Findings) {
    let Some((first, others)) = input.guests.split_first() else { return };
    let differing = |guest: &Guest<'_>| (guest.features ^ first.features) - PER_VCPU;
    let all = others.iter().fold(FeatureSet::new(), |all, guest| all | differing(guest));
    for feature in all {
        let mut those = others.iter().filter(|guest| differing(guest).contains(feature));
        let Some(guest) = those.next() else { continue };
        let (name, number) = (name_of(feature), first.number);
        let what = if first.has(feature) {
            format!("vCPU {number} has {name}, and not all others have it")
        } else {
            format!("vCPU {number} lacks {name}, and not all others lack it")
        };
        let other = first.site_of_feature(feature).of_vcpu(number);
        let finding = findings.add(Kind::FeaturesDiffer, guest, guest.site_of_feature(feature), what);
        finding.feature(feature).and(other).vcpus.extend(those.map(|guest| guest.number));
    }
}

/// Names with something between them.
pub(super) fn names(features: FeatureSet, between: &str) -> String {
    features.iter().map(name_of).collect::<Vec<_>>().join(between)
}
