//! Strange but possible hosts: a plausible one with a few answers that no usual KVM or CPU gives.

use cpuid_tables::host::Host;
use cpuid_tables::{Leaf, Registers};

use super::{Vendor, find, plausible};
use crate::oracle::Outcome;
use crate::oracle::random::Random;

/// A change.
type Change = fn(&mut Host, &mut Random);

const CHANGES: [Change; 13] = [
    vendor,
    signature,
    brand,
    widths,
    capabilities,
    machine_checks,
    components,
    avx10,
    levels,
    kvm_features,
    caches,
    feature_msrs,
    order,
];

/// The host with this seed.
pub fn strange(seed: u64) -> Outcome<Host> {
    let mut host = plausible(seed)?;
    let mut random = Random::new(seed ^ 0x7374_7261_6e67_6521);
    for _ in 0..=random.below(3) {
        random.choose(&CHANGES)(&mut host, &mut random);
    }
    Ok(host)
}

/// Another vendor, one without a name, or one of which a part is missing.
fn vendor(host: &mut Host, random: &mut Random) {
    let vendors: &[&'static [u8; 12]] = &[
        Vendor::HYGON.0,
        Vendor::ZHAOXIN.0,
        Vendor::CENTAUR.0,
        b"aaaaaaaaaaaa",
        b"Geode by NSC",
        b"Short\0\0\0\0\0\0\0",
    ];
    let vendor = Vendor(random.choose::<&'static [u8; 12]>(vendors));
    for entries in [&mut host.instruction, &mut host.supported] {
        if let Some(entry) = find(entries, 0, 0) {
            entry.registers = vendor.leaf(entry.registers.eax);
        }
    }
}

/// Families and models below and above those of usual CPUs, and Haswells whose TSX is broken.
fn signature(host: &mut Host, random: &mut Random) {
    let signature = *random.choose(&[
        0x0,
        0x480,
        0x543,
        0x6f7,
        0x307b1,
        0x306c3,
        0x306f2,
        0x40651,
        0x0f_ff,
        0x00a2_0f11,
        0x0fff_0fff,
        0x10600,
    ]);
    for entries in [&mut host.instruction, &mut host.supported] {
        if let Some(entry) = find(entries, 1, 0) {
            entry.registers.eax = signature;
        }
    }
}

/// No brand string, or one that ends early.
fn brand(host: &mut Host, random: &mut Random) {
    let cut = random.percent(50);
    for entries in [&mut host.instruction, &mut host.supported] {
        for leaf in 0x8000_0002..0x8000_0005 {
            match find(entries, leaf, 0) {
                Some(entry) if cut => entry.registers.ebx &= 0xff,
                Some(entry) => entry.registers = Registers::ZERO,
                None => {}
            }
        }
    }
}

/// Narrow, wide and missing addresses.
fn widths(host: &mut Host, random: &mut Random) {
    let widths = *random.choose(&[0x3000, 0x3020, 0x3021, 0x3024, 0x3034, 0x3939, 0x0020_3034, 0x0034_3930]);
    for entries in [&mut host.instruction, &mut host.supported] {
        if let Some(entry) = find(entries, 0x8000_0008, 0) {
            entry.registers.eax = widths;
        }
    }
}

/// Capabilities that old or limited KVMs lack or answer differently.
fn capabilities(host: &mut Host, random: &mut Random) {
    const ANSWERS: &[(u32, i64)] = &[
        (9, 0),
        (9, 1),
        (9, 2),
        (44, 0),
        (60, 0),
        (60, 1),
        (61, 0),
        (66, 0),
        (66, 1),
        (66, 2),
        (66, 8),
        (72, 0),
        (96, 0),
        (129, 0),
        (143, 0),
        (143, 1),
        (148, 0),
        (149, 0),
        (153, 0),
        (155, 0),
        (161, 0),
        (163, 0),
        (167, 0),
        (190, 0),
        (191, 0),
        (209, 0),
    ];
    for _ in 0..=random.below(3) {
        host.capabilities.extend([*random.choose(ANSWERS)]);
    }
    host.tsc_khz = *random.choose(&[None, Some(1), Some(2_596_120), Some(3_400_000)]);
}

/// Fewer or more machine checks.
fn machine_checks(host: &mut Host, random: &mut Random) {
    host.mce_capabilities = Some(*random.choose(&[0, 0x10a, 0x0100_010a, 0x0900_0120, 0x0800_000a]));
    if random.percent(30) {
        host.capabilities.insert(31, *random.choose(&[0, 1, 9, 10, 20]));
    }
}

/// XSAVE components that a guest may not have.
fn components(host: &mut Host, random: &mut Random) {
    let mask = u64::from(random.bits(0x000f_9aff, true)) | 3;
    if let Some(all) = &mut host.guest_xcomponents {
        *all &= mask;
    }
    if random.percent(20) {
        host.supported.retain(|entry| entry.function != Leaf(0xd) || entry.index.0 < 2);
    }
}

/// Versions of AVX10, and more subleaves.
fn avx10(host: &mut Host, random: &mut Random) {
    let (version, last) = (random.below(5), random.below(3));
    for entries in [&mut host.instruction, &mut host.supported] {
        if let Some(entry) = find(entries, 0x24, 0) {
            entry.registers.eax = last;
            entry.registers.ebx = entry.registers.ebx & !0xff | version;
        }
    }
}

/// Fewer leaves, as after `limit CPUID` in a firmware's settings, or more than there are.
fn levels(host: &mut Host, random: &mut Random) {
    let basic = *random.choose(&[1, 4, 6, 0xd, 0x16, 0x20, 0x29]);
    let extended = *random.choose(&[0x8000_0001, 0x8000_0004, 0x8000_0008, 0x8000_001f, 0x8000_0026]);
    for entries in [&mut host.instruction, &mut host.supported] {
        for (leaf, highest) in [(0, basic), (0x8000_0000, extended)] {
            if let Some(entry) = find(entries, leaf, 0) {
                entry.registers.eax = highest;
            }
        }
    }
}

/// A KVM that offers fewer or unknown features of its own, or has no leaf for them.
fn kvm_features(host: &mut Host, random: &mut Random) {
    let (features, hints) = (random.word(), random.word());
    if random.percent(20) {
        host.supported.retain(|entry| entry.function.0 >> 8 != 0x40_0000);
    } else if let Some(entry) = find(&mut host.supported, 0x4000_0001, 0) {
        entry.registers.eax = features;
        entry.registers.edx = hints;
    }
}

/// Caches of many processors, or none; MWAIT's leaf.
fn caches(host: &mut Host, random: &mut Random) {
    let shared = (random.below(4096) << 14, random.below(64) << 26);
    let mwait = Registers::new(random.below(128), random.below(128), random.below(4), random.word());
    for leaf in [4, 0x8000_001d] {
        for entries in [&mut host.instruction, &mut host.supported] {
            for entry in entries.iter_mut().filter(|entry| entry.function == Leaf(leaf)) {
                let cores = if leaf == 4 { shared.1 } else { 0 };
                entry.registers.eax = entry.registers.eax & 0x3fff | shared.0 | cores;
            }
        }
    }
    if random.percent(30) {
        host.instruction.retain(|entry| entry.function != Leaf(4));
    }
    if let Some(entry) = find(&mut host.instruction, 5, 0) {
        entry.registers = mwait;
    }
}

/// Feature MSRs that are missing or have other values.
fn feature_msrs(host: &mut Host, random: &mut Random) {
    let dense = random.percent(50);
    host.msrs.retain(|_, _| random.percent(90));
    for value in host.msrs.values_mut() {
        if random.percent(30) {
            let kept = random.bits(u32::MAX, dense);
            *value &= u64::from(kept) << 32 | 0xffff_ffff;
        }
    }
}

/// The entries in another order: KVM's own leaves first.
fn order(host: &mut Host, random: &mut Random) {
    let middle = random.below(u32::try_from(host.supported.len()).unwrap_or(1).max(1));
    host.supported.rotate_left(usize::try_from(middle).unwrap_or(0));
}
