//! What can be asked for. A command is a variant here, a line in [`run`](super::run), and a file with its `Args` and
//! its `run`.

use clap::{Parser, Subcommand, ValueEnum};

use super::{convert, diff, guest, has, show};

/// Shows, compares and explains the CPUID tables of hosts and guests
#[derive(Parser)]
#[command(name = "kvm-cpuid", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  kvm-cpuid has avx512f --supported       may a guest here have it?

Each command's --help has more. A SOURCE is a file, - for standard input, --host (the CPUID
instruction here) or --supported (what KVM here supports); a file's format is recognised.

Exit codes:
  0  done; has: it has the feature; diff: no difference; check: no error
  1  the answer is no: has, diff, check and find say so
  2  a source could not be read, or the arguments are wrong";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Decode tables, leaf by leaf
    #[command(after_help = show::EXAMPLES)]
    Show(show::Args),
    /// Write tables in another format
    #[command(after_help = convert::EXAMPLES)]
    Convert(convert::Args),
    /// Compare two tables by feature and field; tell whether a guest can move
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::Args),
    /// Tell by the exit code whether a feature is there
    #[command(after_help = has::EXAMPLES)]
    Has(has::Args),
    /// Build a guest's table as QEMU hands it to KVM
    #[command(after_help = guest::EXAMPLES)]
    Guest(guest::Args),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}
