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
//!
//! ```
//! use cpuid_gen::{diagnostic::Diagnostics, input, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let published = input::published(&mut sources, &mut diagnostics);
//! let avx2 = published.constants.iter().find(|constant| constant.name == "AVX2").expect("a published constant");
//! assert_eq!(avx2.bit.to_string(), "CPUID.(EAX=7,ECX=0):EBX[5]");
//! ```

mod list;
mod read;
#[cfg(feature = "cli")]
mod write;

pub use list::{Published, PublishedBit, PublishedConstant};
#[cfg(feature = "cli")]
pub use write::write;
