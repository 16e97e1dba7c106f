//! The host's Hyper-V support in KVM (`get_supported_hv_cpuid` and `get_supported_hv_cpuid_legacy` of
//! target/i386/kvm/kvm.c).

use super::enlightenments::{FEATURES, RECOMMENDATIONS};
use crate::bits::location::{Leaf, Register, Subleaf};
use crate::guest::cpu::Cpu;
use crate::host::Capability;
use crate::table::CpuidEntry;

/// RECOMMENDATIONS.EAX: enlightened VMCS.
const EVMCS: u32 = 1 << 14;
/// RECOMMENDATIONS.EAX: sets of more than 64 processors, for TLB flushes and IPIs.
const EX_PROCESSOR_MASKS: u32 = 1 << 11;

impl Cpu<'_> {
    /// True if KVM's support is unknown: KVM can report it, but the host's description lacks it.
    pub(crate) fn hyperv_is_unknown(&self) -> bool {
        self.supported.host.hyperv.is_none() && self.supported.capability(Capability::HYPERV_CPUID) > 0
    }

    /// A register of KVM's Hyper-V leaves.
    pub(crate) fn hyperv_host(&self, leaf: u32, register: Register) -> u32 {
        let has = |capability: Capability| self.supported.capability(capability) > 0;
        if !has(Capability::HYPERV_CPUID) {
            return self.hyperv_by_capabilities(leaf, register);
        }
        let entries = self.supported.host.hyperv.as_deref().unwrap_or_default();
        let is = |entry: &&CpuidEntry| entry.function == Leaf(leaf) && entry.index == Subleaf(0);
        let Some(entry) = entries.iter().find(is) else { return 0 };
        // If queried for a vCPU, KVM has the bit only after it is enabled.
        let recommended = leaf == RECOMMENDATIONS && register == Register::Eax;
        let evmcs =
            recommended && !has(Capability::SYS_HYPERV_CPUID) && has(Capability::HYPERV_ENLIGHTENED_VMCS);
        entry.register(register) | if evmcs { EVMCS } else { 0 }
    }

    /// The same for KVM before 4.20, which reports capabilities and MSRs instead. A host's description does not
    /// include the MSRs: all that existed by then are assumed.
    fn hyperv_by_capabilities(&self, leaf: u32, register: Register) -> u32 {
        /// Of FEATURES.EAX: VP_RUNTIME, timers, VP_INDEX, RESET, frequencies and reenlightenment.
        const MSRS: u32 = 1 << 0 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 11 | 1 << 13;
        /// Of FEATURES.EDX: frequencies and crash.
        const MSRS_EDX: u32 = 1 << 8 | 1 << 10;
        let on = |capability: Capability, bits: u32| {
            if self.supported.capability(capability) > 0 { bits } else { 0 }
        };
        let synic = match self.settings.hv_synic_kvm_only {
            true => Capability::HYPERV_SYNIC,
            false => Capability::HYPERV_SYNIC2,
        };
        match (leaf, register) {
            (FEATURES, Register::Eax) => {
                // APIC's MSRs and hypercalls; the reference counter and its page.
                MSRS | on(Capability::HYPERV, 1 << 4 | 1 << 5)
                    | on(Capability::HYPERV_TIME, 1 << 1 | 1 << 9)
                    | on(synic, 1 << 2)
            }
            // Processor hot-plug.
            (FEATURES, Register::Edx) => MSRS_EDX | on(Capability::HYPERV, 1 << 3),
            (RECOMMENDATIONS, Register::Eax) => {
                // APIC access by MSRs, relaxed timing; TLB flushes; IPIs.
                on(Capability::HYPERV, 1 << 3 | 1 << 5)
                    | on(Capability::HYPERV_TLBFLUSH, 1 << 2 | EX_PROCESSOR_MASKS)
                    | on(Capability::HYPERV_SEND_IPI, 1 << 10 | EX_PROCESSOR_MASKS)
                    | on(Capability::HYPERV_ENLIGHTENED_VMCS, EVMCS)
            }
            (RECOMMENDATIONS, Register::Ebx) => self.settings.hv_spinlocks,
            _ => 0,
        }
    }
}
