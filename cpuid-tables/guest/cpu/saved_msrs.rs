//! The MSRs that KVM saves (`KVM_GET_MSR_INDEX_LIST`). QEMU takes from the list what KVM can do, where CPUID does not say
//! (`kvm_get_supported_msrs` of target/i386/kvm/kvm.c).

use super::flags::{Reg, WAITPKG};
use super::supported::Supported;
use crate::bits::known_places::VMX_SECONDARY;
use crate::bits::location::Msr;

/// The MSRs that a KVM saves if a host's description does not list them: those of Linux 6.12 for which QEMU has code,
/// except those that depend on the processor. UMWAIT's control (0xE1), which Linux lists on a processor with WAITPKG, is
/// assumed: whether the guest can have WAITPKG is decided by the feature. VMX's secondary controls are added if they are a
/// feature MSR.
const USUAL: [u32; 60] = [
    0x10,
    0x11,
    0x12,
    0x3a,
    0x3b,
    0x48,
    0x9e,
    0xce,
    0xcf,
    0xe1,
    0x10a,
    0x122,
    0x174,
    0x175,
    0x176,
    0x17a,
    0x17b,
    0x1a0,
    0x1c4,
    0x1c5,
    0x1d9,
    0x277,
    0x345,
    0x6e0,
    0xda0,
    0x4000_0000,
    0x4000_0001,
    0x4000_0002,
    0x4000_0003,
    0x4000_0010,
    0x4000_0020,
    0x4000_0021,
    0x4000_0022,
    0x4000_0023,
    0x4000_0073,
    0x4000_0080,
    0x4000_0083,
    0x4000_0090,
    0x4000_00b0,
    0x4000_00f1,
    0x4000_0100,
    0x4000_0105,
    0x4000_0106,
    0x4000_0107,
    0x4000_0108,
    0x4b56_4d00,
    0x4b56_4d01,
    0x4b56_4d02,
    0x4b56_4d03,
    0x4b56_4d04,
    0x4b56_4d05,
    0x4b56_4d06,
    0x4b56_4d07,
    0xc000_0081,
    0xc000_0082,
    0xc000_0083,
    0xc000_0084,
    0xc000_0102,
    0xc000_0103,
    0xc001_0117,
];

const UMWAIT_CONTROL: u32 = 0xe1;

impl Supported<'_> {
    /// True if KVM saves the MSR.
    pub(crate) fn saves(&self, msr: u32) -> bool {
        match &self.host.saved_msrs {
            Some(saved) => saved.contains(&Msr(msr)),
            // Linux lists it both as a feature and as saved.
            None if msr == VMX_SECONDARY.0 => self.host.msrs.contains_key(&Msr(msr)),
            None => USUAL.contains(&msr),
        }
    }

    /// True if KVM saves the control of UMWAIT. KVM lists it with the feature, which is asked if the list is unknown.
    pub(crate) fn has_umwait(&self) -> bool {
        match &self.host.saved_msrs {
            Some(saved) => saved.contains(&Msr(UMWAIT_CONTROL)),
            None => self.register(Reg::L7Ecx.word()) & WAITPKG.mask != 0,
        }
    }
}
