//! XSAVE state components, as QEMU lists them (`x86_ext_save_areas[]` of target/i386/cpu.c).
//!
//! The processor defines their sizes, which are the same in every release; the generator checks this.

use super::feature::Feature;

include!(concat!(env!("OUT_DIR"), "/xsave.rs"));

/// A state component of XSAVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct XsaveComponent {
    /// Its bit in XCR0, or in `IA32_XSS` for a supervisor component.
    pub number: u8,
    /// The feature that enables it; of several, the first in QEMU's list.
    pub feature: Feature,
    /// Further features, each of which also enables it: CET's components have two.
    pub others: &'static [Feature],
    /// Size in bytes. Components 0 and 1 both have the size of the legacy region with the header, which they share.
    pub size: u32,
    /// Offset in bytes from the area's start in the standard format, if a release of QEMU defines it; otherwise the
    /// processor defines it in leaf 0xD.
    pub offset: Option<u32>,
}

impl XsaveComponent {
    /// Every known component, by number.
    ///
    /// ```
    /// use cpuid_tables::{XsaveComponent, feature};
    ///
    /// let opmask = XsaveComponent::all().find(|component| component.number == 5);
    /// assert_eq!(opmask.map(|component| (component.feature, component.size)), Some((feature::AVX512F, 64)));
    /// ```
    pub fn all() -> impl Iterator<Item = XsaveComponent> {
        COMPONENTS.iter().copied()
    }

    /// The component with this number.
    #[must_use]
    pub fn numbered(number: u8) -> Option<XsaveComponent> {
        XsaveComponent::all().find(|component| component.number == number)
    }

    /// The components that a feature enables.
    ///
    /// ```
    /// use cpuid_tables::{XsaveComponent, feature};
    ///
    /// // Shadow stacks and indirect branch tracking have their state in the same components.
    /// let of = |feature| XsaveComponent::enabled_by(feature).map(|component| component.number).collect::<Vec<u8>>();
    /// assert_eq!(of(feature::SHSTK), of(feature::IBT));
    /// ```
    pub fn enabled_by(feature: Feature) -> impl Iterator<Item = XsaveComponent> {
        XsaveComponent::all().filter(move |component| component.features().any(|known| known == feature))
    }

    /// The features that enable it; one is enough.
    pub fn features(&self) -> impl Iterator<Item = Feature> + use<> {
        core::iter::once(self.feature).chain(self.others.iter().copied())
    }
}
