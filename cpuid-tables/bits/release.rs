//! The releases of the tables, and their maps from locations to names.

use core::fmt;

use super::kvm_module::KvmParameter;
use super::location::Word;
use crate::generated::bit_tables::{self, LINUX, LinuxTables, QEMU, QemuTables, string, text};

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
                bit_tables::text(self.tables().name)
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
    /// The enumerator of a word: `CPUID_7_0_EBX`, `CPUID_LNX_1`.
    #[must_use]
    pub const fn word_name(self, word: Word) -> Option<&'static str> {
        let names = self.tables().word_names;
        if (word.0 as usize) < names.len() { string(names[word.0 as usize]) } else { None }
    }

    /// The module parameters on which features depend.
    pub fn kvm_parameters(self) -> impl Iterator<Item = KvmParameter> {
        self.tables().parameters.iter().map(|(module, name, default)| KvmParameter {
            module: *module,
            name: text(*name),
            default: text(*default),
        })
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
