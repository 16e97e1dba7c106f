//! Caches in leaves 2, 4, 0x80000005, 0x80000006 and 0x8000001D (`encode_cache_*` and `cpu_x86_cpuid` of
//! target/i386/cpu.c).

use crate::bits::location::Registers;
use crate::bits::qemu_cpu::{Cache, CacheKind, CacheSlot, SharedBy};
use crate::bits::release::QemuRelease;
use crate::guest::board::apic_id::Offsets;
use crate::guest::board::topology::Level;
use crate::guest::cpu::{Class, Cpu};
use crate::guest::error::BuildError;
use crate::models::cache::Caches;

/// The caches that each group of leaves describes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheInfo {
    /// Leaf 2.
    pub(crate) leaf_2: Caches,
    /// Leaf 4.
    pub(crate) leaf_4: Caches,
    /// 0x80000005 and 0x80000006.
    pub(crate) amd: Caches,
    pub(crate) leaf_8000001d: Caches,
}

impl CacheInfo {
    /// The same in every leaf.
    fn of_model(caches: Caches) -> CacheInfo {
        CacheInfo { leaf_2: caches, leaf_4: caches, amd: caches, leaf_8000001d: caches }
    }

    /// The caches of models without their own: they contradict each other, except in newer releases that make them
    /// consistent.
    fn legacy(cpu: &Cpu<'_>) -> CacheInfo {
        let info = CacheInfo::all_legacy(cpu.release.qemu);
        let settings = &cpu.settings;
        let own = if cpu.is_amd() { info.amd } else { info.leaf_4 };
        let by_leaf = !settings.vendor_cpuid_only_v2;
        CacheInfo {
            leaf_2: match (settings.consistent_cache, by_leaf) {
                (false, _) => info.leaf_2,
                (true, true) => info.leaf_4,
                (true, false) => own,
            },
            leaf_4: if by_leaf { info.leaf_4 } else { own },
            amd: if by_leaf { info.amd } else { own },
            leaf_8000001d: if cpu.release.behaviour.cleans_up { own } else { info.amd },
        }
    }

    fn all_legacy(release: QemuRelease) -> CacheInfo {
        let find = |names: [&str; 2], slot| {
            let mut known = release.legacy_caches();
            let found = known
                .find(|legacy| names.contains(&legacy.name) && legacy.slot.is_none_or(|known| known == slot));
            found.map(|legacy| legacy.cache)
        };
        // Since 10.1 a variable holds four caches.
        let intel = |name, slot| find([name, "legacy_intel_cache_info"], slot);
        let leaf_2 = |name, slot| find([name, "legacy_intel_cpuid2_cache_info"], slot);
        let amd = |name, slot| find([name, "legacy_amd_cache_info"], slot);
        let amds = Caches {
            l1d: amd("legacy_l1d_cache_amd", CacheSlot::L1d),
            l1i: amd("legacy_l1i_cache_amd", CacheSlot::L1i),
            l2: amd("legacy_l2_cache_amd", CacheSlot::L2),
            l3: amd("legacy_l3_cache", CacheSlot::L3),
        };
        CacheInfo {
            leaf_2: Caches {
                l1d: leaf_2("legacy_l1d_cache", CacheSlot::L1d),
                l1i: leaf_2("legacy_l1i_cache", CacheSlot::L1i),
                l2: leaf_2("legacy_l2_cache_cpuid2", CacheSlot::L2),
                l3: leaf_2("legacy_l3_cache", CacheSlot::L3),
            },
            leaf_4: Caches {
                l1d: intel("legacy_l1d_cache", CacheSlot::L1d),
                l1i: intel("legacy_l1i_cache", CacheSlot::L1i),
                l2: intel("legacy_l2_cache", CacheSlot::L2),
                l3: intel("legacy_l3_cache", CacheSlot::L3),
            },
            amd: amds,
            leaf_8000001d: amds,
        }
    }
}

