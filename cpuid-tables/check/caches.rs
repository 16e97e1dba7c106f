//! Caches that vCPUs share, and the core count of leaf 4.
//!
//! Intel SDM volume 2A, "CPUID", leaf 04H; AMD APM volume 3, E.4.15.

use alloc::format;

use super::finding::counted;
use super::levels::Package;
use super::{Findings, Input, Kind};
use crate::bits::known_fields::leaf_4::{NUM_CORES_ON_DIE, NUM_THREADS_SHARING};
use crate::bits::location::Register;
use crate::table::{CacheSubleaf, CpuidRead};

/// Caches shared by more APIC ids than a package has.
pub(super) fn sharing(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let Some(package) = Package::from_guest(guest) else { continue };
        let room = 1_u64 << package.shift;
        for cache in
            [CacheSubleaf::INTEL, CacheSubleaf::AMD].into_iter().flat_map(|leaf| guest.entries.caches(leaf))
        {
            let shared = cache.threads_sharing();
            // Guests round up to a power of two themselves.
            if u64::from(shared) > room {
                let what = format!(
                    "cache {} of leaf {} (level {}) is shared by {shared} APIC ids, but leaf {} gives a package only {room}",
                    cache.subleaf,
                    cache.leaf,
                    cache.level(),
                    package.leaf
                );
                let at =
                    guest.site(cache.leaf, cache.subleaf).bits(Register::Eax, NUM_THREADS_SHARING.mask());
                findings.add(Kind::CacheSharing, guest, at, what).and(package.shift_site(guest));
            }
        }
    }
}

/// Compares leaf 4's number of core ids with the levels: at least the existing cores, at most the cores that fit the
/// id.
pub(super) fn cores(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let Some(package) = Package::from_guest(guest) else { continue };
        let leaf = package.leaf;
        let there = package.processors.div_ceil(package.threads_per_core.max(1));
        let least = there.min(NUM_CORES_ON_DIE.max() + 1);
        let room = 1_u64 << package.shift.saturating_sub(package.core_shift);
        for cache in guest.entries.caches(CacheSubleaf::INTEL) {
            let Some(cores) = cache.cores() else { continue };
            let subleaf = cache.subleaf.0;
            let at = guest.site(cache.leaf, cache.subleaf).bits(Register::Eax, NUM_CORES_ON_DIE.mask());
            if cores < least {
                let what = format!(
                    "subleaf {subleaf} of leaf 4 has room for {} in a package, but it has {there} according to leaf {leaf}",
                    counted(cores, "core")
                );
                findings.add(Kind::CoreCountLow, guest, at, what).and(package.processors_site(guest));
            } else if u64::from(cores) > room {
                let what = format!(
                    "subleaf {subleaf} of leaf 4 has room for {} in a package, but leaf {leaf} for only {room}",
                    counted(cores, "core")
                );
                findings.add(Kind::CoreCount, guest, at, what).and(package.shift_site(guest));
            }
        }
    }
}
