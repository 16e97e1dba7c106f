//! Tables decoded, compared and explained.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

#[path = "../qemu/oracle/mod.rs"]
mod oracle;

mod any_table;
mod find;
mod manuals;
mod matrix;
mod migration;
mod source_lines;
mod styled;
mod why;
mod witnesses;
