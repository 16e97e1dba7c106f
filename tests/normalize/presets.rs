//! Each preset against tables that the VMM's own code made: README.md describes the recordings.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use cpuid_tables::check::{Check, Severity};
use cpuid_tables::host::Host;
use cpuid_tables::normalize::presets::{
    self, CloudHypervisor, Crosvm, Dragonball, Firecracker, Libkrun, Preset, Vpmu,
};
use cpuid_tables::normalize::{Normalized, Normalizer};
use cpuid_tables::{CpuidEntry, CpuidRead, CpuidTable, IndexedLeaf, Leaf, Registers, Subleaf};

use crate::common;
use crate::oracle::Outcome;
use crate::oracle::corpus::{self, Corpus};
use crate::oracle::recording::entry;

/// A recorded case: what is asked for, and the result.
pub(super) struct Case {
    pub(super) text: String,
    pub(super) vmm: String,
    pub(super) host: String,
    options: BTreeMap<String, u64>,
    /// Digest of all vCPUs' tables, and the first one's table; `None` if the VMM refuses.
    pub(super) tables: Option<(u64, Vec<CpuidEntry>)>,
}

impl Case {
    fn option(&self, name: &str) -> Option<u64> {
        self.options.get(name).copied()
    }

    fn number(&self, name: &str, default: u32) -> u32 {
        self.option(name).map_or(default, |number| u32::try_from(number).unwrap())
    }

    fn is(&self, name: &str) -> bool {
        self.option(name) == Some(1)
    }

    /// The width of physical addresses that Cloud Hypervisor is asked for; 0 for other VMMs, which do not set it.
    pub(super) fn phys_bits(&self) -> u32 {
        if self.vmm == "cloud-hypervisor" { self.number("phys-bits", 46) } else { 0 }
    }

    /// Whether crosvm states the frequency of the TSC that it measured.
    pub(super) fn states_tsc(&self) -> bool {
        self.vmm == "crosvm" && self.option("tsc-hz").is_some()
    }

    fn preset(&self) -> Preset {
        let vcpus = self.number("vcpus", 1);
        match self.vmm.as_str() {
            "firecracker" => presets::firecracker(&Firecracker { vcpus, smt: self.is("smt") }),
            "libkrun" => presets::libkrun(&Libkrun { vcpus, smt: self.is("smt"), nested: self.is("nested") }),
            "dragonball" => presets::dragonball(&Dragonball {
                vcpus,
                threads: self.number("threads", 1),
                cores: self.number("cores", 1),
                dies: self.number("dies", 1),
                vpmu: [Vpmu::Disabled, Vpmu::Limited, Vpmu::Full][self.number("vpmu", 0) as usize],
            }),
            "crosvm" => presets::crosvm(&Crosvm {
                vcpus,
                no_smt: self.is("no-smt"),
                hwp: self.is("hwp"),
                itmt: self.is("itmt"),
                nested: self.is("nested"),
                tsc_deadline: self.number("tsc-deadline", 1) == 1,
                tsc_hz: self.option("tsc-hz"),
            }),
            "cloud-hypervisor" => presets::cloud_hypervisor(&CloudHypervisor {
                threads: self.number("threads", 1),
                cores: self.number("cores", 1),
                dies: self.number("dies", 1),
                packages: self.number("packages", 1),
                phys_bits: self.phys_bits(),
                kvm_hyperv: self.is("hyperv"),
                amx: self.is("amx"),
                nested: self.is("nested"),
                tsc_khz: self.option("tsc-khz").map(|khz| u32::try_from(khz).unwrap()),
            }),
            other => panic!("`{other}` is not a VMM"),
        }
    }
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/normalize/recorded")
}

pub(super) fn cases() -> Outcome<Vec<Case>> {
    let entries: Option<Vec<CpuidEntry>> =
        fs::read_to_string(directory().join("entries.txt"))?.lines().map(entry).collect();
    let entries = entries.ok_or("entries.txt has a line that is not an entry")?;
    let text = fs::read_to_string(directory().join("cases.tsv"))?;
    text.lines().map(|line| case(line, &entries)).collect()
}

