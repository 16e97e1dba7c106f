//! Compares thousands of guests' CPUID tables with those of a real QEMU: `tests/qemu/sweep --help`.

#![allow(clippy::print_stderr, reason = "a command's output")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use cpuid_tables::QemuRelease;
use cpuid_tables::host::Host;

mod emulated;
mod oracle;

use emulated::Emulated;
use oracle::case::Case;
use oracle::cases::Group;
use oracle::compare::{Verdict, compare};
use oracle::corpus::{self, Corpus, Recorded};
use oracle::hosts::Vendor;
use oracle::{Outcome, capture, cases, definitions, differences, hosts};

const HELP: &str = "\
Compare the CPUID tables that this library builds with those that a real QEMU passes to KVM.

Usage:
  tests/qemu/sweep [--qemu RELEASE] [--only GROUP,...] [--random N] [--adversarial N] [--seed S] [--show N]
                   [--msrs]
  tests/qemu/sweep [--qemu RELEASE] ... --record | --record-as NAME
  tests/qemu/sweep --qemu RELEASE --answers PATH [--show N]
  tests/qemu/sweep --hosts DIR

  --qemu RELEASE   QEMU release to run (default: 10.0). The library emulates the release of its tables or, if they
                   have none of that name, the program, which it asks as `kvm-cpuid guest --qemu PATH` does
  --only GROUP,... models, topologies, boards, properties, machine-types, hyperv, others, refused, processors,
                   real (this machine's KVM, if it has one), random, adversarial
  --random N       also N random cases on random hosts (default: none)
  --adversarial N  also N cases of unusual spellings, wrong values and odd combinations, half of them on strange
                   hosts (default: none)
  --seed S         seed of both (default: 1)
  --msrs           also compare the MSRs that QEMU sets; recorded answers are compared as far as they have them
  --show N         print the first N cases of each kind of difference (default: 3)
  --record         also write QEMU's results to tests/qemu/recorded/RELEASE
  --record-as NAME also write them to tests/qemu/recorded/NAME
  --answers PATH   compare with PATH.qemu, the output of `capture` for the cases of PATH.cases, on the hosts of the
                   directory `hosts` next to it; needs no QEMU
  --hosts DIR      only write the hosts' files
  --help           this text

Standard output lists each kind of difference with its count and example cases, and the counts of all cases.

Examples:
  tests/qemu/sweep
  tests/qemu/sweep --qemu 7.2 --only models,hyperv
  tests/qemu/sweep --only random --random 5000 --seed 42
  tests/qemu/sweep --only adversarial --adversarial 1000 --msrs

Exit codes: 0 all cases are equal or listed in tests/qemu/differences.tsv; 1 a case differs; 2 wrong usage; 3 QEMU is not
available.";

struct Options {
    qemu: String,
    only: Vec<String>,
    random: usize,
    adversarial: usize,
    seed: u64,
    show: usize,
    msrs: bool,
    record: Option<String>,
    hosts: Option<PathBuf>,
    answers: Option<PathBuf>,
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        qemu: "10.0".to_owned(),
        only: Vec::new(),
        random: 0,
        adversarial: 0,
        seed: 1,
        show: 3,
        msrs: false,
        record: None,
        hosts: None,
        answers: None,
    };
    let mut arguments = env::args().skip(1);
    let mut record = false;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs an argument"));
        let number = |text: String| text.parse::<u64>().map_err(|_| format!("`{text}` is not a number"));
        let count = |number: u64| usize::try_from(number).map_err(|error| error.to_string());
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--qemu" => options.qemu = value()?,
            "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
            "--random" => options.random = count(number(value()?)?)?,
            "--adversarial" => options.adversarial = count(number(value()?)?)?,
            "--seed" => options.seed = number(value()?)?,
            "--show" => options.show = count(number(value()?)?)?,
            "--msrs" => options.msrs = true,
            "--record" => record = true,
            "--record-as" => options.record = Some(value()?),
            "--hosts" => options.hosts = Some(value()?.into()),
            "--answers" => options.answers = Some(value()?.into()),
            other => return Err(format!("unexpected argument '{other}'")),
        }
    }
    if record {
        options.record = Some(options.qemu.clone());
    }
    Ok(Some(options))
}

