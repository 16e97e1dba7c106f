//! Look-ups that return one type of bit: by a name, or by a place in a release's words.
//!
//! The types themselves do not know the table of names; [`lookup`](super::lookup) knows all of them.

use super::feature::Feature;
use super::kernel_bits::{Bug, SoftwareFeature, VmxFeature};
use super::location::{Bit, Word, WordBit};
use super::lookup::{self, Filter, LookupError, Named, Sorts};
use super::msr_feature::MsrFeature;
use super::release::LinuxRelease;

impl LinuxRelease {
    /// The name of a bit of `x86_capability[]` in `/proc/cpuinfo`; `None` if it is hidden or undefined.
    #[must_use]
    pub fn flag_at(self, word: Word, bit: Bit) -> Option<&'static str> {
        self.shown(self.tables().places, WordBit { word, bit })
    }

    /// The name of a bit on the line `bugs`; words count from the first bug word.
    #[must_use]
    pub fn bug_flag_at(self, word: Word, bit: Bit) -> Option<&'static str> {
        self.shown(self.tables().bugs, WordBit { word, bit })
    }

    /// The name of a bit on the line `vmx flags`.
    #[must_use]
    pub fn vmx_flag_at(self, word: Word, bit: Bit) -> Option<&'static str> {
        self.shown(self.tables().vmx, WordBit { word, bit })
    }

    /// The bit at a location in the kernel's words or, above them, KVM's.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: unknown, or a location of several bits (Linux's MBA, in two registers).
    pub fn feature_at(self, word: Word, bit: Bit) -> Result<Named, LookupError> {
        let bits = WordBit { word, bit }.look_up(self.tables().places);
        lookup::resolve(lookup::bits(bits), "", Filter::Any)
    }

    /// The bit of a name on the line `flags`; the match is exact.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: not a flag of this release, or a flag of several bits.
    pub fn flag(self, flag: &str) -> Result<Named, LookupError> {
        lookup::by_name(flag, Filter::Flag(self, Sorts::FEATURES))
    }

    /// The bit of a name on the line `bugs`; the match is exact.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: not a bug of this release.
    pub fn bug_flag(self, flag: &str) -> Result<Named, LookupError> {
        lookup::by_name(flag, Filter::Flag(self, Sorts::BUGS))
    }

    /// The bit of a name on the line `vmx flags`; the match is exact.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: not a VMX flag of this release.
    pub fn vmx_flag(self, flag: &str) -> Result<Named, LookupError> {
        lookup::by_name(flag, Filter::Flag(self, Sorts::VMX))
    }

    fn shown(self, column: &'static [u16], at: WordBit) -> Option<&'static str> {
        // Several bits at one location have the same macro and therefore the same flag.
        let named = lookup::bits(at.look_up(column)).next()?;
        named.flag(self)
    }
}

impl Feature {
    /// The feature at a bit of the kernel's words.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: no feature there, or one macro for bits of several registers.
    pub fn at_linux_word(release: LinuxRelease, word: Word, bit: Bit) -> Result<Feature, LookupError> {
        let at = WordBit { word, bit };
        let bits = lookup::bits(at.look_up(release.tables().places));
        hardware(lookup::resolve(bits, "", Filter::Kernel(release, at)))
    }

    /// The feature at a bit of KVM's words, which include the kernel's hardware words.
    ///
    /// # Errors
    ///
    /// [`LookupError::Unknown`]: no feature there.
    pub fn at_kvm_word(release: LinuxRelease, word: Word, bit: Bit) -> Result<Feature, LookupError> {
        let at = WordBit { word, bit };
        let bits = lookup::bits(at.look_up(release.tables().places));
        hardware(lookup::resolve(bits, "", Filter::Kvm(release, at)))
    }

    /// The feature with this macro in any release of Linux, with or without `X86_FEATURE_`; ignores case and `-_.`.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: unknown macro, or several bits.
    pub fn from_linux_macro(name: &str) -> Result<Feature, LookupError> {
        let name = lookup::without_prefix(name, "x86_feature_").unwrap_or(name);
        hardware(lookup::by_name(name, Filter::Macro(Sorts::HARDWARE)))
    }

    /// The feature that this release shows as `flag` in `/proc/cpuinfo`; the match is exact.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: not a flag of a hardware feature, or several bits.
    pub fn from_flag(release: LinuxRelease, flag: &str) -> Result<Feature, LookupError> {
        hardware(lookup::by_name(flag, Filter::Flag(release, Sorts::HARDWARE)))
    }

    /// The feature with this name in any release of QEMU; ignores case and `-_.`.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: unknown name, or several bits (`kvmclock`).
    pub fn from_qemu_name(name: &str) -> Result<Feature, LookupError> {
        hardware(lookup::by_name(name, Filter::Qemu(Sorts::HARDWARE)))
    }
}

/// The filters above accept only features.
fn hardware(found: Result<Named, LookupError>) -> Result<Feature, LookupError> {
    match found? {
        Named::Feature(feature) => Ok(feature),
        _ => Err(LookupError::Unknown),
    }
}

impl MsrFeature {
    /// The feature with this name in any release of QEMU; ignores case and `-_.`.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: unknown name, or several bits.
    pub fn from_qemu_name(name: &str) -> Result<MsrFeature, LookupError> {
        match lookup::by_name(name, Filter::Qemu(Sorts::MSR))? {
            Named::Msr(feature) => Ok(feature),
            _ => Err(LookupError::Unknown),
        }
    }
}

macro_rules! kernel_bit {
    ($ty:ident, $named:ident, $sorts:ident, $column:ident, $prefix:literal) => {
        impl $ty {
            /// The bit at a location in the words of its sort.
            ///
            /// # Errors
            ///
            /// [`LookupError::Unknown`]: no bit there.
            pub fn at_linux_word(release: LinuxRelease, word: Word, bit: Bit) -> Result<$ty, LookupError> {
                let bits = WordBit { word, bit }.look_up(release.tables().$column);
                $ty::only(lookup::resolve(lookup::bits(bits), "", Filter::Any))
            }

            /// The bit with this macro, with or without its prefix; ignores case and `-_.`.
            ///
            /// # Errors
            ///
            /// [`LookupError::Unknown`]: unknown macro.
            pub fn from_linux_macro(name: &str) -> Result<$ty, LookupError> {
                let name = lookup::without_prefix(name, $prefix).unwrap_or(name);
                $ty::only(lookup::by_name(name, Filter::Macro(Sorts::$sorts)))
            }

            /// The bit that this release shows as `flag` in `/proc/cpuinfo`; the match is exact.
            ///
            /// # Errors
            ///
            /// [`LookupError::Unknown`]: unknown flag.
            pub fn from_flag(release: LinuxRelease, flag: &str) -> Result<$ty, LookupError> {
                $ty::only(lookup::by_name(flag, Filter::Flag(release, Sorts::$sorts)))
            }

            fn only(found: Result<Named, LookupError>) -> Result<$ty, LookupError> {
                match found? {
                    Named::$named(bit) => Ok(bit),
                    _ => Err(LookupError::Unknown),
                }
            }
        }
    };
}

kernel_bit!(SoftwareFeature, Software, SOFTWARE, places, "x86_feature_");
kernel_bit!(Bug, Bug, BUGS, bugs, "x86_bug_");
kernel_bit!(VmxFeature, Vmx, VMX, vmx, "vmx_feature_");
