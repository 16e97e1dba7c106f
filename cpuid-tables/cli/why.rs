//! `kvm-cpuid why`: shows which layer withholds a feature.

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::host::Host;
use cpuid_tables::naming::PsabiLevel;
use cpuid_tables::show::{Asked, Machine, RunningKvm, RunningLinux, Story, Style, Styled, named, why};
use cpuid_tables::{Feature, LinuxRelease, LookupError, Named, QemuRelease, SoftwareFeature};
use serde_json::{Value, json};

use super::format::Format;
use super::has::NOT_KNOWN;
use super::input::Input;
use super::outcome::Result;
use super::output::{print_document, print_styled, warn};
use super::program::Qemu;
use super::qemu_release::Emulated;
use super::source::Source;
use super::stated::{Has, both, flag_name, own_flag, stated};
use super::why_cpu::AskedCpu;
use super::why_guest::Guests;
use super::{advice, feature, host, qemu_release};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid why vmx                          which layer withholds it from this machine's guests?
  kvm-cpuid why avx512f --cpu EPYC-Milan     can a guest with this model have it?
  kvm-cpuid why svm --cpu EPYC,-svm          and with these properties?
  kvm-cpuid why vmx --host node2.json        on a recorded host, its KVM included
  kvm-cpuid why amx_tile dump.txt            on the machine of a dump
  kvm-cpuid why x86-64-v3 --host node2.json  what of a level is missing, and who withholds it
  kvm-cpuid why kvm_pv_eoi --format json

Without a FILE this machine is queried: the CPUID instruction, /proc/cpuinfo, the kernel's command line and \
configuration, and /dev/kvm. Sources that cannot be queried are named. The last line is the verdict.

Exit codes:
  0  a guest can have it
  1  a layer withholds it
  2  there is no such feature, a name's bits differ, or a source could not be read
  3  the queried layers do not decide it";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A feature or a list of them, by any name or by its location, or a level such as x86-64-v3
    feature: String,
    #[command(flatten)]
    input: Input<0, { usize::MAX }>,
    /// An old spelling of --cpu
    #[arg(long, value_name = "MODEL", hide = true, conflicts_with = "cpu")]
    model: Option<String>,
    /// The QEMU that builds the guest: a release, or a program, which is started and asked [default: the newest release]
    #[arg(long, value_name = "RELEASE|PATH", value_parser = qemu_release::emulated)]
    qemu: Option<Emulated>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let asked = feature::questions(&args.feature)?;
    let reading = &args.input.reading;
    let qemu = match &args.qemu {
        Some(asked) => Qemu::from_asked(asked, "pc")?,
        None => Qemu::Release(QemuRelease::NEWEST),
    };
    let cpu = args.model.as_deref().or_else(|| reading.model());
    let cpu = cpu.map(|text| AskedCpu::new(text, &qemu)).transpose()?;
    let explained = explained(&args.feature, &asked);
    let mut stories: Vec<(String, Story)> = Vec::new();
    let (mut machines, stating) = machines(args, &asked)?;
    if args.qemu.is_some() {
        machines.iter_mut().for_each(|queried| queried.machine.qemu = Some(qemu.release()));
    }
    for Queried { of, machine, host } in &machines {
        let guests = host.as_ref().map(|host| Guests::new(host, &qemu, cpu.as_ref()));
        for bit in &explained {
            let mut story = match &cpu {
                Some(cpu) => cpu.story(*bit, machine),
                None => why(*bit, machine, None),
            };
            if let Some(guests) = &guests {
                guests.complete(&mut story);
            }
            stories.push((of.clone(), story));
        }
    }
    let flags = feature::own_flags(&args.feature);
    let mut stated: Vec<Stated> = Vec::new();
    for (of, cpu) in &stating {
        let all = asked.iter().filter(|one| advice::is_piece(cpu) || !matches!(one, Asked::Bit(_)));
        stated.extend(all.map(|one| Stated::new(of, cpu, one, &flags)));
    }
    let answers: Vec<(&Asked, Has)> =
        asked.iter().map(|one| (one, withheld(one, &stories, &stated))).collect();
    let answer = super::stated::answer(&args.feature, &answers)?;
    let several = stories.len() > explained.len();
    let level = PsabiLevel::named(&args.feature);
    if level.is_some() {
        // Only what is withheld, or not stated.
        stories.retain(|(_, story)| story.available == Some(false));
        stated.retain(|one| one.available != Some(true));
    }
    print_answers(args, &stories, &stated, several)?;
    if let (Some(level), Format::Text, true) = (level, args.format, stories.is_empty() && stated.is_empty()) {
        let mut text = Styled::new();
        let (style, verdict) = match answer {
            Some(true) => (Style::Good, "A guest can have all features of"),
            _ => (Style::Doubt, "No queried layer withholds a feature of"),
        };
        text.line(style, format_args!("{verdict} {}.", level.name()));
        print_styled(&text)?;
    }
    Ok(answer.map_or(ExitCode::from(NOT_KNOWN), super::outcome::answer))
}

