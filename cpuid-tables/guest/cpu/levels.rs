//! The highest leaves: as requested, or as the features need (`x86_cpu_adjust_feat_level` and related code in
//! target/i386/cpu.c).

use super::Cpu;
use super::flags::{APXF, AVX10, Flag, INTEL_PT, Reg, SGX, SVM};
use crate::guest::filtered::Reason;

/// Registers whose features raise the highest leaf if `full-cpuid-auto-level` is on. A release that does not list a
/// register has no word for it, except [`Reg::X21Eax`].
const RAISING: [Reg; 15] = [
    Reg::L1Edx,
    Reg::L1Ecx,
    Reg::L6Eax,
    Reg::L7Ecx,
    Reg::L7s1Eax,
    Reg::L7s1Edx,
    Reg::L7s2Edx,
    Reg::X1Edx,
    Reg::X1Ecx,
    Reg::X7Edx,
    Reg::X8Ebx,
    Reg::C1Edx,
    Reg::XaEdx,
    Reg::Lds1Eax,
    Reg::L7s1Ecx,
];

impl Cpu<'_> {
    /// Raises the minimum levels to the features' needs.
    pub(crate) fn raise_levels(&mut self) {
        self.raise_by(Reg::L7Ebx);
        if self.settings.full_cpuid_auto_level {
            for reg in RAISING {
                self.raise_by(reg);
            }
            self.raise_for_leaves();
        }
    }

    /// Ensures that a register with features is in range.
    fn raise_by(&mut self, reg: Reg) {
        if self.word(reg) == 0 {
            return;
        }
        let word = reg.word();
        let settings = &mut self.settings;
        let least = match word.leaf.0 >> 28 {
            0x8 => &mut settings.min_xlevel,
            0xc => &mut settings.min_xlevel2,
            _ => &mut settings.min_level,
        };
        *least = (*least).max(word.leaf.0);
        if word.leaf.0 == 7 {
            settings.min_level_func7 = settings.min_level_func7.max(word.subleaf.0);
        }
    }

    /// Leaves that describe a feature in more than one word.
    fn raise_for_leaves(&mut self) {
        if self.has(INTEL_PT) {
            if self.settings.intel_pt_auto_level {
                self.raise_to(0x14);
            } else if self.settings.min_level < 0x14 {
                self.drop_flag(INTEL_PT, Reason::Level);
            }
        }
        if self.has_leaf_1f() && self.levels_raise() {
            self.raise_to(0x1f);
        }
        if self.has(AVX10) {
            self.raise_to(0x24);
        }
        if self.release.behaviour.apx && self.has(APXF) {
            self.raise_to(0x29);
        }
        if self.has(SVM) {
            self.raise_xlevel_to(0x8000_000a);
        }
        if self.release.behaviour.raises_to_80000021 && self.word(Reg::X21Eax) != 0 {
            self.raise_xlevel_to(0x8000_0021);
        }
        if self.has(SGX) {
            self.raise_to(0x12);
        }
    }

    /// Leaf 0x1F exists for modules and dies, or if a model forces it.
    pub(crate) fn has_leaf_1f(&self) -> bool {
        self.settings.force_cpuid_0x1f || self.topology.has_extended_levels()
    }

    fn levels_raise(&self) -> bool {
        self.is_intel() || !self.settings.vendor_cpuid_only
    }

    fn raise_to(&mut self, leaf: u32) {
        self.settings.min_level = self.settings.min_level.max(leaf);
    }

    fn raise_xlevel_to(&mut self, leaf: u32) {
        self.settings.min_xlevel = self.settings.min_xlevel.max(leaf);
    }

    /// Removes one feature and records it.
    pub(crate) fn drop_flag(&mut self, flag: Flag, reason: Reason) {
        if let Some(at) = self.release.index(flag.reg) {
            self.mark_unavailable(at, flag.mask.into(), |_, _| reason);
        }
    }
}
