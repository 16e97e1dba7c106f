//! `kvm-cpuid guest`: the table that QEMU passes to KVM for a guest.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Format as DumpFormat, Writer};
use cpuid_tables::guest::{BuildError, CpuOption, Filtered, GuestCpuid, MachineOption, Memory, Smp, Warning};
use cpuid_tables::naming::PsabiLevel;
use cpuid_tables::show::{Style, Styled, decode, name_of};
use cpuid_tables::{CpuidTable, FeatureSet, QemuRelease, Registers};
use serde_json::{Value, json};

use super::convert::unwritable;
use super::format::{Form, form};
use super::host::HostArg;
use super::named_model::NOT_MODELS;
use super::outcome::{Failed, Result};
use super::output::{columns, is_verbose, note, print, print_document, print_styled, warn};
use super::program::Qemu;
use super::qemu_release::Emulated;
use super::{hint, qemu_release};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid guest --cpu EPYC-Milan-v2                      on this machine, one vCPU
  kvm-cpuid guest --cpu 'Cascadelake-Server,-avx512f,x2apic=on' --smp 8,sockets=2 --machine q35
  kvm-cpuid guest --cpu host --host hosts/milan --format entries
  kvm-cpuid guest --cpu max --host hosts/milan --format json --qemu 7.2
  kvm-cpuid guest --cpu EPYC --global EPYC-x86_64-cpu.avx2=off --accel kvm,kernel-irqchip=split
  kvm-cpuid guest --cpu EPYC --machine q35 --qemu /usr/bin/qemu-system-x86_64
                                                           as this very QEMU

--host DIR/NAME reads NAME.supported (KVM_GET_SUPPORTED_CPUID), NAME.host (the CPUID instruction), NAME.msrs (feature \
MSRs), NAME.caps (KVM_CHECK_EXTENSION) and NAME.hv (KVM_GET_SUPPORTED_HV_CPUID) from DIR; the last three may be \
missing. Features that the host lacks are listed on standard error: more than five in one line, and with -v each in \
QEMU's words with its reason.

--qemu takes a release of the tables, a version as distributions write it, or the path of a program. A program is \
asked over QMP, without KVM, for its CPU models, machine types and properties; what it does not state, its dependencies and \
caches among it, is that of the nearest release, and a note says which.

--cpu x86-64-v2, x86-64-v2-AES, x86-64-v3 and x86-64-v4 are Proxmox's models: qemu64 with the level's features. \
--cpu help and --machine help list the names.

