//! `kvm-cpuid why`: shows which layer withholds a feature.

use std::fs;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::host::Host;
use cpuid_tables::show::{Machine, RunningKvm, RunningLinux, Story, Style, Styled, name_of, named, why};
use cpuid_tables::{LinuxRelease, LookupError, Named, QemuRelease};
use serde_json::{Value, json};

use super::format::Format;
use super::has::{NOT_KNOWN, bit_stated};
use super::input::Input;
use super::outcome::{Result, answer};
use super::output::{print_document, print_styled, warn};
use super::source::Source;
use super::{advice, feature, hint, host};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid why vmx                          which layer withholds it from this machine's guests?
  kvm-cpuid why avx512f --cpu EPYC-Milan     can a guest with this model have it?
  kvm-cpuid why vmx --host node2.json        on a recorded host, its KVM included
  kvm-cpuid why amx_tile dump.txt            on the machine of a dump
  kvm-cpuid why kvm_pv_eoi --format json

Without a FILE this machine is queried: the CPUID instruction, /proc/cpuinfo, the kernel's command line and \
configuration, and /dev/kvm. Sources that cannot be queried are named. The last line is the verdict.

Exit codes:
  0  a guest can have it
  1  a layer withholds it
  2  there is no such feature, or a source could not be read
  3  the queried layers do not decide it";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A feature, by any name or by its location
    feature: String,
    #[command(flatten)]
    input: Input<0, { usize::MAX }>,
    /// An old spelling of --cpu
    #[arg(long, value_name = "MODEL", hide = true, conflicts_with = "cpu")]
    model: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let bits = bits(&args.feature)?;
    let reading = &args.input.reading;
    let model = args.model.as_deref().or_else(|| reading.model());
    let model = model.map(|name| hint::model_named(name, QemuRelease::NEWEST)).transpose()?;
    let mut stories: Vec<(String, Story)> = Vec::new();
    let (machines, open) = machines(args)?;
    for (of, machine) in machines {
        stories.extend(bits.iter().map(|bit| (of.clone(), why(*bit, &machine, model))));
    }
    let answers: Vec<Stated> =
        open.iter().flat_map(|cpu| bits.iter().map(move |bit| Stated::new(cpu, *bit))).collect();
    if args.format == Format::Json {
        let one = |(of, story): &(String, Story)| {
            let mut value = story.to_json();
            value["machine"] = json!(of);
            value
        };
        let mut all: Vec<Value> = stories.iter().map(one).collect();
        all.extend(answers.iter().map(Stated::to_json));
        print_document(json!({ "stories": all }))?;
        return Ok(answered(&stories, &answers));
    }
    let several = stories.len() > bits.len();
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
    for stated in &answers {
        stated.print()?;
    }
    Ok(answered(&stories, &answers))
}

/// What a source that states only some bits, such as a list of names, states of a bit. It has no reasons.
struct Stated {
    of: String,
    name: String,
    available: Option<bool>,
}

impl Stated {
    fn new((of, cpu): &(String, Cpu), bit: Named) -> Stated {
        let available = bit_stated(cpu, bit);
        let name = match bit {
            Named::Feature(feature) => name_of(feature).to_owned(),
            other => other.name().to_owned(),
        };
        Stated { of: of.clone(), name, available }
    }

    fn print(&self) -> Result<()> {
        let Stated { of, name, available } = self;
        let mut text = Styled::new();
        match available {
            Some(true) => {
                text.line(Style::Good, format_args!("{of} states that {name} is set"));
            }
            Some(false) => {
                text.line(
                    Style::Error,
                    format_args!("{of} states that {name} is clear, and no reason for that"),
                );
            }
            None => warn(format!("{of} does not state {name}: {}", advice::WHOLE)),
        }
        print_styled(&text)?;
        Ok(())
    }

    fn to_json(&self) -> Value {
        json!({ "machine": self.of, "name": self.name, "available": self.available })
    }
}

