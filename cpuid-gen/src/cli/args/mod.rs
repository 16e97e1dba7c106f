//! The command line, with clap's builder: its derive macros would dominate the time of a first build.

mod commands;
mod examples;

use std::path::PathBuf;

use clap::ArgMatches;
pub(crate) use commands::command;

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
    /// Further rows, for findings that the user intends.
    pub(crate) accept: Vec<PathBuf>,
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

#[cfg(feature = "json")]
impl Command {
    /// True if the answer is JSON.
    pub(crate) fn writes_json(&self) -> bool {
        match self {
            Command::Verify(options) => options.format == Format::Json,
            #[cfg(feature = "cli")]
            Command::Other(Other::Models { format, .. }) => *format == Format::Json,
            #[cfg(feature = "cli")]
            Command::Other(Other::Diff { format, .. }) => matches!(format, DiffFormat::Json),
            #[cfg(feature = "cli")]
            Command::Other(_) => false,
        }
    }
}

/// Parses the process's arguments. Like clap, exits after printing help and on a usage error.
pub(crate) fn parse() -> Command {
    let matches = command().get_matches();
    let (name, matches) = matches.subcommand().unwrap_or(("verify", &matches));
    match name {
        "verify" => Command::Verify(Verify {
            inputs: inputs(matches),
            differences: path(matches, "differences"),
            accept: matches.get_many::<PathBuf>("accept").into_iter().flatten().cloned().collect(),
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
