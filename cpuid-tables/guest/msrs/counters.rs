//! Performance counters at reset: stopped, cleared and started (`kvm_init_pmu_info` and `kvm_put_msrs`).

use super::List;
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::guest::cpu::flags::{PERFCTR_CORE, PERFMON_V2};
use crate::table::Vendor;

/// Counters for which QEMU has room.
const MAX_FIXED_COUNTERS: u32 = 3;
const MAX_COUNTERS: u32 = 18;
/// The first family of AMD's with counters.
const FIRST_FAMILY: u32 = 6;
/// AMD's counters without and with PERFCTR_CORE.
const COUNTERS: u32 = 4;
const CORE_COUNTERS: u32 = 6;

impl List<'_> {
    pub(super) fn counters(&mut self) {
        if !self.cpu.release.behaviour.counters_by_vendor {
            self.intel_counters();
        } else if self.cpu.settings.pmu && self.is_vendor_of_host() {
            if self.cpu.is_amd() { self.amd_counters() } else { self.intel_counters() }
        }
    }

    /// Whether the host has such counters: it is of the same vendor, or Intel and Zhaoxin.
    fn is_vendor_of_host(&self) -> bool {
        let host = Vendor::from_registers(self.cpu.supported.instruction(0, 0));
        let like_intel = [Vendor::INTEL, Vendor::CENTAUR, Vendor::ZHAOXIN].contains(&host);
        like_intel && (self.cpu.is_intel() || self.cpu.is_zhaoxin())
            || host == Vendor::AMD && self.cpu.is_amd()
    }

    /// As leaf 0xA counts them.
    fn intel_counters(&mut self) {
        let highest = self.table.find(Leaf(0), Subleaf(0)).map_or(0, |entry| entry.registers.eax);
        let leaf = self.table.find(Leaf(0xa), Subleaf(0)).filter(|_| highest >= 0xa);
        let Registers { eax, edx, .. } = leaf.map_or(Registers::ZERO, |entry| entry.registers);
        let version = eax & 0xff;
        if version == 0 {
            return;
        }
        let control = [0x38d, 0x38f];
        if version > 1 {
            self.put_zeros(control);
            self.put_zeros((0..(edx & 0x1f).min(MAX_FIXED_COUNTERS)).map(|counter| 0x309 + counter));
        }
        for counter in 0..(eax >> 8 & 0xff).min(MAX_COUNTERS) {
            self.put_zeros([0xc1 + counter, 0x186 + counter]);
        }
        if version > 1 {
            self.put_zeros([0x38e, 0x390]);
            self.put_zeros(control);
        }
    }

    /// As the features and leaf 0x80000022 count them.
    fn amd_counters(&mut self) {
        if self.cpu.settings.family() < FIRST_FAMILY {
            return;
        }
        let has_leaf = |leaf: u32| self.table.find(Leaf(leaf), Subleaf(0));
        let core = has_leaf(0x8000_0001).is_some() && self.cpu.has(PERFCTR_CORE);
        let newest = has_leaf(0x8000_0022).filter(|_| core && self.cpu.has(PERFMON_V2));
        let count = match newest {
            Some(entry) => entry.register(Register::Ebx) & 0xf,
            None if core => CORE_COUNTERS,
            None => COUNTERS,
        };
        // The first counter, its selector, and the distance to the next counter.
        let (counter, selector, step) =
            if core { (0xc001_0201, 0xc001_0200, 2) } else { (0xc001_0004, 0xc001_0000, 1) };
        for at in (0..count).map(|at| at * step) {
            self.put_zeros([counter + at, selector + at]);
        }
        if newest.is_some() {
            self.put_zeros([0xc000_0300, 0xc000_0302, 0xc000_0301]);
        }
    }
}