impl Cpu<'_> {
    /// The CPU's caches, with the sharing levels that the machine sets.
    pub(crate) fn cache_info(
        &self,
        shared: &[(CacheSlot, Option<SharedBy>)],
    ) -> Result<CacheInfo, BuildError> {
        let mut info = if self.settings.legacy_cache {
            CacheInfo::legacy(self)
        } else {
            let own = self.caches.filter(|_| matches!(self.class, Class::Model(_)));
            CacheInfo::of_model(own.ok_or_else(|| BuildError::NoCaches(self.name()))?)
        };
        if shared.is_empty() {
            return Ok(info);
        }
        // Every machine of a release with the option takes `default`.
        let takes = self.machine.caches || shared.iter().all(|(_, level)| level.is_none());
        if !(self.release.behaviour.knows_smp_cache && takes) {
            return Err(BuildError::MachineOption("smp-cache".into()));
        }
        let wants_module = shared.iter().any(|(_, level)| *level == Some(SharedBy::Module));
        if wants_module && !self.machine.modules {
            return Err(BuildError::MachineOption("smp-cache".into()));
        }
        // Since 10.1 an AMD CPU has its own vendor's legacy caches, and leaf 4 of an old machine type the other's.
        let settings = &self.settings;
        let others = self.release.behaviour.cleans_up
            && settings.legacy_cache
            && !settings.vendor_cpuid_only_v2
            && self.is_amd();
        for (slot, level) in shared {
            let leaf_4 = (!others).then_some(&mut info.leaf_4);
            for caches in leaf_4.into_iter().chain([&mut info.amd, &mut info.leaf_8000001d]) {
                if let Some(cache) = slot_of(caches, *slot) {
                    cache.shared_by = level.or(cache.shared_by);
                }
            }
        }
        check_levels(&info.leaf_8000001d)?;
        Ok(info)
    }

    /// The host's caches: zeros above its highest leaf (`x86_cpu_get_cache_cpuid`).
    fn host_cache(&self, leaf: u32, subleaf: u32) -> Registers {
        let Registers { eax: highest, .. } = self.supported.instruction(leaf & 0x8000_0000, 0);
        if leaf > highest { Registers::ZERO } else { self.supported.instruction(leaf, subleaf) }
    }

    /// Intel's leaves are empty on AMD, unless an old machine type fills them.
    fn hides_intel_caches(&self) -> bool {
        self.settings.vendor_cpuid_only && self.is_amd()
    }

    pub(crate) fn leaf_2(&self, caches: &CacheInfo) -> Registers {
        if self.settings.host_cache_info {
            return self.host_cache(2, 0);
        }
        if self.hides_intel_caches() {
            return Registers::ZERO;
        }
        /// Refers to leaf 4.
        const NOT_HERE: u8 = 0xff;
        let byte = |cache: &Option<Cache>| {
            let known = cache.as_ref().and_then(|cache| self.release.qemu.cache_descriptor(cache));
            u32::from(known.unwrap_or(NOT_HERE))
        };
        let Caches { l1d, l1i, l2, l3 } = &caches.leaf_2;
        let all = [l1d, l1i, l2, l3].map(byte);
        // Leaf 2 refers to leaf 4 if that is in range, or if a cache has no descriptor.
        let points = self.settings.min_level >= 4 || all.contains(&NOT_HERE.into());
        if self.settings.consistent_cache && points {
            return Registers::new(1, 0, 0, NOT_HERE.into());
        }
        let ecx = if self.settings.l3_cache { byte(l3) } else { 0 };
        Registers::new(1, 0, ecx, byte(l1d) << 16 | byte(l1i) << 8 | byte(l2))
    }

    pub(crate) fn leaf_4(&self, subleaf: u32, caches: &CacheInfo) -> Registers {
        if self.settings.host_cache_info {
            return self.host_leaf_4(subleaf);
        }
        if self.hides_intel_caches() {
            return Registers::ZERO;
        }
        let Caches { l1d, l1i, l2, l3 } = caches.leaf_4;
        let (cache, is_l1) = match subleaf {
            0 => (l1d, true),
            1 => (l1i, true),
            2 => (l2, false),
            3 if self.settings.l3_cache => (l3, false),
            _ => (None, false),
        };
        let Some(cache) = cache else { return Registers::ZERO };
        let mut registers = parameters(&cache);
        let (threads, cores) = self.leaf_4_counts(&cache);
        registers.eax |= cores.wrapping_shl(26) | threads.wrapping_shl(14);
        if is_l1 && !self.settings.l1_cache_per_core {
            registers.eax &= !(0xfff << 14);
        }
        registers
    }

    /// Leaf 4's counts, each minus one: ids of threads that share a cache, ids of cores in a package.
    fn leaf_4_counts(&self, cache: &Cache) -> (u32, u32) {
        if self.release.behaviour.counts_apic_ids {
            return (self.sharing_ids(cache).min(4095), self.core_ids().min(63));
        }
        let cores = self.counted_cores() - 1;
        let threads = match cache.level {
            1 => 0,
            2 => self.topology.threads - 1,
            _ => (1 << Offsets::from_topology(&self.topology).die) - 1,
        };
        (threads, cores)
    }

    /// Cores as an older release counts them: of all dies or of one.
    fn counted_cores(&self) -> u32 {
        self.counted_threads() / self.topology.threads
    }

    /// Ids of threads that share a cache, minus one (`max_thread_ids_for_cache`).
    fn sharing_ids(&self, cache: &Cache) -> u32 {
        let level = cache.shared_by.map_or(Level::Thread, Level::from_shared_by);
        (1 << Offsets::from_topology(&self.topology).of_level(level)) - 1
    }

    /// Ids of cores in a package, minus one (`max_core_ids_in_package`).
    fn core_ids(&self) -> u32 {
        let offsets = Offsets::from_topology(&self.topology);
        (1 << (offsets.package - offsets.core)) - 1
    }

    /// The host's leaf 4 with the guest's topology.
    fn host_leaf_4(&self, subleaf: u32) -> Registers {
        const CORES: u32 = 0x3f << 26;
        const THREADS: u32 = 0xfff << 14;
        let mut registers = self.host_cache(4, subleaf);
        let eax = &mut registers.eax;
        if *eax & 31 == 0 {
            return registers;
        }
        let shared = 1 + ((*eax & THREADS) >> 14);
        let threads = self.topology.threads_per_package();
        let (cores, package) = if self.release.behaviour.counts_apic_ids {
            let package = (1 << Offsets::from_topology(&self.topology).package) - 1;
            (self.core_ids().min(63), u32::min(package, 4095))
        } else {
            (self.counted_cores().next_power_of_two() - 1, threads.next_power_of_two() - 1)
        };
        if cores != 0 || !self.release.behaviour.keeps_cores_of_one {
            *eax = *eax & !CORES | cores.wrapping_shl(26);
        }
        if shared > threads {
            *eax = *eax & !THREADS | package.wrapping_shl(14);
        }
        registers
    }

    pub(crate) fn leaf_80000005(&self, caches: &CacheInfo) -> Registers {
        if self.settings.host_cache_info {
            return self.host_cache(0x8000_0005, 0);
        }
        if self.settings.vendor_cpuid_only_v2 && self.is_intel() {
            return Registers::ZERO;
        }
        /// 255 entries, direct mapped, for data and for instructions; for 2M and 4M pages, and for 4K pages.
        const TLB: u32 = 1 << 24 | 255 << 16 | 1 << 8 | 255;
        let encode = |cache: &Option<Cache>| {
            cache.as_ref().map_or(0, |cache| {
                kilobytes(cache) << 24
                    | cache.associativity << 16
                    | cache.lines_per_tag << 8
                    | cache.line_size
            })
        };
        Registers::new(TLB, TLB, encode(&caches.amd.l1d), encode(&caches.amd.l1i))
    }

    pub(crate) fn leaf_80000006(&self, caches: &CacheInfo) -> Registers {
        if self.settings.host_cache_info {
            return self.host_cache(0x8000_0006, 0);
        }
        /// 512 entries, 4 ways, for data and for instructions, for 4K pages.
        const TLB_4K: u32 = 4 << 28 | 512 << 16 | 4 << 12 | 512;
        let encode =
            |cache: &Cache| ways(cache.associativity) << 12 | cache.lines_per_tag << 8 | cache.line_size;
        let Caches { l2, l3, .. } = &caches.amd;
        let ecx = l2.as_ref().map_or(0, |l2| kilobytes(l2) << 16 | encode(l2));
        if self.settings.vendor_cpuid_only_v2 && (self.is_intel() || self.is_zhaoxin()) {
            return Registers::new(0, 0, ecx, 0);
        }
        let l3 = l3.as_ref().filter(|_| self.settings.l3_cache);
        let edx = l3.map_or(0, |l3| (kilobytes(l3) / 512) << 18 | encode(l3));
        Registers::new(0, TLB_4K, ecx, edx)
    }

    pub(crate) fn leaf_8000001d(&self, subleaf: u32, caches: &CacheInfo) -> Registers {
        let mut registers = if self.settings.host_cache_info {
            return self.host_cache(0x8000_001d, subleaf);
        } else {
            let Caches { l1d, l1i, l2, l3 } = caches.leaf_8000001d;
            let cache = match subleaf {
                0 => l1d,
                1 => l1i,
                2 => l2,
                3 => l3,
                _ => None,
            };
            cache.map_or(Registers::ZERO, |cache| {
                let mut registers = parameters(&cache);
                registers.eax |= self.sharing_threads(&cache) << 14;
                registers
            })
        };
        if self.settings.amd_topoext_features_only {
            // Only Intel has complex indexing.
            registers.edx &= 3;
        }
        registers
    }

    /// Threads that share a cache, minus one.
    fn sharing_threads(&self, cache: &Cache) -> u32 {
        if self.release.behaviour.counts_apic_ids {
            return self.sharing_ids(cache).min(4095);
        }
        let threads = if cache.level == 3 { self.topology.threads_per_die() } else { self.topology.threads };
        threads - 1
    }
}

