//! The command line, with clap's builder: its derive macros would dominate the time of a first build.

use std::path::PathBuf;

#[cfg(feature = "cli")]
use clap::ArgAction;
use clap::{Arg, ArgMatches, Command as Clap, value_parser};

#[cfg(feature = "cli")]
const EXAMPLES: &str = "\
Examples:
  cpuid-gen verify                                 check the pinned releases of Linux and QEMU
  cpuid-gen verify --linux ~/linux --qemu ~/qemu   check two trees
  cpuid-gen verify --qemu ~/qemu --since ~/before  check what a change to a tree adds
  cpuid-gen facts --linux ~/linux                  print the facts of a tree as tab-separated rows
  cpuid-gen capflags --linux ~/linux               print the output of its mkcapflags.sh
  cpuid-gen models EPYC-Milan-v2                   show a resolved CPU model of QEMU
  cpuid-gen diff ~/linux-7.3 ~/linux               show what changed between two trees
  cpuid-gen generate --standalone -o src           write src/cpuid.rs: Rust constants for any crate
  cpuid-gen atlas -o atlas.html                    write a page to look things up in

A tree is the root of a checkout; a facts file is the output of `cpuid-gen import`. Without
either, the program uses its built-in facts of the pinned releases.

Exit codes:
  0  success; verify: every finding is explained; diff: the releases have the same facts
  1  verify: unexplained findings; diff: differences; other commands: inconsistent input
  2  the input could not be read, the output could not be written, or wrong arguments

capflags reads a tree by lines, as its script does: a definition that is not valid C is not an error there.";

#[cfg(feature = "cli")]
const IMPORT: &str = "\
Examples:
  cpuid-gen import --linux ~/linux -o linux.tsv
  cpuid-gen import --qemu-program /usr/bin/qemu-system-x86_64 -o qemu.tsv
  cpuid-gen import --witness ~/xen -o xen.tsv

A program states its machine types and their compatibility properties (since 9.1), its CPU models with the value of
each property, the word and bit of each property, and deprecations. All other rows come from the base. Comments in the
file mark which rows come from where. The program is started under TCG, without a guest; KVM is not needed.";

#[cfg(feature = "cli")]
const MODELS: &str = "\
Examples:
  cpuid-gen models                                    every version, with its alias and note
  cpuid-gen models EPYC-Milan-v2                      one version: leaves, signature, feature words, caches
  cpuid-gen models --qemu ~/qemu Haswell-noTSX        by alias, from a QEMU tree
  cpuid-gen models --format json Skylake-Server-v4    as JSON";

#[cfg(feature = "cli")]
const DIFF: &str = "\
Examples:
  cpuid-gen diff upstream/linux-6.12.tsv upstream/linux-7.3.tsv
  cpuid-gen diff upstream/qemu-10.2.tsv ~/qemu --format markdown > what-is-new.md
  cpuid-gen diff ~/linux-6.12 ~/linux-7.3 --format json | jq '.sections[] | select(.topic == \"kvm\")'

A hardware bit is identified by its location: a new name there is a rename. A software-defined bit
is identified by its name and can only move. The Rust API is that of cpuid-tables, generated with
the pinned releases of the other project, once with NEW in place of OLD and once with both.

Exit codes, like those of diff:
  0  the releases have the same facts
  1  they differ
  2  a release could not be read or contradicts itself (the changes are still printed), or the
     releases are of different projects";

