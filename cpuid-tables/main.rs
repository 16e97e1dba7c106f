//! The command `kvm-cpuid`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the command, not the library")]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
