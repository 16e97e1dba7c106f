//! The command `kvm-cpuid`, and other tests that need every feature.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/console.rs"]
mod console;
#[path = "../qemu/oracle/mod.rs"]
mod oracle;
#[path = "../../cpuid-gen/tests/common/rng.rs"]
mod rng;

mod architecture;
mod asked;
mod check;
mod commands;
mod convert;
mod export;
mod fleet;
mod forms;
mod fuzz_replay;
mod golden;
mod guest;
mod guest_of;
mod instrument;
mod json_errors;
mod manual;
mod messages;
mod migrate;
mod operator;
mod operator_files;
mod readme;
mod record;
mod why_cpu;

// The replay of `fuzz/` expects them here.
use rng::{Rng, cases};
