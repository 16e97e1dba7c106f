//! Recordings stored as text, each piece once; tests/qemu/README.md describes the files and their lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cpuid_tables::host::{Host, HostFile};
use cpuid_tables::{CpuidEntry, Registers};

use super::Outcome;
use super::case::Case;
use super::msrs::{Values, at_reset};
use super::recording::{self, Recording};

mod pool;

pub use pool::Pool;
use pool::{ranges, read_ranges};

/// Where the recordings are.
pub fn directory() -> PathBuf {
    super::capture::directory().join("recorded")
}

/// A case with QEMU's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The case.
    pub case: Case,
    /// 0, or QEMU's exit status.
    pub status: u32,
    /// The first vCPU's table.
    pub table: Vec<CpuidEntry>,
    /// A digest of every vCPU's APIC id and table.
    pub digest: u64,
    /// Warnings, each once.
    pub warnings: Vec<String>,
    /// Each vCPU's MSRs at reset, if they were recorded. They are not read back with the rest.
    pub msrs: Vec<Values>,
}

impl Recorded {
    /// The stored part of a recording.
    pub fn new(case: &Case, recording: &Recording) -> Recorded {
        Recorded {
            case: case.clone(),
            status: recording.status,
            table: recording.tables.first().map(|(_, table)| table.clone()).unwrap_or_default(),
            digest: digest(&recording.tables),
            warnings: recording.warnings.clone(),
            msrs: recording.msrs.values().map(|all| at_reset(all)).collect(),
        }
    }
}

