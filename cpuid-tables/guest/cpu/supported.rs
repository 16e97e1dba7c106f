//! The features that KVM supports, with QEMU's corrections (`kvm_arch_get_supported_cpuid` and
//! `kvm_arch_get_supported_msr_feature` of target/i386/kvm/kvm.c).

use super::flags::{
    ARAT, ARCH_CAPABILITIES, ERMS, FSRC, FSRM, FSRS, FZRM, Flag, HINT_DEDICATED, HLE, HT, HYPERVISOR, MCA,
    MCDT_NO, MCE, MONITOR, MSI_EXT_DEST_ID, MTRR, OVERFLOW_RECOV, PAT, PV_UNHALT, RTM, Reg, SGX, SGX_LC,
    SUCCOR, TOPOEXT, TSC_DEADLINE, WORDS, X2APIC,
};
use crate::bits::known_places::{
    AMD_ALIASES, ARCH_CAPABILITIES as ARCH_CAPABILITIES_MSR, FB_CLEAR, NOT_VULNERABLE, VMX_SECONDARY,
};
use crate::bits::location::{CpuidWord, Leaf, Msr, Registers, Subleaf, WordSource};
use crate::guest::error::BuildError;
use crate::guest::parse::machine::Irqchip;
use crate::guest::release::Release;
use crate::host::Capability;
use crate::host::Host;
use crate::table::Vendor;
use crate::table::find_entry;

/// Capabilities that a host's description may omit, and their assumed values: what KVM has returned on every x86 for
/// years. A real host's value, including 0, takes precedence. Any other capability that is omitted is taken to be lacking,
/// as QEMU takes what KVM does not know; so is the detection of bus locks, which needs a recent CPU.
const TAKEN_FOR_GRANTED: [(Capability, i64); 21] = [
    (Capability::IRQCHIP, 1),
    (Capability::NR_VCPUS, 1024),
    (Capability::MCE, 32),
    (Capability::HYPERV, 1),
    (Capability::XSAVE, 1),
    (Capability::GET_TSC_KHZ, 1),
    (Capability::MAX_VCPUS, 1024),
    (Capability::TSC_DEADLINE_TIMER, 1),
    (Capability::X86_SMM, 1),
    (Capability::X2APIC_API, 3),
    (Capability::HYPERV_TIME, 1),
    (Capability::HYPERV_SYNIC, 1),
    (Capability::HYPERV_SYNIC2, 1),
    (Capability::HYPERV_VP_INDEX, 1),
    (Capability::HYPERV_TLBFLUSH, 1),
    (Capability::HYPERV_SEND_IPI, 1),
    (Capability::HYPERV_ENLIGHTENED_VMCS, 1),
    (Capability::GET_MSR_FEATURES, 1),
    (Capability::HYPERV_CPUID, 1),
    (Capability::SYS_HYPERV_CPUID, 1),
    (Capability::SYS_ATTRIBUTES, 1),
];

/// Capabilities without which no QEMU starts.
const REQUIRED: [Capability; 6] = [
    Capability::USER_MEMORY,
    Capability::SET_TSS_ADDR,
    Capability::EXT_CPUID,
    Capability::MP_STATE,
    Capability::DESTROY_MEMORY_REGION_WORKS,
    Capability::JOIN_MEMORY_REGIONS_WORKS,
];
/// Capabilities that newer releases require too.
const REQUIRED_OF_LINUX_4_5: [Capability; 12] = [
    Capability::IRQ_ROUTING,
    Capability::MCE,
    Capability::IOEVENTFD,
    Capability::SET_IDENTITY_MAP_ADDR,
    Capability::ADJUST_CLOCK,
    Capability::INTERNAL_ERROR_DATA,
    Capability::VCPU_EVENTS,
    Capability::DEBUGREGS,
    Capability::X86_ROBUST_SINGLESTEP,
    Capability::XSAVE,
    Capability::SIGNAL_MSI,
    Capability::IOEVENTFD_ANY_LENGTH,
];

/// `KVM_X86_DISABLE_EXITS_MWAIT`.
const DISABLE_EXITS_MWAIT: i64 = 1;

/// What a host supports for a guest.
#[derive(Clone, Copy)]
pub(crate) struct Supported<'h> {
    pub(crate) host: &'h Host,
    pub(crate) release: Release<'h>,
    pub(crate) irqchip: Irqchip,
    /// `-overcommit cpu-pm=on`.
    pub(crate) cpu_pm: bool,
}

