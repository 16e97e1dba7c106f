//! Strange but possible hosts: a plausible one with a few answers that no usual KVM or CPU gives.

use cpuid_tables::host::Host;
use cpuid_tables::{Leaf, Registers};

use super::{Vendor, find, plausible};
use crate::oracle::Outcome;
use crate::oracle::random::Random;

/// A change.
type Change = fn(&mut Host, &mut Random);

const CHANGES: [Change; 8] =
    [vendor, signature, brand, widths, capabilities, machine_checks, components, avx10];

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
