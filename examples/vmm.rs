//! What a VMM on the rust-vmm crates adds to set each vCPU's table as QEMU would.
//!
//! `cargo run --example vmm --features guest,kvm`

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;

use cpuid_tables::guest::{GuestCpuid, Smp};
use cpuid_tables::host::Host;
use cpuid_tables::kvm::Vcpus;
use kvm_ioctls::{Kvm, VcpuFd, VmFd};

/// Creates the vCPUs of a VM and sets their tables.
fn vcpus(vm: &VmFd, model: &str, count: u32) -> Result<Vec<VcpuFd>, Box<dyn Error>> {
    let smp = Smp { cpus: Some(count), ..Smp::default() };
    let host = Host::this_machine()?;
    let guest = GuestCpuid::builder().model(model).topology(smp).host(host).build()?;
    guest.warnings().iter().for_each(|warning| println!("{model}: {warning}"));
    let mut tables = Vcpus::with_layout(guest.base(), guest.layout())?;
    (0..count)
        .map(|index| {
            let apic_id = guest.apic_id(index);
            let vcpu = vm.create_vcpu(apic_id.into())?;
            tables.set_only(&vcpu, apic_id)?;
            Ok(vcpu)
        })
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let vm = Kvm::new()?.create_vm()?;
    let vcpus = vcpus(&vm, "Nehalem", 4)?;
    println!("{} vCPUs have their tables", vcpus.len());
    Ok(())
}
