//! What a complete list of Linux's flags states besides its words.
//!
//! A flag that every release of the tables lists is missing where the CPU does not have it, or where Linux does not use it; KVM then
//! does not offer it either, unless it emulates it. Of a bit without a flag of its own nothing is known, except where a flag of
//! Linux's own stands for it (`init_speculation_control` of arch/x86/kernel/cpu/common.c).

use super::names::Names;
use crate::bits::feature::Feature;
use crate::bits::kernel_bits::SoftwareFeature;
use crate::bits::lookup::Named;
use crate::bits::release::LinuxRelease;
use crate::table::Vendor;
use crate::{feature, software};

/// A list with fewer flags is an excerpt: every 64-bit processor has more.
const FEWEST: usize = 40;

/// Flags that Linux leaves out although the CPU has the bit, or that it sets by itself, with the reason.
static LEFT_OUT: [(Feature, &str); 3] = [
    (feature::LA57, "Linux lists it only while it uses five levels, and KVM offers it all the same"),
    (feature::HT, "Linux clears it where a package has one thread"),
    (feature::CMP_LEGACY, "Linux clears it where a package has one core"),
];

/// A flag of Linux's own that stands for a bit.
struct Standing {
    flag: SoftwareFeature,
    vendors: &'static [Vendor],
    /// From this family on: an older one has the flag without the bit.
    family: u32,
    bit: Feature,
}

const AMD: &[Vendor] = &[Vendor::AMD, Vendor::HYGON];
const INTEL: &[Vendor] = &[Vendor::INTEL];

const fn standing(flag: SoftwareFeature, vendors: &'static [Vendor], family: u32, bit: Feature) -> Standing {
    Standing { flag, vendors, family, bit }
}

/// Linux sets the flag where either vendor's bit is set; a processor has only the bits of its own vendor. Of AMD's `ssbd` the
/// families before 0x19 can have another way.
static STANDING: [Standing; 8] = [
    standing(software::IBRS, INTEL, 0, feature::SPEC_CTRL),
    standing(software::IBPB, INTEL, 0, feature::SPEC_CTRL),
    standing(software::STIBP, INTEL, 0, feature::INTEL_STIBP),
    standing(software::SSBD, INTEL, 0, feature::SPEC_CTRL_SSBD),
    standing(software::IBRS, AMD, 0, feature::AMD_IBRS),
    standing(software::IBPB, AMD, 0, feature::AMD_IBPB),
    standing(software::STIBP, AMD, 0, feature::AMD_STIBP),
    standing(software::SSBD, AMD, 0x19, feature::AMD_SSBD),
];

/// A list of flags as it is read.
#[derive(Default)]
pub(super) struct LinuxFlags {
    count: usize,
    /// Something comes after it, so that its end was not lost.
    is_whole: bool,
    /// It was wrapped, which can cut a flag in two.
    is_wrapped: bool,
}

impl LinuxFlags {
    /// The list.
    pub(super) fn list(&mut self, value: &[u8]) {
        self.count = value.split(u8::is_ascii_whitespace).filter(|flag| !flag.is_empty()).count();
    }

    /// A line that goes on with the list.
    pub(super) fn wrap(&mut self) {
        self.is_wrapped = true;
    }

    /// A line after the list.
    pub(super) fn next_line(&mut self) {
        self.is_whole |= self.count > 0;
    }

    /// Adds what the list states besides, if it is complete.
    pub(super) fn finish(&self, names: &mut Names, family: Option<u32>) {
        if !self.is_whole || self.is_wrapped || self.count < FEWEST {
            return;
        }
        for feature in Feature::all().filter(|feature| is_always_listed(*feature)) {
            if names.stated(Named::Feature(feature)).is_none() {
                names.bit(Named::Feature(feature), false);
            }
        }
        // What a hypervisor gives its guest can be another vendor's.
        if names.stated(Named::Feature(feature::HYPERVISOR)) == Some(true) {
            return;
        }
        let Some(vendor) = names.stated_vendor() else { return };
        for row in STANDING.iter().filter(|row| row.vendors.contains(&vendor)) {
            let is_listed = names.stated(Named::Software(row.flag)) == Some(true);
            if !is_listed || family.is_some_and(|family| family >= row.family) {
                names.bit(Named::Feature(row.bit), is_listed);
            }
        }
    }
}

/// True for a feature that has one flag of its own in every release.
fn is_always_listed(feature: Feature) -> bool {
    let by_its_flag = |release: LinuxRelease| {
        feature.flag(release).is_some_and(|flag| release.flag(flag) == Ok(Named::Feature(feature)))
    };
    LinuxRelease::ALL.into_iter().all(by_its_flag)
        && !LEFT_OUT.iter().any(|(left_out, _)| *left_out == feature)
}
