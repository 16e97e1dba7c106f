//! The levels of x86-64 by which distributions build programs: `x86-64-v2` and so on (System V ABI, AMD64 supplement,
//! "Micro-Architecture Levels").

use crate::bits::feature::Feature;
use crate::feature::{
    ABM, AVX, AVX2, AVX512BW, AVX512CD, AVX512DQ, AVX512F, AVX512VL, BMI1, BMI2, CMOV, CX8, CX16, F16C, FMA,
    FPU, FXSR, LAHF_LM, LM, MMX, MOVBE, POPCNT, SSSE3, SYSCALL, XMM, XMM2, XMM3, XMM4_1, XMM4_2, XSAVE,
};

/// A level. The operating system's part, OSFXSR and OSXSAVE, is left out: FXSR and XSAVE stand for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PsabiLevel(usize);

/// Name, and the features that a level adds to the one before.
static LEVELS: [(&str, &[Feature]); 4] = [
    ("x86-64-v1", &[LM, CMOV, CX8, FPU, FXSR, MMX, SYSCALL, XMM, XMM2]),
    ("x86-64-v2", &[CX16, LAHF_LM, POPCNT, XMM3, XMM4_1, XMM4_2, SSSE3]),
    ("x86-64-v3", &[AVX, AVX2, BMI1, BMI2, F16C, FMA, ABM, MOVBE, XSAVE]),
    ("x86-64-v4", &[AVX512F, AVX512BW, AVX512CD, AVX512DQ, AVX512VL]),
];

impl PsabiLevel {
    /// The levels, lowest first.
    pub fn all() -> impl Iterator<Item = PsabiLevel> {
        (0..LEVELS.len()).map(PsabiLevel)
    }

    /// The level with a name; ignores case. `x86-64` is `x86-64-v1`.
    #[must_use]
    pub fn named(name: &str) -> Option<PsabiLevel> {
        let name = if name.eq_ignore_ascii_case("x86-64") { "x86-64-v1" } else { name };
        PsabiLevel::all().find(|level| level.name().eq_ignore_ascii_case(name))
    }

    /// Its name: `x86-64-v3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        LEVELS[self.0].0
    }

    /// Its features, those of lower levels included.
    pub fn features(self) -> impl Iterator<Item = Feature> {
        LEVELS[..=self.0].iter().flat_map(|(_, features)| features.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::PsabiLevel;
    use alloc::vec::Vec;

    #[test]
    fn each_level_contains_the_lower_ones() {
        let counts: Vec<usize> = PsabiLevel::all().map(|level| level.features().count()).collect();
        assert_eq!(counts, [9, 16, 25, 30]);
        assert_eq!(PsabiLevel::named("X86-64-V3").map(PsabiLevel::name), Some("x86-64-v3"));
        assert_eq!(PsabiLevel::named("x86-64"), PsabiLevel::all().next());
        assert_eq!(PsabiLevel::named("x86-64-v5"), None);
    }
}
