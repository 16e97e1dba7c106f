//! Checks and settings between the filter and the table (`x86_cpu_realizefn` of target/i386/cpu.c,
//! `kvm_cpu_realizefn` of kvm/kvm-cpu.c, `host_cpu_realizefn` of host-cpu.c).

use super::Cpu;
use super::flags::{APIC, HT, INVTSC, LM, MCA, MCE, MONITOR, PAE, PSE36, Reg, TOPOEXT, WAITPKG, X2APIC};
use super::load::LMCE;
use super::settings::IDS;
use crate::bits::known_places::{AMD_ALIASES, PERF_CAPABILITIES};
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::guest::board::apic_id::VcpuPlace;
use crate::guest::error::BuildError;
use crate::guest::parse::cpu::CpuOption;
use crate::guest::parse::machine::Irqchip;
use crate::guest::warning::Warning;
use crate::host::Capability;

/// The default width of a CPU.
const DEFAULT_PHYS_BITS: u32 = 40;
const LBR_FORMAT: u64 = 0x3f;

impl Cpu<'_> {
    /// All steps up to the leaves.
    pub(crate) fn realize(&mut self, option: &CpuOption) -> Result<(), BuildError> {
        self.check_ids()?;
        if self.release.behaviour.cleans_up
            && self.settings.vendor_cpuid_only_v2
            && !self.settings.vendor_cpuid_only
        {
            return Err(BuildError::VendorOnly);
        }
        self.warnings.extend(self.settings.hv_vendor_too_long.take().map(Warning::HypervVendor));
        self.expand(option)?;
        self.check_lbr_format()?;
        if self.filter() && self.settings.enforce {
            return Err(BuildError::Enforced(core::mem::take(&mut self.filtered)));
        }
        if self.is_amd() {
            let aliases = self.word(Reg::L1Edx) & AMD_ALIASES;
            self.set_word(Reg::X1Edx, self.word(Reg::X1Edx) & !AMD_ALIASES | aliases);
        }
        self.take_host_power();
        self.settle_phys_bits()?;
        self.mwait.ecx |= 3;
        let threads = (self.is_amd() && !self.has(TOPOEXT) && self.topology.threads > 1)
            .then_some(Warning::Threads(self.topology.threads));
        if self.release.behaviour.warns_of_threads_first {
            self.warnings.extend(threads.clone());
        }
        self.check_tsc()?;
        self.check_machine_checks()?;
        self.warnings.extend(threads.filter(|_| !self.release.behaviour.warns_of_threads_first));
        self.check_apic()
    }

    /// The APIC is KVM's (`apic_get_class` of target/i386/cpu-apic.c), and supports wide ids only with x2APIC
    /// (`apic_common_set_id` of hw/intc/apic_common.c).
    fn check_apic(&mut self) -> Result<(), BuildError> {
        let in_kernel = self.supported.irqchip != Irqchip::Off;
        let needed = self.has(APIC) || self.topology.cpus > 1;
        if needed && !in_kernel {
            if self.release.behaviour.apic_is_kernels {
                return Err(BuildError::UserspaceApic);
            }
            self.warnings.push(Warning::UserspaceApic);
        }
        let last =
            crate::guest::board::apic_id::Vcpu::from_index(&self.topology, self.topology.cpus - 1).apic_id;
        if needed && self.release.behaviour.wide_apic_ids_need_x2apic && last >= 255 && !self.has(X2APIC) {
            return Err(BuildError::ApicIdNeedsX2apic(last));
        }
        Ok(())
    }

    /// KVM must support the requested machine checks; if the capabilities are unknown, it does
    /// (`kvm_arch_init_vcpu`).
    fn check_machine_checks(&mut self) -> Result<(), BuildError> {
        /// Banks that a CPU has.
        const BANKS: i64 = 10;
        /// `MCG_CTL_P` and `MCG_SER_P`, which every CPU has.
        const ALWAYS: u64 = 1 << 8 | 1 << 24;
        let there = self.settings.signature >> 8 & 0xf >= 6 && self.has(MCE) && self.has(MCA);
        if !there {
            return Ok(());
        }
        let banks = self.supported.capability(Capability::MCE);
        // Older releases go on without machine checks.
        if banks <= 0 {
            return Ok(());
        }
        if banks < BANKS {
            return Err(BuildError::MachineCheckBanks { needed: BANKS, has: banks });
        }
        let asked = ALWAYS | if self.settings.lmce { LMCE } else { 0 };
        let lacking = self.supported.host.mce_capabilities.map_or(0, |has| asked & !has);
        if lacking & LMCE != 0 {
            return Err(BuildError::LocalMachineCheck);
        }
        self.warnings.extend((lacking != 0).then_some(Warning::MachineChecks(lacking)));
        self.settings.machine_checks = Some(asked & !lacking | BANKS.unsigned_abs());
        Ok(())
    }

    /// QEMU fills the masks of MTRRs up to bit 51, and aborts if addresses are wider (`kvm_get_msrs`).
    pub(crate) fn check_mtrr_mask(&self) -> Result<(), BuildError> {
        const WIDEST: u32 = 52;
        let (bits, fills) = (self.settings.phys_bits, self.settings.fill_mtrr_mask);
        if fills && bits > WIDEST {
            return Err(BuildError::PhysBits { property: "phys-bits", bits, max: Some(WIDEST) });
        }
        Ok(())
    }

    /// Topology ids that were set must match every vCPU (`x86_cpu_pre_plug`).
    fn check_ids(&self) -> Result<(), BuildError> {
        // NUMA nodes are not modelled: without them, every vCPU is in node 0 (`numa_cpu_pre_plug`).
        if let Some(asked) = self.settings.node_id.filter(|asked| *asked != 0) {
            return Err(BuildError::NodeId(asked));
        }
        if self.settings.ids == [None; 5] {
            return Ok(());
        }
        for index in 0..self.topology.cpus {
            let VcpuPlace { socket, die, module, core, thread } =
                VcpuPlace::from_index(&self.topology, index);
            for ((property, asked), is) in
                IDS.into_iter().zip(self.settings.ids).zip([socket, die, module, core, thread])
            {
                if let Some(asked) = asked.filter(|asked| *asked != is) {
                    return Err(BuildError::TopologyId { property, asked, is });
                }
            }
        }
        Ok(())
    }

    fn check_lbr_format(&mut self) -> Result<(), BuildError> {
        let Some(at) = self.release.msr_index(PERF_CAPABILITIES.0) else { return Ok(()) };
        if let Some(format) = self.settings.lbr_fmt {
            self.words[at] = self.words[at] & !LBR_FORMAT | format;
        }
        let low = |value: u64| (value & LBR_FORMAT) as u32;
        let (asked, host) = (low(self.words[at]), low(self.supported.msr(PERF_CAPABILITIES)));
        if asked == 0 {
            return Ok(());
        }
        if !self.settings.pmu {
            return Err(BuildError::LbrFormat { asked, host: None });
        }
        if asked != host {
            return Err(BuildError::LbrFormat { asked, host: Some(host) });
        }
        Ok(())
    }

    /// `-overcommit cpu-pm=on`: the guest executes MWAIT itself.
    fn take_host_power(&mut self) {
        if !self.class.is_max() || !self.supported.cpu_pm {
            return;
        }
        if self.supported.has_umwait() {
            self.set(WAITPKG);
        }
        if !self.release.behaviour.monitor_by_kvm {
            self.set(MONITOR);
        }
        if self.has(MONITOR) {
            self.mwait = self.supported.instruction(5, 0);
        }
    }

    /// The physical address width, from the host's, KVM's and the user's.
    fn settle_phys_bits(&mut self) -> Result<(), BuildError> {
        let known = self.release.behaviour.guest_phys_bits;
        if self.has(LM) {
            self.take_host_phys_bits();
            if known && self.settings.guest_phys_bits.is_none() {
                self.take_guest_phys_bits();
            }
        }
        let settings = &mut self.settings;
        if !known {
            settings.guest_phys_bits = None;
        }
        let out_of = |bits: u32, max: u32| bits != 0 && !(32..=max).contains(&bits);
        let (bits, guest_bits) = (settings.phys_bits, settings.guest_phys_bits.unwrap_or(0));
        let wrong = |property, bits, max| Err(BuildError::PhysBits { property, bits, max });
        if !self.has(LM) {
            if bits != 0 {
                return wrong("phys-bits", bits, None);
            }
            if guest_bits != 0 {
                return wrong("guest-phys-bits", guest_bits, None);
            }
            let wide = self.has(PSE36) || self.release.behaviour.pae_is_36_bits && self.has(PAE);
            self.settings.phys_bits = if wide { 36 } else { 32 };
            return Ok(());
        }
        let max = self.release.behaviour.max_phys_bits.unwrap_or(u32::MAX);
        if out_of(bits, max) {
            return wrong("phys-bits", bits, Some(max));
        }
        let bits = if bits == 0 { DEFAULT_PHYS_BITS } else { bits };
        self.settings.phys_bits = bits;
        if out_of(guest_bits, bits) {
            return wrong("guest-phys-bits", guest_bits, Some(bits));
        }
        Ok(())
    }

    fn take_host_phys_bits(&mut self) {
        let Registers { eax: highest, .. } = self.supported.instruction(0x8000_0000, 0);
        let Registers { eax: widths, .. } = self.supported.instruction(0x8000_0008, 0);
        let host = if highest >= 0x8000_0008 { widths & 0xff } else { 36 };
        let settings = &mut self.settings;
        let asked = settings.phys_bits;
        if asked != host && asked != 0 {
            self.warnings.push(Warning::PhysBits { host, asked });
        }
        if settings.host_phys_bits {
            let limit = u32::from(settings.host_phys_bits_limit);
            settings.phys_bits = if limit != 0 { host.min(limit) } else { host };
        }
    }

    fn take_guest_phys_bits(&mut self) {
        let eax = self.supported.register(CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Eax));
        let bits = eax >> 16 & 0xff;
        if bits == 0 {
            return;
        }
        let settings = &mut self.settings;
        // The CPU's width may be 0 here, which means the default.
        let bits = bits.min(settings.phys_bits);
        let limit = u32::from(settings.host_phys_bits_limit);
        let limited = settings.host_phys_bits && limit != 0;
        settings.guest_phys_bits = Some(if limited { bits.min(limit) } else { bits });
    }

    /// A requested frequency must be possible (`kvm_arch_set_tsc_khz`).
    fn check_tsc(&self) -> Result<(), BuildError> {
        let Some(asked) = self.settings.tsc_khz else { return Ok(()) };
        let host = self.host_tsc_khz();
        // NTP can correct 250 parts per million.
        let near = host.is_some_and(|host| {
            let spread = u64::from(host) * 250 / 1_000_000;
            u64::from(host).abs_diff(asked) <= spread
        });
        if near || self.supported.capability(Capability::TSC_CONTROL) > 0 {
            return Ok(());
        }
        Err(BuildError::TscFrequency { asked, host })
    }

    /// The host's frequency, if KVM reports it.
    fn host_tsc_khz(&self) -> Option<u32> {
        let reports = self.supported.capability(Capability::GET_TSC_KHZ) > 0;
        self.supported.host.tsc_khz.filter(|khz| reports && *khz > 0)
    }

    /// The guest's TSC frequency, if it is known and stable (`tsc_is_stable_and_known`).
    pub(crate) fn stable_tsc_khz(&self) -> Option<u32> {
        let asked = self.settings.tsc_khz.map(|khz| (khz & 0xffff_ffff) as u32);
        asked.or_else(|| self.host_tsc_khz().filter(|_| self.has(INVTSC)))
    }

    /// Threads per package as a release counts them: of all dies or of one.
    pub(crate) fn counted_threads(&self) -> u32 {
        if self.release.behaviour.counts_dies {
            self.topology.threads_per_package()
        } else {
            self.topology.threads_per_die()
        }
    }

    /// 1.EDX: older releases set HT late, before it was a feature.
    pub(crate) fn leaf_1_edx(&self) -> u32 {
        let late = !self.release.behaviour.sets_ht_in_expand && self.counted_threads() > 1;
        self.word(Reg::L1Edx) | if late { HT.mask } else { 0 }
    }
}
