//! The tables of a VM's vCPUs: one base table, and for each vCPU what is its own.

use std::vec::Vec;

use kvm_bindings::CpuId;

use super::changes::Changes;
use super::vcpu_error::VcpuError;
use super::vcpu_table::{CpuidVcpu, VcpuTable};
use crate::location::Register;
use crate::table::{ApicLayout, CpuidEntry, OwnBits};

/// A place in the table that is each vCPU's own.
#[derive(Clone, Copy, Debug)]
struct Patch {
    entry: usize,
    own: OwnBits,
}

/// The tables of a VM's vCPUs.
///
/// It holds one table in KVM's form, which is changed for each vCPU in turn: nothing is allocated after [`new`](Vcpus::new).
/// A vCPU that is added later is set in the same way. Threads that each set a vCPU have
/// one each ([`try_clone`](Vcpus::try_clone)).
///
/// ```no_run
/// use cpuid_tables::kvm::{Device, KvmSystem, Vcpus};
///
/// let device = Device::open()?;
/// let mut vcpus = Vcpus::new(&device.supported_cpuid()?)?;
/// let vm = device.kvm().create_vm()?;
/// for apic_id in 0..4 {
///     let vcpu = vm.create_vcpu(apic_id.into())?;
///     for change in vcpus.set(&vcpu, apic_id)?.unexpected() {
///         eprintln!("vCPU {apic_id}: {change}");
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Vcpus {
    table: VcpuTable,
    patches: Vec<Patch>,
    layout: ApicLayout,
}

impl Vcpus {
    /// Tables made from a base, which may be any vCPU's; where cores and nodes stand in an APIC id is as it says.
    ///
    /// Every vCPU has the entries that the base has. QEMU drops entries of zeros, so that its first vCPU may lack a leaf
    /// 0x8000001E that its others have: give those their own with [`VcpuTable`].
    ///
    /// # Errors
    ///
    /// [`VcpuError::TooMany`]; [`VcpuError::Memory`].
    pub fn new(base: &[CpuidEntry]) -> Result<Vcpus, VcpuError> {
        Vcpus::with_layout(base, ApicLayout::of(base))
    }

    /// The same, with the layout given: a base with several dies or nodes in a socket may not tell.
    ///
    /// # Errors
    ///
    /// As [`new`](Vcpus::new).
    pub fn with_layout(base: &[CpuidEntry], layout: ApicLayout) -> Result<Vcpus, VcpuError> {
        let mut table = VcpuTable::new()?;
        table.fill(base)?;
        let patches = base.iter().enumerate().flat_map(|(entry, of)| {
            let here = OwnBits::all().iter().filter(|own| own.field.leaf() == of.function);
            here.map(move |&own| Patch { entry, own })
        });
        Ok(Vcpus { table, patches: patches.collect(), layout })
    }

    /// Another one, for another thread.
    ///
    /// # Errors
    ///
    /// [`VcpuError::Memory`].
    pub fn try_clone(&self) -> Result<Vcpus, VcpuError> {
        Ok(Vcpus { table: self.table.try_clone()?, patches: self.patches.clone(), layout: self.layout })
    }

    /// The table of the vCPU with this APIC id, in KVM's form.
    pub fn table(&mut self, apic_id: u32) -> &CpuId {
        let entries = self.table.given_mut().entries_mut();
        for patch in &self.patches {
            if let Some(entry) = entries.get_mut(patch.entry) {
                let register = match patch.own.field.register() {
                    Register::Eax => &mut entry.eax,
                    Register::Ebx => &mut entry.ebx,
                    Register::Ecx => &mut entry.ecx,
                    Register::Edx => &mut entry.edx,
                };
                patch.own.put(register, self.layout.number(patch.own.number, apic_id));
            }
        }
        self.table.given().as_kvm()
    }

    /// Gives a vCPU its table and reads back what it has.
    ///
    /// # Errors
    ///
    /// [`VcpuError`], which names the entry that KVM refuses.
    pub fn set<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V, apic_id: u32) -> Result<Changes<'_>, VcpuError> {
        self.set_only(vcpu, apic_id)?;
        self.table.read_back(vcpu)
    }

    /// Gives a vCPU its table, and does not look at what KVM makes of it.
    ///
    /// # Errors
    ///
    /// As [`set`](Vcpus::set).
    pub fn set_only<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V, apic_id: u32) -> Result<(), VcpuError> {
        self.table(apic_id);
        self.table.give(vcpu)
    }
}
