//! Sources of tables: files, standard input, this machine, a running guest.
//!
//! A command takes [`Sources`], flattened into its own arguments; their order on the command line is kept, so that
//! `diff --host FILE` and `diff FILE --host` differ.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args as ClapArgs, Command, FromArgMatches, value_parser};
use cpuid_tables::CpuidEntry;
use cpuid_tables::dump::{Cpu, Format, Options, ReadError, Reader};
use cpuid_tables::host;
use cpuid_tables::kvm::{Device, KvmSystem as _};

use super::advice;
use super::guest_of;
use super::outcome::{Failed, Result};
use super::output::warn;
use super::progress::Watched;

/// One source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A dump in a file.
    File(PathBuf),
    /// A dump on standard input.
    Input,
    /// This machine's CPUID instruction.
    Host,
    /// `KVM_GET_SUPPORTED_CPUID`.
    Supported,
    /// `KVM_GET_EMULATED_CPUID`.
    Emulated,
    /// The tables of a running VMM's vCPUs.
    GuestOf(u32),
}

impl fmt::Display for Source {
    /// The name of the argument.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => path.display().fmt(f),
            Source::Input => f.write_str("-"),
            Source::Host => f.write_str("--host"),
            Source::Supported => f.write_str("--supported"),
            Source::Emulated => f.write_str("--emulated"),
            Source::GuestOf(pid) => write!(f, "--guest-of {pid}"),
        }
    }
}

impl Source {
    /// The name of a CPU of this source.
    pub(crate) fn title(&self, cpu: &Cpu) -> String {
        let number = cpu.number.map(|number| format!("CPU {number}"));
        let name = cpu.name.clone();
        let own: Vec<String> = number.into_iter().chain(name).collect();
        if own.is_empty() { self.to_string() } else { own.join(" ") }
    }
}

/// From `MIN` to `MAX` sources, in the given order.
#[derive(Clone, Debug)]
pub(crate) struct Sources<const MIN: usize, const MAX: usize> {
    pub(crate) list: Vec<Source>,
}

/// A source selected by a flag.
type Flag = (&'static str, Source, &'static str);

const FLAGS: [Flag; 3] = [
    ("host", Source::Host, "This machine's CPUID instruction"),
    ("supported", Source::Supported, "The table that this machine's KVM supports (KVM_GET_SUPPORTED_CPUID)"),
    ("emulated", Source::Emulated, "The features that it emulates in addition (KVM_GET_EMULATED_CPUID)"),
];
const GUEST: &str = "guest-of";
const FILE: &str = "sources";

