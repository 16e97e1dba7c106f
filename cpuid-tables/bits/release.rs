//! The releases of the tables, and their maps from locations to names.

use core::fmt;

use super::location::{Bit, Word, WordBit};
use super::lookup::{self, Filter, LookupError, Named, Sorts};
use crate::generated::bit_tables::{self, LINUX, LinuxTables, QEMU, QemuTables, string};

/// A release of Linux in the tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinuxRelease(u8);

/// A release of QEMU in the tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QemuRelease(u8);

/// A QEMU `FeatureWord` of one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QemuWord {
    /// The enumerator, such as `FEAT_7_0_EBX`.
    pub name: &'static str,
    /// Its index in this release.
    pub index: Word,
}

macro_rules! release {
    ($ty:ident, $tables:ident, $row:ident, $project:literal) => {
        impl $ty {
            /// Every release, oldest first.
            pub const ALL: [$ty; $tables.len()] = {
                let mut all = [$ty(0); $tables.len()];
                let mut i = 0;
                while i < all.len() {
                    // More than 255 releases do not fit; `short` and the low byte would not agree.
                    assert!(i < 256);
                    all[i] = $ty(bit_tables::short(i).to_le_bytes()[0]);
                    i += 1;
                }
                all
            };

            /// The newest.
            pub const NEWEST: $ty = $ty::ALL[$ty::ALL.len() - 1];

            /// Its name, from its source tree.
            #[must_use]
            pub const fn name(self) -> &'static str {
                bit_tables::STRINGS[self.tables().name as usize]
            }

            /// The release with this name, else the newest one of the series with this name: `6.12` finds `6.12.117`.
            #[must_use]
            pub fn find(name: &str) -> Option<$ty> {
                let of_series = |release: &$ty| {
                    let rest = release.name().strip_prefix(name);
                    rest.is_some_and(|rest| rest.starts_with('.'))
                };
                let exact = $ty::ALL.into_iter().find(|release| release.name() == name);
                exact.or_else(|| $ty::ALL.into_iter().rev().find(of_series))
            }

            pub(crate) const fn index(self) -> usize {
                self.0 as usize
            }

            pub(crate) const fn tables(self) -> &'static $row {
                &$tables[self.index()]
            }
        }

        impl fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($project, " {}"), self.name())
            }
        }

        impl fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

release!(LinuxRelease, LINUX, LinuxTables, "Linux");
release!(QemuRelease, QEMU, QemuTables, "QEMU");

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

    /// The enumerator of a word: `CPUID_7_0_EBX`, `CPUID_LNX_1`.
    #[must_use]
    pub const fn word_name(self, word: Word) -> Option<&'static str> {
        let names = self.tables().word_names;
        if (word.0 as usize) < names.len() { string(names[word.0 as usize]) } else { None }
    }

    fn shown(self, column: &'static [u16], at: WordBit) -> Option<&'static str> {
        // Several bits at one location have the same macro and therefore the same flag.
        let named = lookup::bits(at.look_up(column)).next()?;
        named.flag(self)
    }
}

impl QemuRelease {
    /// The `FeatureWord` with this index.
    pub(crate) const fn word(self, index: u16) -> Option<QemuWord> {
        let names = self.tables().word_names;
        if index as usize >= names.len() {
            return None;
        }
        match string(names[index as usize]) {
            Some(name) => Some(QemuWord { name, index: Word(index) }),
            None => None,
        }
    }
}
