//! Comparing the CPUs of a host: unexpected differences, as on hybrid processors, and bits that differ on every host.

use alloc::vec::Vec;
use core::fmt;

use crate::bits::location::{CpuidWord, Register, Registers};
use crate::table::{CpuidEntry, CpuidRead, OwnBits};

/// A register whose value differs between two CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CpuDifference {
    /// The register.
    pub word: CpuidWord,
    /// The first CPU's number, with which all others are compared, and its value; `None` without such an entry.
    pub first: (usize, Option<u32>),
    /// The number of the CPU that differs, and its value.
    pub other: (usize, Option<u32>),
    /// True if only processor-specific bits ([`OwnBits`]) differ, such as the APIC id.
    pub expected: bool,
}

impl fmt::Display for CpuDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.word)?;
        for ((cpu, value), comma) in [(self.first, ","), (self.other, "")] {
            match value {
                Some(value) => write!(f, " CPU {cpu} has {value:#x}{comma}")?,
                None => write!(f, " CPU {cpu} has nothing{comma}")?,
            }
        }
        f.write_str(if self.expected { " (differs on every CPU)" } else { "" })
    }
}

/// Every register in which a CPU differs from the first, by CPU and location.
///
/// `cpus` are CPU numbers with the entries from [`enumerate`](crate::host::enumerate).
#[must_use]
pub fn compare_cpus(cpus: &[(usize, Vec<CpuidEntry>)]) -> Vec<CpuDifference> {
    let mut differences = Vec::new();
    let Some(((first, expected), others)) = cpus.split_first() else { return differences };
    for (other, entries) in others {
        let mut keys: Vec<_> =
            expected.iter().chain(entries).map(|entry| (entry.function, entry.subleaf())).collect();
        keys.sort_unstable();
        keys.dedup();
        for (leaf, subleaf) in keys {
            let (a, b) = (expected.registers(leaf, subleaf), entries.registers(leaf, subleaf));
            for register in Register::ALL {
                let at = |registers: Option<Registers>| registers.map(|all| all[register]);
                let (a, b) = (at(a), at(b));
                if a != b {
                    let own = OwnBits::mask(leaf, register);
                    let changed = a.zip(b).map_or(u32::MAX, |(a, b)| a ^ b);
                    differences.push(CpuDifference {
                        word: CpuidWord { leaf, subleaf, register },
                        first: (*first, a),
                        other: (*other, b),
                        expected: changed & !own == 0,
                    });
                }
            }
        }
    }
    differences
}
