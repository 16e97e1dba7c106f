//! Checks of tables.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod above;
mod cases;
mod confidential;
mod counting;
mod cpus;
mod entries;
mod faults;
mod features;
mod promises;
mod vendor;
mod xsave;
