//! What can be asked for. A command is a variant here, a line in [`run`](super::run), and a file with its `Args` and
//! its `run`.

use clap::{Parser, Subcommand};

/// Shows, compares and explains the CPUID tables of hosts and guests
#[derive(Parser)]
#[command(name = "kvm-cpuid", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  kvm-cpuid show                          this machine's CPUID, decoded
  kvm-cpuid has avx512f --supported       may a guest here have it?
  kvm-cpuid why vmx                       who keeps it from this machine, or its guests?
  kvm-cpuid find '7.0.ebx[5]'             what stands there?
  kvm-cpuid diff guest.txt --supported --migrate
                                          can a guest with that table go on here?
  kvm-cpuid check guest.txt               is anything wrong with this table?

Each command's --help has more. A SOURCE is a file, - for standard input, --host (the CPUID
instruction here) or --supported (what KVM here supports); a file's format is recognised.

Exit codes:
  0  done; has: it has the feature; diff: no difference; check: no error
  1  the answer is no: has, diff, check, find, models, baseline and export say so
  2  a source could not be read, or the arguments are wrong";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Decode tables, leaf by leaf
    #[command(after_help = super::show::EXAMPLES)]
    Show(super::show::Args),
    /// Write tables in another format
    #[command(after_help = super::convert::EXAMPLES)]
    Convert(super::convert::Args),
    /// Compare two tables by feature and field; tell whether a guest can move
    #[command(after_help = super::diff::EXAMPLES)]
    Diff(super::diff::Args),
    /// Tell what a name, a place or a register's value is
    #[command(after_help = super::find::EXAMPLES)]
    Find(super::find::Args),
    /// Tell by the exit code whether a feature is there
    #[command(after_help = super::has::EXAMPLES)]
    Has(super::has::Args),
    /// Run a guest with a table, and tell what it really sees
    #[command(after_help = super::probe::EXAMPLES)]
    Probe(super::probe::Args),
    /// Tell the whole story of a feature on this machine: who says no
    #[command(after_help = super::why::EXAMPLES)]
    Why(super::why::Args),
    /// Tell what is wrong with a guest's table, before KVM is given it
    #[command(after_help = super::check::EXAMPLES)]
    Check(super::check::Args),
    /// Build a guest's table as QEMU hands it to KVM
    #[command(after_help = super::guest::EXAMPLES)]
    Guest(super::guest::Args),
    /// List which of QEMU's CPUs run on a host, and what stands in the way of the others
    #[command(after_help = super::models::EXAMPLES)]
    Models(super::models::Args),
    /// Tell what many hosts have in common, which model fits, and what each host costs the others
    #[command(after_help = super::baseline::EXAMPLES)]
    Baseline(super::baseline::Args),
    /// Write features as a template of Firecracker or a profile of Cloud Hypervisor
    #[command(after_help = super::export::EXAMPLES)]
    Export(super::export::Args),
}
