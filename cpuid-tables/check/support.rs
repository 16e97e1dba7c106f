//! Features that the host's KVM does not support.
//!
//! What it supports is what `KVM_GET_SUPPORTED_CPUID` and `KVM_GET_EMULATED_CPUID` answer, and beyond that [`ALLOWED`]: bits
//! that KVM leaves to user space or keeps up to date itself. QEMU has its own list of them
//! (`kvm_arch_get_supported_cpuid()` of target/i386/kvm/kvm.c, 10.0).

use alloc::format;
use alloc::string::String;

use super::guest::features_of;
use super::{Findings, Input, Kind};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::release::LinuxRelease;
use crate::feature::*;
use crate::host::Host;
use crate::naming::name_of;
use crate::table::CpuidRead;

/// When a feature may be shown that KVM does not report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// On any host.
    Always,
    /// Where the CPUID instruction has it.
    Processor,
    /// Where `KVM_CHECK_EXTENSION` answers other than 0 for this number, or the host's description does not tell.
    Capability(u32),
}

/// A feature that a guest may be shown although KVM does not report it.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Which.
    pub feature: Feature,
    /// Where.
    pub when: When,
    /// Why that is well.
    pub reason: &'static str,
}

const fn allowed(feature: Feature, when: When, reason: &'static str) -> Allowed {
    Allowed { feature, when, reason }
}

/// `KVM_CAP_TSC_DEADLINE_TIMER`.
const TSC_DEADLINE: When = When::Capability(72);

/// Features that a guest may be shown although `KVM_GET_SUPPORTED_CPUID` lacks them.
pub const ALLOWED: &[Allowed] = &[
    allowed(HYPERVISOR, When::Always, "tells that there is a hypervisor, which there is"),
    allowed(HT, When::Always, "tells that leaf 1 counts logical processors; the topology is user space's"),
    allowed(CMP_LEGACY, When::Always, "tells that what HTT counts are cores; the topology is user space's"),
    allowed(
        TOPOEXT,
        When::Always,
        "tells that leaves 0x8000001D and 0x8000001E are there, which user space writes",
    ),
    allowed(OSXSAVE, When::Always, "KVM sets and clears it by the guest's CR4"),
    allowed(OSPKE, When::Always, "KVM sets and clears it by the guest's CR4"),
    allowed(MWAIT, When::Always, "KVM runs MONITOR and MWAIT as NOPs, or lets the guest have them"),
    allowed(
        TSC_DEADLINE_TIMER,
        TSC_DEADLINE,
        "the local APIC in the kernel has it, which a capability tells",
    ),
    allowed(ARAT, When::Always, "the local APIC is emulated, and its timer never stops"),
    allowed(MCE, When::Always, "KVM emulates machine checks"),
    allowed(MCA, When::Always, "KVM emulates machine checks"),
    allowed(MTRR, When::Always, "KVM emulates MTRRs"),
    allowed(PAT, When::Always, "KVM emulates the PAT"),
    allowed(OVERFLOW_RECOV, When::Always, "of the machine checks that KVM emulates"),
    allowed(SUCCOR, When::Always, "of the machine checks that KVM emulates"),
    allowed(ERMS, When::Processor, "tells how fast instructions are that all processors have"),
    allowed(FSRM, When::Processor, "tells how fast instructions are that all processors have"),
    allowed(FZRM, When::Processor, "tells how fast instructions are that all processors have"),
    allowed(FSRS, When::Processor, "tells how fast instructions are that all processors have"),
    allowed(FSRC, When::Processor, "tells how fast instructions are that all processors have"),
    allowed(MCDT_NO, When::Processor, "tells how the processor's instructions behave"),
    allowed(KVM_MSI_EXT_DEST_ID, When::Always, "a promise of user space's interrupt controller"),
    allowed(KVM_HINT_DEDICATED, When::Always, "a promise of user space, not of KVM"),
];

/// Bits of 1.EDX that AMD repeats in 0x80000001.EDX; an Intel host's KVM reports them in 1.EDX alone.
pub(super) const AMD_ALIASES: u32 = 0x0183_f3ff;

/// Features beyond what the host's KVM supports.
pub(super) fn features(input: &Input<'_>, findings: &mut Findings) {
    let Some(host) = input.host else { return };
    let supported = features_of(&host.supported) | features_of(input.emulated) | allowed_on(host);
    for guest in &input.guests {
        for feature in guest.features - supported {
            let what = format!(
                "{} is set, and KVM on this host does not support it{}",
                name_of(feature),
                since(feature)
            );
            let advice = format!("clear {}", name_of(feature));
            let at = guest.site_of_feature(feature);
            findings.add(Kind::FeatureNotSupported, guest, at, what).feature(feature).help_by(advice);
        }
    }
}

/// What a host allows beyond what it reports.
fn allowed_on(host: &Host) -> FeatureSet {
    let capable = |number: u32| host.capabilities.get(&number).is_none_or(|&value| value != 0);
    let here = |allowed: &&Allowed| match allowed.when {
        When::Always => true,
        When::Processor => host.instruction.has(allowed.feature),
        When::Capability(number) => capable(number),
    };
    ALLOWED.iter().filter(here).map(|allowed| allowed.feature).collect()
}

/// Which KVM may support it.
fn since(feature: Feature) -> String {
    match feature.kvm_releases().next() {
        // KVM's own are outside its capability set-up.
        _ if feature.leaf() == KVM_PV_EOI.leaf() => String::new(),
        None => format!("; no KVM up to Linux {} reports it", LinuxRelease::NEWEST),
        Some(release) if release == LinuxRelease::ALL[0] => String::new(),
        Some(release) => {
            format!("; of the releases known here, Linux {release} is the first whose KVM may report it")
        }
    }
}
