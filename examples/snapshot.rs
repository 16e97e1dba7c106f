//! A guest's table and MSRs stored with a snapshot, and restored on a new vCPU: the same guest, whatever release of this
//! crate, of KVM's defaults and of QEMU's models restores it.
//!
//! `cargo run --example snapshot --features guest,json,kvm`

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;

use cpuid_tables::guest::GuestCpuid;
use cpuid_tables::host::Host;
use cpuid_tables::kvm::{Device, VcpuTable, Vcpus, set_msrs};
use cpuid_tables::{CpuidTable, Msr, MsrValue};

fn main() -> Result<(), Box<dyn Error>> {
    let guest = GuestCpuid::builder().model("qemu64").host(Host::this_machine()?).build()?;
    let msrs: Vec<(Msr, u64)> = guest.msrs().map(|msr| (msr.msr, msr.value)).collect();
    let stored = serde_json::to_string(&(guest.table(), msrs))?;
    println!("{} bytes stored", stored.len());

    let (table, msrs): (CpuidTable, Vec<(Msr, u64)>) = serde_json::from_str(&stored)?;
    let msrs: Vec<MsrValue> = msrs.into_iter().map(|(msr, value)| MsrValue { msr, value }).collect();
    let vm = Device::open()?.kvm().create_vm()?;
    let (one, other) = (vm.create_vcpu(0)?, vm.create_vcpu(1)?);
    // The table as it was stored, for the vCPU that had it.
    let changes = VcpuTable::new()?.set(&one, &table)?.unexpected().count();
    let different = set_msrs(&one, &msrs)?.len();
    println!("vCPU 0: {changes} parts of the table and {different} MSRs differ");
    // Any vCPU's table is enough for the others.
    let changes = Vcpus::new(&table)?.set(&other, 1)?.unexpected().count();
    println!("vCPU 1: {changes} parts of the table differ");
    Ok(())
}
