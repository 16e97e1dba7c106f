//! `kvm-cpuid export`: features by name as another VMM's template or profile.

use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};
use cpuid_tables::dump::{Cpu, firecracker_template};
use cpuid_tables::fleet::Template;
use cpuid_tables::guest::{CpuOption, GuestCpuid};
use cpuid_tables::host::Host;
use cpuid_tables::normalize::presets::{self, Firecracker};
use cpuid_tables::show::name_of;
use cpuid_tables::{
    CpuidEntry, CpuidRead, CpuidWord, FeatureSet, Leaf, Msr, QemuRelease, Register, Registers, Subleaf,
    Vendor, feature,
};
use serde_json::{Value, json};

use super::guest::{cpu_option, guest_warnings};
use super::host::HostArg;
use super::outcome::{Failed, Result, answer};
use super::output::{print_json, warn};
use super::{hint, qemu_release};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid export --format firecracker --cpu Cascadelake-Server-v5,-mpx
  kvm-cpuid export --format cloud-hypervisor --host hosts/milan --cpu EPYC-Rome-v4 > rome.json
  kvm-cpuid export --format firecracker --host dump.txt --features sse2,ssse3,sse4_1,avx2,xsave

The template sets every feature's bit that the host's KVM supports if it is requested, and clears it if not; \
undescribed bits are cleared. Topology, the hypervisor bit and KVM's own leaves are left to the VMM; \
for Firecracker also the bits that it sets after a template and sizes that KVM updates. --cpu accepts \
QEMU's -cpu syntax; features that the host lacks are left out and listed on standard error. --features requests \
exactly the listed features.

  firecracker       a custom CPU template: PUT /cpu-config, or --cpu-config of its helper
  cloud-hypervisor  the CPUID data of a CPU profile (arch/src/x86_64/cpu_profile): value & mask | replacements.
                    As of August 2026 it has no option that reads a profile from a file

Exit codes:
  0  the template is written
  1  the host lacks a listed feature
  2  unknown feature or CPU, or the host could not be read";

