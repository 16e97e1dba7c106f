//! A baseline of 10,000 hosts: from tables in memory, and from the text of their dumps.
//!
//! `cargo bench --features dump --bench fleet`. The hosts are a model's with random bits turned off: ten kinds with
//! 1,000 hosts each, or all different. Fastest and median of several runs; a run ends with the baseline and its
//! model.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use cpuid_tables::dump::{self, Cpu, Format, Options, Reader};
use cpuid_tables::fleet::Fleet;
use cpuid_tables::{CpuidEntry, CpuidWord, IndexedLeaf, Leaf, QemuRelease, Register, Registers, Subleaf};

const HOSTS: usize = 10_000;
const RUNS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for (kinds, name) in [(10, "10 kinds"), (HOSTS, "all different")] {
        let hosts = hosts(kinds)?;
        let entries: usize = hosts.iter().map(Vec::len).sum();
        writeln!(out, "{HOSTS} hosts, {name}: {entries} entries")?;
        let names: Vec<String> = (0..HOSTS).map(|at| format!("node{at}")).collect();
        let (fastest, median) = times(|| {
            let mut fleet = Fleet::new();
            for (name, host) in names.iter().zip(&hosts) {
                fleet.add(name, host)?;
            }
            finish(&fleet)
        })?;
        writeln!(out, "  from memory: {fastest:?}, median {median:?}")?;
        for format in [Format::Entries, Format::Json] {
            let text = text(&hosts, format)?;
            let (fastest, median) = times(|| {
                let mut fleet = Fleet::new();
                for cpu in Reader::new(&*text, &Options::default())? {
                    let cpu = cpu?;
                    fleet.add(names.get(fleet.len()).map_or("", String::as_str), &cpu.entries)?;
                }
                assert_eq!(fleet.len(), HOSTS);
                finish(&fleet)
            })?;
            let (name, size) = (format.name(), megabytes(text.len()));
            writeln!(out, "  from {name}, {size:.1} MB: {fastest:?}, median {median:?}")?;
        }
    }
    Ok(())
}

/// Computes the baseline and its model.
fn finish(fleet: &Fleet) -> Result<(), Box<dyn Error>> {
    let baseline = fleet.baseline()?;
    let release = QemuRelease::find("10.0").ok_or("no QEMU 10.0")?;
    let best = baseline.best_model(release)?.ok_or("no model")?;
    std::hint::black_box((baseline, best));
    Ok(())
}

/// The fastest run and the median.
fn times(run: impl Fn() -> Result<(), Box<dyn Error>>) -> Result<(Duration, Duration), Box<dyn Error>> {
    let mut all = [Duration::MAX; RUNS];
    for time in &mut all {
        let start = Instant::now();
        run()?;
        *time = start.elapsed();
    }
    all.sort_unstable();
    Ok((all[0], all[RUNS / 2]))
}

fn megabytes(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::INFINITY, f64::from) / 1e6
}

/// Hosts of this many kinds, each with about as many entries as a current KVM reports.
fn hosts(kinds: usize) -> Result<Vec<Vec<CpuidEntry>>, Box<dyn Error>> {
    let model = QemuRelease::NEWEST.cpu_model("SapphireRapids-v1").ok_or("no such model")?;
    let vendor = [0x756e_6547, 0x6c65_746e, 0x4965_6e69];
    let mut one = vec![
        CpuidEntry::new(Leaf(0), Registers::new(0x1f, vendor[0], vendor[1], vendor[2])),
        CpuidEntry::new(Leaf(0x8000_0000), Registers::new(0x8000_0008, vendor[0], vendor[1], vendor[2])),
        CpuidEntry::new(Leaf(0x8000_0008), Registers::new(0x0000_3934, 0, 0, 0)),
    ];
    for (word, value) in model.words() {
        set(&mut one, word, value);
    }
    let subleaves =
        [(4, 0..5), (0xb, 0..3), (0xd, 2..20), (0x12, 0..4), (0x14, 0..2), (0x1d, 0..2), (0x1f, 0..4)];
    for (leaf, range) in subleaves {
        one.extend(range.map(|at| {
            CpuidEntry::indexed(Leaf(leaf), Subleaf(at), Registers::new(at + 0x21, 0x1c0_003f, 0x3f, 0))
        }));
    }
    for leaf in (2..0x20).filter(|leaf| IndexedLeaf::get(Leaf(*leaf)).is_none()) {
        if one.iter().all(|entry| entry.function.0 != leaf) {
            one.push(CpuidEntry::new(Leaf(leaf), Registers::new(leaf, 0, 0, 0)));
        }
    }
    one.sort_by_key(|entry| (entry.function, entry.index));
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 33).unwrap_or(0) % below
    };
    let kinds: Vec<Vec<CpuidEntry>> = (0..kinds)
        .map(|_| {
            let mut host = one.clone();
            // Some features are missing, each on a few hosts, so that a model remains.
            for _ in 0..4 {
                let at = next(host.len());
                if !matches!(host[at].function.0, 0 | 1 | 0x8000_0000 | 0x8000_0001) {
                    host[at].registers[Register::ALL[next(4)]] &= !(1 << (16 + next(16)));
                }
            }
            host
        })
        .collect();
    Ok((0..HOSTS).map(|at| kinds[at % kinds.len()].clone()).collect())
}

fn set(entries: &mut Vec<CpuidEntry>, word: CpuidWord, value: u32) {
    let at = entries.iter().position(|entry| entry.answers(word.leaf, word.subleaf));
    let at = at.unwrap_or_else(|| {
        let indexed = IndexedLeaf::get(word.leaf).is_some();
        entries.push(CpuidEntry {
            function: word.leaf,
            index: word.subleaf,
            flags: u32::from(indexed),
            registers: Registers::ZERO,
        });
        entries.len() - 1
    });
    *entries[at].register_mut(word.register) = value;
}

/// The hosts as one stream.
fn text(hosts: &[Vec<CpuidEntry>], format: Format) -> Result<Vec<u8>, Box<dyn Error>> {
    let cpus: Vec<Cpu> = (0..)
        .zip(hosts)
        .map(|(number, host)| Cpu { number: Some(number), ..Cpu::from_entries(host.clone()) })
        .collect();
    let mut text = Vec::new();
    dump::write(&mut text, format, &cpus)?;
    Ok(text)
}
