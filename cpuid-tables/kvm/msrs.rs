//! A vCPU's MSRs: `KVM_SET_MSRS` and `KVM_GET_MSRS` of Linux's `Documentation/virt/kvm/api.rst`.
//!
//! MSRs are set after the vCPU's table, since KVM checks some of them against it, and before the vCPU runs.

use std::os::fd::AsRawFd;
use std::vec::Vec;

use kvm_bindings::{Msrs, kvm_msr_entry};
use kvm_ioctls::VcpuFd;

use super::error::{Errno, KvmError};
use super::ioctl;
use super::msr_error::{MsrChange, MsrError};
use super::vcpu::RawVcpu;
use crate::bits::location::Msr;
use crate::bits::msr_feature::MsrValue;

/// A vCPU that accepts MSRs.
pub trait MsrVcpu {
    /// `KVM_SET_MSRS`: sets MSRs in order up to the first one that KVM refuses, and returns how many it set.
    ///
    /// # Errors
    ///
    /// KVM's error number.
    fn set_msrs(&self, msrs: &[MsrValue]) -> Result<usize, Errno>;

    /// `KVM_GET_MSRS`: reads the values of MSRs in order up to the first one that KVM does not have.
    ///
    /// # Errors
    ///
    /// KVM's error number.
    fn get_msrs(&self, msrs: &[Msr]) -> Result<Vec<u64>, Errno>;
}

/// KVM's limit for one call: `MAX_IO_MSRS`.
const MAX_IO_MSRS: usize = 256;

fn in_kvm_s_format(msrs: impl Iterator<Item = (Msr, u64)>) -> Result<Msrs, Errno> {
    let entries: Vec<kvm_msr_entry> =
        msrs.map(|(msr, data)| kvm_msr_entry { index: msr.0, data, ..Default::default() }).collect();
    Msrs::from_entries(&entries).map_err(|_| Errno(libc::E2BIG))
}

impl MsrVcpu for VcpuFd {
    fn set_msrs(&self, msrs: &[MsrValue]) -> Result<usize, Errno> {
        RawVcpu::new(self).set_msrs(msrs)
    }

    fn get_msrs(&self, msrs: &[Msr]) -> Result<Vec<u64>, Errno> {
        RawVcpu::new(self).get_msrs(msrs)
    }
}

impl MsrVcpu for RawVcpu<'_> {
    fn set_msrs(&self, msrs: &[MsrValue]) -> Result<usize, Errno> {
        let mut set = 0;
        for part in msrs.chunks(MAX_IO_MSRS) {
            let given = in_kvm_s_format(part.iter().map(|msr| (msr.msr, msr.value)))?;
            let here = ioctl::set_msrs(self.fd, &given)?;
            set += here;
            if here < part.len() {
                break;
            }
        }
        Ok(set)
    }

    fn get_msrs(&self, msrs: &[Msr]) -> Result<Vec<u64>, Errno> {
        let mut values = Vec::new();
        for part in msrs.chunks(MAX_IO_MSRS) {
            let mut asked = in_kvm_s_format(part.iter().map(|msr| (*msr, 0)))?;
            let here = ioctl::get_msrs(self.fd, &mut asked)?;
            values.extend(asked.as_slice().iter().take(here).map(|entry| entry.data));
            if here < part.len() {
                break;
            }
        }
        Ok(values)
    }
}

/// MSRs that do not keep the value that is set, and the reason.
static CHANGING: [(Msr, &str); 2] = [
    (Msr(0x10), "the time stamp counter runs"),
    (Msr(0x4000_0010), "the virtual processor's run time counts"),
];

/// Gives a vCPU machine checks with these capabilities, such as a guest's `GuestCpuid::machine_checks`: `KVM_X86_SETUP_MCE`. Before
/// that, KVM refuses the MSRs that control them.
///
/// # Errors
///
/// [`KvmError::Ioctl`]: this KVM does not support the capabilities.
pub fn set_up_machine_checks(vcpu: &impl AsRawFd, capabilities: u64) -> Result<(), KvmError> {
    let set = ioctl::setup_mce(vcpu.as_raw_fd(), capabilities);
    set.map_err(|errno| KvmError::of_ioctl("KVM_X86_SETUP_MCE", errno))
}

/// Sets a vCPU's MSRs in order, reads them back, and returns the differences. An MSR that is given several times has the
/// last value.
///
/// # Errors
///
/// [`MsrError`], which names the MSR that KVM refuses.
pub fn set_msrs<V: MsrVcpu + ?Sized>(vcpu: &V, msrs: &[MsrValue]) -> Result<Vec<MsrChange>, MsrError> {
    let set = vcpu.set_msrs(msrs).map_err(MsrError::Set)?;
    if let Some(given) = msrs.get(set).copied() {
        let current = vcpu.get_msrs(&[given.msr]).map_err(MsrError::Get)?.first().copied();
        return Err(MsrError::Refused { given, current });
    }
    let is_last = |(at, msr): &(usize, &MsrValue)| !msrs[at + 1..].iter().any(|later| later.msr == msr.msr);
    let last: Vec<MsrValue> = msrs.iter().enumerate().filter(is_last).map(|(_, msr)| *msr).collect();
    let mut changes = Vec::new();
    let mut rest = &last[..];
    while !rest.is_empty() {
        let asked: Vec<Msr> = rest.iter().map(|msr| msr.msr).collect();
        let stored = vcpu.get_msrs(&asked).map_err(MsrError::Get)?;
        let compared = rest.iter().zip(stored.iter().copied().map(Some));
        changes.extend(compared.filter_map(|(given, stored)| change(*given, stored)));
        // KVM stops at an MSR that it does not return.
        changes.extend(rest.get(stored.len()).and_then(|given| change(*given, None)));
        rest = rest.get(stored.len() + 1..).unwrap_or_default();
    }
    Ok(changes)
}

fn change(given: MsrValue, stored: Option<u64>) -> Option<MsrChange> {
    let MsrValue { msr, value } = given;
    let expected = CHANGING.iter().find(|(changing, _)| *changing == msr).map(|(_, why)| *why);
    (stored != Some(value)).then_some(MsrChange { msr, given: value, stored, expected })
}
