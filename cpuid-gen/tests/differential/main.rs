//! For each fetched tree, the facts agree with gcc, the kernel's own script and an installed QEMU.
//!
//! The oracles get the same files, split as text where a whole header does not compile, and collect names
//! independently, so that names lost by the reader are noticed. `CPUID_TABLES_MORE_TREES` adds further trees.
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
mod kvm_modules;
mod linux;
mod linux_numbers;
mod machines;
mod mutants;
mod qemu;
mod qemu_models;
mod recorded;
