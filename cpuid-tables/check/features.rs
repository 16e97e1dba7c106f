//! Dependencies between features, and features that vCPUs must have in common.
//!
//! The dependencies are Linux's `cpuid_deps[]`, QEMU's `feature_dependencies[]` and this crate's
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

/// Features without the features that they depend on.
pub(super) fn needs(input: &Input<'_>, findings: &mut Findings) {
    // KVM clears the APIC bit, only in 1.EDX, if the guest has turned the APIC off.
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

/// A dependency that only Linux has: processors exist with the feature and without its dependency.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NotNeeded {
    /// The feature.
    pub feature: Feature,
    /// Its dependency in Linux.
    pub needs: Feature,
    /// Why a processor may lack the dependency.
    pub reason: &'static str,
}

const fn row(feature: Feature, needs: Feature, reason: &'static str) -> NotNeeded {
    NotNeeded { feature, needs, reason }
}

/// Dependencies that may be unmet without a finding.
pub const NOT_NEEDED: &[NotNeeded] = &[
    row(feature::CMOV, feature::FXSR, "the Pentium Pro predates FXSAVE"),
    row(feature::MMX, feature::FXSR, "the Pentium MMX predates FXSAVE: FSAVE saves its MMX registers"),
    row(feature::MMXEXT, feature::FXSR, "the Geode LX has AMD's MMX extensions but no FXSAVE"),
    row(
        feature::SPEC_CTRL_SSBD,
        feature::SPEC_CTRL,
        "either of them provides IA32_SPEC_CTRL (Intel SDM 4, 2.1)",
    ),
    row(feature::INVLPGB, feature::PCID, "it works without PCIDs, but Linux then does not use it"),
];

fn not_needed(feature: Feature) -> FeatureSet {
    NOT_NEEDED.iter().filter(|row| row.feature == feature).map(|row| row.needs).collect()
}

/// Features that not all vCPUs have: each is reported once, for the vCPUs that differ from the first.
pub(super) fn differences(input: &Input<'_>, findings: &mut Findings) {
    let Some((first, others)) = input.guests.split_first() else { return };
    let differing = |guest: &Guest<'_>| (guest.features ^ first.features) - PER_VCPU;
    let all = others.iter().fold(FeatureSet::new(), |all, guest| all | differing(guest));
    for feature in all {
        let mut those = others.iter().filter(|guest| differing(guest).contains(feature));
        let Some(guest) = those.next() else { continue };
        let (name, number) = (name_of(feature), first.number);
        let what = if first.has(feature) {
            format!("vCPU {number} has {name}, but some other vCPU lacks it")
        } else {
            format!("vCPU {number} lacks {name}, but some other vCPU has it")
        };
        let other = first.site_of_feature(feature).of_vcpu(number);
        let finding = findings.add(Kind::FeaturesDiffer, guest, guest.site_of_feature(feature), what);
        finding.feature(feature).and(other).vcpus.extend(those.map(|guest| guest.number));
    }
}

/// Names joined by a separator.
pub(super) fn names(features: FeatureSet, between: &str) -> String {
    features.iter().map(name_of).collect::<Vec<_>>().join(between)
}
