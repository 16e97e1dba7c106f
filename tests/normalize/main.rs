//! Tables normalised by steps: the presets against tables recorded from the VMMs' own code, and the general steps
//! against `check`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../qemu/oracle/mod.rs"]
mod oracle;

mod general;
mod offers;
mod presets;
