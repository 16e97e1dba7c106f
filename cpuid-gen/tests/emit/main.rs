//! The model, and the Rust that is emitted from it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deps;
mod fields;
mod models;
mod published;
mod tables;
