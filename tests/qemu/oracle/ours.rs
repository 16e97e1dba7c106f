//! The library's result for a case.

use cpuid_tables::guest::{
    BuildError, CpuOption, GuestCpuid, GuestCpuidBuilder, MachineOption, Memory, Smp, Warning,
};
use cpuid_tables::host::Host;
use cpuid_tables::{CpuidEntry, QemuRelease};

use super::Outcome;
use super::case::Case;

/// A guest's tables and warnings, or the reason why it is rejected.
pub enum Built {
    /// Each vCPU's APIC id and table, and the warnings.
    Guest(Vec<(u32, Vec<CpuidEntry>)>, Vec<Warning>),
    /// The guest is rejected.
    Refused(BuildError),
}

/// Builds the case's guest like this release.
pub fn build(release: QemuRelease, host: &Host, case: &Case) -> Outcome<Built> {
    build_with(GuestCpuid::builder().release(release).host(host), case)
}

/// Builds the case's guest with a builder that has its QEMU and its host.
pub fn build_with(builder: GuestCpuidBuilder<'_>, case: &Case) -> Outcome<Built> {
    Ok(match guest_with(builder, case)? {
        Ok(guest) => {
            let tables = guest.vcpus().map(|(id, table)| (id, table.to_vec())).collect();
            Built::Guest(tables, guest.warnings().to_vec())
        }
        Err(error) => Built::Refused(error),
    })
}

/// The case's guest as this release builds it, or the reason why it is rejected.
pub fn guest(release: QemuRelease, host: &Host, case: &Case) -> Outcome<Result<GuestCpuid, BuildError>> {
    guest_with(GuestCpuid::builder().release(release).host(host), case)
}

fn guest_with(mut builder: GuestCpuidBuilder<'_>, case: &Case) -> Outcome<Result<GuestCpuid, BuildError>> {
    if !case.cpu.is_empty() {
        match case.cpu.parse::<CpuOption>() {
            Ok(cpu) => builder = builder.cpu(cpu),
            Err(error) => return Ok(Err(error)),
        }
    }
    if !case.smp.is_empty() {
        match case.smp.parse::<Smp>() {
            Ok(smp) => builder = builder.topology(smp),
            Err(error) => return Ok(Err(error)),
        }
    }
    if !case.machine.is_empty() {
        match case.machine.parse::<MachineOption>() {
            Ok(machine) => builder = builder.machine(machine),
            Err(error) => return Ok(Err(error)),
        }
    }
    for option in case.more.chunks(2) {
        match option.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["-overcommit", "cpu-pm=on"] => builder = builder.cpu_pm(true),
            ["-m", memory] => match memory.parse::<Memory>() {
                Ok(memory) => builder = builder.memory(memory),
                Err(error) => return Ok(Err(error)),
            },
            _ => return Err(format!("{case}: the library has nothing for {option:?}").into()),
        }
    }
    Ok(builder.build())
}