/// The 64-bit FNV-1a hash of every table; an index counts as 0 where it is not significant.
pub fn digest(tables: &[(u32, Vec<CpuidEntry>)]) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325u64;
    let mut take = |word: u32| {
        for byte in word.to_le_bytes() {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (id, table) in tables {
        take(*id);
        for entry in table {
            [entry.function.0, entry.subleaf().0, entry.flags].into_iter().for_each(&mut take);
            entry.registers.to_array().into_iter().for_each(&mut take);
        }
    }
    digest
}

/// The answer of `query-cpu-definitions` on a host: each model's name and unavailable features, in order.
pub type Definitions = Vec<(String, Vec<String>)>;

/// All recordings of one release.
#[derive(Default)]
pub struct Corpus {
    /// Hosts by name.
    pub hosts: BTreeMap<String, Host>,
    /// Cases.
    pub cases: Vec<Recorded>,
    /// By host.
    pub definitions: BTreeMap<String, Definitions>,
}

const ENTRIES: &str = "entries.txt";
const LISTS: &str = "lists.txt";
const WARNINGS: &str = "warnings.txt";
const CASES: &str = "cases.tsv";
const HOSTS: &str = "hosts.tsv";
const NAMES: &str = "features.txt";
const DEFINITIONS: &str = "definitions.tsv";
const MSRS: &str = "msrs.txt";
const MSR_CASES: &str = "msrs.tsv";

fn entry_text(entry: &CpuidEntry, index: u32) -> String {
    let Registers { eax, ebx, ecx, edx } = entry.registers;
    format!("{:x} {index:x} {:x} {eax:x} {ebx:x} {ecx:x} {edx:x}", entry.function.0, entry.flags)
}

impl Corpus {
    /// Writes the files of a release into a directory.
    pub fn write(&self, directory: &Path) -> Outcome<()> {
        fs::create_dir_all(directory)?;
        let (mut entries, mut lists, mut warnings) = (Pool::default(), Pool::default(), Pool::default());
        let mut hosts = String::new();
        for (name, host) in &self.hosts {
            for file in HostFile::ALL {
                let Some(text) = host.text(file) else { continue };
                let value = match file {
                    HostFile::Msrs | HostFile::Capabilities | HostFile::SavedMsrs => {
                        text.trim_end().replace(' ', "=").replace('\n', ",")
                    }
                    HostFile::Supported => ids_of(&mut entries, &host.supported),
                    HostFile::Instruction => ids_of(&mut entries, &host.instruction),
                    HostFile::Hyperv => ids_of(&mut entries, host.hyperv.as_deref().unwrap_or_default()),
                    // No QEMU queries it.
                    HostFile::Emulated => continue,
                };
                hosts += &format!("{name}\t{}\t{value}\n", file.extension());
            }
        }
        let mut cases = String::new();
        for recorded in &self.cases {
            let ids: Vec<usize> = recorded
                .table
                .iter()
                .map(|entry| entries.add(&entry_text(entry, entry.subleaf().0)))
                .collect();
            let table = lists.add(&ranges(&ids));
            let said: Vec<usize> = recorded.warnings.iter().map(|warning| warnings.add(warning)).collect();
            let (status, digest, case) = (recorded.status, recorded.digest, &recorded.case);
            let said = lists.add(&ranges(&said));
            cases += &format!("{status}\t{table}\t{digest:x}\t{said}\t{case}\n");
        }
        let mut names = Pool::default();
        let mut definitions = String::new();
        for (host, models) in &self.definitions {
            for (model, features) in models {
                let ids: Vec<usize> = features.iter().map(|feature| names.add(feature)).collect();
                definitions += &format!("{host}\t{model}\t{}\n", lists.add(&ranges(&ids)));
            }
        }
        for (file, text) in [
            (HOSTS, hosts),
            (CASES, cases),
            (DEFINITIONS, definitions),
            (ENTRIES, entries.text()),
            (LISTS, lists.text()),
            (WARNINGS, warnings.text()),
            (NAMES, names.text()),
        ] {
            fs::write(directory.join(file), text)?;
        }
        self.write_msrs(directory)
    }

    /// Writes the MSRs, if those of any case were recorded.
    fn write_msrs(&self, directory: &Path) -> Outcome<()> {
        if self.cases.iter().all(|recorded| recorded.msrs.is_empty()) {
            return Ok(());
        }
        let mut msrs = Pool::default();
        let mut cases = String::new();
        for Recorded { status, msrs: vcpus, case, .. } in &self.cases {
            let mut list = |all: &Values| {
                let ids: Vec<usize> =
                    all.iter().map(|(msr, value)| msrs.add(&format!("{msr:x} {value:x}"))).collect();
                ranges(&ids)
            };
            let vcpus: Vec<String> = vcpus.iter().map(&mut list).collect();
            cases += &format!("{status}\t{}\t{case}\n", vcpus.join(";"));
        }
        fs::write(directory.join(MSRS), msrs.text())?;
        Ok(fs::write(directory.join(MSR_CASES), cases)?)
    }

    /// Reads them.
    pub fn read(directory: &Path) -> Outcome<Corpus> {
        let text = |file: &str| {
            let path = directory.join(file);
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let entries: Vec<CpuidEntry> = text(ENTRIES)?
            .lines()
            .map(|line| recording::entry(line).ok_or_else(|| format!("{ENTRIES}: `{line}` is not an entry")))
            .collect::<Result<_, _>>()?;
        let of_entries = |ids: &str| read_ranges(ids, &entries);
        let lists = text(LISTS)?;
        let lists: Vec<&str> = lists.lines().collect();
        let warnings: Vec<String> = text(WARNINGS)?.lines().map(str::to_owned).collect();
        let mut corpus = Corpus::default();
        for line in text(HOSTS)?.lines() {
            corpus.read_host(line, &of_entries).map_err(|error| format!("{HOSTS}: `{line}`: {error}"))?;
        }
        for line in text(CASES)?.lines() {
            let recorded = read_case(line, &lists, &entries, &warnings);
            corpus.cases.push(recorded.map_err(|error| format!("{CASES}: `{line}`: {error}"))?);
        }
        let names: Vec<String> = text(NAMES)?.lines().map(str::to_owned).collect();
        for line in text(DEFINITIONS)?.lines() {
            let [host, model, list] = fields(line)?;
            let features = read_list(list, &lists, &names)?;
            corpus.definitions.entry(host.to_owned()).or_default().push((model.to_owned(), features));
        }
        Ok(corpus)
    }

    fn read_host(&mut self, line: &str, entries: &impl Fn(&str) -> Outcome<Vec<CpuidEntry>>) -> Outcome<()> {
        let [name, extension, value] = fields(line)?;
        let host = self.hosts.entry(name.to_owned()).or_default();
        let file = HostFile::ALL.into_iter().find(|file| file.extension() == extension);
        match file.ok_or("no such file of a host")? {
            HostFile::Supported => host.supported = entries(value)?,
            HostFile::Instruction => host.instruction = entries(value)?,
            HostFile::Hyperv => host.hyperv = Some(entries(value)?),
            file @ (HostFile::Msrs | HostFile::Capabilities | HostFile::Emulated | HostFile::SavedMsrs) => {
                host.read(file, &value.replace('=', " ").replace(',', "\n"))?
            }
        }
        Ok(())
    }
}

fn ids_of(pool: &mut Pool, entries: &[CpuidEntry]) -> String {
    let ids: Vec<usize> = entries.iter().map(|entry| pool.add(&entry_text(entry, entry.index.0))).collect();
    ranges(&ids)
}

fn fields<const N: usize>(line: &str) -> Outcome<[&str; N]> {
    let fields: Vec<&str> = line.splitn(N, '\t').collect();
    Ok(fields.try_into().map_err(|_| format!("`{line}`: expected {N} fields"))?)
}

/// The items of the list with a number.
fn read_list<T: Clone>(number: &str, lists: &[&str], items: &[T]) -> Outcome<Vec<T>> {
    read_ranges(lists.get(number.parse::<usize>()?).ok_or("no such list")?, items)
}

fn read_case(line: &str, lists: &[&str], entries: &[CpuidEntry], warnings: &[String]) -> Outcome<Recorded> {
    let [status, table, digest, said, case] = fields(line)?;
    Ok(Recorded {
        case: case.parse()?,
        status: status.parse()?,
        table: read_list(table, lists, entries)?,
        digest: u64::from_str_radix(digest, 16)?,
        warnings: read_list(said, lists, warnings)?,
        msrs: Vec::new(),
    })
}
