//! The tables of a VM's vCPUs: a base table, and the parts that differ between vCPUs.

use crate::bits::location::Registers;
use crate::bits::msr_feature::MsrValue;
use std::vec::Vec;

use kvm_bindings::CpuId;

use super::changes::Changes;
use super::msr_error::MsrChange;
use super::msrs::{MsrVcpu, set_msrs};
use super::vcpu::CpuidVcpu;
use super::vcpu_error::VcpuError;
use super::vcpu_table::VcpuTable;
use crate::table::{ApicLayout, CpuidEntry, CpuidTable, VcpuBase};

/// The tables of a VM's vCPUs.
///
/// It holds one table in KVM's format and changes it for each vCPU: nothing is allocated after [`new`](Vcpus::new). A
/// vCPU that is added later is set in the same way. Threads that set vCPUs in parallel each need their own copy
/// ([`try_clone`](Vcpus::try_clone)).
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
    base: VcpuBase,
    table: VcpuTable,
    /// An entry was omitted from the table for the last vCPU.
    shortened: bool,
}

impl Vcpus {
    /// From any vCPU's table, which also provides the positions of cores and nodes within an APIC id, see
    /// [`VcpuBase::new`].
    ///
    /// # Errors
    ///
    /// [`VcpuError::TooMany`]; [`VcpuError::Memory`].
    pub fn new(table: &[CpuidEntry]) -> Result<Vcpus, VcpuError> {
        Vcpus::with_layout(table, ApicLayout::from_cpuid(table))
    }

    /// The same with a given layout: a table with several dies or nodes per socket may not contain the layout.
    ///
    /// # Errors
    ///
    /// As [`new`](Vcpus::new).
    pub fn with_layout(table: &[CpuidEntry], layout: ApicLayout) -> Result<Vcpus, VcpuError> {
        let full = || VcpuError::TooMany { count: table.len(), first: table.get(CpuidTable::MAX).copied() };
        Vcpus::from_base(&VcpuBase::with_layout(table, layout).map_err(|_| full())?)
    }

    /// From a base: a guest's `GuestCpuid::base`, or any other.
    ///
    /// # Errors
    ///
    /// [`VcpuError::Memory`].
    pub fn from_base(base: &VcpuBase) -> Result<Vcpus, VcpuError> {
        let mut table = VcpuTable::new()?;
        table.fill(base)?;
        Ok(Vcpus { base: base.clone(), table, shortened: false })
    }

    /// A copy, for another thread.
    ///
    /// # Errors
    ///
    /// [`VcpuError::Memory`].
    pub fn try_clone(&self) -> Result<Vcpus, VcpuError> {
        Ok(Vcpus { base: self.base.clone(), table: self.table.try_clone()?, shortened: self.shortened })
    }

    /// The table of the vCPU with this APIC id, in KVM's format.
    pub fn table(&mut self, apic_id: u32) -> &CpuId {
        let left_out = self.base.left_out(apic_id);
        if self.shortened {
            // The base fitted before.
            let _ = self.table.fill(&self.base);
        }
        let entries = self.table.given_mut().entries_mut();
        for place in self.base.own() {
            let (Some(entry), Some(base)) = (entries.get_mut(place.entry), self.base.get(place.entry)) else {
                continue;
            };
            let now = Registers::new(entry.eax, entry.ebx, entry.ecx, entry.edx);
            Registers { eax: entry.eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx } =
                self.base.registers(place.part, base, apic_id, now);
        }
        self.shortened = left_out.is_some();
        if let Some(at) = left_out {
            entries[at..].rotate_left(1);
            let shorter = entries.len() - 1;
            self.table.given_mut().resize(shorter);
        }
        self.table.given().as_kvm()
    }

    /// Sets a vCPU's table and reads it back.
    ///
    /// # Errors
    ///
    /// [`VcpuError`], which names the entry that KVM refuses.
    pub fn set<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V, apic_id: u32) -> Result<Changes<'_>, VcpuError> {
        self.set_only(vcpu, apic_id)?;
        self.table.read_back(vcpu)
    }

    /// Sets a vCPU's table and then its MSRs, such as a guest's `GuestCpuid::vcpu_msrs`, and reads both back. The MSRs of machine
    /// checks need [`set_up_machine_checks`](super::set_up_machine_checks) before.
    ///
    /// # Errors
    ///
    /// [`VcpuError`], which names the entry or the MSR that KVM refuses.
    pub fn set_with_msrs<V: CpuidVcpu + MsrVcpu + ?Sized>(
        &mut self,
        vcpu: &V,
        apic_id: u32,
        msrs: &[MsrValue],
    ) -> Result<(Changes<'_>, Vec<MsrChange>), VcpuError> {
        let changes = self.set(vcpu, apic_id)?;
        Ok((changes, set_msrs(vcpu, msrs).map_err(VcpuError::Msrs)?))
    }

    /// Sets a vCPU's table without reading it back.
    ///
    /// # Errors
    ///
    /// As [`set`](Vcpus::set).
    pub fn set_only<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V, apic_id: u32) -> Result<(), VcpuError> {
        self.table(apic_id);
        self.table.give(vcpu)
    }
}
