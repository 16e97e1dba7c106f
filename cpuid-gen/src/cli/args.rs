//! The command line, as clap's builder has it: its derive macros would be most of what a first build compiles.

use std::path::PathBuf;

#[cfg(feature = "cli")]
use clap::ArgAction;
use clap::{Arg, ArgMatches, Command as Clap, value_parser};

#[cfg(feature = "cli")]
const EXAMPLES: &str = "\
Examples:
  cpuid-gen verify                                 do the pinned releases of Linux and QEMU agree?
  cpuid-gen verify --linux ~/linux --qemu ~/qemu   do these two trees?
  cpuid-gen facts --linux ~/linux                  what a tree says, as tab-separated rows
  cpuid-gen capflags --linux ~/linux               what its mkcapflags.sh would write
  cpuid-gen models EPYC-Milan-v2                   what a CPU model of QEMU says, all its versions' properties applied
  cpuid-gen diff ~/linux-7.3 ~/linux               what changed between two trees
  cpuid-gen generate --standalone -o src           src/cpuid.rs: Rust constants, for a crate of your own

A tree is the top of a checkout; a file is what `cpuid-gen import` wrote. Without either,
the facts of the pinned releases are used, which the program carries with it.

Exit codes:
  0  done; with verify: everything is explained; with diff: both say the same
  1  verify found what nothing explains, diff a difference, or what was read makes no sense
  2  the input could not be read, the output not written, or the arguments are wrong";

#[cfg(feature = "cli")]
const MODELS: &str = "\
Examples:
  cpuid-gen models                                    every version, with its alias and note
  cpuid-gen models EPYC-Milan-v2                      one version: leaves, signature, feature words, caches
  cpuid-gen models --qemu ~/qemu Haswell-noTSX        by alias, of a tree of your own
  cpuid-gen models --format json Skylake-Server-v4    for programs";

#[cfg(feature = "cli")]
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

#[cfg(not(feature = "cli"))]
const EXAMPLES: &str = "\
Examples:
  cpuid-gen verify                  do the pinned releases of Linux and QEMU agree?
  cpuid-gen verify --linux linux-7.3.tsv --qemu qemu-10.2.tsv

This is a small build, with `verify` of facts files alone: build with the feature `cli` for the whole command.";

/// What can be asked for.
pub(crate) enum Command {
    /// `verify`
    Verify { inputs: Inputs, differences: Option<PathBuf>, format: Format, pins: Option<PathBuf> },
    #[cfg(feature = "cli")]
    Other(Other),
}

/// What only the whole command does.
#[cfg(feature = "cli")]
pub(crate) enum Other {
    Facts { project: Project, left_out: bool },
    Import { project: Project, output: PathBuf },
    Capflags { linux: Option<PathBuf> },
    Models { qemu: Option<PathBuf>, name: Option<String>, format: Format },
    Diff { old: PathBuf, new: PathBuf, format: DiffFormat, pins: Option<PathBuf>, was: Option<PathBuf> },
    Generate { inputs: Inputs, standalone: bool, output: PathBuf },
    Constants { pins: Option<PathBuf> },
}

/// One project, and where it is.
#[cfg(feature = "cli")]
pub(crate) enum Project {
    Linux(PathBuf),
    Qemu(PathBuf),
}

