//! Tables decoded, compared and explained.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod any_table;
mod manuals;
mod styled;
mod why;
