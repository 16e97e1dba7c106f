//! Guests' tables as QEMU builds them, set through `Vcpus` on a real KVM: every vCPU's table derives from any
//! other's, KVM accepts it, and a guest reads its values.

use std::collections::BTreeSet;
use std::error::Error;

use cpuid_tables::guest::GuestCpuid;
use cpuid_tables::host::Host;
use cpuid_tables::kvm::{Change, Device, Mode, VcpuTable, Vcpus, probe};
use cpuid_tables::{ApicLayout, CpuidEntry, CpuidRead, CpuidTable, Leaf, Subleaf, Vendor, feature};

use crate::common;
use crate::oracle::corpus::{self, Corpus};

type TestResult = Result<(), Box<dyn Error>>;

const GUESTS: [(&str, &str); 6] = [
    ("qemu64", "1"),
    ("EPYC-Milan", "8,sockets=2,cores=2,threads=2"),
    ("EPYC-Genoa", "6,sockets=1,cores=3,threads=2"),
    ("Skylake-Server", "8,sockets=2,dies=2,cores=2,threads=1"),
    ("SapphireRapids", "5,sockets=5"),
    ("host", "4,cores=4"),
];

fn device(test: &str) -> Option<Device> {
    let device = Device::open();
    device.inspect_err(|error| common::refused(&format!("kvm_guests::{test}"), &error.to_string())).ok()
}

/// This machine, if it has a KVM, and recorded hosts of both vendors: all bits, and real processors.
fn hosts(test: &str) -> Result<Vec<(String, Host)>, Box<dyn Error + Send + Sync>> {
    let mut hosts = Vec::new();
    if device(test).is_some() {
        hosts.push(("this machine".to_owned(), Host::this_machine()?.clone()));
    }
    let recorded = Corpus::read(&corpus::directory().join("10.0"))?.hosts;
    for (name, mut host) in recorded.into_iter().filter(|(name, _)| !name.starts_with("random")) {
        host.fill_in();
        hosts.push((name, host));
    }
    Ok(hosts)
}

fn build(host: &Host, cpu: &str, smp: &str) -> Result<GuestCpuid, Box<dyn Error>> {
    Ok(GuestCpuid::builder().cpu(cpu.parse()?).topology(smp.parse()?).host(host).build()?)
}

#[test]
fn each_vcpu_table_derives_from_any_other() -> TestResult {
    let test = "each_vcpu_table_derives_from_any_other";
    if common::qemu(test, "10.0").is_none() {
        return Ok(());
    }
    let hosts = hosts(test).map_err(|error| error.to_string())?;
    let vendors: BTreeSet<_> = hosts.iter().filter_map(|(_, host)| host.supported.vendor()).collect();
    assert!(vendors.contains(&Vendor::AMD) && vendors.contains(&Vendor::INTEL), "hosts of both makers");
    let mut copies = 0;
    for (name, host) in &hosts {
        for (cpu, smp) in GUESTS {
            // Some hosts lack features that a guest of this size needs.
            let Ok(guest) = build(host, cpu, smp) else { continue };
            let tables: Vec<(u32, CpuidTable)> = guest.vcpus().collect();
            for (_, base) in [tables.first(), tables.last()].into_iter().flatten() {
                // An impossible host: another vendor's, with an AMD leaf. Its first vCPU's table does not show it.
                let amds = [Vendor::AMD, Vendor::HYGON].map(Some).contains(&base.vendor());
                if !amds && base.len() < guest.base().len() {
                    continue;
                }
                let layout = ApicLayout::from_cpuid(base);
                let mut vcpus = Vcpus::with_layout(base, layout)?;
                for (apic_id, expected) in &tables {
                    let ours = vcpus.table(*apic_id).as_slice().to_vec();
                    let expected_form =
                        Vcpus::with_layout(expected, layout)?.table(*apic_id).as_slice().to_vec();
                    assert_eq!(ours, expected_form, "{cpu} -smp {smp} on {name}, vCPU {apic_id}");
                    let mut table = base.clone();
                    table.set_apic_id(*apic_id, &layout);
                    assert_eq!(table, *expected, "{cpu} -smp {smp} on {name}, vCPU {apic_id}");
                    copies += 1;
                }
            }
        }
    }
    common::say(&format!("{test}: {copies} copies on {} hosts", hosts.len()));
    assert!(copies > 1000, "too few");
    Ok(())
}

#[test]
fn kvm_accepts_them_and_a_guest_reads_them() -> TestResult {
    let test = "kvm_accepts_them_and_a_guest_reads_them";
    let Some(device) = device(test).filter(|_| common::qemu(test, "10.0").is_some()) else { return Ok(()) };
    let host = Host::this_machine()?;
    let mut setter = VcpuTable::new()?;
    for (cpu, smp) in GUESTS {
        let guest = build(host, cpu, smp)?;
        let vm = device.kvm().create_vm()?;
        let (mut set, mut unexpected) = (0, 0);
        for (apic_id, table) in guest.vcpus() {
            let vcpu = vm.create_vcpu(apic_id.into())?;
            let changes = setter.set(&vcpu, &table)?;
            unexpected += changes.unexpected().count();
            let stored: Vec<CpuidEntry> = changes.stored().collect();
            assert_eq!(CpuidTable::from_entries(&stored)?.apic_id(), Some(apic_id), "{cpu}");
            set += 1;
        }
        let table = guest.table();
        let asked: Vec<(Leaf, Subleaf)> =
            table.iter().map(|entry| (entry.function, entry.subleaf())).collect();
        let seen = probe(&device, &table, &asked, Mode::Long)?;
        for ((leaf, subleaf), registers) in asked.iter().zip(&seen.answers) {
            assert_eq!(
                *registers,
                seen.stored.answer(*leaf, *subleaf).registers,
                "{cpu}: {leaf:?} {subleaf:?}"
            );
        }
        // Apart from KVM's changes, it reads what was built.
        let changed: Vec<Leaf> = seen
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Part(part) => Some(part.word.leaf),
                Change::Entry { given, stored } => given.or(*stored).map(|entry| entry.function),
                other => panic!("{other}"),
            })
            .collect();
        for ((leaf, subleaf), registers) in asked.iter().zip(&seen.answers) {
            let as_built = changed.contains(leaf) || table.registers(*leaf, *subleaf) == Some(*registers);
            assert!(as_built, "{cpu}: {leaf:?} {subleaf:?} {registers:x?}");
        }
        assert!(table.has(feature::HYPERVISOR));
        common::say(&format!(
            "{cpu} -smp {smp}: {set} vCPUs set, {unexpected} parts changed that no KVM should"
        ));
    }
    Ok(())
}