/// Prints a line of output. A closed standard output is not an error.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            say(HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("sweep: {error} (see --help)");
            return ExitCode::from(2);
        }
    };
    run(&options).unwrap_or_else(|error| {
        eprintln!("sweep: {error}");
        ExitCode::FAILURE
    })
}

fn run(options: &Options) -> Outcome<ExitCode> {
    if let Some(directory) = &options.hosts {
        for (name, host) in all_hosts(options)? {
            hosts::write(directory, &name, &host)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let work = Work::new()?;
    if let Some(path) = &options.answers {
        return answers(options, Emulated::find(&options.qemu, &work.0)?, path);
    }
    if !capture::releases()?.iter().any(|known| known.starts_with(&options.qemu)) {
        eprintln!("sweep: QEMU {} is not available; tests/qemu/unpack can unpack it", options.qemu);
        return Ok(ExitCode::from(3));
    }
    let mut all = all_hosts(options)?;
    let emulated = Emulated::find(&options.qemu, &work.0)?;
    if let Some(note) = emulated.note() {
        say(&note);
    }
    let groups = groups(options, emulated.release(), &all);
    for (name, host) in &mut all {
        hosts::write(&work.0, name, host)?;
        host.fill_in();
    }
    let known = differences::explained(&options.qemu)?.iter().map(|row| row.case.to_string()).collect();
    let mut sweep = Sweep::new(options, emulated, all, known);
    for group in groups {
        sweep.group(&group, &work.0)?;
    }
    sweep.report();
    if let Some(name) = &options.record {
        sweep.record(&work.0, name)?;
    }
    Ok(if sweep.tally.different() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares with QEMU's answers that were recorded before.
fn answers(options: &Options, emulated: Emulated, path: &Path) -> Outcome<ExitCode> {
    let mut sweep = Sweep::new(options, emulated, BTreeMap::new(), BTreeSet::new());
    let directory = path.parent().unwrap_or(Path::new(".")).join("hosts");
    let cases = fs::read_to_string(with_suffix(path, ".cases"))?;
    let mut recorded = BufReader::new(fs::File::open(with_suffix(path, ".qemu"))?);
    for line in cases.lines() {
        let case: Case = line.parse()?;
        if !sweep.hosts.contains_key(&case.host) {
            let mut host = hosts::read(&directory, &case.host)?;
            host.fill_in();
            sweep.hosts.insert(case.host.clone(), host);
        }
        let recording =
            oracle::recording::Recording::read(&mut recorded)?.ok_or("fewer results than cases")?;
        sweep.take(&case, &recording)?;
    }
    sweep.report();
    Ok(if sweep.tally.different() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The name of a release has a dot, so that an extension cannot simply be replaced.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A temporary directory, removed on drop.
struct Work(PathBuf);

impl Work {
    fn new() -> Outcome<Work> {
        let directory = env::temp_dir().join(format!("cpuid-tables-sweep-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        Ok(Work(directory))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Twenty cases on a random host.
const CASES_OF_A_HOST: usize = 20;

fn all_hosts(options: &Options) -> Outcome<BTreeMap<String, Host>> {
    let mut all = BTreeMap::new();
    all.insert("allamd".to_owned(), hosts::all_ones(Vendor::AMD));
    all.insert("allintel".to_owned(), hosts::all_ones(Vendor::INTEL));
    for (name, host) in hosts::processors()? {
        all.insert(name.to_owned(), host);
    }
    if let Some(host) = this_machine() {
        all.insert(MACHINE.to_owned(), host.clone());
        all.insert(REAL.to_owned(), host);
    }
    for number in 0..options.random.div_ceil(CASES_OF_A_HOST) {
        let seed = options.seed.wrapping_mul(0x1_0000_0000).wrapping_add(number as u64);
        all.insert(format!("random-{}-{number}", options.seed), hosts::plausible(seed)?);
    }
    for number in 0..options.adversarial.div_ceil(CASES_OF_A_HOST) {
        let seed = options.seed.wrapping_mul(0x1_0000_0000).wrapping_add(number as u64);
        all.insert(format!("{STRANGE}{}-{number}", options.seed), hosts::strange(seed)?);
    }
    if options.msrs {
        for (seed, host) in (options.seed..).zip(all.values_mut()) {
            host.saved_msrs.get_or_insert_with(|| hosts::saved_msrs(seed));
        }
    }
    Ok(all)
}

fn groups(options: &Options, release: QemuRelease, all: &BTreeMap<String, Host>) -> Vec<Group> {
    let named = |name: &&String| {
        let made = ["random-", STRANGE, "all"].iter().any(|prefix| name.starts_with(prefix));
        !made && *name != MACHINE && *name != REAL
    };
    let processors: Vec<&str> = all.keys().filter(named).map(String::as_str).collect();
    let machine = all.contains_key(MACHINE).then_some(MACHINE);
    let mut groups = cases::groups(release, machine, &processors);
    if all.contains_key(REAL) {
        groups.push(Group { name: "real", cases: cases::on_real(release, REAL) });
    }
    let names: Vec<String> = all.keys().filter(|name| name.starts_with("random-")).cloned().collect();
    if !names.is_empty() {
        let cases = cases::random(release, &names, options.random, options.seed);
        groups.push(Group { name: "random", cases });
    }
    if options.adversarial != 0 {
        let mut hosts = vec!["allamd", "allintel"];
        hosts.extend(&processors);
        // Half of the cases are on strange hosts.
        let strange: Vec<&str> =
            all.keys().filter(|name| name.starts_with(STRANGE)).map(String::as_str).collect();
        let usual = hosts.len();
        hosts.extend(strange.iter().cycle().take(usual.max(strange.len())));
        let cases = cases::adversarial(release, &hosts, options.adversarial, options.seed);
        groups.push(Group { name: "adversarial", cases });
    }
    groups.retain(|group| options.only.is_empty() || options.only.iter().any(|only| only == group.name));
    groups
}

/// The number of random hosts on which QEMU lists each model's unavailable features.
const RANDOM_DEFINITIONS: usize = 10;

/// The prefix of strange hosts' names.
const STRANGE: &str = "strange-";
/// This machine's names as a host: by its description, and by its own KVM.
const MACHINE: &str = "machine";
const REAL: &str = "real";

/// This machine, if it has a KVM.
fn this_machine() -> Option<Host> {
    match Host::this_machine() {
        // Some KVMs report the TSC's frequency only for a vCPU; the library does not create one for that.
        Ok(host) => Some(Host { tsc_khz: host.tsc_khz.or_else(tsc_khz), ..host.clone() }),
        Err(error) => {
            eprintln!("sweep: this machine is left out: {error}");
            None
        }
    }
}

fn tsc_khz() -> Option<u32> {
    let vm = kvm_ioctls::Kvm::new().and_then(|kvm| kvm.create_vm()).ok()?;
    vm.create_vcpu(0).ok()?.get_tsc_khz().ok()
}

#[derive(Default)]
struct Tally {
    equal: usize,
    refused: usize,
    /// Listed in differences.tsv.
    known: usize,
    /// By place, with the count and the first cases.
    different: BTreeMap<String, (usize, Vec<String>)>,
}

impl Tally {
    fn different(&self) -> usize {
        self.different.values().map(|(count, _)| count).sum()
    }

    fn add(&mut self, other: Tally) {
        self.equal += other.equal;
        self.refused += other.refused;
        self.known += other.known;
        for (place, (count, examples)) in other.different {
            let (all, first) = self.different.entry(place).or_default();
            *all += count;
            first.splice(0..0, examples);
        }
    }

    fn text(&self) -> String {
        let all = self.equal + self.refused + self.known + self.different();
        format!(
            "{all} cases, {} equal, {} rejected by both, {} with a known difference, {} different",
            self.equal,
            self.refused,
            self.known,
            self.different()
        )
    }
}

struct Sweep<'o> {
    options: &'o Options,
    emulated: Emulated,
    hosts: BTreeMap<String, Host>,
    known: BTreeSet<String>,
    tally: Tally,
    recorded: Vec<Recorded>,
}

impl<'o> Sweep<'o> {
    fn new(
        options: &'o Options,
        emulated: Emulated,
        hosts: BTreeMap<String, Host>,
        known: BTreeSet<String>,
    ) -> Sweep<'o> {
        Sweep { options, emulated, hosts, known, tally: Tally::default(), recorded: Vec::new() }
    }

    fn group(&mut self, group: &Group, directory: &Path) -> Outcome<()> {
        let start = Instant::now();
        let mut shown = start;
        let before = std::mem::take(&mut self.tally);
        let mut done = 0;
        let terminal = std::io::stderr().is_terminal();
        let options = self.options;
        let mut wanted = vec!["--qemu", options.qemu.as_str()];
        wanted.extend(options.msrs.then_some("--msrs"));
        capture::record_with(&wanted, directory, &group.cases, |case, recording| {
            self.take(case, &recording)?;
            done += 1;
            if terminal && shown.elapsed() > Duration::from_millis(500) {
                shown = Instant::now();
                eprint!("\r{} {done} of {}", group.name, group.cases.len());
                std::io::stderr().flush()?;
            }
            Ok(())
        })?;
        if terminal {
            eprint!("\r\x1b[K");
        }
        say(&format!("{}: {} ({:.1} s)", group.name, self.tally.text(), start.elapsed().as_secs_f64()));
        self.tally.add(before);
        Ok(())
    }

    fn take(&mut self, case: &Case, recording: &oracle::recording::Recording) -> Outcome<()> {
        let host = self.hosts.get(&case.host).ok_or_else(|| format!("no host {}", case.host))?;
        match compare(recording, &self.emulated.build(host, case)?) {
            Verdict::Equal => self.tally.equal += 1,
            Verdict::BothRefuse => self.tally.refused += 1,
            Verdict::Different(_) if self.known.contains(&case.to_string()) => self.tally.known += 1,
            Verdict::Different(difference) => {
                let (count, examples) = self.tally.different.entry(difference.place.clone()).or_default();
                *count += 1;
                if examples.len() < self.options.show {
                    let case = case.to_string().replace('\t', " | ");
                    examples.push(format!(
                        "{case}\n    QEMU {}, cpuid-tables {}",
                        difference.qemu, difference.ours
                    ));
                }
            }
        }
        if self.options.record.is_some() && case.host != REAL {
            self.recorded.push(Recorded::new(case, recording));
        }
        Ok(())
    }

    fn report(&self) {
        for (place, (count, examples)) in &self.tally.different {
            say(&format!("{count} at {place}"));
            examples.iter().take(self.options.show).for_each(|example| say(&format!("  {example}")));
        }
        say(&format!("QEMU {}: {}", self.options.qemu, self.tally.text()));
    }

    /// Writes QEMU's results, and also each model's unavailable features on each host.
    fn record(&mut self, directory: &Path, name: &str) -> Outcome<()> {
        // A few random hosts are enough for that.
        let (random, named): (Vec<_>, Vec<_>) = self
            .hosts
            .keys()
            .filter(|name| *name != REAL && !name.starts_with(STRANGE))
            .partition(|name| name.starts_with("random-"));
        let asked = named.into_iter().chain(random.into_iter().take(RANDOM_DEFINITIONS));
        let asked: Vec<Case> = asked.map(|host| definitions::case(host)).collect();
        let mut answers = BTreeMap::new();
        capture::record(&self.options.qemu, directory, &asked, |case, recording| {
            answers.insert(case.host.clone(), definitions::read(&recording)?);
            Ok(())
        })?;
        self.hosts.remove(REAL);
        let (hosts, cases) = (std::mem::take(&mut self.hosts), std::mem::take(&mut self.recorded));
        let directory = corpus::directory().join(name);
        Corpus { hosts, cases, definitions: answers }.write(&directory)
    }
}
