//! Where the VMX capabilities that Linux numbers are in VMX's MSRs.
//!
//! Linux gathers them from several MSRs and combines some (`init_vmx_capabilities` of arch/x86/kernel/cpu/feat_ctl.c, 5.6
//! and later). A control of a control MSR is allowed if its bit in the upper half is set (Intel SDM volume 3D, appendix A.3).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::msr::is_control;
use crate::bits::kernel_bits::VmxFeature;
use crate::bits::known_places::{VMX_PINBASED, VMX_SECONDARY};
use crate::bits::location::{Bit, Msr, MsrBit};
use crate::bits::lookup::Named;
use crate::bits::release::LinuxRelease;

/// MSRs whose upper half has the controls that may be 1: Linux's word, and the TRUE MSR.
static CONTROL_WORDS: [(u16, u32); 2] = [(1, 0x48e), (2, VMX_SECONDARY.0)];
/// All bits of this one are controls that may be 1.
const TERTIARY: (u16, u32) = (3, 0x492);
/// Word 0 has pin-based controls in its lower half, and these.
const PIN_BASED: u32 = VMX_PINBASED.0;

/// Capabilities that are elsewhere than their number says, or combinations of several, by macro.
static ELSEWHERE: [(&str, &[(u32, u8)]); 8] = [
    ("INVVPID", &[(0x48c, 32)]),
    ("EPT_EXECUTE_ONLY", &[(0x48c, 0)]),
    ("EPT_AD", &[(0x48c, 21)]),
    ("EPT_1GB", &[(0x48c, 17)]),
    ("EPT_5LEVEL", &[(0x48c, 7)]),
    ("EPTP_SWITCHING", &[(0x491, 0)]),
    ("FLEXPRIORITY", &[(0x48e, 21), (0x48b, 0)]),
    ("APICV", &[(0x48e, 21), (0x48b, 8), (0x48b, 9), (0x48d, 7)]),
];

/// Features that Linux defines in software and sets for a VMX capability, by macros.
static SOFTWARE: [(&str, &str); 6] = [
    ("TPR_SHADOW", "VIRTUAL_TPR"),
    ("FLEXPRIORITY", "FLEXPRIORITY"),
    ("VNMI", "VIRTUAL_NMIS"),
    ("EPT", "EPT"),
    ("EPT_AD", "EPT_AD"),
    ("VPID", "VPID"),
];

/// The capability that another bit stands for: Linux's software-defined `ept`, and QEMU's name for a bit of an MSR.
pub(super) fn capability(named: Named) -> Option<VmxFeature> {
    match named {
        Named::Vmx(bit) => Some(bit),
        Named::Software(bit) => {
            let (_, meant) = SOFTWARE.iter().find(|(name, _)| *name == bit.linux_macro())?;
            VmxFeature::all().find(|vmx| vmx.linux_macro() == *meant)
        }
        Named::Msr(bit) => capability_at(bit.location()),
        Named::Feature(_) | Named::Bug(_) => None,
    }
}

/// The capability that is at a bit of an MSR, and nowhere else.
pub(super) fn capability_at(at: MsrBit) -> Option<VmxFeature> {
    VmxFeature::all().find(|vmx| places_of(*vmx).as_slice() == [at])
}

/// The bits of MSRs that a bit stands for: all of them are needed. Empty for a bit that is not in an MSR.
pub(super) fn places(named: Named) -> Vec<MsrBit> {
    match named {
        Named::Msr(bit) => alloc::vec![bit.location()],
        other => capability(other).map(places_of).unwrap_or_default(),
    }
}

fn places_of(vmx: VmxFeature) -> Vec<MsrBit> {
    let bit = |&(msr, bit): &(u32, u8)| Msr(msr).bit(Bit(bit));
    if let Some((_, bits)) = ELSEWHERE.iter().find(|(name, _)| *name == vmx.linux_macro()) {
        return bits.iter().map(bit).collect();
    }
    let newest_first = LinuxRelease::ALL.into_iter().rev();
    let Some(at) = newest_first.filter_map(|release| vmx.linux_word(release)).next() else {
        return Vec::new();
    };
    let of_word = CONTROL_WORDS.iter().chain([&TERTIARY]).find(|(word, _)| *word == at.word.0);
    let msr = match of_word {
        Some((_, msr)) => *msr,
        None if at.word.0 == 0 && at.bit.0 < 16 => PIN_BASED,
        None => return Vec::new(),
    };
    alloc::vec![Msr(msr).bit(at.bit)]
}

