//! The command line: parses arguments, prints text, and returns an exit code.
//!
//! 0: done, or the answer is yes. 1: the answer is no. 2: a source could not be read, the output not written, or the command
//! line was wrong. 3: the source does not state the answer (`has`, `why`, `diff --migrate`). Each command's help says what its answer is.

mod advice;
mod answered;
mod args;
mod baseline;
mod baseline_output;
mod check;
mod convert;
mod diff;
mod dumped;
mod export;
mod feature;
mod find;
mod fleet;
mod format;
mod guest;
mod guest_of;
mod has;
mod help;
mod hint;
mod host;
mod input;
mod machine;
mod manual;
mod models;
mod named_model;
mod outcome;
mod output;
mod partial;
mod probe;
mod program;
mod progress;
mod qemu_release;
mod reading;
mod record;
mod refusal;
mod show;
mod source;
mod spelling;
mod stated;
mod stated_fleet;
mod why;
mod why_cpu;
mod why_guest;
mod wrap;
mod written_cpu;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use args::{Args, Command};

/// Runs the command and turns its result into the exit code.
pub(crate) fn run() -> ExitCode {
    let Parsed { args, notes, in_json } = parse();
    args.color.apply();
    if args.verbose {
        output::set_verbose();
    }
    let result = match args.command {
        Command::Show(args) => show::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Find(args) => find::run(&args),
        Command::Has(args) => has::run(&args),
        Command::Probe(args) => probe::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Manual(args) => manual::run(&args, &help::prepared(Args::command())),
        Command::Check(args) => check::run(&args),
        Command::Guest(args) => guest::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Baseline(args) => baseline::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Record(args) => record::run(&args),
    };
    let code = result.unwrap_or_else(|failed| {
        failed.show();
        if in_json {
            output::print_failed(&failed.to_json());
        }
        ExitCode::from(2)
    });
    notes.into_iter().for_each(output::note);
    code
}

/// A command line.
struct Parsed {
    args: Args,
    /// Notes about its spelling.
    notes: Vec<&'static str>,
    /// Whether the answer is a JSON document of ours: `--format json`.
    in_json: bool,
}

/// The arguments. Like clap, exits after printing help and on a usage error, which shows the usage of the subcommand.
fn parse() -> Parsed {
    let mut command = help::prepared(Args::command());
    let matches =
        command.try_get_matches_from_mut(spelling::arguments()).unwrap_or_else(|error| error.exit());
    let notes = matches.subcommand().map(|(_, matches)| spelling::notes(matches)).unwrap_or_default();
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| {
        let name = matches.subcommand_name().unwrap_or_default();
        match command.find_subcommand_mut(name) {
            Some(subcommand) => error.format(subcommand).exit(),
            None => error.format(&mut command).exit(),
        }
    });
    let in_json = matches.subcommand().is_some_and(|(_, matches)| {
        ["format", "to"].into_iter().any(|option| {
            let given = matches.try_get_raw(option).ok().flatten();
            given.is_some_and(|mut values| values.any(|value| value == "json"))
        })
    });
    Parsed { args, notes, in_json }
}
