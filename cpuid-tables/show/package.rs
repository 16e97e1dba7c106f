//! How many cores and threads the package of a table has, by its own leaves: 0x1F and 0xB, or AMD's 0x80000008 and 0x8000001E.

use core::fmt;

use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::feature;
use crate::table::{CpuidEntry, CpuidRead, Vendor};

/// The logical processors of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// Cores; `None` if the processor has cores of several kinds, which differ in their threads.
    pub cores: Option<u32>,
    /// Threads.
    pub threads: u32,
}

impl Package {
    /// The package of a table; `None` if the table does not state it, as KVM's list of what it supports.
    #[must_use]
    pub fn from_entries(entries: &[CpuidEntry]) -> Option<Package> {
        let (per_core, threads) = by_levels(entries).or_else(|| of_amd(entries))?;
        let hybrid = entries.has(feature::HYBRID_CPU);
        let cores = (!hybrid && per_core != 0 && threads % per_core == 0).then(|| threads / per_core);
        Some(Package { cores, threads })
    }
}

impl fmt::Display for Package {
    /// `8 cores, 16 threads`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u32| if count == 1 { "" } else { "s" };
        if let Some(cores) = self.cores {
            write!(f, "{cores} core{}, ", plural(cores))?;
        }
        write!(f, "{} thread{}", self.threads, plural(self.threads))
    }
}

/// Threads of a core and of the widest level.
fn by_levels(entries: &[CpuidEntry]) -> Option<(u32, u32)> {
    const SMT: u32 = 1;
    let word = |leaf, subleaf, register| {
        CpuidRead::word(entries, CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register))
    };
    [0x1f, 0xb].into_iter().find_map(|leaf| {
        let level = |subleaf| {
            let kind = word(leaf, subleaf, Register::Ecx) >> 8 & 0xff;
            (kind != 0).then(|| (kind, word(leaf, subleaf, Register::Ebx) & 0xffff))
        };
        let levels = (0..8).map_while(level);
        let (mut per_core, mut widest) = (None, 0);
        for (kind, threads) in levels {
            per_core = if kind == SMT { Some(threads) } else { per_core };
            widest = threads;
        }
        per_core.filter(|threads| *threads != 0 && widest >= *threads).map(|threads| (threads, widest))
    })
}

/// AMD's count of a package's threads, and of a core's where it has that leaf.
fn of_amd(entries: &[CpuidEntry]) -> Option<(u32, u32)> {
    let find = |leaf| entries.iter().find(|entry| entry.answers(Leaf(leaf), Subleaf(0)));
    let is_amd = entries.vendor().is_some_and(Vendor::is_amd_compatible);
    let count = find(0x8000_0008).filter(|entry| is_amd && entry.registers.ecx & 0xff != 0)?;
    let threads = (count.registers.ecx & 0xff) + 1;
    let per_core = if entries.has(feature::TOPOEXT) {
        find(0x8000_001e).map_or(1, |entry| (entry.registers.ebx >> 8 & 0xff) + 1)
    } else {
        1
    };
    Some((per_core, threads))
}

#[cfg(test)]
mod tests {
    use super::Package;
    use crate::bits::location::{Leaf, Registers, Subleaf};
    use crate::table::CpuidEntry;

    #[test]
    fn levels_and_amds_counts_are_read() {
        let level = |subleaf, threads, kind: u32| {
            CpuidEntry::indexed(
                Leaf(0xb),
                Subleaf(subleaf),
                Registers::new(1, threads, kind << 8 | subleaf, 0),
            )
        };
        let intel = [level(0, 2, 1), level(1, 24, 2), level(2, 0, 0)];
        assert_eq!(Package::from_entries(&intel), Some(Package { cores: Some(12), threads: 24 }));
        assert_eq!(Package::from_entries(&[level(0, 0, 0)]), None);
        let vendor = Registers::new(0x10, 0x6874_7541, 0x444d_4163, 0x6974_6e65);
        let amd = [
            CpuidEntry::new(Leaf(0), vendor),
            CpuidEntry::new(Leaf(0x8000_0001), Registers::new(0, 0, 1 << 22, 0)),
            CpuidEntry::new(Leaf(0x8000_0008), Registers::new(0x3030, 0, 0x701f, 0)),
            CpuidEntry::new(Leaf(0x8000_001e), Registers::new(0, 0x100, 0, 0)),
        ];
        assert_eq!(Package::from_entries(&amd), Some(Package { cores: Some(16), threads: 32 }));
    }
}
