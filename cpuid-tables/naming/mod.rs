//! Parsing and printing of names and locations.
//!
//! ```
//! use cpuid_tables::naming::{Place, feature_named, name_of, names_near};
//! use cpuid_tables::{Leaf, feature};
//!
//! // One bit by an Intel manual's notation, by KVM's macro and by QEMU's name.
//! for text in ["CPUID.(EAX=7,ECX=0):EBX[5]", "X86_FEATURE_AVX2", "avx2"] {
//!     assert_eq!(feature_named(text), Ok(feature::AVX2));
//! }
//! assert_eq!(name_of(feature::XMM3), "pni");
//! assert!(names_near("avx3").contains(&"avx2"));
//! assert_eq!("Fn8000_0008".parse(), Ok(Place::Leaf(Leaf(0x8000_0008), None)));
//! ```

mod alias_rows;
mod aliases;
mod bare_name;
mod bit_list;
#[cfg_attr(not(feature = "show"), allow(dead_code, reason = "`show` reads lines"))]
mod cut_off;
mod named;
mod pasted;
mod prefixed;
mod psabi_level;

pub use crate::bits::location::{NotAPlace, Place};
#[cfg(feature = "show")]
pub(crate) use aliases::alias_place;
pub use bit_list::bit_list;
#[cfg(feature = "show")]
pub(crate) use cut_off::cut_off;
pub use named::{NoFeature, bits_outside, feature_named, name_of, named, names_near, near, usual_name};
#[cfg(feature = "show")]
pub(crate) use pasted::{bits_in, lists_in};
pub use psabi_level::PsabiLevel;

/// True if the tables are those of the pinned releases, whose names some tests expect.
#[cfg(test)]
pub(crate) fn pinned() -> bool {
    use crate::bits::release::{LinuxRelease, QemuRelease};
    LinuxRelease::find("7.3").is_some() && QemuRelease::find("10.2").is_some()
}
