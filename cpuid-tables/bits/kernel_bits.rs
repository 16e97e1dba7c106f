//! Bits that only Linux numbers: software-defined features, bugs, VMX capabilities, and sets of them.
//!
//! Such a bit is identified by its macro's name; its location differs between releases. It has no CPUID location and
//! is not a [`Feature`](crate::Feature).

use core::fmt;

use super::location::WordBit;
use super::release::LinuxRelease;
use crate::generated::bit_tables::{self, string};

macro_rules! kernel_bit {
    (
        $(#[$about:meta])* $ty:ident, $tables:ident;
        $(#[$set_about:meta])* $set:ident
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $ty(pub(crate) u16);

        impl $ty {
            /// Number of bits.
            const COUNT: usize = bit_tables::$tables.names.len();

            const fn index(self) -> usize {
                self.0 as usize
            }

            /// The constant's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                bit_tables::text(bit_tables::$tables.names[self.index()])
            }

            /// The macro without its prefix: the same in every release.
            #[must_use]
            pub const fn linux_macro(self) -> &'static str {
                bit_tables::text(bit_tables::$tables.macros[self.index()])
            }

            /// Its name in `/proc/cpuinfo`; `None` if the release lacks it or hides it.
            #[must_use]
            pub const fn flag(self, release: LinuxRelease) -> Option<&'static str> {
                string(bit_tables::$tables.flags[release.index()][self.index()])
            }

            /// Its location in the words of its sort, in this release.
            #[must_use]
            pub const fn linux_word(self, release: LinuxRelease) -> Option<WordBit> {
                WordBit::unpack(bit_tables::$tables.places[release.index()][self.index()])
            }

            /// True when the release has it, as a bit of this sort.
            #[must_use]
            pub const fn known_to_linux(self, release: LinuxRelease) -> bool {
                self.linux_word(release).is_some()
            }

            /// Every bit, in the order of names.
            pub fn all() -> impl Iterator<Item = $ty> {
                (0..bit_tables::short($ty::COUNT)).map($ty)
            }
        }

        impl fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        $(#[$set_about])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $set([u32; $ty::COUNT.div_ceil(32)]);

        impl $set {
            /// The empty set.
            #[must_use]
            pub const fn new() -> $set {
                $set([0; $ty::COUNT.div_ceil(32)])
            }

            /// True when it is in the set.
            #[must_use]
            pub const fn contains(&self, bit: $ty) -> bool {
                self.0[bit.index() / 32] >> (bit.0 % 32) & 1 != 0
            }

            /// Adds it; true if it was absent.
            pub const fn insert(&mut self, bit: $ty) -> bool {
                let fresh = !self.contains(bit);
                self.0[bit.index() / 32] |= 1 << (bit.0 % 32);
                fresh
            }

            /// Removes it; true if it was present.
            pub const fn remove(&mut self, bit: $ty) -> bool {
                let there = self.contains(bit);
                self.0[bit.index() / 32] &= !(1 << (bit.0 % 32));
                there
            }

            /// Number of bits in the set.
            #[must_use]
            pub fn len(&self) -> usize {
                self.0.iter().map(|bits| bits.count_ones() as usize).sum()
            }

            /// True if the set is empty.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.iter().all(|&bits| bits == 0)
            }

            /// The bits of the set, in the order of names.
            pub fn iter(&self) -> impl Iterator<Item = $ty> + '_ {
                $ty::all().filter(|&bit| self.contains(bit))
            }
        }

        impl Default for $set {
            fn default() -> $set {
                $set::new()
            }
        }

        impl FromIterator<$ty> for $set {
            fn from_iter<I: IntoIterator<Item = $ty>>(bits: I) -> $set {
                let mut set = $set::new();
                set.extend(bits);
                set
            }
        }

        impl Extend<$ty> for $set {
            fn extend<I: IntoIterator<Item = $ty>>(&mut self, bits: I) {
                bits.into_iter().for_each(|bit| {
                    self.insert(bit);
                });
            }
        }

        impl fmt::Debug for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_set().entries(self.iter()).finish()
            }
        }
    };
}

kernel_bit! {
    /// An `X86_FEATURE_*` that Linux defines in software: no CPUID register has it, and its number means nothing to a
    /// guest.
    ///
    /// A macro that is software-defined in one release may be hardware in another (`LFENCE_RDTSC`); then a
    /// [`Feature`](crate::Feature) exists as well. Constants are in [`software`](crate::software).
    SoftwareFeature, SOFTWARE;
    /// A set of software-defined features.
    SoftwareSet
}

kernel_bit! {
    /// An `X86_BUG_*`. Its words count from the first bug word. Constants are in [`bug`](crate::bug).
    Bug, BUGS;
    /// A set of bugs.
    BugSet
}

kernel_bit! {
    /// A `VMX_FEATURE_*`, as Linux numbers them. Constants are in [`vmx`](crate::vmx).
    VmxFeature, VMX;
    /// A set of VMX flags.
    VmxSet
}