fn case(line: &str, entries: &[CpuidEntry]) -> Outcome<Case> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [text, digest, list] = columns[..] else { return Err(format!("`{line}` is not a case").into()) };
    let mut words = text.split(' ');
    let (Some(vmm), Some(host)) = (words.next(), words.next()) else { return Err(line.into()) };
    let mut options = BTreeMap::new();
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("`{word}` in `{line}`"))?;
        options.insert(name.to_owned(), value.parse()?);
    }
    let mut tables = None;
    if digest != "refused" {
        let mut table = Vec::new();
        for run in list.split(' ') {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            let lines = first.parse::<usize>()?..=last.parse()?;
            table.extend_from_slice(entries.get(lines).ok_or("a line that entries.txt lacks")?);
        }
        tables = Some((u64::from_str_radix(digest, 16)?, table));
    }
    Ok(Case { text: text.to_owned(), vmm: vmm.to_owned(), host: host.to_owned(), options, tables })
}

/// FNV-1a over all vCPUs: index, then each entry's function, index, flags and registers.
fn digest(guest: &Normalized) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |word: u32| {
        for byte in word.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for index in 0..guest.topology().count() {
        add(index);
        for entry in guest.table(index).iter() {
            [entry.function.0, entry.index.0, entry.flags].into_iter().for_each(&mut add);
            entry.registers.to_array().into_iter().for_each(&mut add);
        }
    }
    hash
}

/// The base and the host of a case.
///
/// `fill`: KVM lists every leaf up to the highest one; the recorded hosts' dumps only those that are not zero.
/// `bare`: an older KVM, which lists less, on a host with power management.
pub(super) fn base_and_host(case: &Case, host: &Host) -> (Vec<CpuidEntry>, Vec<CpuidEntry>) {
    let (mut base, mut cpuid) = (host.supported.clone(), host.instruction.clone());
    if case.is("fill") {
        for first in [Leaf(0), Leaf(0x8000_0000)] {
            let highest = host.supported.highest_leaf(first).map_or(first.0, |leaf| leaf.0);
            for leaf in (first.0..=highest).map(Leaf) {
                if !base.iter().any(|entry| entry.function == leaf) {
                    base.push(empty(leaf));
                }
            }
        }
        base.sort_by_key(|entry| entry.function);
    }
    if case.is("bare") {
        base.retain(|entry| !matches!(entry.function.0, 0x8000_001d | 0x8000_001e));
        for entry in &mut base {
            match entry.function.0 {
                1 => {
                    entry.registers.ebx &= 0xff;
                    entry.registers.ecx &= !(1 << 31 | 1 << 24 | 1 << 21);
                    entry.registers.edx &= !(1 << 12);
                }
                0x8000_0005 | 0x8000_0006 => entry.registers = Registers::ZERO,
                _ => {}
            }
        }
        for entry in cpuid.iter_mut().filter(|entry| entry.function == Leaf(6)) {
            entry.registers.eax |= 0x4580;
            entry.registers.ecx |= 8;
        }
    }
    (base, cpuid)
}

fn empty(leaf: Leaf) -> CpuidEntry {
    match IndexedLeaf::get(leaf).filter(|leaf| leaf.flagged_by_kvm) {
        Some(_) => CpuidEntry::indexed(leaf, Subleaf(0), Registers::ZERO),
        None => CpuidEntry::new(leaf, Registers::ZERO),
    }
}

fn first_difference(case: &Case, ours: &CpuidTable, theirs: &[CpuidEntry]) -> String {
    let pairs = ours.iter().zip(theirs);
    let text = &case.text;
    match pairs.into_iter().find(|(ours, theirs)| ours != theirs) {
        Some((ours, theirs)) => format!("{text}\n  ours   {ours:?}\n  theirs {theirs:?}"),
        None if ours.len() == theirs.len() => format!("{text}\n  only another vCPU differs"),
        None => format!("{text}\n  ours has {} entries, theirs {}", ours.len(), theirs.len()),
    }
}

fn compare(case: &Case, host: &Host) -> Option<String> {
    let (base, host) = base_and_host(case, host);
    let cpuid = |leaf: Leaf, subleaf: Subleaf| host.registers(leaf, subleaf).unwrap_or(Registers::ZERO);
    let ours = Normalizer::new(&base).host(&cpuid).preset(case.preset()).build();
    match (ours, &case.tables) {
        (Err(_), None) => None,
        (Ok(ours), Some((theirs, _))) if digest(&ours) == *theirs => None,
        (Ok(ours), Some((_, first))) => Some(first_difference(case, &ours.table(0), first)),
        (Ok(_), None) => Some(format!("{}\n  ours is accepted, theirs refused", case.text)),
        (Err(error), Some(_)) => Some(format!("{}\n  {error}", case.text)),
    }
}

