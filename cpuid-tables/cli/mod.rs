//! The command line: parses arguments, prints text, and returns an exit code.
//!
//! 0: done, or the answer is yes. 1: the answer is no (`has`, `diff`, `check`, `find`). 2: a source could not be read,
//! the output not written, or the command line was wrong. 3: the source does not state the answer (`has`).

mod advice;
mod answered;
mod args;
mod baseline;
mod check;
mod convert;
mod diff;
mod export;
mod feature;
mod find;
mod fleet;
mod format;
mod guest;
mod guest_of;
mod has;
mod host;
mod manual;
mod models;
mod outcome;
mod output;
mod partial;
mod probe;
mod progress;
mod qemu_release;
mod record;
mod show;
mod source;
mod why;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};

/// Runs the command and turns its result into the exit code.
pub(crate) fn run() -> ExitCode {
    let result = match Args::parse().command {
        Command::Show(args) => show::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Find(args) => find::run(&args),
        Command::Has(args) => has::run(&args),
        Command::Probe(args) => probe::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Manual(args) => manual::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Guest(args) => guest::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Baseline(args) => baseline::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Record(args) => record::run(&args),
    };
    result.unwrap_or_else(|failed| {
        failed.show();
        ExitCode::from(2)
    })
}
