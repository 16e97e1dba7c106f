//! CPUID for people: names and places as they write them, tables decoded and compared, a feature's whole story.
//!
//! Nothing here asks a machine: what a command gathered comes in as parameters.

mod about;
mod compare;
mod decode;
mod descriptors;
mod facts;
mod find;
mod hypervisor;
#[cfg(feature = "json")]
mod json;
mod leaves;
mod migrate;
mod number;
mod processors;
mod styled;
mod summary;
mod text;
mod why;

pub use crate::naming::{NoFeature, Place, bit_list, feature_named, name_of, named, names_near};
pub use about::{About, InLinux, InQemu, Span};
pub use compare::{Difference, EntryDifferences, Side, compare};
pub use decode::{DecodedEntry, DecodedRegister, decode, decode_register};
pub use find::{Found, find};
pub use migrate::{BitsObstacle, Obstacle, obstacles};
pub use styled::{Style, Styled};
pub use summary::Summary;
pub use why::{
    ConfigOption, Machine, Nearest, RunningKvm, RunningLinux, Says, Step, Story, Who, config_options,
    kernel_parameters, why,
};
