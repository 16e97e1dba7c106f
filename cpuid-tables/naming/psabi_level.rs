//! The x86-64 levels for which distributions build programs: `x86-64-v2` and so on (System V ABI, AMD64 supplement,
//! "Micro-Architecture Levels"), and Proxmox VE's `x86-64-v2-AES`.

use alloc::string::String;

use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::name_hash::fold_eq;
use crate::bits::release::QemuRelease;
use crate::feature::{
    ABM, AES, AVX, AVX2, AVX512BW, AVX512CD, AVX512DQ, AVX512F, AVX512VL, BMI1, BMI2, CMOV, CX8, CX16, F16C,
    FMA, FPU, FXSR, LAHF_LM, LM, MMX, MOVBE, POPCNT, SSSE3, SYSCALL, XMM, XMM2, XMM3, XMM4_1, XMM4_2, XSAVE,
};

/// A level. The operating system's part, OSFXSR and OSXSAVE, is left out: FXSR and XSAVE represent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PsabiLevel(usize);

/// A level.
struct Row {
    name: &'static str,
    source: &'static str,
    /// The level that it contains.
    below: Option<usize>,
    /// The features that it adds to that level.
    adds: &'static [Feature],
    /// Proxmox VE's CPU model of that name has AES too (qemu-server, `PVE/QemuServer/CPUConfig.pm`).
    with_aes: bool,
}

const PSABI: &str = "System V ABI for AMD64";
const PROXMOX: &str = "Proxmox VE";

static LEVELS: [Row; 5] = [
    Row {
        name: "x86-64-v1",
        source: PSABI,
        below: None,
        adds: &[LM, CMOV, CX8, FPU, FXSR, MMX, SYSCALL, XMM, XMM2],
        with_aes: false,
    },
    Row {
        name: "x86-64-v2",
        source: PSABI,
        below: Some(0),
        adds: &[CX16, LAHF_LM, POPCNT, XMM3, XMM4_1, XMM4_2, SSSE3],
        with_aes: false,
    },
    // Proxmox VE's, not the ABI's.
    Row { name: "x86-64-v2-AES", source: PROXMOX, below: Some(1), adds: &[AES], with_aes: true },
    Row {
        name: "x86-64-v3",
        source: PSABI,
        below: Some(1),
        adds: &[AVX, AVX2, BMI1, BMI2, F16C, FMA, ABM, MOVBE, XSAVE],
        with_aes: true,
    },
    Row {
        name: "x86-64-v4",
        source: PSABI,
        below: Some(3),
        adds: &[AVX512F, AVX512BW, AVX512CD, AVX512DQ, AVX512VL],
        with_aes: true,
    },
];

impl PsabiLevel {
    /// The levels, lowest first.
    pub fn all() -> impl Iterator<Item = PsabiLevel> {
        (0..LEVELS.len()).map(PsabiLevel)
    }

    /// The level with a name; ignores case and `-_`. `x86-64` is `x86-64-v1`.
    #[must_use]
    pub fn named(name: &str) -> Option<PsabiLevel> {
        let name = if name.eq_ignore_ascii_case("x86-64") { "x86-64-v1" } else { name };
        PsabiLevel::all().find(|level| fold_eq(level.name(), name))
    }

    /// Its name: `x86-64-v3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        LEVELS[self.0].name
    }

    /// Who defines it.
    #[must_use]
    pub fn source(self) -> &'static str {
        LEVELS[self.0].source
    }

    /// Its features, including those of the levels that it contains, lowest level first.
    pub fn features(self) -> impl Iterator<Item = Feature> {
        let mut levels = [None; LEVELS.len()];
        let mut next = Some(self.0);
        for place in levels.iter_mut().rev() {
            *place = next;
            next = next.and_then(|level| LEVELS[level].below);
        }
        levels.into_iter().flatten().flat_map(|level| LEVELS[level].adds.iter().copied())
    }

    /// Those of its features that a set lacks.
    #[must_use]
    pub fn missing(self, features: &FeatureSet) -> FeatureSet {
        self.features().filter(|feature| !features.contains(*feature)).collect()
    }

    /// The highest level whose features a set has.
    #[must_use]
    pub fn highest_in(features: &FeatureSet) -> Option<PsabiLevel> {
        PsabiLevel::all().filter(|level| level.missing(features).is_empty()).last()
    }

    /// The levels above the one that a set reaches, each with the features that the set lacks.
    pub fn above(features: FeatureSet) -> impl Iterator<Item = (PsabiLevel, FeatureSet)> {
        let levels = PsabiLevel::all().map(move |level| (level, level.missing(&features)));
        levels.filter(|(_, missing)| !missing.is_empty())
    }

    /// Proxmox VE's CPU model of that name, in QEMU's `-cpu` syntax: `qemu64` with the level's features. `None` for
    /// `x86-64-v1`, which is not a model, and for a release without `qemu64`.
    ///
    /// ```
    /// use cpuid_tables::{QemuRelease, naming::PsabiLevel};
    ///
    /// let v2 = PsabiLevel::named("x86-64-v2-AES").and_then(|level| level.cpu_option(QemuRelease::NEWEST));
    /// assert!(v2.is_some_and(|cpu| cpu.starts_with("qemu64,") && cpu.contains(",+aes")));
    /// ```
    #[must_use]
    pub fn cpu_option(self, release: QemuRelease) -> Option<String> {
        LEVELS[self.0].below?;
        let model = release.cpu_model("qemu64")?;
        let mut option = String::from(model.name());
        let aes = LEVELS[self.0].with_aes.then_some(AES);
        let wanted: FeatureSet = self.features().chain(aes).collect();
        for name in wanted.iter().filter(|bit| !model.has(*bit)).filter_map(|bit| bit.qemu_name(release)) {
            option.push_str(",+");
            option.push_str(name);
        }
        Some(option)
    }
}

#[cfg(test)]
mod tests {
    use super::PsabiLevel;
    use alloc::vec::Vec;

    #[test]
    fn each_level_contains_the_lower_ones() {
        let counts: Vec<usize> = PsabiLevel::all().map(|level| level.features().count()).collect();
        assert_eq!(counts, [9, 16, 17, 25, 30]);
        let v3: crate::FeatureSet = PsabiLevel(3).features().collect();
        assert_eq!(PsabiLevel::highest_in(&v3).map(PsabiLevel::name), Some("x86-64-v3"));
        let above: Vec<&str> = PsabiLevel::above(v3).map(|(level, _)| level.name()).collect();
        assert_eq!(above, ["x86-64-v2-AES", "x86-64-v4"]);
        assert_eq!(PsabiLevel::named("X86-64-V3").map(PsabiLevel::name), Some("x86-64-v3"));
        assert_eq!(PsabiLevel::named("x86-64"), PsabiLevel::all().next());
        assert_eq!(PsabiLevel::named("x86-64-v5"), None);
    }
}
