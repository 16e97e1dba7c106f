//! The subcommands and their options, as clap knows them.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command as Clap, value_parser};

use super::examples::EXAMPLES;
#[cfg(feature = "cli")]
use super::examples::{DIFF, GENERATE, IMPORT, MODELS};

/// The command line as clap knows it.
pub(crate) fn command() -> Clap {
    let about = "Reads Linux's, KVM's and QEMU's CPUID tables from their C sources, checks them against each other \
                 and emits Rust";
    Clap::new("cpuid-gen")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .max_term_width(100)
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(subcommands())
}

fn subcommands() -> Vec<Clap> {
    let pinned = "A folder with facts files and differences.tsv, instead of the built-in ones";
    let verify = Clap::new("verify")
        .about("Check that Linux, KVM and QEMU agree about the meaning of each bit")
        .args(either_of("(default: the pinned releases)"))
        .arg(option("differences", "FILE", "Reviewed differences, instead of the built-in ones"))
        .arg(
            option(
                "accept",
                "FILE",
                "Findings that are intended: rows as in differences.tsv, for changes, too; can be repeated",
            )
            .action(ArgAction::Append),
        )
        .arg(format_option(&["text", "json"], "Output format; with json, errors are on standard output, too"))
        .arg(option("pins", "DIR", pinned).conflicts_with_all(["linux", "qemu"]))
        .group(clap::ArgGroup::new("given").args(["linux", "qemu"]).multiple(true))
        .arg(
            option(
                "since",
                "DIR|FILE|RELEASE",
                "Report only what is new since this tree or pinned release (linux-7.3)",
            )
            .requires("given"),
        );
    #[allow(unused_mut, reason = "the full build has more")]
    let mut all = vec![verify];
    #[cfg(feature = "cli")]
    all.extend(other_subcommands());
    all
}

#[cfg(feature = "cli")]
fn other_subcommands() -> [Clap; 9] {
    [facts(), import(), capflags(), models(), diff(), generate(), atlas(), manual(), constants()]
}

#[cfg(feature = "cli")]
fn facts() -> Clap {
    let left_out = Arg::new("left-out")
        .long("left-out")
        .action(ArgAction::SetTrue)
        .help("Also print, on standard error, the regions that conditionals such as `#if` left out");
    Clap::new("facts")
        .about("Print the facts of a tree or a facts file as tab-separated rows")
        .args(either_of(""))
        .arg(witness_option())
        .group(clap::ArgGroup::new("project").args(["linux", "qemu", "witness"]).required(true))
        .arg(left_out)
}

#[cfg(feature = "cli")]
fn import() -> Clap {
    Clap::new("import")
        .about("Write the facts of a tree, or of a QEMU program, to a file that --linux and --qemu accept")
        .args(either_of(""))
        .arg(option("qemu-program", "PATH", "A QEMU program: it is started and asked over QMP"))
        .arg(
            option(
                "base",
                "DIR|FILE",
                "A QEMU tree or its facts for what a program does not state (default: the nearest pinned release)",
            )
            .requires("qemu-program"),
        )
        .arg(witness_option())
        .group(clap::ArgGroup::new("project").args(["linux", "qemu", "qemu-program", "witness"]).required(true))
        .arg(option("output", "FILE", "The facts file to write").short('o').required(true))
        .after_help(IMPORT)
}

#[cfg(feature = "cli")]
fn capflags() -> Clap {
    Clap::new("capflags")
        .about("Print Linux's name map in the format of its mkcapflags.sh (default: of the newest pinned release)")
        .arg(option("linux", "DIR|FILE|RELEASE", "A Linux tree, its facts, or a pinned release (6.12)"))
}

#[cfg(feature = "cli")]
fn models() -> Clap {
    let name = "A version, an alias, or a model, which means its version 1, as in QEMU's machine types";
    Clap::new("models")
        .about("List QEMU's CPU models, or show a resolved version of one (default: of the newest pinned release)")
        .after_help(MODELS)
        .arg(option("qemu", "DIR|FILE|RELEASE", "A QEMU tree, its facts, or a pinned release (10.0)"))
        .arg(Arg::new("name").help(name))
        .arg(format_option(&["text", "json"], "Output format; with json, errors are on standard output, too"))
}

