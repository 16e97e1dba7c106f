//! Features that follow from others, from the host and from the topology (`x86_cpu_expand_features` of
//! target/i386/cpu.c).

use super::Cpu;
use super::flags::{
    APXF, ARCH_CAPABILITIES, ARCH_LBR, AVX10, CMP_LEGACY, HT, INVTSC, MPX, OVERFLOW_RECOV, PDCM, Reg,
};
use crate::generated::guest_tables::{Dependency, GuestWord};
use crate::guest::error::BuildError;
use crate::guest::filtered::Reason;
use crate::guest::parse::cpu::{CpuOption, CpuSetting};
use crate::guest::parse::values::Value;

impl Cpu<'_> {
    /// All steps up to the levels.
    pub(crate) fn expand(&mut self, option: &CpuOption) -> Result<(), BuildError> {
        for setting in &option.settings {
            if let CpuSetting::Plus(name) = setting {
                self.set_property(name, Value::Bool(true))?;
            }
        }
        for setting in &option.settings {
            if let CpuSetting::Minus(name) = setting {
                self.set_property(name, Value::Bool(false))?;
            }
        }
        if self.class.is_max() {
            self.take_all()?;
        }
        if self.release.behaviour.sets_ht_in_expand && self.topology.threads_per_package() > 1 {
            self.set(HT);
            if !self.is_intel() && !self.is_zhaoxin() {
                self.set(CMP_LEGACY);
            }
        }
        if !self.settings.pdcm_on_even_without_pmu && !self.settings.pmu {
            self.clear(PDCM);
        }
        if self.release.behaviour.drops_lbr_without_pmu && !self.settings.pmu {
            self.clear(ARCH_LBR);
        }
        self.check_needs();
        if !self.settings.kvm {
            self.set_word(Reg::KvmEax, 0);
        }
        // APX reuses MPX's part of the XSAVE area.
        if self.release.behaviour.apx && self.has(MPX) && self.has(APXF) {
            self.drop_flag(MPX, Reason::ConflictsWithApx);
            self.drop_flag(APXF, Reason::ConflictsWithMpx);
        }
        self.enable_xsave_components();
        self.raise_levels();
        self.expand_hyperv()
    }

    /// `host` and `max` have every feature that the host supports and the user did not set.
    fn take_all(&mut self) -> Result<(), BuildError> {
        let words = self.release.tables.words;
        for (at, &GuestWord { no_autoenable, .. }) in words.iter().enumerate() {
            let mut supported = self.host_words[at];
            if Some(at) == self.release.index(OVERFLOW_RECOV.reg) && self.hides_amd_mca() {
                supported = 0;
            }
            if Some(at) == self.release.index(ARCH_CAPABILITIES.reg) && self.hides_arch_capabilities() {
                supported &= !u64::from(ARCH_CAPABILITIES.mask);
            }
            if self.settings.migratable {
                supported &= self.migratable(at, self.release.migratable(at));
            }
            self.words[at] |= supported & !self.user_words[at] & !no_autoenable;
        }
        if self.has(AVX10) && self.settings.avx10_version == 0 {
            self.set_avx10_version(self.host_avx10_version())?;
        }
        Ok(())
    }

    /// AMD's machine check architecture is hidden from other vendors.
    fn hides_amd_mca(&self) -> bool {
        self.release.behaviour.adds_optimizations && !self.is_amd()
    }

    /// KVM emulates the MSR on AMD, where Windows fails with it.
    fn hides_arch_capabilities(&self) -> bool {
        self.is_amd() && !self.settings.arch_cap_always_on
    }

    /// The constant TSC can migrate if its frequency is fixed (`x86_cpu_get_migratable_flags`).
    fn migratable(&self, word: usize, mask: u64) -> u64 {
        let fixed = self.release.behaviour.fixed_tsc_migrates && self.settings.tsc_khz.is_some();
        let is_invtsc = self.release.index(INVTSC.reg) == Some(word);
        if fixed && is_invtsc { mask | u64::from(INVTSC.mask) } else { mask }
    }

    /// Removes features without their dependencies; features that the user named are reported.
    fn check_needs(&mut self) {
        for &Dependency { needed, needing } in self.release.deps() {
            let (from, to) = (usize::from(needed.word), usize::from(needing.word));
            let (Some(has), Some(word)) = (self.words.get(from), self.words.get(to)) else { continue };
            if has & needed.mask != 0 {
                continue;
            }
            let unavailable = word & needing.mask;
            self.mark_unavailable(to, unavailable & self.user_words[to], |_, _| Reason::Needs);
            self.words[to] &= !unavailable;
        }
    }
}