/// Both projects; the pinned releases of whichever isn't named.
#[derive(Default)]
pub(crate) struct Inputs {
    pub(crate) linux: Option<PathBuf>,
    pub(crate) qemu: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

#[cfg(feature = "cli")]
#[derive(Clone, Copy)]
pub(crate) enum DiffFormat {
    Text,
    Markdown,
    Json,
}

/// Reads the process's arguments. Ends the process where clap does: after help, and on a mistake.
pub(crate) fn parse() -> Command {
    let about = "Reads Linux's, KVM's and QEMU's CPUID tables from their C sources, checks them against each other \
                 and emits Rust";
    let clap = Clap::new("cpuid-gen")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .max_term_width(100)
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(subcommands());
    let matches = clap.get_matches();
    let (name, matches) = matches.subcommand().unwrap_or(("verify", &matches));
    match name {
        "verify" => Command::Verify {
            inputs: inputs(matches),
            differences: path(matches, "differences"),
            format: format(matches),
            pins: path(matches, "pins"),
        },
        #[cfg(feature = "cli")]
        other => Command::Other(self::other(other, matches)),
        #[cfg(not(feature = "cli"))]
        _ => unreachable!("clap knows `verify` alone"),
    }
}

fn subcommands() -> Vec<Clap> {
    let pinned =
        "Instead of the releases and differences that the program carries with it, a folder of such files";
    let verify = Clap::new("verify")
        .about("Check that Linux, KVM and QEMU agree about which bit is which")
        .args(either_of("(default: the pinned releases)"))
        .arg(option(
            "differences",
            "FILE",
            "Judged differences, instead of those the program carries with it",
        ))
        .arg(format_option(&["text", "json"], "For people or for programs"))
        .arg(option("pins", "DIR", pinned).conflicts_with_all(["linux", "qemu"]));
    #[allow(unused_mut, reason = "the whole command has more")]
    let mut all = vec![verify];
    #[cfg(feature = "cli")]
    all.extend(other_subcommands());
    all
}

#[cfg(feature = "cli")]
fn other_subcommands() -> [Clap; 7] {
    let one_of = |clap: Clap| {
        clap.args(either_of("")).group(clap::ArgGroup::new("project").args(["linux", "qemu"]).required(true))
    };
    let file = |name: &'static str, help: &'static str| {
        Arg::new(name).required(true).value_name(name).value_parser(value_parser!(PathBuf)).help(help)
    };
    [
        one_of(Clap::new("facts").about("Print what a tree or a facts file says, as tab-separated rows")).arg(
            Arg::new("left-out").long("left-out").action(ArgAction::SetTrue).help(
                "Also show, on standard error, what `#if` and its like left out of the files that were read",
            ),
        ),
        one_of(
            Clap::new("import").about("Write a tree's facts to a file that --linux and --qemu accept"),
        )
        .arg(option("output", "FILE", "The facts file to write").short('o').required(true)),
        Clap::new("capflags")
            .about("Print Linux's name map as its mkcapflags.sh writes it (default: the newest pinned release's)")
            .arg(option("linux", "DIR|FILE", "A Linux tree or its facts")),
        Clap::new("models")
            .about("List QEMU's CPU models, or show a version of one, resolved (default: the newest pinned release's)")
            .after_help(MODELS)
            .arg(option("qemu", "DIR|FILE", "A QEMU tree or its facts"))
            .arg(Arg::new("name").help(
                "A version, an alias, or a model, which stands for its version 1 as it does with QEMU's machine types",
            ))
            .arg(format_option(&["text", "json"], "For people or for programs")),
        Clap::new("diff")
            .about("Show what changed between two releases, and what that means for the Rust API")
            .after_help(DIFF)
            .arg(file("OLD", "The older release: a Linux or QEMU tree, or its facts"))
            .arg(file("NEW", "The newer one, of the same project"))
            .arg(format_option(&["text", "markdown", "json"], "For a terminal, for a document, or for programs"))
            .arg(option(
                "pins",
                "DIR",
                "Instead of the releases that the program carries with it, a folder of facts files, for the Rust API",
            ))
            .arg(
                option(
                    "was",
                    "DIR",
                    "The same folder as it was: also show what becomes of the API of tables made from all of it",
                )
                .requires("pins"),
            ),
        Clap::new("generate")
            .about("Write the Rust tables that cpuid-tables includes, or one file that needs nothing else")
            .args(either_of("(default: the pinned releases)"))
            .arg(
                Arg::new("standalone")
                    .long("standalone")
                    .action(ArgAction::SetTrue)
                    .help("One file, cpuid.rs: every hardware bit as a constant, for a crate of your own"),
            )
            .arg(option("output", "DIR", "The folder to write them to").short('o').required(true)),
        Clap::new("constants")
            .about("Print the published constants of cpuid-tables, with those that the releases add")
            .arg(option(
                "pins",
                "DIR",
                "Instead of the releases and constants that the program carries with it, a folder of such files",
            )),
    ]
}

#[cfg(feature = "cli")]
fn other(name: &str, matches: &ArgMatches) -> Other {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let needed = |name: &str| path(matches, name).unwrap_or_default();
    match name {
        "facts" => Other::Facts { project: project(matches), left_out: matches.get_flag("left-out") },
        "import" => Other::Import { project: project(matches), output: needed("output") },
        "capflags" => Other::Capflags { linux: path(matches, "linux") },
        "models" => {
            Other::Models { qemu: path(matches, "qemu"), name: text("name"), format: format(matches) }
        }
        "generate" => Other::Generate {
            inputs: inputs(matches),
            standalone: matches.get_flag("standalone"),
            output: needed("output"),
        },
        "constants" => Other::Constants { pins: path(matches, "pins") },
        // clap knows no other.
        _ => Other::Diff {
            old: needed("OLD"),
            new: needed("NEW"),
            format: match text("format").as_deref() {
                Some("markdown") => DiffFormat::Markdown,
                Some("json") => DiffFormat::Json,
                _ => DiffFormat::Text,
            },
            pins: path(matches, "pins"),
            was: path(matches, "was"),
        },
    }
}

/// `--linux` and `--qemu`.
fn either_of(default: &str) -> [Arg; 2] {
    let help = |what: &str| format!("A {what} tree or its facts {default}").trim_end().to_owned();
    [option("linux", "DIR|FILE", "").help(help("Linux")), option("qemu", "DIR|FILE", "").help(help("QEMU"))]
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).value_parser(value_parser!(PathBuf)).help(help)
}

fn format_option(formats: &[&'static str], help: &'static str) -> Arg {
    let formats: Vec<&'static str> = formats.to_vec();
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(formats)
        .default_value("text")
        .help(help)
}

fn path(matches: &ArgMatches, name: &str) -> Option<PathBuf> {
    matches.get_one::<PathBuf>(name).cloned()
}

fn inputs(matches: &ArgMatches) -> Inputs {
    Inputs { linux: path(matches, "linux"), qemu: path(matches, "qemu") }
}

#[cfg(feature = "cli")]
fn project(matches: &ArgMatches) -> Project {
    match (path(matches, "linux"), path(matches, "qemu")) {
        (Some(path), _) => Project::Linux(path),
        (None, path) => Project::Qemu(path.unwrap_or_default()),
    }
}

fn format(matches: &ArgMatches) -> Format {
    let json = matches.get_one::<String>("format").is_some_and(|format| format == "json");
    if json { Format::Json } else { Format::Text }
}
