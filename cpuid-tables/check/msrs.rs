//! A guest's MSRs: capabilities without the CPUID feature that announces them, and those that the host's KVM refuses.
//!
//! Intel SDM volume 4, and volume 3D, appendix A, for VMX. What KVM refuses is in `vmx_restore_*` of Linux's
//! `arch/x86/kvm/vmx/nested.c`; QEMU and other VMMs fail when they set such an MSR, also on the destination of a migration.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Severity;
use crate::bits::feature::Feature;
use crate::bits::known_places::{ARCH_CAPABILITIES, FB_CLEAR};
use crate::bits::location::{Bit, Msr};
use crate::bits::msr_feature::{MsrFeature, MsrValue};
use crate::feature;
use crate::host::Host;
use crate::naming::name_of;
use crate::table::{CpuidEntry, CpuidRead};

/// A kind of finding about an MSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MsrKind {
    /// The MSR's capabilities are not announced by CPUID: a guest does not read it.
    NeedsFeature,
    /// The host's KVM does not support bits of the value.
    NotSupported,
    /// The host's KVM requires bits that the value lacks, or another number.
    HostRequires,
    /// A VMX control must be 1 and may not be 1.
    ControlContradicts,
}

impl MsrKind {
    /// Its name: `msr-needs-feature`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            MsrKind::NeedsFeature => "msr-needs-feature",
            MsrKind::NotSupported => "msr-not-supported",
            MsrKind::HostRequires => "msr-host-requires",
            MsrKind::ControlContradicts => "vmx-control-contradicts",
        }
    }

    /// An MSR that CPUID does not announce is harmless; KVM refuses the others.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            MsrKind::NeedsFeature => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

/// A finding about an MSR.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsrFinding {
    /// Its kind.
    pub kind: MsrKind,
    /// The MSR.
    pub msr: Msr,
    /// The bits that it concerns; 0 for the whole MSR.
    pub bits: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for MsrFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}: {}", self.kind.severity(), self.kind.name(), self.msr, self.what)
    }
}

/// MSRs from the first to the last, and the feature that announces them.
static ANNOUNCED: [(u32, u32, Feature); 6] = [
    (0x8c, 0x8f, feature::SGX_LC),
    (0xcf, 0xcf, feature::CORE_CAPABILITIES),
    (0x10a, 0x10a, feature::ARCH_CAPABILITIES),
    (0x1c4, 0x1c5, feature::XFD),
    (0x345, 0x345, feature::PDCM),
    (0x480, 0x492, feature::VMX),
];

/// How KVM compares parts of a feature MSR with the host's.
#[derive(Clone, Copy)]
enum Rule {
    /// A bit may be set if the host's is.
    Subset(u64),
    /// The bits must be the host's.
    Equal(u64),
    /// The halves of a VMX control: bits that must be 1 on the host must be 1, and bits that may be 1 must be allowed on the host.
    Control,
}

/// Bits of ARCH_CAPABILITIES that state a weakness, which a guest may assume although the host lacks it: RSBA, RRSBA.
const WEAKNESSES: u64 = 1 << 2 | 1 << 19;

static RULES: [(u32, Rule); 13] = [
    (0xcf, Rule::Subset(u64::MAX)),
    // QEMU sets FB_CLEAR for a processor that does not need it.
    (ARCH_CAPABILITIES.0, Rule::Subset(!(WEAKNESSES | FB_CLEAR))),
    (0x345, Rule::Subset(!0xf3f)),
    (0x480, Rule::Equal(0x7fff_ffff | 0x1fff << 32 | 0xf << 50)),
    (0x480, Rule::Subset(1 << 49 | 1 << 54 | 1 << 55 | 1 << 56)),
    (0x485, Rule::Equal(0x1f)),
    (0x485, Rule::Subset(1 << 5 | 0x1c0 | 1 << 14 | 1 << 15 | 1 << 28 | 1 << 29 | 1 << 30)),
    (0x48b, Rule::Control),
    (0x48c, Rule::Subset(u64::MAX)),
    (0x48d, Rule::Control),
    (0x48e, Rule::Control),
    (0x48f, Rule::Control),
    (0x490, Rule::Control),
];

