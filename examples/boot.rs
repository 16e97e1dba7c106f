//! A guest of two vCPUs of a named CPU model, built as QEMU would on this machine, that reports the CPUID values it
//! reads.
//!
//! `cargo run --example boot --features guest,kvm,show -- [MODEL[,PROPERTY...]]`. It builds the table for this machine and sets
//! each vCPU's own; then the vCPUs execute CPUID. Exit code 1: a vCPU read a value that was neither requested nor
//! reported by KVM as its change.

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;
use std::process::ExitCode;

use cpuid_tables::guest::{CpuOption, GuestCpuid, Smp};
use cpuid_tables::host::Host;
use cpuid_tables::kvm::{Device, Guest, Mode};
use cpuid_tables::show::{DecodedEntry, decode};
use cpuid_tables::{CpuidEntry, CpuidTable, Leaf, Subleaf};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let cpu = std::env::args().nth(1).unwrap_or_else(|| "Nehalem".to_owned());
    let host = Host::this_machine()?;
    let built = GuestCpuid::builder()
        .cpu(cpu.parse::<CpuOption>()?)
        .topology(Smp { cpus: Some(2), sockets: Some(2), ..Smp::default() })
        .host(host)
        .build()?;
    for warning in built.warnings() {
        println!("warning: {warning}");
    }

    let tables: Vec<(u32, CpuidTable)> = built.vcpus().collect();
    let given: Vec<(u32, &[CpuidEntry])> = tables.iter().map(|(id, table)| (*id, &table[..])).collect();
    let mut guest = Guest::from_vcpus(&Device::open()?, &given, Mode::Long)?;

    let mut as_asked = true;
    for (vcpu, (apic_id, table)) in tables.iter().enumerate() {
        for change in guest.changes_of(vcpu) {
            println!("vCPU {apic_id}: KVM changed {change}");
        }
        let questions: Vec<(Leaf, Subleaf)> =
            table.iter().map(|entry| (entry.function, entry.subleaf())).collect();
        let answers = guest.ask_vcpu(vcpu, &questions)?;
        let seen: Vec<CpuidEntry> =
            table.iter().zip(answers).map(|(entry, registers)| CpuidEntry { registers, ..*entry }).collect();
        as_asked &= print_vcpu(*apic_id, table, &seen, guest.stored_of(vcpu).ok_or("no such vCPU")?);
    }
    Ok(if as_asked { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Prints what a vCPU reads; the first vCPU's leaves in full. True if every leaf is as requested or as KVM read it
/// back.
fn print_vcpu(apic_id: u32, asked: &[CpuidEntry], seen: &[CpuidEntry], stored: &CpuidTable) -> bool {
    println!("vCPU {apic_id} reads {} leaves", seen.len());
    if apic_id == 0 {
        decode(seen).iter().for_each(|entry: &DecodedEntry| print!("{entry}"));
    }
    let (mut changed, mut wrong) = (0, 0);
    for (asked, seen) in asked.iter().zip(seen).filter(|(asked, seen)| asked != seen) {
        let kvms = stored.find(seen.function, seen.subleaf()).map(|entry| entry.registers);
        let by_kvm = kvms == Some(seen.registers);
        (changed, wrong) = if by_kvm { (changed + 1, wrong) } else { (changed, wrong + 1) };
        println!(
            "vCPU {apic_id}: leaf {:#x}.{} expected {:x?}, got {:x?}{}",
            asked.function.0,
            asked.subleaf().0,
            asked.registers,
            seen.registers,
            if by_kvm { ", as KVM changed it" } else { "" }
        );
    }
    let same = seen.len() - changed - wrong;
    println!("vCPU {apic_id}: {same} leaves are as requested, {changed} as KVM changed them, {wrong} wrong");
    wrong == 0
}