impl Supported<'_> {
    /// The value of `KVM_CHECK_EXTENSION`.
    pub(crate) fn capability(&self, capability: Capability) -> i64 {
        let granted =
            || TAKEN_FOR_GRANTED.iter().find(|(known, _)| *known == capability).map_or(0, |row| row.1);
        self.host.capabilities.get(&capability.number).copied().unwrap_or_else(granted)
    }

    /// KVM must have what QEMU requires; if a capability is unknown, it does (`kvm_required_capabilities` and
    /// `kvm_arch_required_capabilities`).
    pub(crate) fn check_required(&self) -> Result<(), BuildError> {
        let newer = self.release.behaviour.needs_linux_4_5;
        let all = REQUIRED.iter().chain(REQUIRED_OF_LINUX_4_5.iter().filter(|_| newer));
        let exits = (self.cpu_pm && self.release.behaviour.cpu_pm_is_checked)
            .then_some(&Capability::X86_DISABLE_EXITS);
        all.chain(exits).try_for_each(|capability| self.check_known(*capability))
    }

    /// Refuses a capability that KVM is known to lack.
    pub(crate) fn check_known(&self, capability: Capability) -> Result<(), BuildError> {
        let lacks = self.host.capabilities.get(&capability.number).is_some_and(|value| *value <= 0);
        if lacks { Err(BuildError::KvmLacks(capability.number)) } else { Ok(()) }
    }

    /// The registers of the CPUID instruction; zeros for a leaf that the host's description lacks (`host_cpuid`).
    pub(crate) fn instruction(&self, leaf: u32, subleaf: u32) -> Registers {
        let entry = find_entry(&self.host.instruction, Leaf(leaf), Subleaf(subleaf));
        entry.map_or(Registers::ZERO, |entry| entry.registers)
    }

    /// Four registers as QEMU reads them from KVM (`x86_cpu_get_supported_cpuid`).
    pub(crate) fn leaf(&self, leaf: u32, subleaf: u32) -> Registers {
        Registers::from_fn(|register| self.register(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register)))
    }

    /// A register as QEMU reads it from KVM.
    pub(crate) fn register(&self, word: CpuidWord) -> u32 {
        let reported = self.reported(word);
        let reg = Reg::ALL.iter().find(|reg| reg.word() == word);
        reg.map_or(reported, |reg| self.corrected(*reg, reported))
    }

    /// A register as KVM reports it. QEMU compares indices even where they are not significant.
    pub(crate) fn reported(&self, word: CpuidWord) -> u32 {
        let is =
            |entry: &&crate::table::CpuidEntry| entry.function == word.leaf && entry.index == word.subleaf;
        self.host.supported.iter().find(is).map_or(0, |entry| entry.register(word.register))
    }

    fn corrected(&self, reg: Reg, reported: u32) -> u32 {
        let on = |flags: &[Flag]| flags.iter().fold(0, |all, flag| all | flag.mask);
        let newer = self.release.behaviour.adds_optimizations;
        match reg {
            Reg::L1Edx => reported | on(&[MTRR, PAT, MCE, MCA]) | if newer { HT.mask } else { 0 },
            Reg::L1Ecx => self.leaf_1_ecx(reported),
            Reg::L6Eax => reported | ARAT.mask,
            Reg::L7Ebx => {
                let broken = if self.tsx_is_broken() { on(&[RTM, HLE]) } else { 0 };
                (reported | self.of_cpu(reg, &[ERMS])) & !broken
            }
            Reg::L7Edx => {
                // Linux 4.17 to 4.20 reports the feature on AMD, without the MSR.
                let unbacked = if self.saves(ARCH_CAPABILITIES_MSR.0) { 0 } else { ARCH_CAPABILITIES.mask };
                (reported | self.of_cpu(reg, &[FSRM])) & !unbacked
            }
            Reg::L7s1Eax => reported | self.of_cpu(reg, &[FZRM, FSRS, FSRC]),
            Reg::L7s2Edx => reported | self.of_cpu(reg, &[MCDT_NO]),
            Reg::LdEax | Reg::LdEdx => self.xcr0(reg, reported),
            Reg::X1Ecx => reported | TOPOEXT.mask,
            Reg::X1Edx => reported | self.register(Reg::L1Edx.word()) & AMD_ALIASES,
            Reg::X7Ebx if newer => reported | on(&[OVERFLOW_RECOV, SUCCOR]),
            Reg::KvmEax => {
                let without = if self.irqchip == Irqchip::Off { PV_UNHALT.mask } else { 0 };
                let split = if self.irqchip == Irqchip::Split { MSI_EXT_DEST_ID.mask } else { 0 };
                reported & !without | split
            }
            Reg::KvmEdx => reported | HINT_DEDICATED.mask,
            _ => reported,
        }
    }

    fn leaf_1_ecx(&self, reported: u32) -> u32 {
        let mut ecx = reported | HYPERVISOR.mask;
        if self.irqchip == Irqchip::Off {
            ecx &= !X2APIC.mask;
        } else if self.capability(Capability::TSC_DEADLINE_TIMER) > 0 {
            ecx |= TSC_DEADLINE.mask;
        }
        if self.cpu_pm && self.capability(Capability::X86_DISABLE_EXITS) & DISABLE_EXITS_MWAIT != 0 {
            ecx |= MONITOR.mask;
        }
        ecx
    }

    /// Bits that describe the speed of instructions: the CPU's word suffices.
    fn of_cpu(&self, reg: Reg, flags: &[Flag]) -> u32 {
        if !self.release.behaviour.adds_optimizations {
            return 0;
        }
        let word = reg.word();
        let registers = self.instruction(word.leaf.0, word.subleaf.0);
        flags.iter().fold(0, |all, flag| all | flag.mask) & registers[word.register]
    }

    /// Components that need permission first are only in `KVM_X86_XCOMP_GUEST_SUPP`.
    fn xcr0(&self, reg: Reg, reported: u32) -> u32 {
        if self.capability(Capability::SYS_ATTRIBUTES) <= 0 {
            return reported;
        }
        let Some(all) = self.host.guest_xcomponents else { return reported };
        let half = if reg == Reg::LdEdx { all >> 32 } else { all };
        (half & 0xffff_ffff) as u32
    }

    /// A Haswell whose TSX is broken (`host_tsx_broken`).
    fn tsx_is_broken(&self) -> bool {
        let Registers { eax, .. } = self.instruction(1, 0);
        let family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
        let (model, stepping) = (eax >> 4 & 0xf | (eax & 0xf_0000) >> 12, eax & 0xf);
        Vendor::from_registers(self.instruction(0, 0)) == Vendor::INTEL
            && family == 6
            && (model == 63 && stepping < 4 || matches!(model, 60 | 69 | 70))
    }

    /// A feature MSR as KVM returns it; `None` if KVM lacks it, or has no feature MSRs at all.
    pub(crate) fn stated_msr(&self, msr: Msr) -> Option<u64> {
        let has = self.capability(Capability::GET_MSR_FEATURES) > 0;
        self.host.msrs.get(&msr).copied().filter(|_| has)
    }

    /// Secondary VMX controls that Linux before 4.18 did not report, by the features that they control.
    fn forgotten_controls(&self) -> u64 {
        if self.saves(0x48b) {
            return 0;
        }
        let rows = [
            // XSAVES is EAX's bit; QEMU reads ECX.
            (Reg::Lds1Ecx, 3, 20),
            (Reg::L1Ecx, 30, 11),
            (Reg::L7Ebx, 10, 12),
            (Reg::L7Ebx, 18, 16),
            (Reg::X1Edx, 27, 3),
        ];
        let has = |(reg, bit, _): &(Reg, u32, u32)| self.register(reg.word()) >> bit & 1 != 0;
        rows.iter().filter(|row| has(row)).fold(0, |all, (_, _, control)| all | 1 << (32 + control))
    }

    /// A feature MSR as QEMU reads it from KVM.
    pub(crate) fn msr(&self, msr: Msr) -> u64 {
        let Some(stated) = self.stated_msr(msr) else { return 0 };
        let value = if msr == VMX_SECONDARY { stated | self.forgotten_controls() } else { stated };
        match msr {
            // VMX controls: those that may be 1 but need not be.
            VMX_SECONDARY | Msr(0x48d..=0x490) => (value >> 32) & !(value & 0xffff_ffff),
            ARCH_CAPABILITIES_MSR => {
                if self.release.behaviour.adds_fb_clear && value & NOT_VULNERABLE == NOT_VULNERABLE {
                    value | FB_CLEAR
                } else {
                    value
                }
            }
            _ => value,
        }
    }

    /// Every feature word (`x86_cpu_get_supported_feature_word` without a CPU).
    pub(crate) fn words(&self, is_pc: bool) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        for (at, word) in words.iter_mut().enumerate().take(self.release.tables.words.len()) {
            *word = match self.release.source(at) {
                Some(WordSource::Cpuid(word)) => self.register(word).into(),
                Some(WordSource::Msr(msr)) => self.msr(msr),
                None => 0,
            };
        }
        if self.release.behaviour.sgx_needs_pc && !is_pc {
            for flag in [SGX, SGX_LC] {
                if let Some(at) = self.release.index(flag.reg) {
                    words[at] &= !u64::from(flag.mask);
                }
            }
        }
        words
    }
}
