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
  cpuid-gen diff ~/linux-7.3 ~/linux               what a newer tree has otherwise
  cpuid-gen generate --standalone -o src           src/cpuid.rs: Rust constants, for a crate of your own

A tree is the top of a checkout; a file is what `cpuid-gen import` wrote. Without either,
the facts of the pinned releases are used, which the program carries with it.

Exit codes:
  0  done; with verify: everything is explained; with diff: both say the same
  1  verify found what nothing explains, diff a difference, or what was read makes no sense
  2  the input could not be read, the output not written, or the arguments are wrong";

const MODELS: &str = "\
Examples:
  cpuid-gen models                                    every version, with its alias and note
  cpuid-gen models EPYC-Milan-v2                      one version: leaves, signature, feature words, caches
  cpuid-gen models --qemu ~/qemu Haswell-noTSX        by alias, of a tree of your own
  cpuid-gen models --format json Skylake-Server-v4    for programs";

const DIFF: &str = "\
Examples:
  cpuid-gen diff upstream/linux-6.12.tsv upstream/linux-7.3.tsv
  cpuid-gen diff upstream/qemu-10.2.tsv ~/qemu --format markdown > what-is-new.md
  cpuid-gen diff ~/linux-6.12 ~/linux-7.3 --format json | jq '.sections[] | select(.topic == \"kvm\")'

A bit that has another name at the same place in hardware was renamed; what software defines is its
name, and can only move. The Rust API is that of cpuid-tables, made from the pinned releases of the
other project with NEW in place of OLD, and with NEW beside OLD.

Exit codes, as diff's:
  0  both releases say the same
  1  they differ
  2  one of them could not be read, or they are of two projects";

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
        /// Instead of the releases and differences that the program carries with it, a folder of such files
        #[arg(long, value_name = "DIR", conflicts_with_all = ["linux", "qemu"])]
        pins: Option<PathBuf>,
    },
    /// Tell what a newer release has otherwise than an older one, and what that means for the Rust API
    #[command(after_help = DIFF)]
    Diff {
        /// The older release: a Linux or QEMU tree, or its facts
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The newer one, of the same project
        #[arg(value_name = "NEW")]
        new: PathBuf,
        /// For a terminal, for a document, or for programs
        #[arg(long, value_enum, default_value = "text")]
        format: DiffFormat,
        /// Instead of the releases that the program carries with it, a folder of facts files, for the Rust API
        #[arg(long, value_name = "DIR")]
        pins: Option<PathBuf>,
        /// The same folder as it was: also tell what becomes of the API of tables made from all of it
        #[arg(long, value_name = "DIR", requires = "pins")]
        was: Option<PathBuf>,
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
pub(crate) enum DiffFormat {
    Text,
    Markdown,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}
