//! Random but plausible hosts from a seed: a processor, or the host that has everything, with parts removed and changed.
//! KVM supports a part of the CPU's features, and emulates a few.

use cpuid_tables::host::Host;
use cpuid_tables::{CpuidEntry, Leaf, Msr, Register, Registers};

use super::{Vendor, all_ones, find, processors};
use crate::oracle::Outcome;
use crate::oracle::random::Random;

/// Leaves in which every bit, or nearly every bit, is a feature: their bits are removed one by one.
const FEATURES: [(u32, u32); 22] = [
    (1, 0),
    (6, 0),
    (7, 0),
    (7, 1),
    (7, 2),
    (0xd, 1),
    (0x12, 0),
    (0x12, 1),
    (0x14, 0),
    (0x14, 1),
    (0x19, 0),
    (0x1e, 1),
    (0x24, 0),
    (0x24, 1),
    (0x29, 0),
    (0x8000_0001, 0),
    (0x8000_0007, 0),
    (0x8000_0008, 0),
    (0x8000_000a, 0),
    (0x8000_001f, 0),
    (0x8000_0021, 0),
    (0xc000_0001, 0),
];
/// The same as registers: which of the four.
fn registers_of(leaf: u32, subleaf: u32) -> &'static [usize] {
    match (leaf, subleaf) {
        (1, 0) | (0x8000_0001, 0) => &[2, 3],
        (7, 0) => &[1, 2, 3],
        (6 | 0xd, _) | (0x1e, 1) => &[0],
        (0x24, 1) => &[2],
        (0x24 | 0x29 | 0x8000_0008, _) => &[1],
        (0x8000_0007 | 0x8000_000a | 0xc000_0001, _) => &[3],
        _ => &[0, 1, 2, 3],
    }
}

/// The host with this seed.
pub fn plausible(seed: u64) -> Outcome<Host> {
    let mut random = Random::new(seed);
    let mut host = base(&mut random)?;
    let dense = random.percent(70);
    take_features(&mut host, &mut random, dense);
    change_vendor(&mut host, &mut random);
    change_levels(&mut host, &mut random);
    change_xsave(&mut host, &mut random);
    change_widths_and_caches(&mut host, &mut random);
    change_kvm(&mut host, &mut random);
    Ok(host)
}

fn base(random: &mut Random) -> Outcome<Host> {
    Ok(match random.below(4) {
        0 => all_ones(Vendor::AMD),
        1 => all_ones(Vendor::INTEL),
        _ => random.choose(&processors()?).1.clone(),
    })
}

/// Removes features: from the CPU, and some more from KVM.
fn take_features(host: &mut Host, random: &mut Random, dense: bool) {
    for (leaf, subleaf) in FEATURES {
        for register in registers_of(leaf, subleaf) {
            // A CPU or a KVM that has all of a register is plausible, too.
            let cpu = if random.percent(40) { u32::MAX } else { random.bits(u32::MAX, dense) };
            let kvm = if random.percent(40) { u32::MAX } else { random.bits(u32::MAX, true) };
            if let Some(entry) = find(&mut host.instruction, leaf, subleaf) {
                entry.registers[Register::ALL[*register]] &= cpu;
            }
            if let Some(entry) = find(&mut host.supported, leaf, subleaf) {
                entry.registers[Register::ALL[*register]] &= cpu & kvm;
            }
        }
    }
    for (leaf, register) in [(0x4000_0001, 0), (0x4000_0001, 3)] {
        if let Some(entry) = find(&mut host.supported, leaf, 0) {
            entry.registers[Register::ALL[register]] &= random.bits(u32::MAX, true);
        }
    }
}

/// Sometimes another vendor: Hygon instead of AMD, Zhaoxin or Centaur instead of Intel.
fn change_vendor(host: &mut Host, random: &mut Random) {
    if !random.percent(20) {
        return;
    }
    let amd = find(&mut host.instruction, 0, 0)
        .is_some_and(|entry| entry.registers.ebx == u32::from_le_bytes(*b"Auth"));
    let vendor = if amd { Vendor::HYGON } else { *random.choose(&[Vendor::ZHAOXIN, Vendor::CENTAUR]) };
    for entries in [&mut host.instruction, &mut host.supported] {
        for leaf in [0, 0x8000_0000].into_iter().take(if amd { 2 } else { 1 }) {
            if let Some(entry) = find(entries, leaf, 0) {
                entry.registers = vendor.leaf(entry.registers.eax);
            }
        }
    }
}