#[derive(ClapArgs)]
#[group(id = "wanted", required = true, multiple = false)]
struct Wanted {
    /// The CPU, in QEMU's -cpu syntax
    #[arg(long, value_name = "MODEL[,PROPERTY...]")]
    cpu: Option<String>,
    /// Exactly these features, by any of their names or locations
    #[arg(long, value_name = "FEATURE,...", value_delimiter = ',')]
    features: Option<Vec<String>>,
}

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Output format
    #[arg(long, value_enum, required_unless_present = "to")]
    format: Option<To>,
    /// An old spelling of --format
    #[arg(long, value_enum, hide = true, conflicts_with = "format")]
    to: Option<To>,
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    host: HostArg,
    /// QEMU release that --cpu refers to
    #[arg(long, value_name = "RELEASE", default_value = qemu_release::default(), value_parser = qemu_release::named)]
    qemu: QemuRelease,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    Firecracker,
    CloudHypervisor,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let host = args.host.read()?;
    let template = match &args.wanted {
        Wanted { cpu: Some(cpu), .. } => of_cpu(cpu, args.qemu, &host)?,
        Wanted { features, .. } => {
            let wanted = of_names(features.as_deref().unwrap_or_default())?;
            match Template::new(&host.supported, wanted) {
                Ok(template) => template,
                Err(lacking) => {
                    Failed::new(&lacking)
                        .help("leave it out, or run `kvm-cpuid why` to see which layer withholds it")
                        .show();
                    return Ok(answer(false));
                }
            }
        }
    };
    print_json(&match args.format.or(args.to) {
        Some(To::CloudHypervisor) => cloud_hypervisor(&template, &host)?,
        // clap requires one of the options.
        Some(To::Firecracker) | None => {
            let mut template = template;
            leave_to_firecracker(&mut template, &host);
            firecracker(&template)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The template of a QEMU CPU on the host.
fn of_cpu(cpu: &str, release: QemuRelease, host: &Host) -> Result<Template> {
    let refused = |error| hint::refused(&error, release);
    let option = cpu_option(cpu, release)?.parse::<CpuOption>().map_err(refused)?;
    let guest = GuestCpuid::builder().release(release).cpu(option).host(host).build().map_err(refused)?;
    guest_warnings(&guest);
    let wanted = guest.table().features();
    let capabilities = Msr(0x10a);
    let announced = wanted.contains(feature::ARCH_CAPABILITIES) && host.msrs.contains_key(&capabilities);
    let msrs = guest.msr_words().filter(|(msr, _)| announced && *msr == capabilities);
    Ok(Template { msrs: msrs.collect(), ..Template::for_guest(&host.supported, wanted) })
}

fn of_names(names: &[String]) -> Result<FeatureSet> {
    let mut wanted = FeatureSet::new();
    for name in names {
        wanted.insert(super::feature::named(name)?);
    }
    let missing: Vec<&str> = (wanted.needs() - wanted).iter().map(name_of).collect();
    if !missing.is_empty() {
        warn(format!("the listed features also need {}", missing.join(", ")));
    }
    Ok(wanted)
}

/// Leaves the bits that Firecracker decides after a template, unless both clear them, and the sizes that KVM updates as
/// the guest runs.
fn leave_to_firecracker(template: &mut Template, host: &Host) {
    let preset = presets::firecracker(&Firecracker { vcpus: 1, smt: false });
    let vendor = host.supported.as_slice().vendor();
    let size = |subleaf| CpuidWord::new(Leaf(0xd), Subleaf(subleaf), Register::Ebx);
    template.leave(|word, value| {
        let own =
            vendor.map_or(0, |vendor| preset.decides(vendor, word) & !(preset.clears(vendor, word) & !value));
        if [size(0), size(1)].contains(&word) { u32::MAX } else { own }
    });
}

/// Firecracker's docs/cpu_templates/schema.json: each bit is `0`, `1`, or `x` for the host's value.
fn firecracker(template: &Template) -> Value {
    let stated = template.entries.iter().zip(&template.known).filter(|(_, known)| **known != Registers::ZERO);
    let (entries, known): (Vec<CpuidEntry>, Vec<Registers>) = stated.unzip();
    let mut value = firecracker_template(&Cpu { known: Some(known), ..Cpu::from_entries(entries) });
    let msrs = template
        .msrs
        .iter()
        .map(|(msr, value)| json!({ "addr": format!("{:#x}", msr.0), "bitmap": format!("0b{value:064b}") }));
    value["msr_modifiers"] = msrs.collect();
    value
}

/// Cloud Hypervisor's `CpuidProfileData` (arch/src/x86_64/cpu_profile): a register without an adjustment becomes 0,
/// so each register has one.
fn cloud_hypervisor(template: &Template, host: &Host) -> Result<Value> {
    check_vendor(host)?;
    let mut adjustments = Vec::new();
    for (entry, known) in template.entries.iter().zip(&template.known) {
        let subleaves = if entry.is_indexed() { (entry.index.0, entry.index.0) } else { (0, u32::MAX) };
        for register in Register::ALL {
            let (value, known) = (entry.register(register), known[register]);
            let hexadecimal = |number: u32| format!("{number:#x}");
            adjustments.push(json!([
                {
                    "leaf": hexadecimal(entry.function.0),
                    "sub_leaf": { "start": hexadecimal(subleaves.0), "end": hexadecimal(subleaves.1) },
                    "register": register.name(),
                },
                { "replacements": hexadecimal(value), "mask": hexadecimal(!known) },
            ]));
        }
    }
    Ok(json!({ "adjustments": adjustments }))
}

/// Cloud Hypervisor's profiles are for these vendors.
fn check_vendor(host: &Host) -> Result<()> {
    match host.supported.as_slice().vendor() {
        Some(Vendor::INTEL | Vendor::AMD) => Ok(()),
        _ => Err(Failed::new("Cloud Hypervisor has profiles only for Intel and AMD hosts")),
    }
}