fn print_answers(args: &Args, stories: &[(String, Story)], stated: &[Stated], several: bool) -> Result<()> {
    if args.format == Format::Json {
        let one = |(of, story): &(String, Story)| {
            let mut value = story.to_json();
            value["machine"] = json!(of);
            value
        };
        let mut all: Vec<Value> = stories.iter().map(one).collect();
        all.extend(stated.iter().map(Stated::to_json));
        print_document(json!({ "stories": all }))?;
        return Ok(());
    }
    for (at, (of, story)) in stories.iter().enumerate() {
        let mut text = Styled::new();
        if at > 0 {
            text.plain('\n');
        }
        if several {
            text.line(Style::Heading, of);
        }
        print_styled(text.append(&story.styled()))?;
    }
    stated.iter().try_for_each(Stated::print)
}

/// What a source states of something that has no layers: of anything, where it states only some bits, such as a list of
/// names; and of what is not a bit. It has no reasons.
struct Stated {
    of: String,
    asked: Asked,
    /// Its name, or that of Linux's own flag, which is stated in its place.
    name: String,
    available: Has,
}

impl Stated {
    fn new(of: &str, cpu: &Cpu, asked: &Asked, flags: &[(Feature, SoftwareFeature)]) -> Stated {
        let available = stated(cpu, asked);
        let flag = own_flag(cpu, asked, flags).filter(|_| available.is_none());
        let name = flag.map_or_else(|| asked.name(), |(_, flag)| flag_name(flag));
        let available = available.or(flag.map(|_| true));
        Stated { of: of.to_owned(), asked: asked.clone(), name, available }
    }

    fn print(&self) -> Result<()> {
        let Stated { of, asked, name, available } = self;
        let mut text = Styled::new();
        let (yes, no) = match asked {
            Asked::Bit(_) | Asked::MsrBit(..) => ("set", "clear, and no reason for that"),
            Asked::Field(_) => ("not 0", "0, and no reason for that"),
            _ => ("there", "not there, and no reason for that"),
        };
        match available {
            Some(true) => {
                text.line(Style::Good, format_args!("{of} states that {name} is {yes}"));
            }
            Some(false) => {
                text.line(Style::Error, format_args!("{of} states that {name} is {no}"));
            }
            None => {
                let reason = asked.stated_by().map(|reason| format!("{reason}; ")).unwrap_or_default();
                warn(format!("{of} does not state {name}: {reason}{}", advice::WHOLE));
            }
        }
        print_styled(&text)?;
        Ok(())
    }

    fn to_json(&self) -> Value {
        json!({ "machine": self.of, "name": self.name, "available": self.available })
    }
}

/// The answer of all sources: one that withholds it decides, then one that does not know.
fn withheld(asked: &Asked, stories: &[(String, Story)], stated: &[Stated]) -> Has {
    let of_stories = stories.iter().filter(|(_, story)| *asked == Asked::Bit(story.about.named));
    let of_stated = stated.iter().filter(|one| one.asked == *asked);
    let mut answers =
        of_stories.map(|(_, story)| story.available).chain(of_stated.map(|one| one.available)).peekable();
    answers.peek()?;
    answers.fold(Some(true), both)
}

/// The bits to explain: those that are asked for, then others of that name, which are not what is asked: Linux's software-defined
/// `ibrs` beside AMD's bit.
fn explained(name: &str, asked: &[Asked]) -> Vec<Named> {
    let of_asked = asked.iter().filter_map(|one| if let Asked::Bit(bit) = one { Some(*bit) } else { None });
    let mut all: Vec<Named> = of_asked.collect();
    if let Err(LookupError::Ambiguous(others)) = named(name) {
        let gone =
            |bit: &Named| matches!(bit, Named::Software(bit) if !bit.known_to_linux(LinuxRelease::NEWEST));
        let others: Vec<Named> = others.iter().filter(|bit| !all.contains(bit) && !gone(bit)).collect();
        all.extend(others);
    }
    all
}

/// A machine to query.
struct Queried {
    of: String,
    machine: Machine,
    /// What QEMU knows of it, where all of that is known.
    host: Option<Host>,
}

/// The machines to query, and the CPUs that are asked what they state; with their names.
type Machines = (Vec<Queried>, Vec<(String, Cpu)>);

