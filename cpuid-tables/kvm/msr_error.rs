//! MSRs that KVM changes or refuses.

use core::fmt;

use super::error::Errno;
use crate::bits::location::{Bit, Msr};
use crate::bits::msr_feature::{MsrFeature, MsrValue};

/// An MSR of a vCPU that differs from the value that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
        let (msr, given) = (self.msr, self.given);
        let Some(stored) = self.stored else {
            return write!(f, "{msr}: KVM does not return it, given {given:#x}");
        };
        write!(f, "{msr}: {stored:#x}, given {given:#x}")?;
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
#[derive(Clone, Copy, PartialEq, Eq)]
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
                "KVM does not have {msr} for this vCPU (given {value:#x}): its CPUID lacks the feature, or the \
                 host's KVM is older"
            ),
            MsrError::Refused { given: MsrValue { msr, value }, current: Some(current) } => {
                let change = MsrChange { msr: *msr, given: *value, stored: Some(*current), expected: None };
                write!(f, "KVM refuses the value: {change}; ")?;
                f.write_str(match msr.0 {
                    0x17b | 0x400..0x480 => "machine checks are set up before, with KVM_X86_SETUP_MCE",
                    _ => "the host supports less, or the vCPU has run",
                })
            }
            MsrError::Set(errno) => write!(f, "KVM_SET_MSRS: {errno}"),
            MsrError::Get(errno) => write!(f, "KVM_GET_MSRS: {errno}"),
        }
    }
}

debug_by_message!(MsrError);

impl core::error::Error for MsrError {}
