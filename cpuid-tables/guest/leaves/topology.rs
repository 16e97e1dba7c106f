//! The topology's leaves, 0xB and 0x1F, without the APIC id (`encode_topo_cpuid1f` of target/i386/cpu.c).

use crate::bits::location::Registers;
use crate::guest::board::apic_id::Offsets;
use crate::guest::board::topology::{Level, Topology};

impl Topology {
    /// The `at`th existing level below the socket, with the level above it (`encode_topo_cpuid1f`).
    fn level_at(&self, at: u32) -> Option<(Level, Level)> {
        let all = [Level::Thread, Level::Core, Level::Module, Level::Die, Level::Socket];
        let mut there = all.into_iter().filter(|level| self.has(*level));
        let level = there.nth(usize::try_from(at).ok()?)?;
        Some((level, there.next()?))
    }

    /// Leaf 0xB without the APIC id.
    pub(crate) fn leaf_b(&self, subleaf: u32, threads_per_package: u32) -> Registers {
        let offsets = Offsets::from_topology(self);
        let [eax, ebx, kind] = match subleaf {
            0 => [offsets.core, self.threads, 1],
            1 => [offsets.package, threads_per_package, 2],
            _ => [0, 0, 0],
        };
        Registers::new(eax, ebx & 0xffff, subleaf & 0xff | kind << 8, 0)
    }

    /// Leaf 0x1F without the APIC id.
    pub(crate) fn leaf_1f(&self, subleaf: u32) -> Registers {
        let Some((level, next)) = self.level_at(subleaf) else {
            return Registers::new(0, 0, subleaf & 0xff, 0);
        };
        let kind = match level {
            Level::Thread => 1,
            Level::Core => 2,
            Level::Module => 3,
            Level::Die => 5,
            Level::Socket => 0,
        };
        let offset = Offsets::from_topology(self).of_level(next);
        Registers::new(offset, self.threads_of(next) & 0xffff, subleaf & 0xff | kind << 8, 0)
    }
}
