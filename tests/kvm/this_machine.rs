//! Guests' tables for this machine: none has an error, KVM accepts each, and a guest reads the built values, apart
//! from KVM's own changes.

use std::error::Error;

use cpuid_tables::check::Check;
use cpuid_tables::guest::{GuestCpuid, Smp};
use cpuid_tables::host::Host;
use cpuid_tables::kvm::{Device, Guest, Mode, Vcpus};
use cpuid_tables::{CpuidEntry, CpuidTable, Leaf, Subleaf};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

/// This machine; if there is none, reports why the test is skipped.
fn machine(test: &str) -> Option<(&'static Host, Device)> {
    match (Host::this_machine(), Device::open()) {
        (Ok(host), Ok(device)) => Some((host, device)),
        (Err(error), _) | (_, Err(error)) => {
            common::refused(test, &error.to_string());
            None
        }
    }
}

/// The models of the releases that were compared with a real QEMU, each with a topology.
fn guests(host: &Host) -> Result<Vec<(String, GuestCpuid)>, Box<dyn Error>> {
    let topologies = ["1", "2,sockets=2", "4,cores=2,threads=2", "6,dies=2,cores=3"];
    let mut guests = Vec::new();
    for release in ["7.2", "10.0"] {
        let Some(release) = common::qemu("this_machine", release) else { continue };
        let models = release.cpu_models().map(|model| model.name());
        let names = models.chain(["host", "max", "base"]);
        for (name, smp) in names.zip(topologies.into_iter().cycle()) {
            let builder = GuestCpuid::builder().release(release).model(name).host(host);
            let guest = builder.topology(smp.parse::<Smp>()?).build();
            let what = format!("{name} of QEMU {release}, -smp {smp}");
            guests.push((what.clone(), guest.map_err(|error| format!("{what}: {error}"))?));
        }
    }
    Ok(guests)
}

#[test]
fn no_table_for_this_machine_has_an_error() -> TestResult {
    if !common::pinned("no_table_for_this_machine_has_an_error") {
        return Ok(());
    }
    let Some((host, _)) = machine("no_table_for_this_machine_has_an_error") else { return Ok(()) };
    let guests = guests(host)?;
    for (what, guest) in &guests {
        let tables: Vec<(u32, CpuidTable)> = guest.vcpus().collect();
        let check =
            tables.iter().fold(Check::new().with_host(host), |check, (id, table)| check.vcpu(*id, table));
        let report = check.run();
        assert_eq!(report.errors(), 0, "{what}: {report}");
    }
    assert!(guests.len() > 80, "{} guests", guests.len());
    Ok(())
}

#[test]
fn kvm_accepts_every_table() -> TestResult {
    if !common::pinned("kvm_accepts_every_table") {
        return Ok(());
    }
    let Some((host, device)) = machine("kvm_accepts_every_table") else { return Ok(()) };
    for (what, guest) in guests(host)? {
        let vm = device.kvm().create_vm()?;
        let mut vcpus = Vcpus::with_layout(guest.base(), guest.layout())?;
        for (apic_id, _) in guest.vcpus() {
            let vcpu = vm.create_vcpu(apic_id.into())?;
            let set = vcpus.set(&vcpu, apic_id).map(|_| ());
            set.map_err(|error| format!("{what}, APIC id {apic_id}: {error}"))?;
        }
    }
    Ok(())
}

#[test]
fn guest_reads_its_built_table() -> TestResult {
    if !common::pinned("guest_reads_its_built_table") {
        return Ok(());
    }
    let Some((host, device)) = machine("guest_reads_its_built_table") else { return Ok(()) };
    for model in ["Nehalem", "EPYC-Milan-v2", "host"] {
        let smp = Smp { cpus: Some(2), threads: Some(2), ..Smp::default() };
        let built = GuestCpuid::builder().model(model).topology(smp).host(host).build()?;
        let tables: Vec<(u32, CpuidTable)> = built.vcpus().collect();
        let given: Vec<(u32, &[CpuidEntry])> = tables.iter().map(|(id, table)| (*id, &table[..])).collect();
        let mut guest = Guest::from_vcpus(&device, &given, Mode::Protected)?;
        let mut as_built = 0;
        for (vcpu, (apic_id, table)) in tables.iter().enumerate() {
            let questions: Vec<(Leaf, Subleaf)> =
                table.iter().map(|entry| (entry.function, entry.subleaf())).collect();
            let answers = guest.ask_vcpu(vcpu, &questions)?;
            let stored = guest.stored_of(vcpu).ok_or("there is such a vCPU")?;
            for (entry, answer) in table.iter().zip(answers) {
                let kvms = stored.find(entry.function, entry.subleaf()).map(|entry| entry.registers);
                let what =
                    format!("{model}, APIC id {apic_id}, {:#x}.{}", entry.function.0, entry.subleaf().0);
                assert!(answer == entry.registers || Some(answer) == kvms, "{what}: {answer:x?}");
                as_built += usize::from(answer == entry.registers);
            }
        }
        // KVM may rewrite some words; most of the table must be unchanged.
        let all: usize = tables.iter().map(|(_, table)| table.len()).sum();
        assert!(as_built * 2 > all, "{model}: {as_built} of {all} entries are as built");
    }
    Ok(())
}
