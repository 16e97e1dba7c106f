//! CPUID for people: names and places as they write them, tables decoded and compared, a feature's whole story.
//!
//! Nothing here asks a machine: what a command gathered comes in as parameters.

mod named;
mod place;

pub use named::{NoFeature, feature_named, name_of, names_near};
pub use place::{Place, bit_list};
