//! Versions of AVX10: the features that each adds (`builtin_avx10_defs[]` and `x86_cpu_apply_avx10_features` of
//! target/i386/cpu.c, since 11.0).

use super::Cpu;
use super::flags::{AVX10, AVX10_128, AVX10_256, AVX10_512, AVX10_VNNI_INT, Flag};
use crate::bits::location::Registers;
use crate::guest::error::BuildError;

/// A version of AVX10.
pub(crate) struct Avx10Version {
    version: u8,
    /// The last subleaf of leaf 0x24.
    last_subleaf: u32,
    /// The features that it adds to the version before.
    adds: &'static [Flag],
}

/// The versions that QEMU 11.0 and 11.1 know, ascending.
pub(crate) const AVX10_VERSIONS: [Avx10Version; 2] = [
    Avx10Version { version: 1, last_subleaf: 0, adds: &[AVX10, AVX10_128, AVX10_256, AVX10_512] },
    Avx10Version { version: 2, last_subleaf: 1, adds: &[AVX10_VNNI_INT] },
];

impl Cpu<'_> {
    /// Sets the version; in newer releases also its features, so that later properties can remove them again.
    pub(crate) fn set_avx10_version(&mut self, version: u8) -> Result<(), BuildError> {
        if !self.release.behaviour.avx10_by_version {
            self.settings.avx10_version = version;
            return Ok(());
        }
        if version == 0 {
            self.settings.avx10_version = 0;
            self.settings.avx10_last_subleaf = 0;
            return Ok(());
        }
        for known in AVX10_VERSIONS.iter().filter(|known| known.version <= version) {
            known.adds.iter().for_each(|flag| self.set(*flag));
            if known.version == version {
                self.settings.avx10_version = version;
                self.settings.avx10_last_subleaf = known.last_subleaf;
                return Ok(());
            }
        }
        let max = AVX10_VERSIONS.last().map_or(0, |last| last.version);
        Err(BuildError::Avx10Version { asked: version, max })
    }

    /// The version that KVM supports, from leaf 0x24.
    pub(crate) fn host_avx10_version(&self) -> u8 {
        let Registers { ebx, .. } = self.supported.leaf(0x24, 0);
        ebx.to_le_bytes()[0]
    }
}
