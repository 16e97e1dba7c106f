//! Human-readable output: names and locations, decoded and compared tables, and explanations of missing features.
//!
//! This module queries no machine: callers pass in the gathered data.

mod about;
mod compare;
mod decode;
mod facts;
mod find;
mod hypervisor;
#[cfg(feature = "json")]
mod json;
mod leaves;
mod migration;
mod msrs;
mod number;
mod styled;
mod summary;
mod text;
mod why;

pub use crate::naming::{NoFeature, Place, bit_list, feature_named, name_of, named, names_near};
pub use about::{About, InLinux, InQemu, Span};
pub use compare::{Difference, EntryDifferences, Side, compare};
pub use decode::{DecodedEntry, DecodedRegister, decode, decode_register};
pub use find::{Found, find};
pub use migration::{BitsObstacle, Migration, MigrationSide, MsrObstacle, Obstacle, obstacles};
pub use msrs::{MsrDifference, compare_msrs};
pub use styled::{Style, Styled};
pub use summary::Summary;
pub use why::{
    ConfigOption, Machine, Nearest, RunningKvm, RunningLinux, Says, Step, Story, Who, config_options,
    kernel_parameters, why,
};
