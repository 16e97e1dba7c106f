//! `kvm-cpuid export`: features by name as another VMM's template or profile.

use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};
use cpuid_tables::fleet::Template;
use cpuid_tables::guest::{CpuOption, GuestCpuid};
use cpuid_tables::host::Host;
use cpuid_tables::show::name_of;
use cpuid_tables::{Feature, FeatureSet, Msr, QemuRelease, feature};

use super::guest::{cpu_option, guest_warnings};
use super::host::HostArg;
use super::outcome::{Failed, Result, answer};
use super::output::{print_json, warn};
use super::{hint, qemu_release};

mod cloud_hypervisor;
mod firecracker;

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

  firecracker            a custom CPU template: PUT /cpu-config, or --cpu-config of its helper
  cloud-hypervisor       the CPUID data of a CPU profile (arch/src/x86_64/cpu_profile), each
                         register as a mask and a replacement
  cloud-hypervisor-msrs  its MSR data: feature MSRs in the same way, and the MSRs that a host must
                         have, which are all that KVM lists on --host

With --cpu a template has the feature MSRs that the guest reads, as QEMU sets them: IA32_ARCH_CAPABILITIES, the \
capabilities of VMX with vmx, and others that KVM lists. Firecracker gets none whose announcing feature it clears.

As of August 2026 Cloud Hypervisor has only the host's profile, and no option that reads one from a file. These two \
formats are for the types and the code in its tree that apply profiles.

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
    CloudHypervisorMsrs,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let host = args.host.read()?;
    let format = args.format.or(args.to);
    let template = match &args.wanted {
        Wanted { cpu: Some(cpu), .. } => of_cpu(cpu, args.qemu, &host, format)?,
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
    print_json(&match format {
        Some(To::CloudHypervisor) => cloud_hypervisor::cpuid(&template, &host)?,
        Some(To::CloudHypervisorMsrs) => cloud_hypervisor::msrs(&template, &host)?,
        // clap requires one of the options.
        Some(To::Firecracker) | None => {
            let mut template = template;
            firecracker::leave(&mut template, &host);
            firecracker::json(&template)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The template of a QEMU CPU on the host.
fn of_cpu(cpu: &str, release: QemuRelease, host: &Host, format: Option<To>) -> Result<Template> {
    let refused = |error| hint::refused(&error, release);
    let option = cpu_option(cpu, release)?.parse::<CpuOption>().map_err(refused)?;
    let guest = GuestCpuid::builder().release(release).cpu(option).host(host).build().map_err(refused)?;
    guest_warnings(&guest);
    let mut wanted = guest.table().features();
    if matches!(format, Some(To::CloudHypervisor | To::CloudHypervisorMsrs)) {
        let refused = cloud_hypervisor::refused(wanted, host);
        if format == Some(To::CloudHypervisor) && !refused.is_empty() {
            let names: Vec<&str> = refused.iter().map(name_of).collect();
            let names = names.join(", ");
            warn(format!(
                "left out, since Cloud Hypervisor refuses what KVM does not list, and QEMU does not: {names}"
            ));
        }
        wanted -= refused;
    }
    // Feature MSRs: what QEMU gives the guest, of those that the host's KVM has and the guest reads.
    let msrs = guest.msrs().map(|msr| (msr.msr, msr.value));
    let msrs = msrs.filter(|(msr, _)| host.msrs.contains_key(msr) && is_announced(*msr, wanted));
    Ok(Template { msrs: msrs.collect(), ..Template::for_guest(&host.supported, wanted) })
}

/// The feature that announces a feature MSR, without which a guest does not read it.
fn announced_by(msr: Msr) -> Option<Feature> {
    match msr.0 {
        0x10a => Some(feature::ARCH_CAPABILITIES),
        0xcf => Some(feature::CORE_CAPABILITIES),
        0x345 => Some(feature::PDCM),
        0x480..=0x4ff => Some(feature::VMX),
        _ => None,
    }
}

fn is_announced(msr: Msr, features: FeatureSet) -> bool {
    announced_by(msr).is_none_or(|feature| features.contains(feature))
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
