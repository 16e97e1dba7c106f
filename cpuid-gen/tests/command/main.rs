//! The command `cpuid-gen`, and the script that runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

#[path = "../../../tests/common/console.rs"]
mod console;

mod bump;
mod cli;
mod documents;
mod ready_crate;
