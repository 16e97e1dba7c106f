//! The XSAVE components that a CPU enables, and leaf 0xD (`x86_cpu_enable_xsave_components` of target/i386/cpu.c).

use super::Cpu;
use super::components::Component;
use super::flags::{ARCH_LBR, AVX10, AVX512F, Reg, XSAVE, XSAVES};
use crate::bits::location::Registers;
use crate::guest::error::BuildError;
use crate::host::Capability;

/// Component 15, the branch records.
const ARCH_LBR_COMPONENT: u32 = 1 << 15;

impl Cpu<'_> {
    /// Sets the words of XCR0 and `IA32_XSS` from the features.
    pub(crate) fn enable_xsave_components(&mut self) {
        let known = self.release.behaviour.xss;
        let mut mask = 0;
        if self.has(XSAVE) {
            for (number, component) in self.components.0.iter().enumerate() {
                mask |= u64::from(self.has_component(component)) << number;
            }
        }
        if self.release.behaviour.components_are_hosts && !self.has(XSAVES) {
            mask &= !known;
        }
        let (xcr0, xss) = (mask & !known, mask & known);
        self.set_word(Reg::LdEax, (xcr0 & 0xffff_ffff) as u32);
        self.set_word(Reg::LdEdx, (xcr0 >> 32) as u32);
        self.set_word(Reg::Lds1Ecx, (xss & 0xffff_ffff) as u32);
        self.set_word(Reg::Lds1Edx, 0);
    }

    /// The host describes what QEMU saves together.
    pub(crate) fn check_saved_components(&self) -> Result<(), BuildError> {
        let saves = self.supported.capability(Capability::XSAVE) > 0;
        match self.components.incomplete().filter(|_| saves) {
            Some(component) => Err(BuildError::XsaveArea(component)),
            None => Ok(()),
        }
    }

    /// A feature enables it (`cpuid_has_xsave_feature`).
    fn has_component(&self, component: &Component) -> bool {
        if self.release.behaviour.sizes_by_xcr0 && component.size == 0 {
            return false;
        }
        // AVX10 enables the components of AVX-512, even without it: in the code, and since 11.0 in the table.
        let avx512 = self.release.index(AVX512F.reg).map(|word| (word, u64::from(AVX512F.mask)));
        let is_avx512 = component.features.iter().any(|feature| Some(*feature) == avx512);
        let has = |&(word, mask): &(usize, u64)| self.words.get(word).is_some_and(|has| has & mask != 0);
        component.features.iter().any(has) || self.release.behaviour.avx10 && is_avx512 && self.has(AVX10)
    }

    fn xcr0(&self) -> u64 {
        u64::from(self.word(Reg::LdEdx)) << 32 | u64::from(self.word(Reg::LdEax))
    }

    fn xss(&self) -> u64 {
        u64::from(self.word(Reg::Lds1Edx)) << 32 | u64::from(self.word(Reg::Lds1Ecx))
    }

    /// Branch records, with a PMU: newer releases have already dropped the feature without one.
    pub(crate) fn has_lbr(&self) -> bool {
        (self.settings.pmu || self.release.behaviour.drops_lbr_without_pmu) && self.has(ARCH_LBR)
    }

    /// Leaf 0xD.
    pub(crate) fn leaf_d(&self, subleaf: u32) -> Registers {
        if !self.has(XSAVE) {
            return Registers::ZERO;
        }
        match subleaf {
            0 => {
                let size = self.components.size(self.xcr0(), false);
                Registers::new(self.word(Reg::LdEax), size, size, self.word(Reg::LdEdx))
            }
            1 => {
                let eax = self.word(Reg::Lds1Eax);
                let size = self.components.size(self.xcr0() | self.xss(), true);
                let mut ecx = self.word(Reg::Lds1Ecx);
                if !self.release.behaviour.drops_lbr_without_pmu {
                    let records = self.has_lbr() && eax & XSAVES.mask != 0;
                    ecx = ecx & !ARCH_LBR_COMPONENT | if records { ARCH_LBR_COMPONENT } else { 0 };
                }
                Registers::new(eax, size, ecx, self.word(Reg::Lds1Edx))
            }
            _ if self.release.behaviour.components_are_hosts => self.leaf_d_of_host(subleaf),
            0xf if self.has_lbr() => self.supported.leaf(0xd, subleaf),
            _ => self.leaf_d_component(subleaf),
        }
    }

    /// A component of the host, whether or not the guest has it.
    fn leaf_d_of_host(&self, number: u32) -> Registers {
        let component = usize::try_from(number).ok().and_then(|at| self.components.0.get(at));
        component.map_or(Registers::ZERO, |known| Registers::new(known.size, known.offset, known.flags, 0))
    }

    fn leaf_d_component(&self, number: u32) -> Registers {
        /// Flags of a component: aligned to 64 bytes in the compacted format; supported by XFD.
        const ALIGNED_OR_XFD: u32 = 1 << 1 | 1 << 2;
        let Some(component) = usize::try_from(number).ok().and_then(|at| self.components.0.get(at)) else {
            return Registers::ZERO;
        };
        if self.xcr0() >> number & 1 != 0 {
            Registers::new(component.size, component.offset, component.flags & ALIGNED_OR_XFD, 0)
        } else if self.xss() >> number & 1 != 0 {
            Registers::new(component.size, 0, 1, 0)
        } else {
            Registers::ZERO
        }
    }
}
