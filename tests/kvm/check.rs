//! Findings about a table, compared with this machine's KVM.

use std::error::Error;

use cpuid_tables::CpuidTable;
use cpuid_tables::check::{Check, Kind};
use cpuid_tables::guest::GuestCpuid;
use cpuid_tables::host::Host;
use cpuid_tables::kvm::{Device, KvmSystem as _, VcpuError, VcpuTable};
use kvm_ioctls::VmFd;

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

/// A machine with room for vCPUs; reports the test as skipped if there is none.
fn machine(test: &str) -> Result<Option<(Device, VmFd)>, Box<dyn Error>> {
    match Device::open() {
        Ok(device) => {
            let machine = device.kvm().create_vm()?;
            Ok(Some((device, machine)))
        }
        Err(error) => {
            common::refused(test, &error.to_string());
            Ok(None)
        }
    }
}

#[test]
fn kvm_refuses_exactly_the_widths_that_are_errors() -> TestResult {
    let Some((device, machine)) = machine("kvm_refuses_exactly_the_widths_that_are_errors")? else {
        return Ok(());
    };
    let (vcpu, mut setter) = (machine.create_vcpu(0)?, VcpuTable::new()?);
    let mut table = device.supported_cpuid()?;
    let at = table.iter().position(|entry| entry.function.0 == 0x8000_0008).ok_or("no leaf 0x80000008")?;
    let mut refused = Vec::new();
    for width in 0..=0xff {
        table[at].registers.eax = 48 | width << 8;
        let report = Check::one(&table).run();
        let expected = report.findings.iter().any(|finding| finding.kind == Kind::VirtualWidth);
        match setter.set_only(&vcpu, &table) {
            Ok(()) => assert!(!expected, "KVM takes a width of {width}"),
            Err(VcpuError::AddressWidth { .. }) => {
                assert!(expected, "KVM refuses a width of {width}");
                refused.push(width);
            }
            Err(error) => return Err(error.into()),
        }
    }
    assert_eq!(refused.len(), 253, "all but 0, 48 and 57");
    Ok(())
}

#[test]
fn guests_of_this_machine_have_no_errors_and_kvm_accepts_them() -> TestResult {
    let test = "guests_of_this_machine_have_no_errors_and_kvm_accepts_them";
    let Some((device, machine)) = machine(test)? else { return Ok(()) };
    let host = Host::this_machine()?;
    let (vcpu, mut setter, emulated) = (machine.create_vcpu(0)?, VcpuTable::new()?, device.emulated_cpuid()?);
    let Some(release) = common::qemu(test, "10.0") else { return Ok(()) };
    let mut warnings = 0;
    for name in release.cpu_models().map(|model| model.name()).chain(["host", "max"]) {
        let guest = GuestCpuid::builder().release(release).model(name).topology("2,cores=2".parse()?);
        let tables: Vec<(u32, CpuidTable)> = guest.host(host).build()?.vcpus().collect();
        let check = tables.iter().fold(Check::new(), |check, (id, table)| check.vcpu(*id, table));
        let report = check.with_host(host).emulated(&emulated).run();
        assert_eq!(report.errors(), 0, "{name}: {report}");
        warnings += report.warnings();
        for (_, table) in &tables {
            setter.set_only(&vcpu, table).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    common::say(&format!("{test}: {warnings} warnings"));
    Ok(())
}
