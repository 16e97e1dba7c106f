//! Hosts from files, directories and streams, one after the other: at most one is in memory.

use std::fs;
use std::path::{Path, PathBuf};

use cpuid_tables::dump::Cpu;
use cpuid_tables::fleet::{Fleet, HostTables};
use cpuid_tables::host::{Host, HostFile};

use super::named_model::with_features;
use super::outcome::{Failed, Result};
use super::output::warn;
use super::progress::Steps;
use super::reading::Reading;
use super::source::Source;
use super::stated_fleet::StatedFleet;
use super::{advice, host};

/// The first word of a recorded host's lines: the table's name, not the host's.
const SUPPORTED: &str = "supported";
/// Tables next to it: KVM's emulated features, and its Hyper-V leaves.
const BESIDE: [&str; 2] = ["emulated", "hv"];

/// Adds the hosts of all sources; to the other fleet too, which takes those that state only some bits.
pub(super) fn take_in(
    fleet: &mut Fleet,
    stated: &mut StatedFleet,
    sources: &[Source],
    reading: &Reading,
) -> Result<()> {
    let sources = walked(sources)?;
    let mut steps = Steps::new(sources.len());
    for (source, is_listed) in &sources {
        let taken = of_source((fleet, stated), source, reading);
        match taken {
            // A directory of hosts may have notes beside them.
            Err(failed) if *is_listed && failed.is_no_dump() => {
                warn(format_args!("left out: {}", failed.in_a_line()));
            }
            Err(failed) if reading.lenient && sources.len() > 1 => warn(failed.message()),
            other => other?,
        }
        steps.step();
    }
    steps.finish();
    Ok(())
}

/// Sources with directories replaced by the files in them, in order of names; and whether a directory lists it.
fn walked(sources: &[Source]) -> Result<Vec<(Source, bool)>> {
    let mut all: Vec<(Source, bool)> = Vec::new();
    for source in sources {
        match source {
            Source::File(path) if path.is_dir() => {
                let before = all.len();
                walk(path, &mut all)?;
                if all.len() == before {
                    return Err(Failed::new(format!("{}: the directory contains no dumps", path.display())));
                }
            }
            other => all.push((other.clone(), false)),
        }
    }
    Ok(all)
}

fn walk(directory: &Path, all: &mut Vec<(Source, bool)>) -> Result<()> {
    let failed = |error| Failed::new(format!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    for path in &paths {
        if path.is_dir() {
            walk(path, all)?;
        } else if !belongs_to_another(path) {
            all.push((Source::File(path.clone()), true));
        }
    }
    Ok(())
}

/// True for a file that is read together with `NAME.supported`, or that describes the same host.
fn belongs_to_another(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let of_host = HostFile::ALL.into_iter().any(|file| Some(file.extension()) == extension);
    of_host && extension != Some(HostFile::Supported.extension()) && supported(path).exists()
}

fn supported(path: &Path) -> PathBuf {
    path.with_extension(HostFile::Supported.extension())
}

/// Adds the hosts of one source.
fn of_source(
    (fleet, stated): (&mut Fleet, &mut StatedFleet),
    source: &Source,
    reading: &Reading,
) -> Result<()> {
    if let Source::File(path) = source {
        if let Some(host) = host::recorded(path)? {
            stated.add_whole(&host.supported);
            return fleet.add_host(&source.to_string(), &host).map_err(Failed::new);
        }
        let msrs = path.with_extension(HostFile::Msrs.extension());
        if *path == supported(path) && msrs.exists() {
            let host = recorded(path, &msrs)?;
            stated.add_whole(&host.supported);
            return fleet.add_host(&path.display().to_string(), &host).map_err(Failed::new);
        }
    }
    let mut open: Option<OneHost> = None;
    let mut count = 0;
    for cpu in reading.open(source)? {
        let cpu = cpu?;
        if cpu.name.as_deref().is_some_and(|name| BESIDE.contains(&name)) {
            continue;
        }
        let goes_on = open.as_ref().is_some_and(|host| host.has_also(&cpu));
        if !goes_on {
            close(fleet, open.take())?;
            count += 1;
            open = Some(OneHost::new(source, count, &cpu));
        }
        if let Some(host) = &mut open {
            host.number = cpu.number;
        }
        if advice::is_open(&cpu) {
            stated.add_open(open.as_ref().map_or("", |host| &host.name), &with_features(cpu));
            continue;
        }
        stated.add_whole(&cpu.entries);
        if let Some(host) = &mut open {
            host.add(&cpu);
        }
    }
    close(fleet, open)
}

fn close(fleet: &mut Fleet, host: Option<OneHost>) -> Result<()> {
    let Some(host) = host.filter(|host| host.is_whole) else { return Ok(()) };
    fleet.add(&host.name, &host.tables.into_entries()).map_err(Failed::new)
}

/// A host with its feature MSRs, in text files.
fn recorded(supported: &Path, msrs: &Path) -> Result<Host> {
    let mut host = Host::default();
    let capabilities = supported.with_extension(HostFile::Capabilities.extension());
    for (file, path) in
        [(HostFile::Supported, supported), (HostFile::Msrs, msrs), (HostFile::Capabilities, &capabilities)]
    {
        if file == HostFile::Capabilities && !path.exists() {
            continue;
        }
        let failed = |error: &dyn std::fmt::Display| Failed::new(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
        host.read(file, &text).map_err(|error| failed(&error))?;
    }
    Ok(host)
}

/// The host that is being read.
struct OneHost {
    name: String,
    /// The number of the last CPU.
    number: Option<u32>,
    /// It has a name of its own.
    named: bool,
    /// It has a table.
    is_whole: bool,
    tables: HostTables,
}

impl OneHost {
    fn new(source: &Source, count: usize, first: &Cpu) -> OneHost {
        let name = match (&first.name, count) {
            (Some(name), _) if name != SUPPORTED && !first.beside.complete => name.clone(),
            (_, 1) => source.to_string(),
            (_, _) => format!("{source} #{count}"),
        };
        OneHost {
            name,
            number: None,
            named: first.name.is_some(),
            is_whole: false,
            tables: HostTables::new(),
        }
    }

    /// True when the CPU is one more of this host: one that is numbered upwards, or one of several without a number.
    fn has_also(&self, cpu: &Cpu) -> bool {
        cpu.name.is_none()
            && !self.named
            && (self.number < cpu.number || self.number.is_none() && cpu.number.is_none())
    }

    fn add(&mut self, cpu: &Cpu) {
        (self.number, self.is_whole) = (cpu.number, true);
        self.tables.add(&cpu.entries);
    }
}
