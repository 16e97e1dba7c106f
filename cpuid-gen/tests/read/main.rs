//! The readers of C, source trees and facts files, and their diagnostics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and counts what it compared"
)]

#[path = "../common/mod.rs"]
mod common;

mod c;
mod diagnostics;
mod facts;
#[cfg(unix)]
mod faults;
mod fuzz_replay;
mod leaf_words;
mod matrix;
mod old_kernels;
mod qemu_layouts;
mod witness;
mod workflow;

// The replay of `fuzz/` expects them here.
use common::rng::{Rng, cases};
