//! Reading the CPUs of sources: which ones, in which format, of which host.

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Format, Options};
use cpuid_tables::host::HostFile;

use super::dumped::Dumped;
use super::machine::Chosen;
use super::outcome::{Failed, Result};
use super::source::Source;
use super::{guest_of, host, machine};

/// How dumps are read, and which host the tables of a machine are of.
#[derive(ClapArgs, Clone, Debug, Default)]
pub(crate) struct Reading {
    /// Format of the dumps, instead of detecting it; `--from ?` lists the formats
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<Format>,
    /// Warn about malformed lines instead of failing
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Use only the CPU with this number (in the dump, else its zero-based position)
    #[arg(long, value_name = "N", conflicts_with = "all_cpus")]
    number: Option<u32>,
    /// An old spelling of --number; a CPU model in `why`
    #[arg(long, value_name = "MODEL", hide = true)]
    pub(crate) cpu: Option<String>,
    /// With --instruction: every CPU of this machine instead of the first, with a warning if they differ
    #[arg(long)]
    pub(crate) all_cpus: bool,
    /// The machine of --instruction, --supported and --emulated, instead of this one: a recorded host, or a dump
    #[arg(long, value_name = "HOST", num_args = 0..=1, default_missing_value = "")]
    host: Option<String>,
}

impl Reading {
    /// A CPU's number, if only that one is to be read.
    pub(crate) fn number(&self) -> Option<u32> {
        self.number.or_else(|| self.cpu.as_deref()?.parse().ok())
    }

    /// The host of `--host`, unless it is this machine.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref().filter(|host| !matches!(*host, "" | host::REAL))
    }

    /// The host of `--host`, with or without a value; none if the option is missing.
    pub(crate) fn given_host(&self) -> Option<&str> {
        self.host.as_deref().map(|host| if host.is_empty() { host::REAL } else { host })
    }

    /// True for `--host` without a value.
    pub(crate) fn host_without_value(&self) -> bool {
        self.host.as_deref() == Some("")
    }

    /// The CPU model of `--cpu`, where that is not a number.
    pub(crate) fn model(&self) -> Option<&str> {
        self.cpu.as_deref().filter(|cpu| cpu.parse::<u32>().is_err())
    }

    /// The CPUs of a source, one after the other; at least one.
    pub(crate) fn open(&self, source: &Source) -> Result<Cpus> {
        let all: Box<dyn Iterator<Item = Result<Cpu>>> = match source {
            Source::File(path) if !path.exists() && HostFile::Supported.path(path).exists() => {
                Box::new(std::iter::once(machine::supported_of(&path.display().to_string())))
            }
            Source::File(path) => Box::new(Dumped::open(path, &self.options())?),
            Source::Input => Box::new(Dumped::standard_input(&self.options())?),
            Source::GuestOf(pid) => Box::new(guest_of::read(*pid)?.into_iter().map(Ok)),
            Source::Supported | Source::Emulated | Source::Instruction => {
                Box::new(machine::tables(source, self.machine())?.into_iter().map(Ok))
            }
        };
        Ok(Cpus { all, wanted: self.number(), numbers: Vec::new(), name: source.to_string(), found: false })
    }

    fn options(&self) -> Options {
        Options { format: self.from, lenient: self.lenient }
    }

    fn machine(&self) -> Chosen<'_> {
        Chosen { host: self.host(), number: self.number(), all_cpus: self.all_cpus }
    }

    /// All CPUs of a source.
    pub(crate) fn all(&self, source: &Source) -> Result<Vec<Cpu>> {
        self.open(source)?.collect()
    }
}

/// The CPUs of one source.
pub(crate) struct Cpus {
    all: Box<dyn Iterator<Item = Result<Cpu>>>,
    wanted: Option<u32>,
    /// The numbers of those that were skipped.
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
