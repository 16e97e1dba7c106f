//! Parsing and printing of names and locations.

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

/// True when the tables are those of the pinned releases, whose names tests know by heart.
#[cfg(test)]
pub(crate) fn pinned() -> bool {
    use crate::bits::release::{LinuxRelease, QemuRelease};
    LinuxRelease::find("7.3").is_some() && QemuRelease::find("10.2").is_some()
}