fn machines(args: &Args, asked: &[Asked]) -> Result<Machines> {
    let (mut all, mut stating) = (Vec::new(), Vec::new());
    let reading = &args.input.reading;
    // What is not a bit is asked of the table of what KVM supports, which has Hyper-V's leaves and MSRs.
    let only_bits = asked.iter().all(|one| matches!(one, Asked::Bit(_)));
    for source in args.input.sources_or(Source::Instruction) {
        if source == Source::Instruction {
            let of = reading.host().map_or_else(|| source.to_string(), str::to_owned);
            if !only_bits {
                stating.extend(reading.all(&Source::Supported)?.into_iter().map(|cpu| (of.clone(), cpu)));
            }
            all.push(match reading.host() {
                Some(name) => {
                    let (host, is_dump) = (host::named(name)?, host::is_dump(name)?);
                    let machine = recorded(host.clone(), is_dump);
                    Queried { of, machine, host: Some(host).filter(|_| !is_dump) }
                }
                None => {
                    Queried { of, machine: this_machine(args)?, host: Host::this_machine().ok().cloned() }
                }
            });
            continue;
        }
        let host = if let Source::File(path) = &source { host::recorded(path)? } else { None };
        if let Some(host) = host.clone() {
            let machine = recorded(host.clone(), false);
            all.push(Queried { of: source.to_string(), machine, host: Some(host) });
        }
        for cpu in args.input.reading.open(&source)? {
            let cpu = cpu?;
            let is_known = |one: &Asked| stated(&cpu, one).is_some();
            let is_open = advice::is_open(&cpu) || advice::is_piece(&cpu) && !asked.iter().all(is_known);
            if is_open || !only_bits {
                stating.push((source.title(&cpu), cpu.clone()));
            }
            if !is_open && host.is_none() {
                let (of, machine) = (source.title(&cpu), dumped(&source, cpu));
                all.push(Queried { of, machine, host: None });
            }
        }
    }
    Ok((all, stating))
}

/// A recorded host has the tables of its CPU and of its KVM; of a dump it is not known whether its MSRs are KVM's.
fn recorded(host: Host, is_dump: bool) -> Machine {
    let kvm = RunningKvm {
        supported: host.supported,
        emulated: host.emulated.unwrap_or_default(),
        msrs: Some(host.msrs.clone()).filter(|msrs| !is_dump && !msrs.is_empty()),
        ..RunningKvm::default()
    };
    let msrs = if is_dump { host.msrs } else { BTreeMap::new() };
    Machine { cpuid: Some(host.instruction), kvm: Some(kvm), msrs, ..Machine::default() }
}

/// A dump holds the CPUID instruction's table, or KVM's supported or emulated one if it is marked so.
fn dumped(source: &Source, cpu: Cpu) -> Machine {
    let is = |of: Source, name: &str| *source == of || cpu.name.as_deref() == Some(name);
    let all_msrs = cpu.beside.all_msrs;
    let (msrs, cpuid) = (cpu.msrs.clone(), cpu.entries.clone());
    let kvm_msrs = msrs.clone().filter(|_| all_msrs);
    let kvm = if is(Source::Supported, "supported") {
        RunningKvm { supported: cpuid, msrs: kvm_msrs, ..RunningKvm::default() }
    } else if is(Source::Emulated, "emulated") {
        RunningKvm { emulated: cpuid, ..RunningKvm::default() }
    } else {
        let msrs = msrs.unwrap_or_default();
        return Machine { cpuid: Some(cpuid), msrs, ..Machine::default() };
    };
    Machine { kvm: Some(kvm), ..Machine::default() }
}

fn this_machine(args: &Args) -> Result<Machine> {
    let reading = &args.input.reading;
    let or_warn = |what: Result<Vec<Cpu>>| match what {
        Ok(cpus) => cpus.into_iter().next(),
        Err(failed) => {
            warn(failed.message());
            None
        }
    };
    let supported = or_warn(reading.all(&Source::Supported));
    let kvm = supported.map(|supported| RunningKvm {
        supported: supported.entries,
        emulated: or_warn(reading.all(&Source::Emulated)).map(|cpu| cpu.entries).unwrap_or_default(),
        nested: nested(),
        msrs: supported.msrs,
    });
    let cpuid = or_warn(reading.all(&Source::Instruction)).map(|cpu| cpu.entries);
    Ok(Machine { cpuid, linux: linux(), kvm, ..Machine::default() })
}

/// Whether nested virtualization is on, according to the module parameter.
fn nested() -> Option<bool> {
    let read = |module| fs::read_to_string(format!("/sys/module/{module}/parameters/nested")).ok();
    let value = ["kvm_intel", "kvm_amd"].into_iter().find_map(read)?;
    Some(matches!(value.trim(), "Y" | "1"))
}

/// The running kernel; `None`, with a warning, if its files cannot be read.
fn linux() -> Option<RunningLinux> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let gathered = || -> std::result::Result<RunningLinux, String> {
        let release = read("/proc/sys/kernel/osrelease")?;
        let release = release.trim();
        let config = ["/boot/config-", "/lib/modules/"].into_iter().zip(["", "/config"]);
        let config = config
            .filter_map(|(before, after)| fs::read_to_string(format!("{before}{release}{after}")).ok())
            .next();
        // A container may hide the command line.
        let command_line = read("/proc/cmdline").unwrap_or_default();
        let linux = RunningLinux::read(release, &read("/proc/cpuinfo")?, &command_line, config.as_deref());
        linux.map_err(|error| format!("/proc/cpuinfo: {error}"))
    };
    gathered().map_err(warn).ok()
}
