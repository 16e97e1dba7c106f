//! Compares this library with a real QEMU: cases, QEMU's recorded results, and the library's results.
//!
//! ```text
//! cases --capture--> recordings (live, or of the corpus)
//!   |                     |
//!   +-----ours--> built --compare--> verdict
//! ```

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(unused_imports, reason = "the same")]
#![allow(unreachable_pub, reason = "a module of tests")]

pub mod capture;
pub mod case;
pub mod cases;
pub mod compare;
pub mod corpus;
pub mod definitions;
pub mod differences;
pub mod hosts;
pub mod msrs;
pub mod ours;
pub mod random;
pub mod recording;

/// An error outside the comparison itself.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// A result of a step outside the comparison.
pub type Outcome<T> = Result<T, Failure>;
