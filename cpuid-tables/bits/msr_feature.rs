//! Feature bits of model-specific registers; QEMU names them, and Linux's tables do not number them.

use core::fmt;

use super::location::{Bit, Msr, MsrBit};
use super::release::{QemuRelease, QemuWord};
use crate::generated::bit_tables::{self, MSR_BITS, string};

/// A feature bit of an MSR.
///
/// Ordered by MSR and bit; constants are in [`msr`](crate::msr).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsrFeature(pub(crate) u16);

/// An MSR and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MsrValue {
    /// The MSR.
    pub msr: Msr,
    /// Its value.
    pub value: u64,
}

impl MsrFeature {
    const fn index(self) -> usize {
        self.0 as usize
    }

    /// The constant's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        bit_tables::text(bit_tables::MSR_NAMES[self.index()])
    }

    /// The MSR.
    #[must_use]
    pub const fn msr(self) -> Msr {
        MSR_BITS[self.index()].0
    }

    /// Its bit in the MSR, 0 to 63.
    #[must_use]
    pub const fn bit(self) -> Bit {
        MSR_BITS[self.index()].1
    }

    /// Its bit in the MSR, as a mask.
    #[must_use]
    pub const fn mask(self) -> u64 {
        1 << self.bit().0
    }

    /// QEMU's feature word; `None` if the release has no name for the bit.
    #[must_use]
    pub const fn qemu_word(self, release: QemuRelease) -> Option<QemuWord> {
        release.word(release.tables().msr_words[self.index()])
    }

    /// QEMU's name as in its source.
    #[must_use]
    pub const fn qemu_name(self, release: QemuRelease) -> Option<&'static str> {
        string(release.tables().msr_names[self.index()])
    }

    /// QEMU's names one by one.
    pub fn qemu_names(self, release: QemuRelease) -> impl Iterator<Item = &'static str> {
        self.qemu_name(release).into_iter().flat_map(|names| names.split('|'))
    }

    /// True when QEMU has a name for it.
    #[must_use]
    pub const fn known_to_qemu(self, release: QemuRelease) -> bool {
        self.qemu_name(release).is_some()
    }

    /// The releases of QEMU that have a name for it, oldest first.
    pub fn qemu_releases(self) -> impl DoubleEndedIterator<Item = QemuRelease> {
        QemuRelease::ALL.into_iter().filter(move |&release| self.known_to_qemu(release))
    }

    /// Every MSR feature, by MSR and bit.
    pub fn all() -> impl Iterator<Item = MsrFeature> {
        (0..bit_tables::short(MSR_BITS.len())).map(MsrFeature)
    }

    /// Its MSR and bit.
    #[must_use]
    pub const fn location(self) -> MsrBit {
        self.msr().bit(self.bit())
    }

    /// The feature at a bit of an MSR.
    #[must_use]
    pub fn at(location: MsrBit) -> Option<MsrFeature> {
        MsrFeature::all().find(|feature| feature.location() == location)
    }
}

impl fmt::Debug for MsrFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for MsrFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