/// Checks MSRs of a vCPU, against its table and, if given, the host's feature MSRs. Findings are in the MSRs' order.
///
/// ```
/// use cpuid_tables::check::{MsrKind, check_msrs};
/// use cpuid_tables::{CpuidEntry, Leaf, Msr, MsrValue, Registers};
///
/// let table = [CpuidEntry::new(Leaf(1), Registers::ZERO)];
/// let findings = check_msrs(&[MsrValue { msr: Msr(0x10a), value: 1 }], &table, None);
/// assert_eq!(findings[0].kind, MsrKind::NeedsFeature);
/// assert_eq!(
///     findings[0].to_string(),
///     "warning[msr-needs-feature]: MSR 0x10a: 0x1, but CPUID lacks arch_capabilities, which announces it"
/// );
/// ```
#[must_use]
pub fn check_msrs(msrs: &[MsrValue], table: &[CpuidEntry], host: Option<&Host>) -> Vec<MsrFinding> {
    let mut findings = Vec::new();
    for MsrValue { msr, value } in msrs.iter().copied() {
        let mut add = |kind, bits, what| findings.push(MsrFinding { kind, msr, bits, what });
        let by = ANNOUNCED.iter().find(|(first, last, _)| (*first..=*last).contains(&msr.0));
        if let Some((.., feature)) = by.filter(|(.., feature)| value != 0 && !table.has(*feature)) {
            let what = format!("{value:#x}, but CPUID lacks {}, which announces it", name_of(*feature));
            add(MsrKind::NeedsFeature, 0, what);
        }
        let rules = || RULES.iter().filter(|rule| rule.0 == msr.0).map(|rule| rule.1);
        if rules().any(|rule| matches!(rule, Rule::Control)) {
            let contradicts = value & 0xffff_ffff & !(value >> 32);
            if contradicts != 0 {
                let what = format!("controls {} must be 1 and may not be 1", names(msr, contradicts));
                add(MsrKind::ControlContradicts, contradicts, what);
            }
        }
        if let Some(host) = host {
            let of_host = host.msrs.get(&msr).copied().unwrap_or(0);
            rules().for_each(|rule| against(rule, msr, value, of_host, &mut add));
        }
    }
    findings
}

fn against(rule: Rule, msr: Msr, value: u64, host: u64, add: &mut impl FnMut(MsrKind, u64, String)) {
    let mut lacks = |bits: u64, named: u64| {
        if bits != 0 {
            let what = format!("the host's KVM does not support {}", names(msr, named));
            add(MsrKind::NotSupported, bits, what);
        }
    };
    match rule {
        Rule::Subset(mask) => {
            let bits = value & mask & !host;
            lacks(bits, bits);
        }
        Rule::Control => {
            let bits = value & !host & !0xffff_ffff;
            lacks(bits, bits >> 32);
            let required = host & !value & 0xffff_ffff;
            if required != 0 {
                let what = format!("the host's KVM requires that {} must be 1", names(msr, required));
                add(MsrKind::HostRequires, required, what);
            }
        }
        Rule::Equal(mask) => {
            let bits = (value ^ host) & mask;
            if bits != 0 {
                let what =
                    format!("{:#x} in bits that must equal the host's {:#x}", value & mask, host & mask);
                add(MsrKind::HostRequires, bits, what);
            }
        }
    }
}

/// Bits by QEMU's names, or by number.
fn names(msr: Msr, bits: u64) -> String {
    let mut text = String::new();
    for bit in (0..64).filter(|bit| bits >> bit & 1 != 0) {
        let separator = if text.is_empty() { "" } else { ", " };
        match MsrFeature::at(msr.bit(Bit(bit))) {
            Some(feature) => text.push_str(&format!("{separator}{}", feature.name())),
            None => text.push_str(&format!("{separator}bit {bit}")),
        }
    }
    text
}
