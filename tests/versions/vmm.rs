//! A VMM that pins its version of kvm-ioctls: the crate works with its descriptors, whichever version they are from.

use std::error::Error;

use cpuid_tables::host::instruction;
use cpuid_tables::kvm::{Device, KvmSystem, RawVcpu, Vcpus, set_msrs};
use cpuid_tables::normalize::{Normalizer, VcpuTopology, steps};
use cpuid_tables::{CpuidTable, Msr, MsrValue};
use kvm_bindings::CpuId;
use kvm_ioctls::Kvm;

fn main() -> Result<(), Box<dyn Error>> {
    let Ok(kvm) = Kvm::new() else {
        println!("skipped: no /dev/kvm");
        return Ok(());
    };
    let device = Device::from_duplicate(&kvm)?;
    let supported = CpuidTable::try_from(kvm.get_supported_cpuid(256)?)?;
    assert_eq!(supported.len(), device.supported_cpuid()?.len());
    let cpuid = instruction().ok_or("no CPUID instruction")?;
    let topology = VcpuTopology::cores(2);
    let guest = Normalizer::new(&supported)
        .host(&cpuid)
        .steps(steps::hypervisor())
        .topology(&topology)
        .build()?;
    let vm = kvm.create_vm()?;
    let mut vcpus = Vcpus::from_base(guest.base())?;
    for apic_id in 0..topology.count() {
        let vcpu = vm.create_vcpu(apic_id.into())?;
        vcpus.set(&RawVcpu::new(&vcpu), apic_id)?;
        let stored = vcpu.get_cpuid2(256)?;
        assert_eq!(CpuidTable::try_from(&stored)?.apic_id(), Some(apic_id));
        let own = CpuId::try_from(guest.table(apic_id))?;
        vcpu.set_cpuid2(&own)?;
        let pat = MsrValue { msr: Msr(0x277), value: 0x0007_0406_0007_0406 };
        assert_eq!(set_msrs(&RawVcpu::new(&vcpu), &[pat])?, []);
    }
    println!("{} vCPUs have their tables", topology.count());
    Ok(())
}
