//! The tables of a host: of this machine, or of a recorded one.

use std::collections::BTreeMap;

use cpuid_tables::dump::{Beside, Cpu};
use cpuid_tables::host;
use cpuid_tables::kvm::{Device, KvmSystem as _};
use cpuid_tables::{CpuidEntry, Msr};

use super::outcome::{Failed, Result};
use super::output::warn;
use super::source::Source;

/// The machine that a source is about, and which of its CPUs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen<'a> {
    /// A recorded host or a dump, instead of this machine.
    pub(crate) host: Option<&'a str>,
    /// The CPU with this number.
    pub(crate) number: Option<u32>,
    /// Every CPU.
    pub(crate) all_cpus: bool,
}

/// The tables of the chosen host, by default this machine.
pub(crate) fn tables(source: &Source, chosen: Chosen<'_>) -> Result<Vec<Cpu>> {
    if let Some(name) = chosen.host {
        return recorded(source, name).map(|cpu| vec![cpu]);
    }
    match source {
        Source::Supported => {
            let kvm = kvm()?;
            let supported = named("supported", kvm.supported_cpuid().map_err(Failed::new)?);
            // An old KVM has neither.
            let msrs = kvm.feature_msrs().ok().filter(|msrs| !msrs.is_empty());
            Ok(vec![with_msrs(supported, msrs, kvm.hyperv_cpuid().ok().flatten())])
        }
        Source::Emulated => Ok(vec![named("emulated", kvm()?.emulated_cpuid().map_err(Failed::new)?)]),
        _ => host_cpus(chosen),
    }
}

/// What the KVM of a recorded host supports, with its feature MSRs.
pub(crate) fn supported_of(name: &str) -> Result<Cpu> {
    recorded(&Source::Supported, name)
}

fn recorded(source: &Source, name: &str) -> Result<Cpu> {
    let host = super::host::named(name)?;
    match source {
        Source::Supported => {
            let msrs = Some(host.msrs).filter(|msrs| !msrs.is_empty());
            let cpu = with_msrs(named("supported", host.supported), msrs, host.hyperv);
            // A dump has some MSRs, and what KVM can give of Hyper-V's leaves is not its own.
            Ok(if super::host::is_dump(name)? { Cpu { beside: Beside::default(), ..cpu } } else { cpu })
        }
        Source::Emulated => {
            let missing = || Failed::new(format!("{name} does not record what its KVM emulates"));
            host.emulated.map(|emulated| named("emulated", emulated)).ok_or_else(missing)
        }
        _ => Ok(named("instruction", host.instruction)),
    }
}

/// With all feature MSRs of its KVM, and what that can give of Hyper-V's leaves.
fn with_msrs(cpu: Cpu, msrs: Option<BTreeMap<Msr, u64>>, hyperv: Option<Vec<CpuidEntry>>) -> Cpu {
    let beside = Beside { all_msrs: msrs.is_some(), hyperv, ..Beside::default() };
    Cpu { msrs, beside, ..cpu }
}

fn named(name: &str, entries: Vec<CpuidEntry>) -> Cpu {
    Cpu { name: Some(name.to_owned()), ..Cpu::from_entries(entries) }
}

fn kvm() -> Result<Device> {
    Device::open().map_err(Failed::new)
}

/// The requested CPUs of this machine: by default the first one that this process may run on.
fn host_cpus(chosen: Chosen<'_>) -> Result<Vec<Cpu>> {
    let wanted = chosen.number.and_then(|number| usize::try_from(number).ok());
    let allowed = host::cpus().map_err(Failed::new)?;
    let numbers = match wanted {
        Some(number) if !allowed.contains(&number) => {
            let all: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            return Err(Failed::new(format!(
                "this process may not run on CPU {number}; available: {}",
                all.join(", ")
            )));
        }
        Some(number) => vec![number],
        None if chosen.all_cpus => allowed,
        None => allowed.into_iter().take(1).collect(),
    };
    let read = |number| Ok((number, host::read_cpu(number).map_err(Failed::new)?));
    let cpus = numbers.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    for difference in host::compare_cpus(&cpus).iter().filter(|difference| !difference.expected) {
        warn(format!("CPUs differ: {difference}"));
    }
    let number = |number: usize| u32::try_from(number).ok();
    Ok(cpus
        .into_iter()
        .map(|(at, entries)| Cpu { number: number(at), ..Cpu::from_entries(entries) })
        .collect())
}