/// Lower highest leaves, with or without the leaves above them; missing leaves.
fn change_levels(host: &mut Host, random: &mut Random) {
    for (first, levels) in
        [(0, &[0xa, 0xd, 0x14, 0x1d, 0x1f][..]), (0x8000_0000, &[0x8000_0008, 0x8000_001a, 0x8000_001f])]
    {
        if !random.percent(30) {
            continue;
        }
        let level = *random.choose(levels);
        let cut = random.percent(70);
        for entries in [&mut host.instruction, &mut host.supported] {
            if let Some(entry) = find(entries, first, 0) {
                entry.registers.eax = entry.registers.eax.min(level);
            }
            let above =
                |entry: &CpuidEntry| entry.function.0 > level && entry.function.0 >> 28 == first >> 28;
            entries.retain(|entry| !(cut && above(entry)));
        }
    }
    for leaf in
        [2, 4, 5, 6, 0xa, 0x12, 0x14, 0x1d, 0x1e, 0x24, 0x8000_0005, 0x8000_0006, 0x8000_001d, 0xc000_0000]
    {
        if random.percent(6) {
            host.supported.retain(|entry| entry.function != Leaf(leaf));
            if random.percent(50) {
                host.instruction.retain(|entry| entry.function != Leaf(leaf));
            }
        }
    }
}

/// Only some components, and another layout: components in the order of their numbers.
fn change_xsave(host: &mut Host, random: &mut Random) {
    let mut keep = random.bits(!3, true) | 4;
    // MPX, AVX-512 and AMX have several components each; no CPU has only some of them.
    for together in [3 << 3, 7 << 5, 3 << 17] {
        if keep & together != together {
            keep &= !together;
        }
    }
    let compact = random.percent(40);
    let (mut offset, mut size) = (0x240, 0x240);
    let mut places = Vec::new();
    for entry in host.instruction.iter().filter(|entry| entry.function == Leaf(0xd) && entry.index.0 > 1) {
        let Registers { eax: bytes, ebx: at, ecx, .. } = entry.registers;
        let kept = keep & 1 << (entry.index.0 & 31) != 0;
        let at = if compact && ecx & 1 == 0 { offset } else { at };
        if kept && ecx & 1 == 0 {
            offset = offset.max(at + bytes.next_multiple_of(0x40));
            size = size.max(at + bytes);
        }
        places.push((entry.index, kept, at));
    }
    for entries in [&mut host.instruction, &mut host.supported] {
        for (index, kept, at) in &places {
            if let Some(entry) = find(entries, 0xd, index.0) {
                entry.registers = if *kept {
                    Registers::new(entry.registers.eax, *at, entry.registers.ecx, 0)
                } else {
                    Registers::ZERO
                };
            }
        }
        entries.retain(|entry| entry.function != Leaf(0xd) || entry.registers != Registers::ZERO);
        if let Some(entry) = find(entries, 0xd, 0) {
            entry.registers = Registers::new(entry.registers.eax & (keep | 3), size, size, 0);
        }
        if let Some(entry) = find(entries, 0xd, 1) {
            entry.registers = Registers::new(entry.registers.eax, size, entry.registers.ecx & keep, 0);
        }
    }
    host.capabilities.insert(208, i64::from(size.max(4096)));
    let all = find(&mut host.supported, 0xd, 0).map_or(0, |entry| entry.registers.eax);
    let with_amx = random.percent(50);
    host.guest_xcomponents =
        random.percent(70).then_some(u64::from(if with_amx { all } else { all & !(3 << 17) }));
    if random.percent(50) {
        // KVM does not report AMX to a process without permission.
        if let Some(entry) = find(&mut host.supported, 0xd, 0) {
            entry.registers.eax &= !(3 << 17);
        }
    }
}

