//! The most permissive hosts: KVM and the CPU have every bit that QEMU can use, so that a model is not filtered.

use cpuid_tables::Registers;
use cpuid_tables::host::Host;

use super::{Component, Entries, Vendor, msrs, xsave};

const ALL: u32 = u32::MAX;
const ONES: Registers = Registers::MAX;

/// Sapphire Rapids' XSAVE layout, with supervisor components and APX.
const INTEL_XSAVE: &[Component] = &[
    (2, [0x100, 0x240, 0]),
    (3, [0x40, 0x3c0, 0]),
    (4, [0x40, 0x400, 0]),
    (5, [0x40, 0x440, 0]),
    (6, [0x200, 0x480, 0]),
    (7, [0x400, 0x680, 0]),
    (8, [0x80, 0, 1]),
    (9, [8, 0xa80, 0]),
    (11, [0x10, 0, 1]),
    (12, [0x18, 0, 1]),
    (15, [0x328, 0, 1]),
    (17, [0x40, 0xac0, 2]),
    (18, [0x2000, 0xb00, 6]),
    // APX reuses MPX's place.
    (19, [0x80, 0x3c0, 0]),
];
/// Genoa's XSAVE layout.
const AMD_XSAVE: &[Component] = &[
    (2, [0x100, 0x240, 0]),
    (5, [0x40, 0x340, 0]),
    (6, [0x200, 0x380, 0]),
    (7, [0x400, 0x580, 0]),
    (9, [8, 0x980, 0]),
    (11, [0x10, 0, 1]),
    (12, [0x18, 0, 1]),
];

/// A vendor's host that has everything.
pub fn all_ones(vendor: Vendor) -> Host {
    let mut entries = Entries::default();
    let amd = vendor.is_amd();
    let size = basic(&mut entries, vendor);
    if amd {
        amd_extended(&mut entries, vendor)
    } else {
        intel_extended(&mut entries)
    }
    entries.leaf(0xc000_0000, Registers::new(0xc000_0001, 0, 0, 0));
    entries.leaf(0xc000_0001, ONES);
    let instruction = entries.0.clone();
    entries.leaf(0x4000_0000, Registers::new(0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d));
    entries.leaf(0x4000_0001, Registers::new(ALL, 0, 0, ALL));
    let mut host = Host { supported: entries.0, instruction, ..Host::default() };
    host.msrs = msrs(&[
        (0x10a, u64::MAX),
        (0xcf, ALL.into()),
        (0x345, if amd { 0 } else { u64::MAX }),
        (0x8b, 0x100_0065),
        (0xce, 0x8000_0000),
    ]);
    if !amd {
        host.msrs.extend(msrs(VMX));
    }
    host.capabilities.insert(208, i64::from(size.max(4096)));
    host
}

/// VMX with everything that may be 1 and nothing that must be.
const VMX: &[(u32, u64)] = &[
    (0x480, 0x00da_0400_0000_0004 | 1 << 55),
    (0x485, 0x7fff_ffff),
    (0x486, 0x8000_0021),
    (0x487, 0xffff_ffff),
    (0x488, 0x2000),
    (0x489, 0xffff_ffff),
    (0x48a, 0x2e),
    (0x48b, 0xffff_ffff << 32),
    (0x48c, u64::MAX),
    (0x48d, 0xffff_ffff << 32),
    (0x48e, 0xffff_ffff << 32),
    (0x48f, 0xffff_ffff << 32),
    (0x490, 0xffff_ffff << 32),
    (0x491, u64::MAX),
    (0x492, u64::MAX),
    (0x493, u64::MAX),
];

