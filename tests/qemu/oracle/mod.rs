//! A real QEMU beside this library: cases, what QEMU was recorded to do with each, and what the library does.
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
pub mod ours;
pub mod random;
pub mod recording;

/// What may go wrong around the comparing itself.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// A result of what goes on around it.
pub type Outcome<T> = Result<T, Failure>;