fn change_widths_and_caches(host: &mut Host, random: &mut Random) {
    if random.percent(50) {
        let width = *random.choose(&[0x24, 0x27, 0x28, 0x2b, 0x2e, 0x30, 0x34]);
        let linear = *random.choose(&[0x30, 0x39]);
        let guest = *random.choose(&[0, 0, 0x30, 0x28]);
        for entries in [&mut host.instruction, &mut host.supported] {
            if let Some(entry) = find(entries, 0x8000_0008, 0) {
                entry.registers.eax = linear << 8 | width;
            }
        }
        if let Some(entry) = find(&mut host.supported, 0x8000_0008, 0) {
            entry.registers.eax |= guest << 16;
        }
    }
    for leaf in [4, 0x8000_001d] {
        // Who shares a cache, its ways and its sets.
        for entry in host.instruction.iter_mut().filter(|entry| entry.function == Leaf(leaf)) {
            if random.percent(40) && entry.registers.eax & 0x1f != 0 {
                entry.registers.eax = entry.registers.eax & 0x3fff | random.bits(0xfc0f_c000, false);
                entry.registers.ebx = entry.registers.ebx & 0xfff | random.below(24) << 22;
                entry.registers.ecx = (64 << random.below(12)) - 1;
            }
        }
    }
    if random.percent(30) {
        for entries in [&mut host.instruction, &mut host.supported] {
            if let Some(entry) = find(entries, 0xa, 0) {
                entry.registers = Registers::new(
                    random.word() & 0xff3f_ff07,
                    random.word() & 0xff,
                    random.word() & 0xf,
                    random.word() & 0x1fff,
                );
            }
        }
    }
}

/// KVM's other answers: MSRs, capabilities, Hyper-V leaves, the TSC's frequency.
fn change_kvm(host: &mut Host, random: &mut Random) {
    for msr in host.msrs.keys().copied().collect::<Vec<Msr>>() {
        // VMX's controls: bits that must be 1 stay; bits that may be 1 are in the upper half.
        let keep = if msr.0 >= 0x48b && msr.0 != 0x48c { 0xffff_ffff } else { 0 };
        let mask = random.next() | random.next() | keep;
        if random.percent(60) {
            host.msrs.entry(msr).and_modify(|value| *value &= mask);
        }
        if random.percent(6) && msr.0 != 0x10a {
            host.msrs.remove(&msr);
        }
    }
    let rare: [(u32, i64); 6] = [(72, 0), (209, 0), (60, 1), (129, 0), (61, 0), (153, 0)];
    for (number, value) in rare {
        if random.percent(10) {
            host.capabilities.insert(number, value);
        }
    }
    if random.percent(15) {
        host.capabilities.insert(9, i64::from(1 + random.below(4)));
    }
    if random.percent(50) {
        host.tsc_khz = Some(1_000_000 + random.below(3_000_000));
    }
    match random.below(5) {
        // KVM before 4.20 reports Hyper-V by capabilities and MSRs, KVM before 5.11 only for a vCPU.
        0 => host.capabilities.extend([(167, 0), (191, 0)]),
        1 => host.capabilities.extend([(191, 0)]),
        2 => host.hyperv = Some(hyperv(random)),
        _ => {}
    }
    if random.percent(5) {
        host.capabilities.insert(44, 0);
    }
}

/// KVM's answer for Hyper-V, with features removed.
fn hyperv(random: &mut Random) -> Vec<CpuidEntry> {
    let mut bits = |of: u32| if random.percent(50) { of } else { random.bits(of, true) };
    vec![
        CpuidEntry::new(
            Leaf(0x4000_0000),
            Registers::new(0x4000_0082, 0x7263_694d, 0x666f_736f, 0x7648_2074),
        ),
        CpuidEntry::new(Leaf(0x4000_0001), Registers::new(0x3123_7648, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0002), Registers::new(0x3839, 0x000a_0000, 0, 0)),
        CpuidEntry::new(
            Leaf(0x4000_0003),
            Registers::new(bits(0x2aff), bits(0x0010_0030), 0, bits(0x0008_8d10)),
        ),
        CpuidEntry::new(Leaf(0x4000_0004), Registers::new(bits(0x0006_ce24), 0xfff, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0005), Registers::new(u32::MAX, 0x40, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_000a), Registers::new(bits(0x000a_0101), 0, 0, 0)),
        CpuidEntry::new(
            Leaf(0x4000_0080),
            Registers::new(0x4000_0082, 0x7263_694d, 0x666f_736f, 0x7648_2074),
        ),
        CpuidEntry::new(Leaf(0x4000_0081), Registers::new(0x3123_5356, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0082), Registers::new(2, 0, 0, 0)),
    ]
}