/// What MSRs say of one bit; `None` where they lack its MSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsrAnswer {
    /// The MSR that answers: an older control MSR where there is no TRUE one.
    pub msr: Msr,
    /// Its value.
    pub value: u64,
    /// Whether the bit is set, or for a control whether it may be 1.
    pub is_set: bool,
    /// True for a control that must be 1, which a guest hypervisor cannot choose.
    pub is_forced: bool,
}

impl MsrAnswer {
    /// True if it is set, and for a control if a guest hypervisor can choose it.
    #[must_use]
    pub const fn is_available(self) -> bool {
        self.is_set && !self.is_forced
    }
}

/// What some MSRs say of a bit.
#[must_use]
pub fn msr_answer(msrs: &BTreeMap<Msr, u64>, at: MsrBit) -> Option<MsrAnswer> {
    let older = |msr: Msr| match msr.0 {
        new @ 0x48d..=0x490 => Some(Msr(new - 0x48d + 0x481)),
        _ => None,
    };
    let found = |msr: Msr| msrs.get(&msr).map(|value| (msr, *value));
    let (msr, value) = found(at.msr).or_else(|| found(older(at.msr)?))?;
    let controls = is_control(at.msr) && at.bit.0 < 32;
    let shift = if controls { at.bit.0 + 32 } else { at.bit.0 };
    let is_forced = controls && value >> at.bit.0 & 1 != 0;
    Some(MsrAnswer { msr, value, is_set: value >> shift & 1 != 0, is_forced })
}

#[cfg(test)]
mod tests {
    use super::{ELSEWHERE, SOFTWARE, capability, msr_answer, places};
    use crate::bits::kernel_bits::{SoftwareFeature, VmxFeature};
    use crate::bits::location::{Bit, Msr};
    use crate::bits::lookup::Named;
    use crate::bits::msr_feature::MsrFeature;

    #[test]
    fn rows_name_bits_of_linux() {
        if !crate::naming::pinned() {
            return;
        }
        let known = |name: &str| VmxFeature::all().any(|bit| bit.linux_macro() == name);
        assert!(ELSEWHERE.iter().all(|(name, _)| known(name)));
        assert!(SOFTWARE.iter().all(|(name, meant)| {
            known(meant) && SoftwareFeature::all().any(|bit| bit.linux_macro() == *name)
        }));
        // Of every other capability the number says where it is.
        assert!(VmxFeature::all().all(|bit| !places(Named::Vmx(bit)).is_empty()));
    }

    #[test]
    fn names_of_linux_and_qemu_meet() {
        if !crate::naming::pinned() {
            return;
        }
        for (qemu, linux) in [
            ("vmx-ept", "EPT"),
            ("vmx-vnmi", "VIRTUAL_NMIS"),
            ("vmx-flexpriority", "VIRTUAL_TPR"),
            ("vmx-ept-1gb", "EPT_1GB"),
            ("vmx-pml", "PAGE_MOD_LOGGING"),
        ] {
            let bit = MsrFeature::from_qemu_name(qemu).unwrap_or_else(|_| panic!("{qemu}"));
            let found = capability(Named::Msr(bit)).map(VmxFeature::linux_macro);
            assert_eq!(found, Some(linux), "{qemu}");
        }
    }

    #[test]
    fn a_control_is_in_the_upper_half_and_an_older_msr_answers_too() {
        let msrs = [(Msr(0x482), 0x0000_0082_0000_0002), (Msr(0x48c), 1 << 32)].into();
        let is = |msr: u32, bit: u8| {
            msr_answer(&msrs, Msr(msr).bit(Bit(bit))).map(|answer| (answer.is_set, answer.is_forced))
        };
        assert_eq!(is(0x48e, 7), Some((true, false)));
        assert_eq!(is(0x48e, 1), Some((true, true)));
        assert_eq!(is(0x48e, 8), Some((false, false)));
        assert_eq!(is(0x48c, 32), Some((true, false)));
        assert_eq!(is(0x48b, 1), None);
    }
}