Exit codes:
  0  the table is written
  2  QEMU would refuse such a guest, a file could not be read, or a program could not be asked";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// The CPU, in QEMU's -cpu syntax: a model, host, max or base, and its properties
    #[arg(long, value_name = "MODEL[,PROPERTY...]", default_value = "qemu64")]
    cpu: String,
    /// The vCPUs, in QEMU's -smp syntax
    #[arg(long, value_name = "N[,LEVEL=N...]", default_value = "1")]
    smp: String,
    /// The machine, in QEMU's -machine syntax
    #[arg(long, value_name = "TYPE[,OPTION...]", default_value = "pc")]
    machine: String,
    /// KVM's accelerator, in QEMU's -accel syntax; its kernel-irqchip takes precedence over the machine's
    #[arg(long, value_name = "kvm[,PROPERTY=VALUE...]", default_value = "kvm")]
    accel: String,
    /// A property of a type of CPUs, in QEMU's -global syntax; may be given several times
    #[arg(long, value_name = "TYPE.PROPERTY=VALUE")]
    global: Vec<String>,
    /// The memory, in QEMU's -m syntax: the board must reach all of it with the CPU's address width
    #[arg(short = 'm', long, value_name = "SIZE[,slots=N,maxmem=SIZE]", default_value = "128M")]
    memory: String,
    #[command(flatten)]
    host: HostArg,
    /// QEMU to emulate: a release, or a program, which is started and asked for its models and machine types
    #[arg(long, value_name = "RELEASE|PATH", default_value = qemu_release::default(), value_parser = qemu_release::emulated)]
    qemu: Emulated,
    /// Allow MONITOR and UMWAIT for `host` and `max`, like QEMU's `-overcommit cpu-pm=on`
    #[arg(long)]
    cpu_pm: bool,
    /// The frequency of the host's TSC in kHz, if its description lacks it
    #[arg(long, value_name = "KHZ")]
    tsc_khz: Option<u32>,
    /// `entries` (`vcpuID function index flags eax ebx ecx edx`), text, json, or a dump format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = form)]
    format: Form,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let machine = args.machine.parse::<MachineOption>();
    let qemu = Qemu::from_asked(&args.qemu, machine.as_ref().map_or("pc", |machine| &machine.name))?;
    let release = qemu.release();
    if args.cpu == "help" || args.machine == "help" {
        print(&if args.cpu == "help" { cpu_help(&qemu) } else { machine_help(&qemu) })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut host = args.host.read()?;
    host.tsc_khz = args.tsc_khz.or(host.tsc_khz);
    let refused = |error: BuildError| refused(&error, &qemu);
    let mut builder = qemu.builder();
    for global in &args.global {
        builder = builder.global(global.parse().map_err(refused)?);
    }
    let guest = builder
        .cpu(cpu_option(&args.cpu, release)?.parse::<CpuOption>().map_err(refused)?)
        .topology(args.smp.parse::<Smp>().map_err(refused)?)
        .machine(machine.map_err(refused)?)
        .accel(args.accel.parse().map_err(refused)?)
        .memory(args.memory.parse::<Memory>().map_err(refused)?)
        .cpu_pm(args.cpu_pm)
        .host(&host)
        .build()
        .map_err(refused)?;
    guest_warnings(&guest);
    match args.format {
        Form::Text => text(&guest)?,
        Form::Json => json(&guest, &qemu)?,
        Form::Dump(DumpFormat::Entries) => entries(&guest)?,
        Form::Dump(format) => dump(&guest, format)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// QEMU's CPU models, as `-cpu help` lists them, and the levels that Proxmox's models have.
fn cpu_help(qemu: &Qemu) -> String {
    let release = qemu.release();
    let mut lines: Vec<(String, String)> = Vec::new();
    if let Qemu::Program(program) = qemu {
        lines.extend(program.model_names().map(|name| (name, String::new())));
    }
    for model in release.cpu_models().filter(|_| matches!(qemu, Qemu::Release(_))) {
        lines.push((model.name().to_owned(), String::from("(alias configured by machine type)")));
        for version in model.versions() {
            if let Some(alias) = version.alias() {
                lines.push((alias.to_owned(), format!("(alias of {version})")));
            }
            lines.push((version.to_string(), version.note().unwrap_or_default().to_owned()));
        }
    }
    for cpu in NOT_MODELS {
        lines.push((cpu.to_owned(), String::new()));
    }
    for level in PsabiLevel::all().filter(|level| level.cpu_option(release).is_some()) {
        lines.push((
            level.name().to_owned(),
            String::from("(Proxmox's model; qemu64 with the level's features)"),
        ));
    }
    lines.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase());
    listed("Available CPUs:", &lines)
}

/// QEMU's machine types, as `-machine help` lists them.
fn machine_help(qemu: &Qemu) -> String {
    let alias = |(alias, name): (&str, &str)| (alias.to_owned(), format!("(alias of {name})"));
    let mut lines: Vec<(String, String)> = match qemu {
        Qemu::Release(release) => {
            let names = release.machines().map(|machine| (machine.name().to_owned(), String::new()));
            names.chain(hint::machine_aliases(*release).map(alias)).collect()
        }
        Qemu::Program(program) => {
            let names = program.machine_names().map(|(name, _)| (name.to_owned(), String::new()));
            let second = program.machine_names().filter_map(|(name, second)| Some(alias((second?, name))));
            names.chain(second).collect()
        }
    };
    lines.sort();
    listed("Supported machines are:", &lines)
}

fn listed(heading: &str, lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = format!("{heading}\n");
    for (name, about) in lines {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", format!("  {name:width$}  {about}").trim_end());
    }
    text
}

/// A CPU in QEMU's syntax; a level of x86-64 is what Proxmox makes of it.
pub(crate) fn cpu_option(cpu: &str, release: QemuRelease) -> Result<Cow<'_, str>> {
    let (model, properties) = cpu.find(',').map_or((cpu, ""), |comma| cpu.split_at(comma));
    let Some(level) = PsabiLevel::named(model) else { return Ok(Cow::Borrowed(cpu)) };
    let Some(option) = level.cpu_option(release) else { return Err(hint::no_model(model, release)) };
    note(format_args!("{model} is not a model of QEMU's; Proxmox's is -cpu {option}"));
    Ok(Cow::Owned(option + properties))
}

