//! The base of a guest's tables and its MSRs stored with a snapshot, and restored on new vCPUs: the same guest, whatever release of this
//! crate, of KVM's defaults and of QEMU's models restores it.
//!
//! `cargo run --example snapshot --features guest,json,kvm`

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;

use cpuid_tables::guest::GuestCpuid;
use cpuid_tables::host::Host;
use cpuid_tables::kvm::{Device, Vcpus, set_up_machine_checks};
use cpuid_tables::{MsrValue, VcpuBase};

fn main() -> Result<(), Box<dyn Error>> {
    let guest = GuestCpuid::builder().model("qemu64").host(Host::this_machine()?).build()?;
    let msrs: Vec<MsrValue> = guest.msrs().collect();
    let stored = serde_json::to_string(&(guest.base(), msrs, guest.machine_checks()))?;
    println!("{} bytes stored", stored.len());

    let (base, msrs, machine_checks): (VcpuBase, Vec<MsrValue>, Option<u64>) = serde_json::from_str(&stored)?;
    let vm = Device::open()?.kvm().create_vm()?;
    let mut vcpus = Vcpus::from_base(&base)?;
    // vCPU 0 as it was stored, and vCPU 1, which is added now.
    for apic_id in [0, 1] {
        let vcpu = vm.create_vcpu(apic_id.into())?;
        if let Some(capabilities) = machine_checks {
            set_up_machine_checks(&vcpu, capabilities)?;
        }
        let (changes, different) = vcpus.set_with_msrs(&vcpu, apic_id, &msrs)?;
        let (changes, different) = (changes.unexpected().count(), different.len());
        println!("vCPU {apic_id}: {changes} parts of the table and {different} MSRs differ");
    }
    Ok(())
}
