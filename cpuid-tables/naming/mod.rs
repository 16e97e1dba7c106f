//! Names and places as people write them, both ways.

mod named;
mod place;

pub use named::{NoFeature, feature_named, name_of, named, names_near};
pub use place::{Place, bit_list};
