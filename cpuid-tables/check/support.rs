//! Features that the host's KVM does not support.
//!
//! Supported are the features of `KVM_GET_SUPPORTED_CPUID` and `KVM_GET_EMULATED_CPUID`, and those in [`ALLOWED`]:
//! bits that KVM leaves to user space or updates itself. QEMU has its own list of them
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

/// When a guest may see a feature that KVM does not report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// On any host.
    Always,
    /// If the CPUID instruction reports it.
    Processor,
    /// If `KVM_CHECK_EXTENSION` returns non-zero for this number, or the host's description lacks it.
    Capability(u32),
}

/// A feature that a guest may see although KVM does not report it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Allowed {
    /// The feature.
    pub feature: Feature,
    /// On which hosts.
    pub when: When,
    /// Why this is correct.
    pub reason: &'static str,
}

const fn allowed(feature: Feature, when: When, reason: &'static str) -> Allowed {
    Allowed { feature, when, reason }
}

/// `KVM_CAP_TSC_DEADLINE_TIMER`.
const TSC_DEADLINE: When = When::Capability(72);

/// Features that a guest may see although `KVM_GET_SUPPORTED_CPUID` lacks them.
pub const ALLOWED: &[Allowed] = &[
    allowed(HYPERVISOR, When::Always, "announces a hypervisor, which is true"),
    allowed(HT, When::Always, "means that leaf 1 counts logical processors; user space defines the topology"),
    allowed(
        CMP_LEGACY,
        When::Always,
        "means that HTT's count is a core count; user space defines the topology",
    ),
    allowed(TOPOEXT, When::Always, "announces leaves 0x8000001D and 0x8000001E, which user space writes"),
    allowed(OSXSAVE, When::Always, "KVM sets and clears it according to the guest's CR4"),
    allowed(OSPKE, When::Always, "KVM sets and clears it according to the guest's CR4"),
    allowed(MWAIT, When::Always, "KVM runs MONITOR and MWAIT as NOPs, or lets the guest execute them"),
    allowed(TSC_DEADLINE_TIMER, TSC_DEADLINE, "the in-kernel local APIC has it, which a capability reports"),
    allowed(ARAT, When::Always, "the timer of the emulated local APIC never stops"),
    allowed(MCE, When::Always, "KVM emulates machine checks"),
    allowed(MCA, When::Always, "KVM emulates machine checks"),
    allowed(MTRR, When::Always, "KVM emulates MTRRs"),
    allowed(PAT, When::Always, "KVM emulates the PAT"),
    allowed(OVERFLOW_RECOV, When::Always, "part of KVM's machine check emulation"),
    allowed(SUCCOR, When::Always, "part of KVM's machine check emulation"),
    allowed(ERMS, When::Processor, "describes the speed of instructions that all processors have"),
    allowed(FSRM, When::Processor, "describes the speed of instructions that all processors have"),
    allowed(FZRM, When::Processor, "describes the speed of instructions that all processors have"),
    allowed(FSRS, When::Processor, "describes the speed of instructions that all processors have"),
    allowed(FSRC, When::Processor, "describes the speed of instructions that all processors have"),
    allowed(MCDT_NO, When::Processor, "describes the behaviour of the processor's instructions"),
    allowed(KVM_FEATURE_MSI_EXT_DEST_ID, When::Always, "depends on user space's interrupt controller"),
    allowed(KVM_HINTS_REALTIME, When::Always, "depends on user space, not on KVM"),
];

/// Features that the host's KVM does not support.
pub(super) fn features(input: &Input<'_>, findings: &mut Findings) {
    let Some(host) = input.host else { return };
    let supported = features_of(&host.supported) | features_of(input.emulated) | allowed_on(host);
    for guest in &input.guests {
        for feature in guest.features - supported {
            let what = format!(
                "{} is set, but KVM on this host does not support it{}",
                name_of(feature),
                since(feature)
            );
            let advice = format!("clear {}", name_of(feature));
            let at = guest.site_of_feature(feature);
            findings.add(Kind::FeatureNotSupported, guest, at, what).feature(feature).help_by(advice);
        }
    }
}

/// Features that a host allows beyond those that it reports.
fn allowed_on(host: &Host) -> FeatureSet {
    let capable = |number: u32| host.capabilities.get(&number).is_none_or(|&value| value != 0);
    let here = |allowed: &&Allowed| match allowed.when {
        When::Always => true,
        When::Processor => host.instruction.has(allowed.feature),
        When::Capability(number) => capable(number),
    };
    ALLOWED.iter().filter(here).map(|allowed| allowed.feature).collect()
}

/// Which KVM may support the feature.
fn since(feature: Feature) -> String {
    match feature.kvm_releases().next() {
        // KVM's own features are outside its capability set-up.
        _ if feature.leaf() == KVM_FEATURE_PV_EOI.leaf() => String::new(),
        None => format!("; no KVM up to Linux {} reports it", LinuxRelease::NEWEST),
        Some(release) if release == LinuxRelease::ALL[0] => String::new(),
        Some(release) => {
            format!("; of the releases known here, Linux {release} is the first whose KVM may report it")
        }
    }
}
