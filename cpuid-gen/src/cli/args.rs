//! What can be asked for.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Reads Linux's, KVM's and QEMU's CPUID tables from their C sources, checks them against each other and emits Rust
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  cpuid-gen verify                                 do the pinned releases of Linux and QEMU agree?
  cpuid-gen verify --linux ~/linux --qemu ~/qemu   do these two trees?
  cpuid-gen facts --linux ~/linux                  what a tree says, as tab-separated rows
  cpuid-gen capflags --linux ~/linux               what its mkcapflags.sh would write
  cpuid-gen models EPYC-Milan-v2                   what a CPU model of QEMU says, all its versions' properties applied
  cpuid-gen generate --standalone -o src           src/cpuid.rs: Rust constants, for a crate of your own

A tree is the top of a checkout; a file is what `cpuid-gen import` wrote. Without either,
the facts of the pinned releases are used, which the program carries with it.

Exit codes:
  0  done; with verify: everything is explained
  1  verify found what nothing explains, or what was read makes no sense
  2  the input could not be read, the output not written, or the arguments are wrong";

const MODELS: &str = "\
Examples:
  cpuid-gen models                                    every version, with its alias and note
  cpuid-gen models EPYC-Milan-v2                      one version: leaves, signature, feature words, caches
  cpuid-gen models --qemu ~/qemu Haswell-noTSX        by alias, of a tree of your own
  cpuid-gen models --format json Skylake-Server-v4    for programs";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print what a tree or a facts file says, as tab-separated rows
    Facts {
        #[command(flatten)]
        input: Input,
        /// Also tell, on standard error, what `#if` and its like left out of the files that were read
        #[arg(long)]
        left_out: bool,
    },
    /// Save the same
    Import {
        #[command(flatten)]
        input: Input,
        /// The facts file to write
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Print Linux's name map as its mkcapflags.sh writes it (default: the newest pinned release's)
    Capflags {
        /// A Linux tree or its facts
        #[arg(long, value_name = "DIR|FILE")]
        linux: Option<PathBuf>,
    },
    /// List QEMU's CPU models, or show a version of one, resolved (default: the newest pinned release's)
    #[command(after_help = MODELS)]
    Models {
        /// A QEMU tree or its facts
        #[arg(long, value_name = "DIR|FILE")]
        qemu: Option<PathBuf>,
        /// A version, an alias, or a model, which stands for its version 1 as it does with QEMU's machine types
        name: Option<String>,
        /// For people or for programs
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Check that Linux, KVM and QEMU agree about which bit is which
    Verify {
        #[command(flatten)]
        inputs: Inputs,
        /// Judged differences, instead of those the program carries with it
        #[arg(long, value_name = "FILE")]
        differences: Option<PathBuf>,
        /// For people or for programs
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Write the Rust tables that cpuid-tables includes, or one file that needs nothing else
    Generate {
        #[command(flatten)]
        inputs: Inputs,
        /// One file, cpuid.rs: every hardware bit as a constant, for a crate of your own
        #[arg(long)]
        standalone: bool,
        /// The folder to write them to
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
}

/// Exactly one project.
#[derive(ClapArgs)]
#[group(required = true, multiple = false)]
pub(crate) struct Input {
    /// A Linux tree or its facts
    #[arg(long, value_name = "DIR|FILE")]
    linux: Option<PathBuf>,
    /// A QEMU tree or its facts
    #[arg(long, value_name = "DIR|FILE")]
    qemu: Option<PathBuf>,
}

/// Which project, and where.
pub(crate) enum Project<'a> {
    Linux(&'a Path),
    Qemu(&'a Path),
}

impl Input {
    pub(crate) fn project(&self) -> Project<'_> {
        match (&self.linux, &self.qemu) {
            (Some(path), _) => Project::Linux(path),
            (None, path) => Project::Qemu(path.as_deref().unwrap_or(Path::new(""))),
        }
    }
}

/// Both projects; the pinned releases of whichever isn't named.
#[derive(ClapArgs, Default)]
pub(crate) struct Inputs {
    /// A Linux tree or its facts (default: the pinned releases)
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) linux: Option<PathBuf>,
    /// A QEMU tree or its facts (default: the pinned releases)
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) qemu: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}
