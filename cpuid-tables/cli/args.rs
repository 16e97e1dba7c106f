//! The commands. Each is a variant here, a line in [`run`](super::run), a name in a group of [`help`](super::help), and a
//! file with its `Args` and its `run`.

use clap::{Parser, Subcommand};

use super::output::Color;

/// Shows, compares and explains the CPUID tables of hosts and guests
#[derive(Parser)]
#[command(name = "kvm-cpuid", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Colours: auto, always or never; auto is on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Common options")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub(crate) color: Color,
    /// Print every warning, not only the first few and a count
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  kvm-cpuid show                          this machine's CPUID, decoded
  kvm-cpuid has avx512f --supported       can a guest on this machine have it?
  kvm-cpuid why vmx                       which layer withholds it from this machine's guests?
  kvm-cpuid find '7.0.ebx[5]'             which feature is there?
  kvm-cpuid diff guest.txt --supported --migrate
                                          can a guest with that table migrate to this machine?
  kvm-cpuid check guest.txt               are there errors in this table?

A SOURCE is a file, - for standard input, --instruction (the CPUID instruction), --supported (what KVM supports) or \
--guest-of PID; file formats are detected. --host HOST makes a command use another machine than this one: a file or \
DIR/NAME that `kvm-cpuid record` wrote there, or a dump of what its KVM supports.

Exit codes, of which each command's --help has the details:
  0  done, or the answer is yes
  1  the answer is no
  2  a source could not be read, or the arguments are wrong
  3  the source does not state the answer (has, why, baseline, diff --migrate)

With --format json, an error (2) is an object on standard output, too: `error`, with `message` and `help`.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Decode tables, leaf by leaf
    #[command(after_help = super::show::EXAMPLES)]
    Show(super::show::Args),
    /// Write tables in another format
    #[command(after_help = super::convert::EXAMPLES)]
    Convert(super::convert::Args),
    /// Compare two tables by feature and field, or check whether a guest can migrate
    #[command(after_help = super::diff::EXAMPLES)]
    Diff(super::diff::Args),
    /// Explain a feature name, CPUID location or register value
    #[command(after_help = super::find::EXAMPLES)]
    Find(super::find::Args),
    /// Test whether a feature is present, by the exit code
    #[command(after_help = super::has::EXAMPLES)]
    Has(super::has::Args),
    /// Run a small guest with a table and show the CPUID values that it reads
    #[command(after_help = super::probe::EXAMPLES)]
    Probe(super::probe::Args),
    /// Show which layer (CPU, kernel, KVM, QEMU) withholds a feature
    #[command(after_help = super::why::EXAMPLES)]
    Why(super::why::Args),
    /// Write man pages and completions for bash, zsh and fish
    #[command(after_help = super::manual::EXAMPLES)]
    Manual(super::manual::Args),
    /// Check a guest's table before it is passed to KVM
    #[command(after_help = super::check::EXAMPLES)]
    Check(super::check::Args),
    /// Build the table that QEMU passes to KVM for a guest
    #[command(after_help = super::guest::EXAMPLES)]
    Guest(super::guest::Args),
    /// List QEMU's CPU models, whether they run on a host, and which features they lack
    #[command(after_help = super::models::EXAMPLES)]
    Models(super::models::Args),
    /// Compute what hosts have in common, the best model, and what each host costs the fleet
    #[command(after_help = super::baseline::EXAMPLES)]
    Baseline(super::baseline::Args),
    /// Write features as a Firecracker template or a Cloud Hypervisor profile
    #[command(after_help = super::export::EXAMPLES)]
    Export(super::export::Args),
    /// Record this machine as a host, for --host on any machine
    #[command(after_help = super::record::EXAMPLES)]
    Record(super::record::Args),
}
