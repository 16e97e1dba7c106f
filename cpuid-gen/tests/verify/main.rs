//! The checks of `verify`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and counts what it compared"
)]

#[path = "../common/rng.rs"]
mod rng;

mod golden;
mod history;
mod input;
mod kept;
mod model_deps;
mod mutations;
mod pinned;
mod releases;
mod since;
