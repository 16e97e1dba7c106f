//! Dumps of CPUID in every format.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod again;
mod documents;
mod formats;
mod forms;
mod macos;
mod other_inputs;
mod pieces;
mod programs;
mod programs_of_systems;
mod serialized;
mod settings;
