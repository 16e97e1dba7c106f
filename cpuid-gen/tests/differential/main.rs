//! What gcc, the kernel's own script and an installed QEMU say of each fetched tree is what the facts say.
//!
//! The oracles get the same files, cut up as text where a whole header cannot be compiled, and list the names
//! themselves: what the reader would lose is seen. `CPUID_TABLES_MORE_TREES` names further trees.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and counts what it compared"
)]

#[path = "../common/mod.rs"]
mod common;

mod cpu_models;
mod flags;
mod kvm;
mod linux;
mod linux_numbers;
mod machines;
mod mutants;
mod qemu;
mod qemu_models;
mod recorded;
