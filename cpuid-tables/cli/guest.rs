//! `kvm-cpuid guest`: the table that QEMU passes to KVM for a guest.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Format as DumpFormat, Writer};
use cpuid_tables::guest::{CpuOption, GuestCpuid, MachineOption, Memory, Smp};
use cpuid_tables::show::{Style, Styled, decode};
use cpuid_tables::{CpuidTable, QemuRelease, Registers};
use serde_json::json;

use super::format::{Form, form};
use super::outcome::{Failed, Result};
use super::output::{print, print_json, print_styled, warn};
use super::{host, qemu_release};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid guest --cpu EPYC-Milan-v2                      on this machine, one vCPU
  kvm-cpuid guest --cpu 'Cascadelake-Server,-avx512f,x2apic=on' --smp 8,sockets=2 --machine q35
  kvm-cpuid guest --cpu host --host hosts/milan --format entries
  kvm-cpuid guest --cpu max --host hosts/milan --format json --qemu 7.2

--host DIR/NAME reads NAME.supported (KVM_GET_SUPPORTED_CPUID), NAME.host (the CPUID
instruction), NAME.msrs (feature MSRs), NAME.caps (KVM_CHECK_EXTENSION) and NAME.hv
(KVM_GET_SUPPORTED_HV_CPUID) from DIR; the last three may be missing. Features that the host lacks
are listed on standard error.

Exit codes:
  0  the table is written
  2  QEMU would refuse such a guest, or a file could not be read";

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
    /// The memory, in QEMU's -m syntax: the board must reach all of it with the CPU's address width
    #[arg(short = 'm', long, value_name = "SIZE[,slots=N,maxmem=SIZE]", default_value = "128M")]
    memory: String,
    /// The host: a recorded host, a dump, or `real` for this machine
    #[arg(long, value_name = "FILE|DIR/NAME|real", default_value = "real")]
    host: String,
    /// QEMU release to emulate
    #[arg(long, value_name = "RELEASE", default_value = qemu_release::default(), value_parser = qemu_release::named)]
    qemu: QemuRelease,
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
    let mut host = host::named(&args.host)?;
    host.tsc_khz = args.tsc_khz.or(host.tsc_khz);
    let guest = GuestCpuid::builder()
        .release(args.qemu)
        .cpu(args.cpu.parse::<CpuOption>().map_err(Failed::new)?)
        .topology(args.smp.parse::<Smp>().map_err(Failed::new)?)
        .machine(args.machine.parse::<MachineOption>().map_err(Failed::new)?)
        .memory(args.memory.parse::<Memory>().map_err(Failed::new)?)
        .cpu_pm(args.cpu_pm)
        .host(&host)
        .build()
        .map_err(|error| refused(&error))?;
    for warning in guest.warnings() {
        warn(warning);
    }
    match args.format {
        Form::Text => text(&guest)?,
        Form::Json => json(&guest)?,
        Form::Dump(DumpFormat::Entries) => entries(&guest)?,
        Form::Dump(format) => dump(&guest, format)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Why QEMU would not start, with all missing features if these are the reason.
fn refused(error: &cpuid_tables::guest::BuildError) -> Failed {
    if let cpuid_tables::guest::BuildError::Enforced(lacking) = error {
        for filtered in lacking {
            warn(filtered);
        }
    }
    Failed::new(error)
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
        writer.write(&cpu(apic_id, &table)).map_err(Failed::new)?;
    }
    writer.finish().map(drop).map_err(Failed::new)
}

fn text(guest: &GuestCpuid) -> io::Result<()> {
    for (apic_id, table) in guest.vcpus() {
        let mut text = Styled::new();
        text.line(Style::Heading, format_args!("vCPU with APIC id {apic_id}"));
        for entry in decode(&table) {
            text.append(&entry.styled());
        }
        if !print_styled(&text)? {
            break;
        }
    }
    Ok(())
}

fn json(guest: &GuestCpuid) -> io::Result<()> {
    let vcpus = guest.vcpus().map(|(apic_id, table)| {
        let entries = table.iter().map(|entry| {
            json!({
                "function": entry.function.0,
                "index": entry.subleaf().0,
                "flags": entry.flags,
                "registers": entry.registers.to_array(),
            })
        });
        json!({ "apic_id": apic_id, "entries": entries.collect::<Vec<_>>() })
    });
    let filtered = guest.filtered().iter().map(
        |filtered| json!({ "feature": filtered.to_string(), "name": filtered.name, "bit": filtered.bit.0 }),
    );
    print_json(&json!({
        "vcpus": vcpus.collect::<Vec<_>>(),
        "filtered": filtered.collect::<Vec<_>>(),
    }))
    .map(drop)
}
