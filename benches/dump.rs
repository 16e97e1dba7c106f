//! Speed of the dump readers in MB/s, compared with naive readers and common programs.
//!
//! `cargo bench --features dump --bench dump [FORMAT...]`. The input is one guest's table, repeated for each CPU, in
//! each format. Each line is the fastest and the median of several rounds.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cpuid_tables::dump::{self, Cpu, Format, Options, Reader};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Rounds of each measurement.
const ROUNDS: usize = 7;
/// Approximate length of an input. Started programs read a file of the same length.
const LENGTH: usize = 64 << 20;

fn main() -> Outcome<()> {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut guest = dump::read(&include_bytes!("../tests/dumps/vmcore.entries")[..], &Options::default())?;
    let mut guest = guest.cpus.remove(0);
    // Leaf 2 has obsolete flags.
    guest.entries.iter_mut().for_each(|entry| entry.flags &= 1);
    for format in Format::ALL {
        let is_wanted = wanted.is_empty() || wanted.iter().any(|name| name == format.name());
        if is_wanted && format.can_be_written() {
            measure(format, &guest)?;
        }
    }
    Ok(())
}

fn measure(format: Format, guest: &Cpu) -> Outcome<()> {
    let (text, cpus) = input(format, guest)?;
    let entries = cpus * guest.entries.len();
    let what = format.name();
    let ours = time(&format!("{what}: Reader"), &text, entries, || ours(&text, format))?;
    let ratio =
        |other: Duration| say(&format!("  {:.1} times as long", other.as_secs_f64() / ours.as_secs_f64()));
    match format {
        Format::Entries => {
            ratio(time("entries: split_whitespace and from_str_radix", &text, entries, || {
                naive_entries(&text)
            })?)
        }
        Format::CpuidR => {
            ratio(time("cpuid-r: split_whitespace and from_str_radix", &text, entries, || {
                naive_cpuid_r(&text)
            })?);
            let path = std::env::temp_dir().join(format!("cpuid-tables-bench-{}.txt", std::process::id()));
            File::create(&path)?.write_all(&text)?;
            let others = programs(&text, entries, &path, ratio);
            std::fs::remove_file(&path)?;
            others?;
        }
        _ => {}
    }
    Ok(())
}

/// Common programs: awk on the file, and `cpuid -f`, which does not decode with `-r`.
fn programs(text: &[u8], entries: usize, path: &std::path::Path, ratio: impl Fn(Duration)) -> Outcome<()> {
    let program = "/0x/ { gsub(/e[a-d]x=0x|0x|:/, \"\"); print $1, $2, $3, $4, $5, $6 }";
    let mut awk = Command::new("awk");
    awk.arg(program).arg(path);
    let mut cpuid = Command::new("cpuid");
    cpuid.args(["-r", "-f"]).arg(path);
    for (what, mut command) in [("cpuid-r: awk", awk), ("cpuid-r: cpuid -r -f", cpuid)] {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_err() {
            say(&format!("{what}: not installed, skipped"));
            continue;
        }
        ratio(time(what, text, entries, || {
            let status = command.status()?;
            if status.success() { Ok(entries) } else { Err("it failed".into()) }
        })?);
    }
    Ok(())
}

/// A text of about [`LENGTH`] bytes, and its number of CPUs.
fn input(format: Format, guest: &Cpu) -> Outcome<(Vec<u8>, usize)> {
    let mut text = Vec::with_capacity(LENGTH + (1 << 16));
    let mut cpus = 0;
    while text.len() < LENGTH {
        let number = matches!(format, Format::Entries | Format::CpuidR | Format::InstLatx64);
        let cpu = Cpu { number: number.then_some(u32::try_from(cpus)?), ..guest.clone() };
        match format {
            // A file holds one profile, which is read as a whole.
            Format::Propolis if text.len() > 8 << 20 => break,
            Format::Propolis => {
                let name = Some(format!("guest{cpus}"));
                dump::write(&mut text, format, &[Cpu { name, ..cpu }])?;
            }
            _ => dump::write(&mut text, format, &[cpu])?,
        }
        cpus += 1;
    }
    Ok((text, cpus))
}

fn ours(text: &[u8], format: Format) -> Outcome<usize> {
    let options = Options { format: Some(format), lenient: false };
    let mut entries = 0;
    for cpu in Reader::new(text, &options)? {
        entries += black_box(cpu?).entries.len();
    }
    Ok(entries)
}

/// Reads line by line and word by word.
fn naive_entries(text: &[u8]) -> Outcome<usize> {
    let mut entries = Vec::new();
    let mut count = 0;
    for line in BufReader::with_capacity(1 << 16, text).lines() {
        let line = line?;
        let mut words = line.split_whitespace().peekable();
        let first = words.next_if(|word| word.starts_with("vcpu")).is_some();
        let numbers = words.map(|word| u32::from_str_radix(word, 16)).collect::<Result<Vec<u32>, _>>()?;
        if numbers.len() != 7 || !first {
            return Err("no entries".into());
        }
        entries.push(numbers);
        count += 1;
        if entries.len() == 256 {
            black_box(&mut entries).clear();
        }
    }
    Ok(count)
}

fn naive_cpuid_r(text: &[u8]) -> Outcome<usize> {
    let mut entries = Vec::new();
    let mut count = 0;
    for line in BufReader::with_capacity(1 << 16, text).lines() {
        let line = line?;
        if line.starts_with("CPU") {
            black_box(&mut entries).clear();
            continue;
        }
        let numbers = line.split_whitespace().map(|word| {
            let digits = word.trim_end_matches(':').rsplit("0x").next().unwrap_or(word);
            u32::from_str_radix(digits, 16)
        });
        let numbers = numbers.collect::<Result<Vec<u32>, _>>()?;
        if numbers.len() != 6 {
            return Err("no entries".into());
        }
        entries.push(numbers);
        count += 1;
    }
    Ok(count)
}

/// The fastest of several rounds; prints it with the median.
fn time(
    what: &str,
    text: &[u8],
    entries: usize,
    mut run: impl FnMut() -> Outcome<usize>,
) -> Outcome<Duration> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let read = run()?;
        rounds.push(start.elapsed());
        if read != entries {
            return Err(format!("{what}: {read} entries of {entries}").into());
        }
    }
    rounds.sort();
    let rate =
        |time: Duration| f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX)) / 1e6 / time.as_secs_f64();
    let (fastest, median) = (rounds[0], rounds[ROUNDS / 2]);
    say(&format!("{what:50} {:7.0} MB/s, median {:7.0} MB/s", rate(fastest), rate(median)));
    Ok(fastest)
}

#[allow(clippy::print_stdout, reason = "a benchmark prints its results")]
fn say(text: &str) {
    println!("{text}");
}
