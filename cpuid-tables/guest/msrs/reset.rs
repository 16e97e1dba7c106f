//! MSRs at reset (`kvm_put_msr_feature_control`, `kvm_put_msrs` with `KVM_PUT_RESET_STATE`, `kvm_put_tscdeadline_msr`).

use super::{List, Of};
use crate::bits::location::{Msr, Register};
use crate::guest::cpu::flags::{
    ASYNCPF, ASYNCPF_INT, CLOCKSOURCE, CLOCKSOURCE2, FRED, Flag, IBT, INTEL_PT, MCA, MCE, MONITOR, MTRR,
    POLL_CONTROL, PV_EOI, RDTSCP, Reg, SGX, SGX_LC, SHSTK, SMX, STEAL_TIME, VMX, XFD,
};
use crate::guest::hyperv::enlightenments::feature;
use crate::host::Capability;

/// The page attribute table after reset.
const PAT: u64 = 0x0007_0406_0007_0406;
/// SMBASE after reset.
const SMBASE: u64 = 0x3_0000;
/// TSC_RATIO of 1.
const TSC_RATIO: u64 = 1 << 32;
/// IA32_MISC_ENABLE: fast strings, and MONITOR.
const FAST_STRINGS: u64 = 1;
const MONITOR_ENABLED: u64 = 1 << 18;
/// The hash of Intel's key for launching enclaves.
const INTEL_KEY_HASH: [u64; 4] =
    [0xa605_3e05_1270_b7ac, 0x6cfb_e8ba_8b3b_413d, 0xc491_6d99_f2b3_735d, 0xd4f8_c059_09f9_bb3b];
/// A synthetic interrupt source that is masked.
const SINT_MASKED: u64 = 1 << 16;
/// Crash parameters: notify the VMM.
const CRASH_NOTIFY: u64 = 1 << 63;
/// The shadow stack of ring 0; those of rings 1 to 3 and the table of interrupts' follow. FRED uses the first one.
const SHADOW_STACK_0: u32 = 0x6a4;
/// The machine check banks that QEMU gives a CPU.
const MCE_BANKS: u32 = 10;
/// Controls of machine checks: each error is reported, as KVM has it from `KVM_X86_SETUP_MCE`.
const ALL_ENABLED: u64 = u64::MAX;

