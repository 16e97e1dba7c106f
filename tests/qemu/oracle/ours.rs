//! The library's result for a case.

use cpuid_tables::guest::{
    AccelOption, BuildError, CpuOption, GlobalOption, GuestCpuid, GuestCpuidBuilder, MachineOption, Memory,
    Smp, Warning,
};
use cpuid_tables::host::Host;
use cpuid_tables::{CpuidEntry, QemuRelease};

use super::Outcome;
use super::case::Case;
use super::msrs::Values;

/// A guest's tables and warnings, or the reason why it is rejected.
pub enum Built {
    /// Each vCPU's APIC id and table, the warnings, and each vCPU's MSRs.
    Guest(Vec<(u32, Vec<CpuidEntry>)>, Vec<Warning>, Vec<Values>),
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
            let tables: Vec<_> = guest.vcpus().map(|(id, table)| (id, table.to_vec())).collect();
            let msrs = (0..).zip(&tables).map(|(index, _)| msrs(&guest, index)).collect();
            Built::Guest(tables, guest.warnings().to_vec(), msrs)
        }
        Err(error) => Built::Refused(error),
    })
}

/// What the library sets on the vCPU with this index.
pub fn msrs(guest: &GuestCpuid, index: u32) -> Values {
    guest.vcpu_msrs(index).map(|msr| (msr.msr.0, msr.value)).collect()
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
            ["-accel", accel] => match accel.parse::<AccelOption>() {
                Ok(accel) => builder = builder.accel(accel),
                Err(error) => return Ok(Err(error)),
            },
            ["-global", global] => match global.parse::<GlobalOption>() {
                Ok(global) => builder = builder.global(global),
                Err(error) => return Ok(Err(error)),
            },
            ["-m", memory] => match memory.parse::<Memory>() {
                Ok(memory) => builder = builder.memory(memory),
                Err(error) => return Ok(Err(error)),
            },
            _ => return Err(format!("{case}: the library has nothing for {option:?}").into()),
        }
    }
    Ok(builder.build())
}
