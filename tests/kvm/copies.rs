//! Each vCPU's table made from a base, against the builder's, for every recorded guest: of both vendors, with and
//! without SMT, with several dies, modules and sockets, old machine types, APIC ids above 255.

use std::collections::BTreeMap;

use cpuid_tables::guest::GuestCpuid;
use cpuid_tables::host::Host;
use cpuid_tables::kvm::Vcpus;
use cpuid_tables::{CpuidEntry, CpuidRead, CpuidTable, Leaf, Register, Registers, Subleaf, VcpuBase, Vendor};
use kvm_bindings::kvm_cpuid_entry2;

use crate::common;
use crate::oracle::corpus::{self, Corpus};
use crate::oracle::{Outcome, ours};

/// Number of vCPUs of a guest to check, at the start and at the end.
const SOME: u32 = 3;

fn entry(entry: &kvm_cpuid_entry2) -> CpuidEntry {
    CpuidEntry {
        function: Leaf(entry.function),
        index: Subleaf(entry.index),
        flags: entry.flags,
        registers: Registers::new(entry.eax, entry.ebx, entry.ecx, entry.edx),
    }
}

/// APIC ids and tables of some vCPUs from the builder.
fn some(guest: &GuestCpuid) -> Vec<(u32, CpuidTable)> {
    let cpus = guest.topology().cpus;
    let indices = (0..cpus).filter(|index| *index < SOME || *index + SOME >= cpus);
    indices
        .map(|index| {
            let mut table = CpuidTable::new();
            (guest.write(index, &mut table), table)
        })
        .collect()
}

/// Why a vCPU's own table lacks data for the others; `None` if it has all of it.
fn missing_data(table: &CpuidTable, guest: &GuestCpuid) -> Option<&'static str> {
    let base = guest.base();
    let ebx = |table: &CpuidTable| table.find(Leaf(1), Subleaf(0)).map_or(0, |e| e.registers.ebx);
    if ebx(base) >> 24 != 0 {
        return Some("a count of processors that ran into the APIC id");
    }
    let node = |table: &CpuidTable| table.iter().any(|entry| entry.function == Leaf(0x8000_001e));
    let amd = table.vendor() == Some(Vendor::AMD);
    if node(base) && !node(table) && !amd {
        return Some("0x8000001E of a guest that is not AMD's");
    }
    let threads = base.iter().find(|entry| entry.function == Leaf(0x8000_001e));
    if !node(table) && threads.is_some_and(|entry| entry.register(Register::Ebx) >> 8 != 0) {
        return Some("a core whose number does not fit 0x8000001E");
    }
    None
}

fn every_copy_is_the_builder_s(name: &str) -> Outcome<()> {
    let Some(release) = common::qemu("every_copy_is_the_builder_s", name) else { return Ok(()) };
    let corpus = Corpus::read(&corpus::directory().join(name))?;
    let mut hosts: BTreeMap<&str, Host> = BTreeMap::new();
    for (name, host) in &corpus.hosts {
        let mut host = host.clone();
        host.fill_in();
        hosts.insert(name, host);
    }
    let (mut guests, mut copies, mut from_tables) = (0, 0, 0);
    let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
    for recorded in corpus.cases.iter().filter(|recorded| recorded.status == 0) {
        let case = &recorded.case;
        let host = hosts.get(case.host.as_str()).ok_or("no such host")?;
        let Ok(guest) = ours::guest(release, host, case)? else { continue };
        if guest.topology().cpus < 2 {
            continue;
        }
        guests += 1;
        let tables = some(&guest);
        let mut vcpus = Vcpus::from_base(guest.base())?;
        // There and back: the first vCPU's table may be shorter than the others'.
        for (apic_id, expected) in tables.iter().chain(tables.iter().rev()) {
            let ours: Vec<CpuidEntry> = vcpus.table(*apic_id).as_slice().iter().map(entry).collect();
            assert_eq!(ours, expected.to_vec(), "{case}: vCPU {apic_id}, in KVM's form");
            copies += 1;
        }
        for (_, base) in [tables.first(), tables.last()].into_iter().flatten() {
            if let Some(reason) = missing_data(base, &guest) {
                *reasons.entry(reason).or_default() += 1;
                continue;
            }
            let of_table = VcpuBase::with_layout(base, guest.layout())?;
            for (apic_id, expected) in &tables {
                let mut table = CpuidTable::new();
                of_table.write(*apic_id, &mut table);
                assert_eq!(table, *expected, "{case}: vCPU {apic_id}, from another's table");
                let mut table = base.clone();
                table.set_apic_id(*apic_id, &guest.layout());
                assert_eq!(table, *expected, "{case}: vCPU {apic_id}, by set_apic_id");
                from_tables += 1;
            }
        }
    }
    common::say(&format!(
        "QEMU {name}: {copies} copies of {guests} guests, {from_tables} from another vCPU's table; missing from it: {reasons:?}"
    ));
    assert!(guests > 2000 && from_tables > 10_000, "too few");
    Ok(())
}

#[test]
fn every_copy_of_qemu_10_0_is_the_builder_s() -> Outcome<()> {
    every_copy_is_the_builder_s("10.0")
}

#[test]
fn every_copy_of_qemu_7_2_is_the_builder_s() -> Outcome<()> {
    every_copy_is_the_builder_s("7.2")
}