impl<const MIN: usize, const MAX: usize> clap::Args for Sources<MIN, MAX> {
    fn augment_args(mut command: Command) -> Command {
        command = command.arg(
            Arg::new(FILE)
                .value_name(if MAX == 1 { "FILE" } else { "FILE..." })
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
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let list = in_order(matches);
        if list.len() < MIN || list.len() > MAX {
            let wanted = match (MIN, MAX) {
                (1, 1) => "exactly one SOURCE".to_owned(),
                (_, usize::MAX) => format!("at least {MIN} SOURCE"),
                (0, 1) => "at most one SOURCE".to_owned(),
                _ => format!("exactly {MIN} SOURCEs"),
            };
            let given = list.len();
            let message = format!(
                "expected {wanted}, got {given}\n\nA SOURCE is a file, - for standard input, --host, --supported, --emulated or --guest-of PID\n"
            );
            return Err(clap::Error::raw(ErrorKind::WrongNumberOfValues, message));
        }
        Ok(Sources { list })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The sources in the order of the command line.
fn in_order(matches: &ArgMatches) -> Vec<Source> {
    let mut all: Vec<(usize, Source)> = Vec::new();
    for (name, source, _) in FLAGS {
        if matches.value_source(name) == Some(ValueSource::CommandLine) {
            all.extend(matches.index_of(name).map(|at| (at, source)));
        }
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

/// How dumps are read.
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct Reading {
    /// Format of the dumps, instead of detecting it
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<Format>,
    /// Warn about malformed lines instead of failing
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Use only CPU N (its number in the dump, else its zero-based position)
    #[arg(long, value_name = "N", conflicts_with = "all_cpus")]
    pub(crate) cpu: Option<u32>,
    /// With --host: every CPU of this machine instead of the first, with a warning if they differ
    #[arg(long)]
    pub(crate) all_cpus: bool,
}

impl<const MIN: usize, const MAX: usize> Input<MIN, MAX> {
    /// The given sources, in order.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources.list
    }

    /// The given sources, or this one if there are none.
    pub(crate) fn sources_or(&self, default: Source) -> Vec<Source> {
        if self.sources.list.is_empty() { vec![default] } else { self.sources.list.clone() }
    }
}

impl Reading {
    /// The CPUs of a source, one after the other; at least one.
    pub(crate) fn open(&self, source: &Source) -> Result<Cpus> {
        let all: Box<dyn Iterator<Item = Result<Cpu>>> = match source {
            Source::File(path) => {
                let failed = |error| Failed::new(format!("{}: {error}", path.display()));
                let file = File::open(path).map_err(failed)?;
                let size = file.metadata().map_err(failed)?;
                let size = size.is_file().then_some(size.len());
                Box::new(self.dump(source, Watched::new(file, size))?)
            }
            Source::Input => Box::new(self.dump(source, Watched::new(io::stdin(), None))?),
            Source::Supported | Source::Emulated | Source::Host | Source::GuestOf(_) => {
                Box::new(machine(source, self)?.into_iter().map(Ok))
            }
        };
        Ok(Cpus { all, wanted: self.cpu, numbers: Vec::new(), name: source.to_string(), found: false })
    }

    /// All CPUs of a source.
    pub(crate) fn all(&self, source: &Source) -> Result<Vec<Cpu>> {
        self.open(source)?.collect()
    }

    fn dump<R: Read>(&self, source: &Source, input: R) -> Result<Dumped<R>> {
        let name = source.to_string();
        let options = Options { format: self.from, lenient: self.lenient };
        let reader = Reader::new(BufReader::with_capacity(1 << 16, input), &options);
        let reader = reader.map_err(|error| unreadable(&name, &error))?;
        Ok(Dumped { reader, name, warned: 0, noted: 0 })
    }
}

fn unreadable(name: &str, error: &ReadError) -> Failed {
    let failed = Failed::new(format!("{name}: {error}"));
    match error {
        ReadError::Unrecognised { .. } => failed.help(advice::unrecognised()),
        ReadError::Malformed { .. } => failed.help("--lenient warns of such lines and goes on"),
        _ => failed,
    }
}

/// The CPUs of a dump; warnings are printed as they occur.
struct Dumped<R> {
    reader: Reader<BufReader<R>>,
    name: String,
    warned: usize,
    noted: usize,
}

impl<R: Read> Iterator for Dumped<R> {
    type Item = Result<Cpu>;

    fn next(&mut self) -> Option<Result<Cpu>> {
        let next = self.reader.next();
        let (warnings, more) = self.reader.warnings();
        for warning in warnings.iter().skip(self.warned) {
            warn(format!("{}: {warning}", self.name));
        }
        self.warned = warnings.len();
        let (notes, more_notes) = self.reader.notes();
        // A note that is all there is becomes the error.
        let is_error = matches!(next, Some(Err(ReadError::Nothing { .. })));
        for note in notes.iter().skip(self.noted).take(if is_error { notes.len() - 1 } else { notes.len() }) {
            warn(format!("{}: {note}", self.name));
        }
        self.noted = notes.len();
        if next.is_none() && more_notes > 0 {
            warn(format!("{}: and {more_notes} more of that kind", self.name));
        }
        if next.is_none() && more > 0 {
            warn(format!("{}: and {more} more", self.name));
        }
        next.map(|cpu| cpu.map_err(|error| unreadable(&self.name, &error)))
    }
}

/// The CPUs of one source.
pub(crate) struct Cpus {
    all: Box<dyn Iterator<Item = Result<Cpu>>>,
    wanted: Option<u32>,
    /// Of those that were passed over.
    numbers: Vec<u32>,
    name: String,
    found: bool,
}

impl Iterator for Cpus {
    type Item = Result<Cpu>;

    fn next(&mut self) -> Option<Result<Cpu>> {
        let Some(wanted) = self.wanted else { return self.all.next() };
        if self.found {
            return None;
        }
        for cpu in self.all.by_ref() {
            let at = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
            match cpu {
                Ok(cpu) if cpu.number.unwrap_or(at) != wanted => self.numbers.push(cpu.number.unwrap_or(at)),
                other => {
                    self.found = true;
                    return Some(other);
                }
            }
        }
        self.found = true;
        let has = in_runs(&self.numbers);
        Some(Err(Failed::new(format!("{}: no CPU {wanted}; it has {has}", self.name))))
    }
}

/// `CPU 3`, `CPUs 0, 2, 4 to 7`.
fn in_runs(numbers: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |&(first, last): &(u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    };
    let all: Vec<String> = runs.iter().map(run).collect();
    let plural = if numbers.len() == 1 { "" } else { "s" };
    format!("CPU{plural} {}", all.join(", "))
}

/// The tables of this machine.
fn machine(source: &Source, reading: &Reading) -> Result<Vec<Cpu>> {
    let named = |name: &str, entries| Cpu { name: Some(name.to_owned()), ..Cpu::from_entries(entries) };
    match source {
        Source::Supported => Ok(vec![named("supported", kvm()?.supported_cpuid().map_err(Failed::new)?)]),
        Source::Emulated => Ok(vec![named("emulated", emulated_cpuid()?)]),
        Source::GuestOf(pid) => guest_of::read(*pid),
        Source::Host | Source::File(_) | Source::Input => host_cpus(reading),
    }
}

/// The features that this machine's KVM emulates in addition to the supported ones.
pub(crate) fn emulated_cpuid() -> Result<Vec<CpuidEntry>> {
    kvm()?.emulated_cpuid().map_err(Failed::new)
}

fn kvm() -> Result<Device> {
    Device::open().map_err(Failed::new)
}

/// The requested CPUs of this machine: by default the first one that this process may run on.
fn host_cpus(reading: &Reading) -> Result<Vec<Cpu>> {
    let wanted = reading.cpu.and_then(|number| usize::try_from(number).ok());
    let allowed = host::cpus().map_err(Failed::new)?;
    let chosen = match wanted {
        Some(number) if !allowed.contains(&number) => {
            let all: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            return Err(Failed::new(format!(
                "this process may not run on CPU {number}; available: {}",
                all.join(", ")
            )));
        }
        Some(number) => vec![number],
        None if reading.all_cpus => allowed,
        None => allowed.into_iter().take(1).collect(),
    };
    let read = |number| Ok((number, host::read_cpu(number).map_err(Failed::new)?));
    let cpus = chosen.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    for difference in host::compare_cpus(&cpus).iter().filter(|difference| !difference.expected) {
        warn(format!("CPUs differ: {difference}"));
    }
    let number = |number: usize| u32::try_from(number).ok();
    Ok(cpus
        .into_iter()
        .map(|(at, entries)| Cpu { number: number(at), ..Cpu::from_entries(entries) })
        .collect())
}
