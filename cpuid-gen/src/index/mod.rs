//! The facts of one release, indexed once: its rows by name, number and place, for the model, `verify` and `diff`.
//!
//! Invariants: look-ups never fail on inconsistent facts, which those three report. Of two rows with one key, the last is
//! found by name and number, the first by register.

#[cfg(any(feature = "merge", feature = "verify"))]
mod linux;
mod properties;
mod qemu;

#[cfg(any(feature = "merge", feature = "verify"))]
pub(crate) use linux::LinuxRows;
pub use properties::{Properties, Property};
pub(crate) use qemu::QemuRows;
