//! Names and places as people write them, both ways.

mod aliases;
mod bit_list;
mod named;
mod pasted;
mod prefixed;

pub use crate::bits::location::{NotAPlace, Place};
#[cfg(feature = "show")]
pub(crate) use aliases::alias_place;
pub use bit_list::bit_list;
pub use named::{NoFeature, feature_named, name_of, named, names_near};
#[cfg(feature = "show")]
pub(crate) use pasted::bits_in;