/// Prints a guest's warnings. More than a few missing features are one warning, unless all are wanted.
pub(crate) fn guest_warnings(guest: &GuestCpuid) {
    const MANY: usize = 5;
    let is_filtered = |warning: &&Warning| matches!(warning, Warning::Filtered(_));
    let (filtered, others): (Vec<&Warning>, Vec<&Warning>) = guest.warnings().iter().partition(is_filtered);
    if is_verbose() || filtered.len() <= MANY {
        guest.warnings().iter().for_each(warn);
        return;
    }
    let named = |warning: &&Warning| match warning {
        Warning::Filtered(Filtered { name: Some(name), .. }) => Some(*name),
        _ => None,
    };
    let names: Vec<&str> = filtered.iter().filter_map(named).collect();
    let unnamed = filtered.len() - names.len();
    let names = hint::each_once(names);
    let more = if unnamed > 0 { format!(", and {unnamed} bits without a name") } else { String::new() };
    warn(format_args!(
        "the guest does not get {} of the requested features (-v has the reasons): {}{more}",
        filtered.len(),
        names.join(" ")
    ));
    others.into_iter().for_each(warn);
}

/// Why QEMU would not start, with all missing features if these are the reason.
fn refused(error: &BuildError, qemu: &Qemu) -> Failed {
    if let BuildError::Enforced(lacking) = error {
        for filtered in lacking {
            warn(filtered);
        }
    }
    match qemu {
        Qemu::Release(release) => hint::refused(error, *release),
        Qemu::Program(program) => hint::refused_by_program(error, program),
    }
}

/// In the format of the recorder of a real QEMU's tables, so that both can be compared line by line.
fn entries(guest: &GuestCpuid) -> io::Result<()> {
    let mut lines = String::new();
    guest.for_each(|apic_id, table| {
        for entry in table.iter() {
            let Registers { eax, ebx, ecx, edx } = entry.registers;
            let (function, index, flags) = (entry.function.0, entry.subleaf().0, entry.flags);
            // Writing to a string does not fail.
            let _ = writeln!(
                lines,
                "vcpu{apic_id} {function:08x} {index:08x} {flags:x} {eax:08x} {ebx:08x} {ecx:08x} {edx:08x}"
            );
        }
    });
    print(&lines).map(drop)
}

fn cpu(apic_id: u32, table: &CpuidTable) -> Cpu {
    Cpu { number: Some(apic_id), ..Cpu::from_entries(table.to_vec()) }
}

fn dump(guest: &GuestCpuid, format: DumpFormat) -> Result<()> {
    let mut writer = Writer::new(io::stdout().lock(), format).map_err(Failed::new)?;
    for (apic_id, table) in guest.vcpus() {
        writer.write(&cpu(apic_id, &table)).map_err(|error| unwritable(&error))?;
    }
    writer.finish().map(drop).map_err(|error| unwritable(&error))
}

fn text(guest: &GuestCpuid) -> io::Result<()> {
    for (apic_id, table) in guest.vcpus() {
        let mut text = Styled::new();
        text.line(Style::Heading, format_args!("vCPU with APIC id {apic_id}"));
        text.append(&level(&table.features()));
        for entry in decode(&table) {
            text.append(&entry.styled_within(columns()));
        }
        if !print_styled(&text)? {
            break;
        }
    }
    Ok(())
}

/// The level of x86-64 that a set of features has, and what it lacks of the higher ones.
pub(crate) fn level(features: &FeatureSet) -> Styled {
    let has = PsabiLevel::highest_in(features);
    let mut text = Styled::new();
    text.plain("level: ").push(Style::Name, has.map_or("none", PsabiLevel::name));
    for (above, missing) in PsabiLevel::above(*features).filter(|(above, _)| Some(*above) > has) {
        text.plain(format_args!("; {} lacks {}", above.name(), hint::names(missing)));
    }
    text.plain('\n');
    text
}

/// The same as JSON: `name`, and `lacks` by the names of the other levels.
pub(crate) fn level_to_json(features: &FeatureSet) -> Value {
    let lacks = PsabiLevel::above(*features).map(|(above, missing)| {
        let names: Vec<&str> = missing.iter().map(name_of).collect();
        (above.name().to_owned(), json!(names))
    });
    json!({
        "name": PsabiLevel::highest_in(features).map(PsabiLevel::name),
        "lacks": lacks.collect::<serde_json::Map<String, Value>>(),
    })
}

fn json(guest: &GuestCpuid, qemu: &Qemu) -> io::Result<()> {
    let vcpus = guest.vcpus().map(|(apic_id, table)| cpu(apic_id, &table).to_json());
    let filtered = guest.filtered().iter().map(
        |filtered| json!({ "text": filtered.to_string(), "name": filtered.name, "bit": filtered.bit.0 }),
    );
    print_document(json!({
        "cpus": vcpus.collect::<Vec<_>>(),
        "filtered": filtered.collect::<Vec<_>>(),
        "level": level_to_json(&guest.table().features()),
        "qemu": qemu.to_json(),
    }))
    .map(drop)
}