#[cfg(feature = "cli")]
const GENERATE: &str = "\
Examples:
  cpuid-gen generate -o tables                                    the tables, for people to read
  cpuid-gen generate --standalone -o src                          src/cpuid.rs, constants for any crate
  cpuid-gen generate --language c -o include                      include/cpuid_tables.h
  cpuid-gen generate --crate vendor/cpuid-tables --sources ~/.cargo/registry/src/*/cpuid-tables-0.1.0 --linux ~/linux

--crate writes a package that is used by its path. It has the same API as cpuid-tables but for the features that need
cpuid-gen (`generate`, `trees`, `program`) and the command (`cli`): no build script and no build dependencies. DIR must
be empty or have an earlier such package, which is replaced. The sources must have this program's version.";

#[cfg(not(feature = "cli"))]
const EXAMPLES: &str = "\
Examples:
  cpuid-gen verify                  check the pinned releases of Linux and QEMU
  cpuid-gen verify --linux linux-7.3.tsv --qemu qemu-10.2.tsv

This is a small build, with only `verify` of facts files. Enable the feature `cli` for all commands.";

/// The subcommands.
pub(crate) enum Command {
    /// `verify`
    Verify(Verify),
    #[cfg(feature = "cli")]
    Other(Other),
}

/// The options of `verify`.
pub(crate) struct Verify {
    pub(crate) inputs: Inputs,
    pub(crate) differences: Option<PathBuf>,
    pub(crate) format: Format,
    pub(crate) pins: Option<PathBuf>,
    /// An earlier state of the tree, whose findings are not repeated.
    pub(crate) since: Option<PathBuf>,
}

/// The subcommands of the full build.
#[cfg(feature = "cli")]
pub(crate) enum Other {
    Facts { project: Project, left_out: bool },
    Import { project: Project, output: PathBuf },
    ImportProgram { program: PathBuf, base: Option<PathBuf>, output: PathBuf },
    Capflags { linux: Option<PathBuf> },
    Models { qemu: Option<PathBuf>, name: Option<String>, format: Format },
    Diff { old: PathBuf, new: PathBuf, format: DiffFormat, pins: Option<PathBuf>, was: Option<PathBuf> },
    Generate { inputs: Inputs, pins: Option<PathBuf>, what: Generated, output: PathBuf },
    Crate { inputs: Inputs, pins: Option<PathBuf>, sources: PathBuf, output: PathBuf },
    Constants { pins: Option<PathBuf> },
    Atlas { inputs: Inputs, output: PathBuf },
    Manual { output: PathBuf },
}

/// What `generate` writes.
#[cfg(feature = "cli")]
#[derive(Clone, Copy)]
pub(crate) enum Generated {
    /// The files of `cpuid-tables`.
    Tables,
    /// The same, one row a line, as the build script of `cpuid-tables` writes them.
    Rows,
    /// One self-contained file of Rust.
    Standalone,
    /// A C header.
    C,
    /// JSON and its schema.
    Json,
}

/// One project, and the path of its tree or facts.
#[cfg(feature = "cli")]
pub(crate) enum Project {
    Linux(PathBuf),
    Qemu(PathBuf),
    Witness(PathBuf),
}

/// Both projects; `None` means the pinned releases.
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

/// Parses the process's arguments. Like clap, exits after printing help and on a usage error.
pub(crate) fn parse() -> Command {
    let matches = command().get_matches();
    let (name, matches) = matches.subcommand().unwrap_or(("verify", &matches));
    match name {
        "verify" => Command::Verify(Verify {
            inputs: inputs(matches),
            differences: path(matches, "differences"),
            format: format(matches),
            pins: path(matches, "pins"),
            since: path(matches, "since"),
        }),
        #[cfg(feature = "cli")]
        other => Command::Other(self::other(other, matches)),
        #[cfg(not(feature = "cli"))]
        _ => unreachable!("`verify` is the only subcommand"),
    }
}

fn subcommands() -> Vec<Clap> {
    let pinned = "A folder with facts files and differences.tsv, instead of the built-in ones";
    let verify = Clap::new("verify")
        .about("Check that Linux, KVM and QEMU agree about the meaning of each bit")
        .args(either_of("(default: the pinned releases)"))
        .arg(option("differences", "FILE", "Reviewed differences, instead of the built-in ones"))
        .arg(format_option(&["text", "json"], "Output format"))
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
    let one_of = |clap: Clap| {
        clap.args(either_of(""))
            .arg(witness_option())
            .group(clap::ArgGroup::new("project").args(["linux", "qemu", "witness"]).required(true))
    };
    let file = |name: &'static str, help: &'static str| {
        Arg::new(name).required(true).value_name(name).value_parser(value_parser!(PathBuf)).help(help)
    };
    [
        one_of(Clap::new("facts").about("Print the facts of a tree or a facts file as tab-separated rows")).arg(
            Arg::new("left-out").long("left-out").action(ArgAction::SetTrue).help(
                "Also print, on standard error, the regions that conditionals such as `#if` left out",
            ),
        ),
        import(),
        Clap::new("capflags")
            .about("Print Linux's name map in the format of its mkcapflags.sh (default: of the newest pinned release)")
            .arg(option("linux", "DIR|FILE", "A Linux tree or its facts")),
        Clap::new("models")
            .about("List QEMU's CPU models, or show a resolved version of one (default: of the newest pinned release)")
            .after_help(MODELS)
            .arg(option("qemu", "DIR|FILE", "A QEMU tree or its facts"))
            .arg(Arg::new("name").help(
                "A version, an alias, or a model, which means its version 1, as in QEMU's machine types",
            ))
            .arg(format_option(&["text", "json"], "Output format")),
        Clap::new("diff")
            .about("Show what changed between two releases, and the effects on the Rust API")
            .after_help(DIFF)
            .arg(file("OLD", "The older release: a Linux or QEMU tree, or its facts"))
            .arg(file("NEW", "The newer release, of the same project"))
            .arg(format_option(&["text", "markdown", "json"], "Output format"))
            .arg(option(
                "pins",
                "DIR",
                "A folder of facts files for the Rust API, instead of the built-in ones",
            ))
            .arg(
                option(
                    "was",
                    "DIR",
                    "An earlier state of that folder: also show the API changes between tables generated from both",
                )
                .requires("pins"),
            ),
        Clap::new("generate")
            .about(
                "Write the Rust tables that cpuid-tables includes, the whole crate without a build script, one \
                 self-contained file, a C header or JSON",
            )
            .after_help(GENERATE)
            .args(either_of("(default: the pinned releases)"))
            .arg(
                Arg::new("standalone")
                    .long("standalone")
                    .action(ArgAction::SetTrue)
                    .help("Write a single file, cpuid.rs, with every hardware bit as a constant"),
            )
            .arg(
                Arg::new("language")
                    .long("language")
                    .value_name("LANGUAGE")
                    .value_parser(["rust", "c", "json"])
                    .default_value("rust")
                    .conflicts_with("standalone")
                    .help("c: cpuid_tables.h with names, places and CPU models; json: the same with a schema"),
            )
            .arg(
                Arg::new("rows")
                    .long("rows")
                    .action(ArgAction::SetTrue)
                    .conflicts_with_all(["standalone", "language"])
                    .help("Write the tables one row a line, as the build script of cpuid-tables does"),
            )
            .arg(
                option("pins", "DIR", "A folder with facts files and constants.tsv, instead of the built-in ones")
                    .conflicts_with_all(["linux", "qemu"]),
            )
            .arg(
                option(
                    "crate",
                    "DIR",
                    "Write the package cpuid-tables with these tables and without a build script into this folder",
                )
                .requires("sources")
                .conflicts_with_all(["standalone", "language", "rows", "output"]),
            )
            .arg(
                option("sources", "DIR", "For --crate: a checkout or an unpacked package of cpuid-tables")
                    .requires("crate"),
            )
            .arg(option("output", "DIR", "The output folder").short('o').required_unless_present("crate")),
        Clap::new("atlas")
            .about("Write one HTML page with every bit: who knows it, since when, and what KVM does with it")
            .args(either_of("(default: the pinned releases)"))
            .arg(option("output", "FILE", "The HTML file to write").short('o').required(true)),
        Clap::new("manual")
            .about("Write man pages and completions for bash, zsh and fish")
            .arg(option("output", "DIR", "The folder, such as /usr/share: gets man/man1 and the folders of the shells").short('o').required(true)),
        Clap::new("constants")
            .about("Print the published constants of cpuid-tables, with additions from the releases")
            .arg(option(
                "pins",
                "DIR",
                "A folder with facts files and constants.tsv, instead of the built-in ones",
            )),
    ]
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
fn other(name: &str, matches: &ArgMatches) -> Other {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let needed = |name: &str| path(matches, name).unwrap_or_default();
    match name {
        "facts" => Other::Facts { project: project(matches), left_out: matches.get_flag("left-out") },
        "import" => match path(matches, "qemu-program") {
            Some(program) => {
                Other::ImportProgram { program, base: path(matches, "base"), output: needed("output") }
            }
            None => Other::Import { project: project(matches), output: needed("output") },
        },
        "capflags" => Other::Capflags { linux: path(matches, "linux") },
        "models" => {
            Other::Models { qemu: path(matches, "qemu"), name: text("name"), format: format(matches) }
        }
        "generate" if path(matches, "crate").is_some() => Other::Crate {
            inputs: inputs(matches),
            pins: path(matches, "pins"),
            sources: needed("sources"),
            output: needed("crate"),
        },
        "generate" => Other::Generate {
            inputs: inputs(matches),
            pins: path(matches, "pins"),
            what: generated(matches),
            output: needed("output"),
        },
        "manual" => Other::Manual { output: needed("output") },
        "atlas" => Other::Atlas { inputs: inputs(matches), output: needed("output") },
        "constants" => Other::Constants { pins: path(matches, "pins") },
        // clap accepts no other subcommand.
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

#[cfg(feature = "cli")]
fn generated(matches: &ArgMatches) -> Generated {
    match matches.get_one::<String>("language").map(String::as_str) {
        Some("c") => Generated::C,
        Some("json") => Generated::Json,
        _ if matches.get_flag("standalone") => Generated::Standalone,
        _ if matches.get_flag("rows") => Generated::Rows,
        _ => Generated::Tables,
    }
}

/// `--linux` and `--qemu`.
fn either_of(default: &str) -> [Arg; 2] {
    let help = |what: &str| format!("A {what} tree or its facts {default}").trim_end().to_owned();
    [option("linux", "DIR|FILE", "").help(help("Linux")), option("qemu", "DIR|FILE", "").help(help("QEMU"))]
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

fn path(matches: &ArgMatches, name: &str) -> Option<PathBuf> {
    matches.get_one::<PathBuf>(name).cloned()
}

fn inputs(matches: &ArgMatches) -> Inputs {
    Inputs { linux: path(matches, "linux"), qemu: path(matches, "qemu") }
}

#[cfg(feature = "cli")]
fn project(matches: &ArgMatches) -> Project {
    match (path(matches, "linux"), path(matches, "qemu"), path(matches, "witness")) {
        (Some(path), ..) => Project::Linux(path),
        (None, Some(path), _) => Project::Qemu(path),
        (None, None, path) => Project::Witness(path.unwrap_or_default()),
    }
}

fn format(matches: &ArgMatches) -> Format {
    let json = matches.get_one::<String>("format").is_some_and(|format| format == "json");
    if json { Format::Json } else { Format::Text }
}