/// Basic leaves; the size of all XSAVE components.
fn basic(entries: &mut Entries, vendor: Vendor) -> u32 {
    let amd = vendor.is_amd();
    entries.leaf(0, vendor.leaf(if amd { 0x24 } else { 0x29 }));
    entries.leaf(1, Registers::new(if amd { 0x00a1_0f11 } else { 0x0008_06f8 }, 0x0020_0800, ALL, ALL));
    if !amd {
        entries.leaf(2, Registers::new(0x00fe_ff01, 0xf0, 0, 0));
        entries.subleaves(
            4,
            &[
                Registers::new(0xfc00_4121, 0x02c0_003f, 0x3f, 0),
                Registers::new(0xfc00_4122, 0x01c0_003f, 0x3f, 0),
                Registers::new(0xfc01_c143, 0x03c0_003f, 0x7ff, 0),
                Registers::new(0xfc1f_c163, 0x0380_003f, 0x1_bfff, 4),
                Registers::ZERO,
            ],
        );
        entries.leaf(5, Registers::new(0x40, 0x40, 3, 0x2020));
    }
    entries.leaf(6, ONES);
    entries.subleaves(7, &[Registers::new(2, ALL, ALL, ALL), ONES, ONES]);
    entries.leaf(0xa, Registers::new(0x0830_0805, 0, 0xf, 0x8604));
    let (_, _, size) = xsave(entries, if amd { AMD_XSAVE } else { INTEL_XSAVE }, ALL);
    if !amd {
        entries.subleaves(0x12, &[ONES; 3]);
        entries.subleaves(0x14, &[Registers::new(1, ALL, ALL, ALL), ONES]);
        entries.leaf(0x15, Registers::new(2, 0xa8, 0x017d_7840, 0));
        entries.leaf(0x16, Registers::new(2000, 3800, 100, 0));
        entries.leaf(0x19, ONES);
        entries.subleaves(
            0x1d,
            &[Registers::new(1, 0, 0, 0), Registers::new(0x0400_2000, 0x0008_0040, 0x10, 0)],
        );
        entries.subleaves(0x1e, &[Registers::new(1, 0x4010, 0, 0), Registers::new(ALL, 0, 0, 0)]);
        entries.subleaf(0x23, 0, ONES);
        entries.subleaves(0x24, &[Registers::new(1, 0x0007_0002, 0, 0), ONES]);
        entries.subleaf(0x29, 0, ONES);
    }
    size
}

fn amd_extended(entries: &mut Entries, vendor: Vendor) {
    entries.leaf(0x8000_0000, vendor.leaf(0x8000_0028));
    entries.leaf(0x8000_0001, Registers::new(0x00a1_0f11, 0x4000_0000, ALL, ALL));
    entries.brand("AMD EPYC 9654 96-Core Processor");
    entries.leaf(0x8000_0005, Registers::new(0xff48_ff40, 0xff48_ff40, 0x2008_0140, 0x2008_0140));
    entries.leaf(0x8000_0006, Registers::new(0x5c00_2200, 0x6c00_4200, 0x0400_6140, 0x00c0_9140));
    entries.leaf(0x8000_0007, ONES);
    entries.leaf(0x8000_0008, Registers::new(0x3934, ALL, 0x7001, ALL));
    entries.leaf(0x8000_000a, Registers::new(1, 0x8000, 0, ALL));
    entries.subleaves(
        0x8000_001d,
        &[
            Registers::new(0x4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4143, 0x01c0_003f, 0x7ff, 2),
            Registers::new(0x3_c163, 0x03c0_003f, 0x7fff, 1),
            Registers::ZERO,
        ],
    );
    entries.leaf(0x8000_001e, Registers::new(0, 0x100, 0, 0));
    entries.leaf(0x8000_001f, ONES);
    entries.leaf(0x8000_0021, ONES);
    entries.leaf(0x8000_0022, ONES);
}

fn intel_extended(entries: &mut Entries) {
    entries.leaf(0x8000_0000, Registers::new(0x8000_0028, 0, 0, 0));
    entries.leaf(0x8000_0001, Registers::new(0, 0, ALL, ALL));
    entries.brand("Intel(R) Xeon(R) Platinum 8480+");
    entries.leaf(0x8000_0006, Registers::new(0, 0, 0x0800_7040, 0));
    entries.leaf(0x8000_0007, ONES);
    entries.leaf(0x8000_0008, Registers::new(0x3934, ALL, 0x7001, ALL));
    entries.leaf(0x8000_0021, ONES);
    entries.leaf(0x8000_0022, ONES);
    entries.leaf(0x8000_000a, Registers::new(1, 0x8000, 0, ALL));
    entries.leaf(0x8000_001f, ONES);
}