#[cfg(feature = "cli")]
fn diff() -> Clap {
    let file = |name: &'static str, help: &'static str| {
        Arg::new(name).required(true).value_name(name).value_parser(value_parser!(PathBuf)).help(help)
    };
    let was = "An earlier state of that folder: also show the API changes between tables generated from both";
    Clap::new("diff")
        .about("Show what changed between two releases, and the effects on the Rust API")
        .after_help(DIFF)
        .arg(file(
            "OLD",
            "The older release: a Linux or QEMU tree, its facts, or a pinned release (linux-7.3)",
        ))
        .arg(file("NEW", "The newer release, of the same project"))
        .arg(format_option(
            &["text", "markdown", "json"],
            "Output format; with json, errors are on standard output, too",
        ))
        .arg(option("pins", "DIR", "A folder of facts files for the Rust API, instead of the built-in ones"))
        .arg(option("was", "DIR", was).requires("pins"))
}

#[cfg(feature = "cli")]
fn generate() -> Clap {
    let about = "Write the Rust tables that cpuid-tables includes, the whole crate without a build script, one \
                 self-contained file, a C header or JSON";
    let whole =
        "Write the package cpuid-tables with these tables and without a build script into this folder";
    Clap::new("generate")
        .about(about)
        .after_help(GENERATE)
        .args(either_of("(default: the pinned releases)"))
        .args(forms())
        .arg(option("pins", "DIR", CONSTANTS_PINS).conflicts_with_all(["linux", "qemu"]))
        .arg(option("crate", "DIR", whole).requires("sources").conflicts_with_all([
            "standalone",
            "language",
            "rows",
            "output",
        ]))
        .arg(
            option("sources", "DIR", "For --crate: a checkout or an unpacked package of cpuid-tables")
                .requires("crate"),
        )
        .arg(option("output", "DIR", "The output folder").short('o').required_unless_present("crate"))
}

/// What `generate` writes, instead of the formatted tables.
#[cfg(feature = "cli")]
fn forms() -> [Arg; 3] {
    [
        Arg::new("standalone")
            .long("standalone")
            .action(ArgAction::SetTrue)
            .help("Write a single file, cpuid.rs, with every hardware bit as a constant"),
        Arg::new("language")
            .long("language")
            .value_name("LANGUAGE")
            .value_parser(["rust", "c", "json"])
            .default_value("rust")
            .conflicts_with("standalone")
            .help("c: cpuid_tables.h with names, places and CPU models; json: the same with a schema"),
        Arg::new("rows")
            .long("rows")
            .action(ArgAction::SetTrue)
            .conflicts_with_all(["standalone", "language"])
            .help("Write the tables one row a line, as the build script of cpuid-tables does"),
    ]
}

#[cfg(feature = "cli")]
fn atlas() -> Clap {
    Clap::new("atlas")
        .about("Write one HTML page with every bit: who knows it, since when, and what KVM does with it")
        .args(either_of("(default: the pinned releases)"))
        .arg(option("output", "FILE", "The HTML file to write").short('o').required(true))
}

#[cfg(feature = "cli")]
fn manual() -> Clap {
    let folder = "The folder, such as /usr/share: gets man/man1 and the folders of the shells";
    Clap::new("manual")
        .about("Write man pages and completions for bash, zsh and fish")
        .arg(option("output", "DIR", folder).short('o').required(true))
}

#[cfg(feature = "cli")]
fn constants() -> Clap {
    Clap::new("constants")
        .about("Print the published constants of cpuid-tables, with additions from the releases")
        .arg(option("pins", "DIR", CONSTANTS_PINS))
}

#[cfg(feature = "cli")]
const CONSTANTS_PINS: &str = "A folder with facts files and constants.tsv, instead of the built-in ones";

/// `--linux` and `--qemu`.
fn either_of(default: &str) -> [Arg; 2] {
    let help = |what: &str, name: &str| {
        format!("A {what} tree, its facts, or a pinned release by its name ({name}) {default}")
            .trim_end()
            .to_owned()
    };
    [
        option("linux", "DIR|FILE|RELEASE", "").help(help("Linux", "7.3")),
        option("qemu", "DIR|FILE|RELEASE", "").help(help("QEMU", "11.0")),
    ]
}

/// `--witness`
#[cfg(feature = "cli")]
fn witness_option() -> Arg {
    option(
        "witness",
        "DIR|FILE",
        "A tree of Xen, libvirt, FreeBSD, LLVM or GCC, an installed compiler, or their facts",
    )
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
