//! Parsing and printing of names and locations.

mod bit_list;
mod named;

pub use crate::bits::location::{NotAPlace, Place};
pub use bit_list::bit_list;
pub use named::{NoFeature, feature_named, name_of, named, names_near};