/// Fields common to leaves 4 and 0x8000001D.
fn parameters(cache: &Cache) -> Registers {
    let kind = match cache.kind {
        CacheKind::Data => 1,
        CacheKind::Instruction => 2,
        CacheKind::Unified => 3,
    };
    let less_one = |count: u32| count.wrapping_sub(1);
    Registers::new(
        kind | cache.level << 5 | u32::from(cache.self_init) << 8,
        less_one(cache.line_size) | less_one(cache.partitions) << 12 | less_one(cache.associativity) << 22,
        less_one(cache.sets),
        u32::from(cache.no_invd_sharing)
            | u32::from(cache.inclusive) << 1
            | u32::from(cache.complex_indexing) << 2,
    )
}

fn kilobytes(cache: &Cache) -> u32 {
    ((cache.size / 1024) & 0xffff_ffff) as u32
}

/// AMD's code for a number of ways; 0 if there is none.
fn ways(associativity: u32) -> u32 {
    match associativity {
        0 | 1 => associativity,
        2 => 0x2,
        4 => 0x4,
        8 => 0x6,
        16 => 0x8,
        32 => 0xa,
        48 => 0xb,
        64 => 0xc,
        96 => 0xd,
        128 => 0xe,
        // Fully associative.
        0xff => 0xf,
        _ => 0,
    }
}

fn slot_of(caches: &mut Caches, slot: CacheSlot) -> Option<&mut Cache> {
    match slot {
        CacheSlot::L1d => caches.l1d.as_mut(),
        CacheSlot::L1i => caches.l1i.as_mut(),
        CacheSlot::L2 => caches.l2.as_mut(),
        CacheSlot::L3 => caches.l3.as_mut(),
    }
}

/// Checks that no cache is shared by more threads than the next level (`machine_check_smp_cache`).
fn check_levels(caches: &Caches) -> Result<(), BuildError> {
    let level =
        |cache: &Option<Cache>| cache.as_ref().and_then(|cache| cache.shared_by).map(Level::from_shared_by);
    let [l1d, l1i, l2, l3] = [&caches.l1d, &caches.l1i, &caches.l2, &caches.l3].map(level);
    if l1d > l2 || l1i > l2 || l2 > l3 { Err(BuildError::CacheLevels) } else { Ok(()) }
}
