//! The CPUs of a host compared: what differs though it should not, as on hybrid parts, and what is each CPU's own.

use alloc::vec::Vec;
use core::fmt;

use crate::bits::location::{CpuidWord, Register, Registers};
use crate::table::{CpuidEntry, CpuidRead, OwnBits};

/// A register that two CPUs answer differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CpuDifference {
    /// Which register.
    pub word: CpuidWord,
    /// The number of the first CPU, to which all others are compared, and its value; none where it has no such entry.
    pub first: (usize, Option<u32>),
    /// The number of the CPU that differs, and its value.
    pub other: (usize, Option<u32>),
    /// True when only bits differ that are each CPU's own ([`OwnBits`]), such as the APIC id.
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
        f.write_str(if self.expected { " (each CPU's own)" } else { "" })
    }
}

/// Every register that a CPU answers otherwise than the first of them, by CPU and location.
///
/// `cpus` are numbers with what [`enumerate`](crate::host::enumerate) found.
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
