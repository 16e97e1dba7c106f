//! Puts the generated tables into `OUT_DIR`, for the runtime crate to include: made anew with the feature `generate`, else
//! the ones of the pinned releases, which are kept in `cpuid-tables/generated/pinned/`.

#[cfg(feature = "generate")]
#[path = "made_anew.rs"]
mod tables;
#[cfg(not(feature = "generate"))]
#[path = "ready_made.rs"]
mod tables;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

/// A Linux tree or facts file, in place of the pinned ones.
const LINUX: &str = "CPUID_TABLES_LINUX";
/// A QEMU tree or facts file, in place of the pinned ones.
const QEMU: &str = "CPUID_TABLES_QEMU";

fn main() -> ExitCode {
    say("rerun-if-changed", "build");
    for variable in [LINUX, QEMU] {
        say("rerun-if-env-changed", variable);
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    if tables::write_tables(&out) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A line for cargo, which reads them from the standard output.
fn say(key: &str, value: &str) {
    println!("cargo::{key}={value}");
}
