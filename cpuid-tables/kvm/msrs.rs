//! A vCPU's MSRs: `KVM_SET_MSRS` and `KVM_GET_MSRS` of Linux's `Documentation/virt/kvm/api.rst`.
//!
//! MSRs are set after the vCPU's table, since KVM checks some of them against it, and before the vCPU runs.

use core::fmt;
use std::vec::Vec;

use kvm_bindings::{Msrs, kvm_msr_entry};
use kvm_ioctls::VcpuFd;

use super::error::Errno;
use super::ioctl;
use super::vcpu::RawVcpu;
use crate::bits::location::{Bit, Msr};
use crate::bits::msr_feature::{MsrFeature, MsrValue};

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

/// An MSR of a vCPU that differs from the value that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsrChange {
    /// The MSR.
    pub msr: Msr,
    /// The value that was set.
    pub given: u64,
    /// The value that KVM has; `None` if KVM does not return the MSR.
    pub stored: Option<u64>,
    /// Why it differs, if it does so on every KVM.
    pub expected: Option<&'static str>,
}

impl MsrChange {
    /// The differing bits, each with its feature if QEMU names it.
    pub fn bits(&self) -> impl Iterator<Item = (Bit, Option<MsrFeature>)> + use<> {
        let (msr, differing) = (self.msr, self.stored.map_or(0, |stored| stored ^ self.given));
        (0..64).filter(move |bit| differing >> bit & 1 != 0).map(move |bit| {
            let bit = Bit(bit);
            (bit, MsrFeature::at(msr.bit(bit)))
        })
    }
}

impl fmt::Display for MsrChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (msr, given) = (self.msr.0, self.given);
        let Some(stored) = self.stored else {
            return write!(f, "MSR {msr:#x}: KVM does not return it, given {given:#x}");
        };
        write!(f, "MSR {msr:#x}: {stored:#x}, given {given:#x}")?;
        let mut separator = " (";
        for (bit, feature) in self.bits().filter(|(_, feature)| feature.is_some()) {
            write!(f, "{separator}bit {}, {}", bit.0, feature.map_or("", MsrFeature::name))?;
            separator = "; ";
        }
        if separator != " (" {
            f.write_str(")")?;
        }
        self.expected.map_or(Ok(()), |why| write!(f, " (expected: {why})"))
    }
}

/// KVM refuses an MSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MsrError {
    /// KVM refuses the value, or does not have the MSR. Those before it are set.
    Refused {
        /// The MSR and the value.
        given: MsrValue,
        /// The MSR's current value; `None` if KVM does not have the MSR for this vCPU.
        current: Option<u64>,
    },
    /// `KVM_SET_MSRS` failed.
    Set(Errno),
    /// `KVM_GET_MSRS` failed.
    Get(Errno),
}

impl fmt::Display for MsrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MsrError::Refused { given: MsrValue { msr, value }, current: None } => write!(
                f,
                "KVM does not have MSR {:#x} for this vCPU (given {value:#x}): its CPUID lacks the feature, or the \
                 host's KVM is older",
                msr.0
            ),
            MsrError::Refused { given: MsrValue { msr, value }, current: Some(current) } => {
                let change = MsrChange { msr: *msr, given: *value, stored: Some(*current), expected: None };
                write!(f, "KVM refuses the value: {change}; the host supports less, or the vCPU has run")
            }
            MsrError::Set(errno) => write!(f, "KVM_SET_MSRS: {errno}"),
            MsrError::Get(errno) => write!(f, "KVM_GET_MSRS: {errno}"),
        }
    }
}

impl core::error::Error for MsrError {}

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
