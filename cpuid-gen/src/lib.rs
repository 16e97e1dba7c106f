//! Reads Linux's, KVM's and QEMU's CPUID tables from their C sources, checks them against each other and emits Rust.

pub mod c;
pub mod diagnostic;
pub mod diff;
mod emit;
pub mod facts;
mod graph;
mod hash;
pub mod input;
pub mod linux;
pub mod location;
pub mod model;
mod pinned;
pub mod qemu;
pub mod source;
pub mod verify;

pub use emit::{GenerateError, GeneratedFile, generate, generate_standalone};
pub use pinned::{DIFFERENCES, pinned};

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
