//! A guest's table as QEMU builds it, without a KVM.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../qemu/oracle/mod.rs"]
mod oracle;
#[path = "../../cpuid-gen/tests/common/rng.rs"]
mod rng;

mod building;
mod capture;
mod live;
mod msrs;
mod options;
#[cfg(feature = "program")]
mod program;
mod recorded;
