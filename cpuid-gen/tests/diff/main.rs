//! What changed between two releases.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod bumps;
mod cases;
mod changes;
mod trees;
