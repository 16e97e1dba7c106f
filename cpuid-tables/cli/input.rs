//! The sources that a command takes, flattened into its own arguments; their order on the command line is kept, so that
//! `diff --supported FILE` and `diff FILE --supported` differ.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args as ClapArgs, Command, FromArgMatches, value_parser};

use super::reading::Reading;
use super::source::Source;
use super::spelling;

/// From `MIN` to `MAX` sources, in the given order.
#[derive(Clone, Debug)]
pub(crate) struct Sources<const MIN: usize, const MAX: usize> {
    pub(crate) list: Vec<Source>,
}

/// A source selected by a flag.
type Flag = (&'static str, Source, &'static str);

const FLAGS: [Flag; 3] = [
    ("instruction", Source::Instruction, "The host's CPUID instruction"),
    ("supported", Source::Supported, "The table that the host's KVM supports (KVM_GET_SUPPORTED_CPUID)"),
    ("emulated", Source::Emulated, "The features that its KVM emulates in addition (KVM_GET_EMULATED_CPUID)"),
];
const GUEST: &str = "guest-of";
const FILE: &str = "sources";

impl<const MIN: usize, const MAX: usize> clap::Args for Sources<MIN, MAX> {
    fn augment_args(mut command: Command) -> Command {
        command = command.arg(
            Arg::new(FILE)
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .action(ArgAction::Append)
                .num_args(0..)
                .help("A dump, or - for standard input; its format is detected"),
        );
        for (name, _, help) in FLAGS {
            command = command.arg(Arg::new(name).long(name).action(ArgAction::SetTrue).help(help));
        }
        command.arg(
            Arg::new(GUEST)
                .long(GUEST)
                .value_name("PID")
                .value_parser(value_parser!(u32))
                .action(ArgAction::Append)
                .help("The tables of a running VMM's vCPUs; takes PIDs of running VMMs"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const MIN: usize, const MAX: usize> FromArgMatches for Sources<MIN, MAX> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if let (Some(cpu), false) = (matches.get_one::<String>("cpu"), takes_a_model(matches)) {
            if cpu.parse::<u32>().is_err() {
                let message = format!(
                    "--cpu {cpu}: this command does not take a CPU model; --number N selects a CPU of a source\n"
                );
                return Err(clap::Error::raw(ErrorKind::InvalidValue, message));
            }
        }
        let mut list = in_order(matches);
        let named = matches.get_one::<String>("host").filter(|host| !host.is_empty());
        let asks_a_machine = list.iter().any(|source| FLAGS.iter().any(|(_, flag, _)| flag == source));
        if let (Some(host), true) =
            (named, list.len() >= MIN.max(1) && !asks_a_machine && !checks_for_a_host(matches))
        {
            let message = format!(
                "--host {host} is not used: it names the machine that --instruction, --supported and --emulated ask\n"
            );
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
        }
        // A host is what its KVM supports.
        if list.len() + 1 == MIN && named.is_some() && !checks_for_a_host(matches) {
            list.push(Source::Supported);
        }
        if list.len() < MIN || list.len() > MAX {
            let wanted = match (MIN, MAX) {
                (1, 1) => "exactly one SOURCE".to_owned(),
                (_, usize::MAX) => format!("at least {MIN} SOURCE"),
                (0, 1) => "at most one SOURCE".to_owned(),
                _ => format!("exactly {MIN} SOURCEs"),
            };
            let given = list.len();
            let host = match matches.get_one::<String>("host") {
                Some(host) => format!(
                    "--host {host} is not a SOURCE: it names the machine that --instruction, --supported and \
                     --emulated ask\n"
                ),
                None => String::new(),
            };
            let message = format!(
                "expected {wanted}, got {given}\n\nA SOURCE is a file, - for standard input, --instruction, \
                 --supported, --emulated or --guest-of PID\n{host}"
            );
            return Err(clap::Error::raw(ErrorKind::WrongNumberOfValues, message));
        }
        Ok(Sources { list })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// True for the command in which `--host` is more than the machine of a source: it had `--host-from` before.
fn checks_for_a_host(matches: &ArgMatches) -> bool {
    matches.try_contains_id("host_from").is_ok()
}

/// True for the command that has `--cpu MODEL`: it had `--model` before.
fn takes_a_model(matches: &ArgMatches) -> bool {
    matches.try_contains_id("model").is_ok()
}

/// The sources in the order of the command line.
fn in_order(matches: &ArgMatches) -> Vec<Source> {
    let mut all: Vec<(usize, Source)> = Vec::new();
    for (name, source, _) in FLAGS {
        if matches.value_source(name) == Some(ValueSource::CommandLine) {
            all.extend(matches.index_of(name).map(|at| (at, source)));
        }
    }
    // What `--host` meant before it took a value.
    if spelling::host_is_a_source(matches) {
        all.extend(matches.index_of("host").map(|at| (at, Source::Instruction)));
    }
    let guests = matches.indices_of(GUEST).into_iter().flatten();
    let pids = matches.get_many::<u32>(GUEST).into_iter().flatten();
    all.extend(guests.zip(pids).map(|(at, &pid)| (at, Source::GuestOf(pid))));
    let files = matches.indices_of(FILE).into_iter().flatten();
    let paths = matches.get_many::<PathBuf>(FILE).into_iter().flatten();
    all.extend(files.zip(paths).map(|(at, path)| (at, Source::File(path.clone()))));
    all.sort_by_key(|&(at, _)| at);
    let mut list: Vec<Source> = Vec::new();
    for (_, source) in all {
        let after_guest = matches!(list.last(), Some(Source::GuestOf(_)));
        list.push(match source {
            Source::File(path) if path.as_os_str() == "-" => Source::Input,
            Source::File(path) => match path.to_str().and_then(|text| text.parse().ok()) {
                Some(pid) if after_guest => Source::GuestOf(pid),
                _ => Source::File(path),
            },
            other => other,
        });
    }
    list
}

/// Sources and how to read them: what a command flattens into its arguments.
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct Input<const MIN: usize, const MAX: usize> {
    #[command(flatten)]
    sources: Sources<MIN, MAX>,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

impl<const MIN: usize, const MAX: usize> Input<MIN, MAX> {
    /// The given sources, in order.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources.list
    }

    /// The given sources without the first one of a kind.
    pub(crate) fn without(&self, source: &Source) -> Vec<Source> {
        let mut list = self.sources.list.clone();
        if let Some(at) = list.iter().position(|other| other == source) {
            list.remove(at);
        }
        list
    }

    /// The given sources, or this one if there are none.
    pub(crate) fn sources_or(&self, default: Source) -> Vec<Source> {
        if self.sources.list.is_empty() { vec![default] } else { self.sources.list.clone() }
    }
}
