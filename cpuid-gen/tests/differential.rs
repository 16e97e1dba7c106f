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

mod common;

#[path = "differential/cpu_models.rs"]
mod cpu_models;
#[path = "differential/flags.rs"]
mod flags;
#[path = "differential/kvm.rs"]
mod kvm;
#[path = "differential/linux.rs"]
mod linux;
#[path = "differential/linux_numbers.rs"]
mod linux_numbers;
#[path = "differential/mutants.rs"]
mod mutants;
#[path = "differential/qemu.rs"]
mod qemu;
