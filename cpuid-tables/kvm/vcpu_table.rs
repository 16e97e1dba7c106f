//! Setting a vCPU's table: `KVM_SET_CPUID2` and `KVM_GET_CPUID2` of Linux's `Documentation/virt/kvm/api.rst`.

use core::fmt;

use super::changes::Changes;
use super::ioctl::CpuidBuffer;
use super::system::entry_for;
use super::vcpu::{CpuidVcpu, why};
use super::vcpu_error::VcpuError;
use crate::table::{CpuidEntry, CpuidTable};

/// Buffers for setting vCPUs' tables: one for the table, one to read it back. After [`new`](VcpuTable::new) only
/// errors allocate.
///
/// It sets any table: one that `GuestCpuid` built for a vCPU, or a dump's. If all tables derive from one,
/// [`Vcpus`](super::Vcpus) derives and sets them.
pub struct VcpuTable {
    given: CpuidBuffer,
    stored: CpuidBuffer,
}

impl VcpuTable {
    /// Empty buffers.
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

    /// A copy, for another thread.
    ///
    /// # Errors
    ///
    /// [`VcpuError::Memory`].
    pub fn try_clone(&self) -> Result<VcpuTable, VcpuError> {
        let copy = |buffer: &CpuidBuffer| buffer.try_clone().map_err(VcpuError::Memory);
        Ok(VcpuTable { given: copy(&self.given)?, stored: copy(&self.stored)? })
    }

    /// Stores a table.
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

    /// The table in KVM's format.
    pub(super) fn given(&self) -> &CpuidBuffer {
        &self.given
    }

    /// The same, mutable.
    pub(super) fn given_mut(&mut self) -> &mut CpuidBuffer {
        &mut self.given
    }

    /// Sets a vCPU's table and reads it back.
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

    /// Sets a vCPU's table without reading it back.
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

    /// Sets the stored table.
    pub(super) fn give<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V) -> Result<(), VcpuError> {
        match vcpu.set_cpuid2(self.given.as_kvm()) {
            Ok(()) => Ok(()),
            Err(errno) => Err(why(vcpu, &self.given, &mut self.stored, errno)),
        }
    }

    /// The vCPU's table.
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
