//! A vCPU given a table: `KVM_SET_CPUID2` and `KVM_GET_CPUID2` of Linux's `Documentation/virt/kvm/api.rst`.

use core::fmt;

use super::changes::Changes;
use super::ioctl::CpuidBuffer;
use super::system::entry_for;
use super::vcpu::{CpuidVcpu, why};
use super::vcpu_error::VcpuError;
use crate::table::{CpuidEntry, CpuidTable};

/// The buffers by which vCPUs are given tables: one for the table, one for what is read back. Nothing is allocated after
/// [`new`](VcpuTable::new), but for an error.
///
/// It gives a vCPU any table: one that `GuestCpuid` made for it, or a dump's. Where all tables come from one,
/// [`Vcpus`](super::Vcpus) makes and gives them.
pub struct VcpuTable {
    given: CpuidBuffer,
    stored: CpuidBuffer,
}

impl VcpuTable {
    /// Without a table yet.
    ///
    /// # Errors
    ///
    /// [`VcpuError::Memory`].
    pub fn new() -> Result<VcpuTable, VcpuError> {
        let mut given = CpuidBuffer::new().map_err(VcpuError::Memory)?;
        given.resize(0);
        let stored = CpuidBuffer::new().map_err(VcpuError::Memory)?;
        Ok(VcpuTable { given, stored })
    }

    /// Another one, for another thread.
    ///
    /// # Errors
    ///
    /// [`VcpuError::Memory`].
    pub fn try_clone(&self) -> Result<VcpuTable, VcpuError> {
        let copy = |buffer: &CpuidBuffer| buffer.try_clone().map_err(VcpuError::Memory);
        Ok(VcpuTable { given: copy(&self.given)?, stored: copy(&self.stored)? })
    }

    /// Holds a table.
    ///
    /// # Errors
    ///
    /// [`VcpuError::TooMany`].
    pub(super) fn fill(&mut self, table: &[CpuidEntry]) -> Result<(), VcpuError> {
        if let Some(first) = table.get(CpuidTable::MAX) {
            return Err(VcpuError::TooMany { count: table.len(), first: Some(*first) });
        }
        self.given.resize(table.len());
        for (to, entry) in self.given.entries_mut().iter_mut().zip(table) {
            *to = entry_for(entry);
        }
        Ok(())
    }

    /// The table, in KVM's form.
    pub(super) fn given(&self) -> &CpuidBuffer {
        &self.given
    }

    /// The same, to be changed.
    pub(super) fn given_mut(&mut self) -> &mut CpuidBuffer {
        &mut self.given
    }

    /// Gives a vCPU a table and reads back what it has.
    ///
    /// # Errors
    ///
    /// [`VcpuError`], which names the entry that KVM refuses.
    pub fn set<V: CpuidVcpu + ?Sized>(
        &mut self,
        vcpu: &V,
        table: &[CpuidEntry],
    ) -> Result<Changes<'_>, VcpuError> {
        self.set_only(vcpu, table)?;
        self.read_back(vcpu)
    }

    /// Gives a vCPU a table, and does not look at what KVM makes of it.
    ///
    /// # Errors
    ///
    /// As [`set`](VcpuTable::set).
    pub fn set_only<V: CpuidVcpu + ?Sized>(
        &mut self,
        vcpu: &V,
        table: &[CpuidEntry],
    ) -> Result<(), VcpuError> {
        self.fill(table)?;
        self.give(vcpu)
    }

    /// Gives a vCPU the table that is held.
    pub(super) fn give<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V) -> Result<(), VcpuError> {
        match vcpu.set_cpuid2(self.given.as_kvm()) {
            Ok(()) => Ok(()),
            Err(errno) => Err(why(vcpu, &self.given, &mut self.stored, errno)),
        }
    }

    /// What the vCPU has.
    pub(super) fn read_back<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V) -> Result<Changes<'_>, VcpuError> {
        vcpu.get_cpuid2(&mut self.stored).map_err(VcpuError::Get)?;
        Ok(Changes::between(self.given.entries(), self.stored.entries()))
    }
}

impl fmt::Debug for VcpuTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VcpuTable").field("entries", &self.given.entries().len()).finish_non_exhaustive()
    }
}
