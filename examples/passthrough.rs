//! What a VMM on the rust-vmm crates needs to pass its host's processor through with a topology of its own.
//!
//! `cargo run --example passthrough --features kvm,normalize`

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;

use cpuid_tables::host::instruction;
use cpuid_tables::kvm::{Device, KvmSystem, Vcpus};
use cpuid_tables::normalize::{Normalizer, VcpuTopology, steps};

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::open()?;
    let supported = device.supported_cpuid()?;
    let cpuid = instruction().ok_or("no CPUID instruction")?;
    let topology = VcpuTopology { threads: 2, cores: 4, ..VcpuTopology::default() };
    let guest = Normalizer::new(&supported)
        .host(&cpuid)
        .steps(steps::host_identity())
        .steps(steps::hypervisor())
        .steps(steps::without(steps::Group::Pmu))
        .topology(&topology)
        .build()?;
    let (vm, mut tables) = (device.kvm().create_vm()?, Vcpus::from_base(guest.base())?);
    for apic_id in (0..topology.count()).map(|index| guest.apic_id(index)) {
        let vcpu = vm.create_vcpu(apic_id.into())?;
        for change in tables.set(&vcpu, apic_id)?.unexpected() {
            println!("vCPU {apic_id}: {change}");
        }
    }
    println!("{} vCPUs have their tables", topology.count());
    Ok(())
}
