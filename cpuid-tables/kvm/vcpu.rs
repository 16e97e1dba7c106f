//! A vCPU's two ioctls, and the reason when one fails.

use core::marker::PhantomData;
use std::os::fd::{AsRawFd, RawFd};
use std::vec::Vec;

use kvm_bindings::CpuId;
use kvm_ioctls::VcpuFd;

use super::changes::Changes;
use super::components::{DYNAMIC_COMPONENTS, permitted_guest_components};
use super::error::Errno;
use super::ioctl::CpuidBuffer;
use super::system::entry_of;
use super::vcpu_error::VcpuError;
use crate::bits::known_fields::leaf_80000008;
use crate::bits::location::{Leaf, Subleaf};
use crate::table::{CpuidEntry, CpuidRead, find_entry};

/// A vCPU that accepts a table.
pub trait CpuidVcpu {
    /// `KVM_SET_CPUID2`.
    ///
    /// # Errors
    ///
    /// KVM's error number.
    fn set_cpuid2(&self, table: &CpuId) -> Result<(), Errno>;

    /// `KVM_GET_CPUID2`.
    ///
    /// # Errors
    ///
    /// KVM's error number.
    fn get_cpuid2(&self, into: &mut CpuidBuffer) -> Result<(), Errno>;
}

/// A vCPU by its file descriptor, of whichever crate: kvm-ioctls in any version, or a VMM's own.
///
/// ```no_run
/// # fn set(vcpu: &std::fs::File, guest: &cpuid_tables::VcpuBase) -> Result<(), Box<dyn std::error::Error>> {
/// use cpuid_tables::kvm::{RawVcpu, Vcpus};
///
/// let changes = Vcpus::from_base(guest)?.set(&RawVcpu::new(vcpu), 0)?.unexpected().count();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RawVcpu<'fd> {
    pub(super) fd: RawFd,
    owner: PhantomData<&'fd ()>,
}

impl<'fd> RawVcpu<'fd> {
    /// From anything that has the vCPU's file descriptor.
    #[must_use]
    pub fn new(vcpu: &'fd impl AsRawFd) -> RawVcpu<'fd> {
        RawVcpu { fd: vcpu.as_raw_fd(), owner: PhantomData }
    }
}

impl CpuidVcpu for RawVcpu<'_> {
    fn set_cpuid2(&self, table: &CpuId) -> Result<(), Errno> {
        super::ioctl::set_cpuid2(self.fd, table)
    }

    fn get_cpuid2(&self, into: &mut CpuidBuffer) -> Result<(), Errno> {
        into.read_back(self.fd)
    }
}

impl CpuidVcpu for VcpuFd {
    fn set_cpuid2(&self, table: &CpuId) -> Result<(), Errno> {
        RawVcpu::new(self).set_cpuid2(table)
    }

    fn get_cpuid2(&self, into: &mut CpuidBuffer) -> Result<(), Errno> {
        RawVcpu::new(self).get_cpuid2(into)
    }
}

/// The meaning of an error number of `KVM_SET_CPUID2`. Overwrites `buffer`.
pub(super) fn why<V: CpuidVcpu + ?Sized>(
    vcpu: &V,
    given: &CpuidBuffer,
    buffer: &mut CpuidBuffer,
    errno: Errno,
) -> VcpuError {
    let entries: Vec<CpuidEntry> = given.entries().iter().map(entry_of).collect();
    match errno.0 {
        libc::E2BIG => VcpuError::TooMany { count: entries.len(), first: None },
        libc::EPERM => not_permitted(&entries).unwrap_or(VcpuError::Set(errno)),
        libc::EINVAL => {
            address_width(&entries).or_else(|| has_run(vcpu, given, buffer)).unwrap_or(VcpuError::Set(errno))
        }
        _ => VcpuError::Set(errno),
    }
}

fn not_permitted(entries: &[CpuidEntry]) -> Option<VcpuError> {
    let entry = *find_entry(entries, Leaf(0xd), Subleaf(0))?;
    let permitted = permitted_guest_components().unwrap_or(0);
    let components = entries.xcr0() & DYNAMIC_COMPONENTS & !permitted;
    (components != 0).then_some(VcpuError::NotPermitted { entry, components })
}

fn address_width(entries: &[CpuidEntry]) -> Option<VcpuError> {
    // KVM uses the first one, whatever its index.
    let entry = *entries.iter().find(|entry| entry.function == leaf_80000008::VIRT_ADDR_BITS.leaf())?;
    let width = leaf_80000008::VIRT_ADDR_BITS.read_from(entry.registers);
    (!matches!(width, 0 | 48 | 57)).then_some(VcpuError::AddressWidth { entry, width })
}

/// A vCPU without a table never had one, and cannot refuse this one for having run.
fn has_run<V: CpuidVcpu + ?Sized>(
    vcpu: &V,
    given: &CpuidBuffer,
    stored: &mut CpuidBuffer,
) -> Option<VcpuError> {
    vcpu.get_cpuid2(stored).ok()?;
    if stored.entries().is_empty() {
        return None;
    }
    let changes = Changes::between(given.entries(), stored.entries());
    let first = changes.unexpected().next().or_else(|| changes.iter().next())?;
    Some(VcpuError::HasRun { first })
}
