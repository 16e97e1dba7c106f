//! Features that all hosts may have, and that a model is not given for a fleet unless somebody asks for them.

use super::baseline::Baseline;
use crate::bits::feature_set::FeatureSet;
use crate::feature;
use crate::table::Vendor;

/// Common features that are not added to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The features.
    pub features: FeatureSet,
    /// Why.
    pub reason: &'static str,
}

/// Nested virtualization.
pub(super) const NESTED: FeatureSet = FeatureSet::new().with(feature::VMX).with(feature::SVM);

/// Features, the vendor of the hosts on which they are left out if not on all, and the reason.
static ROWS: [(FeatureSet, Option<Vendor>, &str); 5] = [
    (
        NESTED,
        None,
        "nested virtualization: it has dozens of further bits, for which each model has its own values",
    ),
    (FeatureSet::new().with(feature::PDCM), None, "QEMU drops it without pmu=on"),
    (
        FeatureSet::new().with(feature::DTES64).with(feature::DS).with(feature::INTEL_PT),
        None,
        "they need the host's own performance monitoring, which ties the guest to it",
    ),
    (
        FeatureSet::new().with(feature::SGX).with(feature::SGX_LC).with(feature::SGX1).with(feature::SGX2),
        None,
        "a guest needs enclave memory for it, with which libvirt does not migrate the guest",
    ),
    (
        // QEMU commit d3a24134e3 hides it from `host`, too.
        FeatureSet::new().with(feature::ARCH_CAPABILITIES),
        Some(Vendor::AMD),
        "KVM emulates it on AMD, whose processors do not have it, and Windows can crash with it",
    ),
];

/// The features that are left out on hosts of a vendor.
pub(super) fn of_vendor(vendor: Option<&str>) -> impl Iterator<Item = LeftOut> + use<'_> {
    let applies = move |of: &Option<Vendor>| of.is_none_or(|of| vendor.map(str::as_bytes) == Some(&of.0));
    let here = ROWS.iter().filter(move |(_, of, _)| applies(of));
    here.map(|&(features, _, reason)| LeftOut { features, reason })
}

impl Baseline {
    /// The features that all hosts have and that are not added to a model, each group with its reason.
    pub fn left_out(&self) -> impl Iterator<Item = LeftOut> + '_ {
        let common = self.features();
        of_vendor(self.vendor())
            .map(move |row| LeftOut { features: row.features & common, ..row })
            .filter(|row| !row.features.is_empty())
    }
}
