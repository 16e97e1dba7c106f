//! The constants that `cpuid-tables` has published, as listed in `upstream/constants.tsv`.
//!
//! A published name keeps its bit in every later build, regardless of the releases that the build uses. Upstream
//! renames and removes names; users' code must still compile:
//!
//! - A constant is never removed and never changes its bit. It remains even if no release has the bit.
//! - When upstream renames a bit, the new name becomes its constant, and the old one stays, deprecated.
//! - If a second bit has the same name, its location is appended; the first bit keeps the name.
//! - A newer cpuid.csv can correct a field's place: the name stays and follows the correction.
//!
//! Invariants of the list: a name is unique within its module; a successor is a name of the same module that has no
//! successor. Of the constants of one bit of a CPUID register or an MSR, exactly one has no successor, and it
//! succeeds the others.

mod list;
mod read;
#[cfg(feature = "cli")]
mod write;

pub use list::{Published, PublishedBit, PublishedConstant};
#[cfg(feature = "cli")]
pub use write::write;