impl List<'_> {
    pub(super) fn reset(&mut self) {
        let lmce = self.has_machine_checks() && self.cpu.settings.lmce;
        // The guest's table decides, and not the CPU: with a low `level` it lacks the leaves.
        let shows = |flag: Flag| self.table.word(flag.reg.word()) & flag.mask != 0;
        if lmce || [VMX, SMX, SGX].into_iter().any(shows) {
            self.put(0x3a, 0);
        }
        self.put_zeros([0x174, 0x175, 0x176]);
        self.put(0x277, PAT);
        self.always_saved();
        self.long_mode();
        self.clocks();
        self.counters();
        self.hyperv();
        self.memory_types();
        self.traces_and_enclaves();
        if self.has_machine_checks() {
            self.machine_checks(lmce);
        }
        self.control_flow();
        self.put_saved(0x6e0, 0);
    }

    /// MSRs that exist if KVM saves them.
    fn always_saved(&mut self) {
        let misc_enable = FAST_STRINGS | if self.cpu.has(MONITOR) { MONITOR_ENABLED } else { 0 };
        let release = self.cpu.release.behaviour;
        for (msr, value) in [
            (0xc000_0081, 0),
            (0xc001_0117, 0),
            (0xc000_0103, 0),
            (0x3b, 0),
            (0x1a0, misc_enable),
            (0x9e, SMBASE),
            (0x34, 0),
            (0x6e1, 0),
            (0xd90, 0),
            (0xda0, 0),
            (0xe1, 0),
            (0x48, 0),
            (0xc000_0104, TSC_RATIO),
            (0x122, 0),
            (0xc001_011f, 0),
            (0xc001_0015, 0),
        ] {
            let exists = match msr {
                0xc000_0103 => self.cpu.has(RDTSCP),
                0xc001_0015 => release.saves_hwcr,
                _ => true,
            };
            if exists {
                self.put_saved(msr, value);
            }
        }
    }

    fn long_mode(&mut self) {
        self.put_zeros([0xc000_0083, 0xc000_0102, 0xc000_0084, 0xc000_0082]);
        if self.cpu.has(FRED) && self.cpu.release.behaviour.fred_msrs {
            self.put_zeros(0x1cc..=0x1d4);
            if self.cpu.release.behaviour.cet_msrs && !self.cpu.has(SHSTK) {
                self.put(SHADOW_STACK_0, 0);
            }
        }
    }

    /// The time stamp counter, and KVM's own.
    fn clocks(&mut self) {
        self.put(0x10, 0);
        let clock = self.cpu.has(CLOCKSOURCE) || self.cpu.has(CLOCKSOURCE2);
        if clock || !self.cpu.release.behaviour.clock_msrs_need_clock {
            self.put_zeros([0x12, 0x11]);
        }
        let own: [(Flag, u32, u64); 5] = [
            (ASYNCPF_INT, 0x4b56_4d06, 0),
            (ASYNCPF, 0x4b56_4d02, 0),
            (PV_EOI, 0x4b56_4d04, 0),
            (STEAL_TIME, 0x4b56_4d03, 0),
            (POLL_CONTROL, 0x4b56_4d05, 1),
        ];
        for (flag, msr, value) in own {
            if self.cpu.has(flag) {
                self.put(msr, value);
            }
        }
    }

    fn hyperv(&mut self) {
        let on = |feature: u64| self.cpu.settings.hyperv_features & feature != 0;
        let [time, reenlightenment, vapic, vpindex, synic] =
            [feature::TIME, feature::REENLIGHTENMENT, feature::VAPIC, feature::VPINDEX, feature::SYNIC]
                .map(on);
        let vpindex = vpindex && self.cpu.supported.capability(Capability::HYPERV_VP_INDEX) > 0;
        let mut of_vm = alloc::vec::Vec::new();
        if self.cpu.hyperv_enabled() {
            of_vm.extend([0x4000_0000, 0x4000_0001]);
        }
        if time {
            of_vm.push(0x4000_0021);
        }
        if reenlightenment {
            of_vm.extend([0x4000_0106, 0x4000_0107, 0x4000_0108]);
        }
        self.msrs.extend(of_vm.into_iter().map(|msr| (Msr(msr), Of::First(0))));
        if vapic {
            self.put(0x4000_0073, 0);
        }
        if self.is_saved(0x4000_0105) {
            self.put_zeros(0x4000_0100..=0x4000_0104);
            self.put(0x4000_0105, CRASH_NOTIFY);
        }
        self.put_saved(0x4000_0010, 0);
        if vpindex {
            self.msrs.push((Msr(0x4000_0002), Of::Index));
        }
        if synic {
            self.put(0x4000_0081, 1);
            self.put_zeros([0x4000_0080, 0x4000_0082, 0x4000_0083]);
            (0x4000_0090..=0x4000_009f).for_each(|msr| self.put(msr, SINT_MASKED));
        }
        if self.is_saved(0x4000_00b0) {
            self.put_zeros((0x4000_00b0..0x4000_00b8).step_by(2));
            self.put_zeros((0x4000_00b1..0x4000_00b8).step_by(2));
        }
    }

    fn memory_types(&mut self) {
        if self.cpu.has(MTRR) {
            self.put_zeros([0x2ff, 0x250, 0x258, 0x259]);
            self.put_zeros(0x268..=0x26f);
            self.put_zeros(0x200..=0x20f);
        }
    }

    fn traces_and_enclaves(&mut self) {
        if self.cpu.has(INTEL_PT) {
            let ranges = self.cpu.supported.leaf(0x14, 1)[Register::Eax] & 7;
            self.put_zeros([0x570, 0x571, 0x560, 0x561, 0x572]);
            self.put_zeros((0..ranges).map(|range| 0x580 + range));
        }
        if self.cpu.has(SGX_LC) {
            (0x8c..).zip(INTEL_KEY_HASH).for_each(|(msr, hash)| self.put(msr, hash));
        }
        if self.cpu.has(XFD) {
            self.put_zeros([0x1c4, 0x1c5]);
        }
    }

    /// Whether the CPU has machine check banks (`mce_init`).
    fn has_machine_checks(&self) -> bool {
        let both = MCE.mask | MCA.mask;
        self.cpu.settings.signature >> 8 & 0xf >= 6 && self.cpu.word(Reg::L1Edx) & both == both
    }

    fn machine_checks(&mut self, lmce: bool) {
        self.put_zeros([0x17a]);
        self.put(0x17b, ALL_ENABLED);
        if lmce {
            self.put(0x4d0, 0);
        }
        for bank in 0..MCE_BANKS {
            // Its control, status, address and further information.
            let control = 0x400 + bank * 4;
            self.put(control, ALL_ENABLED);
            self.put_zeros(control + 1..control + 4);
        }
    }

    /// Shadow stacks and indirect branch tracking.
    fn control_flow(&mut self) {
        let stacks = self.cpu.has(SHSTK);
        if !self.cpu.release.behaviour.cet_msrs || !stacks && !self.cpu.has(IBT) {
            return;
        }
        self.put_zeros([0x6a0, 0x6a2]);
        if stacks {
            self.put_zeros(SHADOW_STACK_0..=0x6a8);
        }
    }
}