/// One that is withheld decides, then one that is not known.
fn answered(stories: &[(String, Story)], stated: &[Stated]) -> ExitCode {
    let answers =
        || stories.iter().map(|(_, story)| story.available).chain(stated.iter().map(|one| one.available));
    let is = |wanted: Option<bool>| answers().any(|available| available == wanted);
    if is(Some(false)) {
        answer(false)
    } else if is(None) {
        ExitCode::from(NOT_KNOWN)
    } else {
        answer(true)
    }
}

/// The bits of a name or a location: all of them if it is ambiguous.
fn bits(name: &str) -> Result<Vec<Named>> {
    match named(name) {
        Ok(named) => Ok(vec![named]),
        Err(LookupError::Ambiguous(all)) => {
            let all: Vec<Named> = all.iter().collect();
            let hardware = all.iter().any(|bit| matches!(bit, Named::Feature(_)));
            // A bit that was software-defined and is now a hardware feature is explained as the latter.
            let gone = |bit: &Named| matches!(bit, Named::Software(bit) if !bit.known_to_linux(LinuxRelease::NEWEST));
            Ok(all.into_iter().filter(|bit| !(hardware && gone(bit))).collect())
        }
        Err(LookupError::Unknown) => feature::named(name).map(|feature| vec![Named::Feature(feature)]),
    }
}

/// The machines to query, and the CPUs that state only some bits; with their names.
type Machines = (Vec<(String, Machine)>, Vec<(String, Cpu)>);

fn machines(args: &Args) -> Result<Machines> {
    let (mut all, mut open) = (Vec::new(), Vec::new());
    let reading = &args.input.reading;
    for source in args.input.sources_or(Source::Instruction) {
        if source == Source::Instruction {
            let machine = match reading.host() {
                Some(name) => (name.to_owned(), recorded(host::named(name)?)),
                None => (source.to_string(), this_machine(args)?),
            };
            all.push(machine);
            continue;
        }
        if let Source::File(path) = &source {
            if let Some(host) = host::recorded(path)? {
                all.push((source.to_string(), recorded(host)));
                continue;
            }
        }
        for cpu in args.input.reading.open(&source)? {
            let cpu = cpu?;
            if advice::is_open(&cpu) {
                open.push((source.title(&cpu), cpu));
            } else {
                all.push((source.title(&cpu), dumped(&source, cpu)));
            }
        }
    }
    Ok((all, open))
}

/// A recorded host has the tables of its CPU and of its KVM.
fn recorded(host: Host) -> Machine {
    let kvm = RunningKvm {
        supported: host.supported,
        emulated: host.emulated.unwrap_or_default(),
        ..RunningKvm::default()
    };
    Machine { cpuid: Some(host.instruction), kvm: Some(kvm), ..Machine::default() }
}

/// A dump holds the CPUID instruction's table, or KVM's supported or emulated one if it is marked so.
fn dumped(source: &Source, cpu: Cpu) -> Machine {
    let is = |of: Source, name: &str| *source == of || cpu.name.as_deref() == Some(name);
    let kvm = if is(Source::Supported, "supported") {
        RunningKvm { supported: cpu.entries, ..RunningKvm::default() }
    } else if is(Source::Emulated, "emulated") {
        RunningKvm { emulated: cpu.entries, ..RunningKvm::default() }
    } else {
        return Machine { cpuid: Some(cpu.entries), ..Machine::default() };
    };
    Machine { kvm: Some(kvm), ..Machine::default() }
}

fn this_machine(args: &Args) -> Result<Machine> {
    let reading = &args.input.reading;
    let or_warn = |what: Result<Vec<Cpu>>| match what {
        Ok(cpus) => cpus.into_iter().next().map(|cpu| cpu.entries),
        Err(failed) => {
            warn(failed.message());
            None
        }
    };
    let supported = or_warn(reading.all(&Source::Supported));
    let kvm = supported.map(|supported| RunningKvm {
        supported,
        emulated: or_warn(reading.all(&Source::Emulated)).unwrap_or_default(),
        nested: nested(),
    });
    Ok(Machine { cpuid: or_warn(reading.all(&Source::Instruction)), linux: linux(), kvm })
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
