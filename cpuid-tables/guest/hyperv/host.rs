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

const SYNIC_CONTROL: u32 = 0x4000_0080;
const DEBUGGER_OPTIONS: u32 = 0x4000_00ff;
/// MSRs, and the bits of FEATURES.EAX that stand for them: VP_RUNTIME, timers, VP_INDEX, RESET, frequencies and
/// reenlightenment.
const OF_MSRS_EAX: [(u32, u32); 6] = [
    (0x4000_0010, 1 << 0),
    (0x4000_00b0, 1 << 3),
    (0x4000_0002, 1 << 6),
    (0x4000_0003, 1 << 7),
    (0x4000_0022, 1 << 11),
    (0x4000_0106, 1 << 13),
];
/// The same for FEATURES.EDX: frequencies, crash and the debugger.
const OF_MSRS_EDX: [(u32, u32); 3] =
    [(0x4000_0022, 1 << 8), (0x4000_0105, 1 << 10), (DEBUGGER_OPTIONS, 1 << 1 | 1 << 11)];

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

    /// The same for KVM before 4.20, which reports capabilities and saved MSRs instead.
    fn hyperv_by_capabilities(&self, leaf: u32, register: Register) -> u32 {
        let saved = |rows: &[(u32, u32)]| {
            rows.iter().filter(|(msr, _)| self.supported.saves(*msr)).fold(0, |all, (_, bits)| all | bits)
        };
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
                saved(&OF_MSRS_EAX)
                    | on(Capability::HYPERV, 1 << 4 | 1 << 5)
                    | on(Capability::HYPERV_TIME, 1 << 1 | 1 << 9)
                    | if self.supported.saves(SYNIC_CONTROL) { on(synic, 1 << 2) } else { 0 }
            }
            (FEATURES, Register::Ebx) => saved(&[(DEBUGGER_OPTIONS, 1 << 12)]),
            // Processor hot-plug.
            (FEATURES, Register::Edx) => saved(&OF_MSRS_EDX) | on(Capability::HYPERV, 1 << 3),
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
