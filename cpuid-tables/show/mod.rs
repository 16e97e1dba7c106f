//! Human-readable output: names and locations, decoded and compared tables, and explanations of missing features.
//!
//! This module queries no machine: callers pass in the gathered data.
//!
//! ```
//! use cpuid_tables::show::{decode, find};
//! use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf};
//!
//! let entry = CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0));
//! assert!(decode(&[entry])[0].to_string().contains("avx2"));
//! assert!(find("7.0.ebx[5]")[0].to_string().contains("X86_FEATURE_AVX2"));
//! ```

mod about;
mod asked;
mod compare;
mod decode;
mod descriptors;
mod enlightenment;
mod facts;
mod find;
mod hypervisor;
#[cfg(feature = "json")]
mod json;
mod leaves;
mod listed;
mod message;
mod migration;
mod msr;
mod msr_difference;
mod number;
mod package;
mod processors;
mod property;
mod size;
mod styled;
mod summary;
mod text;
mod tlbs;
mod vmx_bits;
mod why;

pub use crate::naming::{NoFeature, Place, bit_list, feature_named, name_of, named, names_near};
pub use about::{About, InLinux, InQemu, Span};
pub use asked::{Asked, asked};
pub use compare::{Difference, EntryDifferences, Side, compare};
pub use decode::{DecodedEntry, DecodedRegister, decode, decode_register};
pub use enlightenment::Enlightenment;
pub use find::{Found, Meanings, SourceLine, find, meanings};
pub use message::Message;
pub use migration::{
    BitsObstacle, Blocker, Blocking, Migration, MigrationSide, MsrObstacle, Obstacle, obstacles,
};
pub use msr::{AboutMsr, Control, MsrBits, unknown_msr_in};
pub use msr_difference::{MsrDifference, compare_msrs};
pub use package::Package;
pub use property::{Property, PropertyType};
pub use styled::{Style, Styled};
pub use summary::Summary;
pub use vmx_bits::{MsrAnswer, msr_answer};
pub use why::{
    ConfigOption, Machine, Nearest, RunningKvm, RunningLinux, Says, Step, Story, Who, config_options,
    kernel_parameters, why,
};