#[test]
fn every_preset_gives_the_tables_of_its_vmm() -> Outcome<()> {
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    let cases = cases()?;
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let host = corpus.hosts.get(&case.host).ok_or_else(|| format!("no host {}", case.host))?;
        let difference = compare(case, host);
        let [equal, refused, different] = counts.entry(&case.vmm).or_default();
        match (&difference, &case.tables) {
            (Some(_), _) => *different += 1,
            (None, Some(_)) => *equal += 1,
            (None, None) => *refused += 1,
        }
        wrong.extend(difference);
    }
    for (vmm, [equal, refused, different]) in &counts {
        common::say(&format!("{vmm}: {equal} equal, {refused} refused by both, {different} different"));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    assert!(counts.len() == 5 && counts.values().all(|[equal, ..]| *equal > 150), "too few: {counts:?}");
    Ok(())
}

/// Every step of a preset matters in some recorded case, and every step has a reason.
#[test]
fn no_step_of_a_preset_is_idle() -> Outcome<()> {
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    let mut needed: BTreeMap<(String, &str), bool> = BTreeMap::new();
    for case in cases()? {
        let host = corpus.hosts.get(&case.host).ok_or("no such host")?;
        let (base, host) = base_and_host(&case, host);
        let cpuid = |leaf: Leaf, subleaf: Subleaf| host.registers(leaf, subleaf).unwrap_or(Registers::ZERO);
        let whole = Normalizer::new(&base).host(&cpuid).preset(case.preset());
        let names: Vec<&str> = whole.list().iter().map(|step| step.name).collect();
        let result = |normalizer: &Normalizer<'_>| normalizer.build().ok().map(|guest| digest(&guest));
        let expected = result(&whole);
        for name in names {
            assert!(whole.list().iter().all(|step| step.reason.len() > 10), "{name} has no reason");
            let known = needed.entry((case.vmm.clone(), name)).or_default();
            *known = *known || result(&whole.clone().without(name)?) != expected;
        }
    }
    let idle: Vec<_> = needed.iter().filter(|(_, matters)| !**matters).map(|(step, _)| step).collect();
    assert!(idle.is_empty(), "{idle:?}");
    assert!(needed.len() > 40, "{needed:?}");
    Ok(())
}

/// What `check` finds in the VMMs' recorded tables and not in their bases: `faults.txt`, which docs/vmms.md explains.
#[test]
fn the_faults_of_each_vmm_are_known() -> Outcome<()> {
    if !common::pinned("the_faults_of_each_vmm_are_known") {
        return Ok(());
    }
    const HOSTS: [&str; 6] =
        ["cascadelake", "genoa", "milan", "ryzen-7950x", "sapphire-rapids", "skylake-i5"];
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    let mut found: BTreeMap<(String, &str), (usize, String)> = BTreeMap::new();
    for case in cases()?.iter().filter(|case| {
        HOSTS.contains(&case.host.as_str()) && case.is("fill") && !case.is("bare") && case.tables.is_some()
    }) {
        let (base, host) = base_and_host(case, &corpus.hosts[&case.host]);
        let cpuid = |leaf: Leaf, subleaf: Subleaf| host.registers(leaf, subleaf).unwrap_or(Registers::ZERO);
        let guest = Normalizer::new(&base).host(&cpuid).preset(case.preset()).build()?;
        let tables: Vec<CpuidTable> = guest.vcpus().map(|(_, table)| table).collect();
        let before = errors(&[CpuidTable::from_entries(&base)?]);
        let mut kinds = errors(&tables);
        kinds.retain(|kind, _| !before.contains_key(kind));
        for (kind, what) in kinds {
            let entry = found.entry((case.vmm.clone(), kind));
            let example = || (0, format!("{}: {what}", case.text));
            entry.or_insert_with(example).0 += 1;
        }
    }
    let mut text = String::from("# VMM, kind of finding, recorded cases with it, and the first one\n");
    for ((vmm, kind), (count, example)) in &found {
        text.push_str(&format!("{vmm}\t{kind}\t{count}\t{example}\n"));
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/normalize/faults.txt");
    if std::env::var("BLESS").as_deref() == Ok("1") {
        fs::write(&path, &text)?;
    }
    assert_eq!(fs::read_to_string(&path)?, text, "BLESS=1 rewrites tests/normalize/faults.txt");
    Ok(())
}

/// Errors by kind, each with the first text.
fn errors(tables: &[CpuidTable]) -> BTreeMap<&'static str, String> {
    let check = (0..).zip(tables).fold(Check::new(), |check, (index, table)| check.vcpu(index, table));
    let mut kinds = BTreeMap::new();
    for finding in check.run().findings {
        if finding.severity() == Severity::Error {
            kinds.entry(finding.kind.name()).or_insert(finding.what);
        }
    }
    kinds
}
