//! Descriptions of real processors. The features are those of QEMU's model of the processor (from the facts), and those that
//! only the hardware has; signature, caches, topology and XSAVE's layout are the processor's own (Intel SDM volume 2A, AMD APM
//! volume 3 appendix E, and the processors' data sheets).

use std::collections::BTreeMap;

use cpuid_tables::host::Host;
use cpuid_tables::{CpuidEntry, CpuidWord, Leaf, QemuRelease, Register, Registers, Subleaf};

use super::{Component, Entries, Vendor, kvm, xsave};
use crate::oracle::Outcome;

/// A processor.
struct Processor {
    name: &'static str,
    /// QEMU's model of the processor.
    model: &'static str,
    vendor: Vendor,
    brand: &'static str,
    signature: u32,
    level: u32,
    xlevel: u32,
    /// Physical and virtual address bits, as in 0x80000008.EAX.
    widths: u32,
    /// Logical processors of the package, and threads of a core.
    cpus: u32,
    threads: u32,
    /// Leaf 4, or AMD's 0x8000001D, without its end.
    caches: &'static [Registers],
    components: &'static [Component],
    /// Features of the hardware that the model lacks: leaf, subleaf, register, bits.
    more: &'static [(u32, u32, Register, u32)],
    /// Whole leaves.
    leaves: &'static [(u32, Registers)],
    /// Whole leaves with subleaves from 0 on.
    subleaves: &'static [(u32, &'static [Registers])],
    arch_capabilities: u64,
}

const AVX: Component = (2, [0x100, 0x240, 0]);
const BNDREGS: Component = (3, [0x40, 0x3c0, 0]);
const BNDCSR: Component = (4, [0x40, 0x400, 0]);
const OPMASK: Component = (5, [0x40, 0x440, 0]);
const ZMM_HI: Component = (6, [0x200, 0x480, 0]);
const HI16_ZMM: Component = (7, [0x400, 0x680, 0]);
const PT: Component = (8, [0x80, 0, 1]);
const PKRU: Component = (9, [8, 0xa80, 0]);
const PASID: Component = (10, [8, 0, 1]);
const CET_U: Component = (11, [0x10, 0, 1]);
const CET_S: Component = (12, [0x18, 0, 1]);
const LBR: Component = (15, [0x328, 0, 1]);
const HWP: Component = (16, [8, 0, 1]);
const TILECFG: Component = (17, [0x40, 0xac0, 2]);
const TILEDATA: Component = (18, [0x2000, 0xb00, 6]);

/// Features in leaf 1 that each of these Intel processors has and its model lacks: debug store, thermal monitor, MONITOR,
/// VMX and so on; and HT.
const INTEL_LEAF_1: [(u32, u32, Register, u32); 2] =
    [(1, 0, Register::Ecx, 0x0000_c1fc), (1, 0, Register::Edx, 0xf8e0_0000)];
/// The same for AMD: MONITOR; HT; SVM.
const AMD_LEAF_1: [(u32, u32, Register, u32); 3] = [
    (1, 0, Register::Ecx, 8),
    (1, 0, Register::Edx, 0x1000_0000),
    (0x8000_0001, 0, Register::Ecx, 0x0040_0004),
];

const PROCESSORS: &[Processor] = &[
    Processor {
        name: "nehalem",
        model: "Nehalem",
        vendor: Vendor::INTEL,
        brand: "Intel(R) Xeon(R) CPU           X5570  @ 2.93GHz",
        signature: 0x0001_06a5,
        level: 0xb,
        xlevel: 0x8000_0008,
        widths: 0x3028,
        cpus: 8,
        threads: 2,
        caches: &[
            Registers::new(0x1c00_4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x1c00_4122, 0x00c0_003f, 0x7f, 0),
            Registers::new(0x1c00_4143, 0x01c0_003f, 0x1ff, 0),
            Registers::new(0x1c03_c163, 0x03c0_003f, 0x1fff, 2),
        ],
        components: &[],
        more: &[],
        leaves: &[
            (2, Registers::new(0x5503_5a01, 0x00f0_b2e4, 0, 0x09ca_212c)),
            (0xa, Registers::new(0x0730_0403, 0x44, 0, 0x603)),
        ],
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "haswell-i7",
        model: "Haswell",
        vendor: Vendor::INTEL,
        brand: "Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz",
        signature: 0x0003_06c3,
        level: 0xd,
        xlevel: 0x8000_0008,
        widths: 0x3027,
        cpus: 8,
        threads: 2,
        caches: &[
            Registers::new(0x1c00_4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x1c00_4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x1c00_4143, 0x01c0_003f, 0x1ff, 0),
            Registers::new(0x1c03_c163, 0x03c0_003f, 0x1fff, 6),
        ],
        components: &[AVX],
        more: &[(7, 0, Register::Ebx, 0x2000), (0xd, 1, Register::Eax, 1)],
        leaves: &[
            (2, Registers::new(0x7603_6301, 0x00f0_b5ff, 0, 0x00c1_0000)),
            (0xa, Registers::new(0x0730_0403, 0, 0, 0x603)),
        ],
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "skylake-i5",
        model: "Skylake-Client",
        vendor: Vendor::INTEL,
        brand: "Intel(R) Core(TM) i5-6500 CPU @ 3.20GHz",
        signature: 0x0005_06e3,
        level: 0x16,
        xlevel: 0x8000_0008,
        widths: 0x3027,
        cpus: 4,
        threads: 1,
        caches: &[
            Registers::new(0x1c00_4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x1c00_4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x1c00_4143, 0x00c0_003f, 0x3ff, 0),
            Registers::new(0x1c03_c163, 0x02c0_003f, 0x1fff, 6),
        ],
        components: &[AVX, BNDREGS, BNDCSR, PT],
        more: &[
            (7, 0, Register::Ebx, 0x0280_6004),
            (7, 0, Register::Edx, 0x9c00_2400),
            (0xd, 1, Register::Eax, 8),
        ],
        leaves: &[
            (2, Registers::new(0x7603_6301, 0x00f0_b5ff, 0, 0x00c3_0000)),
            (0xa, Registers::new(0x0730_0404, 0, 0, 0x603)),
            (0x15, Registers::new(2, 0x10a, 0, 0)),
            (0x16, Registers::new(3200, 3600, 100, 0)),
        ],
        subleaves: &[
            (
                0x12,
                &[
                    Registers::new(1, 0, 0, 0x241f),
                    Registers::new(0x36, 0, 0x1f, 0),
                    Registers::new(0x7020_0001, 0, 0x05d8_0001, 0),
                ],
            ),
            (0x14, &[Registers::new(1, 0xf, 7, 0), Registers::new(0x0249_0002, 0x003f_3fff, 0, 0)]),
        ],
        arch_capabilities: 0,
    },
    Processor {
        name: "skylake-xeon",
        model: "Skylake-Server",
        vendor: Vendor::INTEL,
        brand: "Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz",
        signature: 0x0005_0654,
        level: 0x16,
        xlevel: 0x8000_0008,
        widths: 0x302e,
        cpus: 40,
        threads: 2,
        caches: &[
            Registers::new(0x7c00_4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x7c00_4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x7c00_4143, 0x03c0_003f, 0x3ff, 0),
            Registers::new(0x7c0f_c163, 0x0280_003f, 0x9fff, 4),
        ],
        components: &[AVX, BNDREGS, BNDCSR, OPMASK, ZMM_HI, HI16_ZMM, PT, PKRU],
        more: &[
            (7, 0, Register::Ebx, 0x0200_d000),
            (7, 0, Register::Edx, 0x9c00_2400),
            (0xd, 1, Register::Eax, 8),
        ],
        leaves: &[
            (2, Registers::new(0x7603_6301, 0x00f0_b5ff, 0, 0x00c3_0000)),
            (0xa, Registers::new(0x0730_0404, 0, 0, 0x603)),
            (0x15, Registers::new(2, 0xc0, 0, 0)),
            (0x16, Registers::new(2400, 3700, 100, 0)),
        ],
        subleaves: &[(0x14, &[Registers::new(1, 0xf, 7, 0), Registers::new(0x0249_0002, 0x003f_3fff, 0, 0)])],
        arch_capabilities: 0,
    },
    Processor {
        name: "cascadelake",
        model: "Cascadelake-Server-v5",
        vendor: Vendor::INTEL,
        brand: "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz",
        signature: 0x0005_0657,
        level: 0x16,
        xlevel: 0x8000_0008,
        widths: 0x302e,
        cpus: 48,
        threads: 2,
        caches: &[
            Registers::new(0x7c00_4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x7c00_4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x7c00_4143, 0x03c0_003f, 0x3ff, 0),
            Registers::new(0x7c0f_c163, 0x0280_003f, 0xcfff, 4),
        ],
        components: &[AVX, BNDREGS, BNDCSR, OPMASK, ZMM_HI, HI16_ZMM, PT, PKRU],
        more: &[
            (7, 0, Register::Ebx, 0x0200_d000),
            (7, 0, Register::Edx, 0xbc00_2400),
            (0xd, 1, Register::Eax, 8),
        ],
        leaves: &[
            (2, Registers::new(0x7603_6301, 0x00f0_b5ff, 0, 0x00c3_0000)),
            (0xa, Registers::new(0x0730_0404, 0, 0, 0x603)),
            (0x15, Registers::new(2, 0xc8, 0, 0)),
            (0x16, Registers::new(2500, 3500, 100, 0)),
        ],
        subleaves: &[(0x14, &[Registers::new(1, 0xf, 7, 0), Registers::new(0x0249_0002, 0x003f_3fff, 0, 0)])],
        arch_capabilities: 0x2b,
    },
    Processor {
        name: "icelake",
        model: "Icelake-Server-v7",
        vendor: Vendor::INTEL,
        brand: "Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz",
        signature: 0x0006_06a6,
        level: 0x1b,
        xlevel: 0x8000_0008,
        widths: 0x3934,
        cpus: 64,
        threads: 2,
        caches: &[
            Registers::new(0x7c00_4121, 0x02c0_003f, 0x3f, 0),
            Registers::new(0x7c00_4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x7c00_4143, 0x04c0_003f, 0x3ff, 0),
            Registers::new(0x7c0f_c163, 0x02c0_003f, 0xffff, 4),
        ],
        components: &[AVX, OPMASK, ZMM_HI, HI16_ZMM, PT, PKRU, PASID, HWP],
        more: &[
            (7, 0, Register::Ebx, 0x0240_d004),
            (7, 0, Register::Edx, 0xbc04_0410),
            (7, 0, Register::Ecx, 0x4000_0024),
        ],
        leaves: &[
            (2, Registers::new(0x00fe_ff01, 0xf0, 0, 0)),
            (0xa, Registers::new(0x0830_0805, 0, 0xf, 0x8604)),
            (0x15, Registers::new(2, 0xd0, 0x017d_7840, 0)),
            (0x16, Registers::new(2600, 3400, 100, 0)),
        ],
        subleaves: &[
            (
                0x12,
                &[
                    Registers::new(0x63, 0, 0, 0x381f),
                    Registers::new(0xb6, 0, 0x2e7, 0),
                    Registers::new(0x7000_0001, 1, 0x7e80_0001, 0),
                ],
            ),
            (0x14, &[Registers::new(1, 0xf, 7, 0), Registers::new(0x0249_0002, 0x003f_3fff, 0, 0)]),
        ],
        arch_capabilities: 0x0c04_e9ed,
    },
    Processor {
        name: "sapphire-rapids",
        model: "SapphireRapids-v3",
        vendor: Vendor::INTEL,
        brand: "Intel(R) Xeon(R) Platinum 8480+",
        signature: 0x0008_06f8,
        level: 0x20,
        xlevel: 0x8000_0008,
        widths: 0x3934,
        cpus: 112,
        threads: 2,
        caches: &[
            Registers::new(0xfc00_4121, 0x02c0_003f, 0x3f, 0),
            Registers::new(0xfc00_4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0xfc01_c143, 0x03c0_003f, 0x7ff, 0),
            Registers::new(0xfc1f_c163, 0x0380_003f, 0x1_bfff, 4),
        ],
        components: &[
            AVX, OPMASK, ZMM_HI, HI16_ZMM, PT, PKRU, PASID, CET_U, CET_S, LBR, HWP, TILECFG, TILEDATA,
        ],
        more: &[
            (7, 0, Register::Ebx, 0x0240_d004),
            (7, 0, Register::Edx, 0xbc1c_4410),
            (7, 0, Register::Ecx, 0x6000_00a4),
        ],
        leaves: &[
            (2, Registers::new(0x00fe_ff01, 0xf0, 0, 0)),
            (0xa, Registers::new(0x0830_0805, 0, 0xf, 0x8604)),
            (0x15, Registers::new(2, 0xa0, 0x017d_7840, 0)),
            (0x16, Registers::new(2000, 3800, 100, 0)),
        ],
        subleaves: &[
            (
                0x12,
                &[
                    Registers::new(0x863, 0, 0, 0x381f),
                    Registers::new(0xb6, 0, 0x602e7, 0),
                    Registers::new(0x7000_0001, 1, 0x7e80_0001, 0),
                ],
            ),
            (0x14, &[Registers::new(1, 0x4f, 0xf, 0), Registers::new(0x0249_0002, 0x003f_3fff, 0, 0)]),
            (0x1d, &[Registers::new(1, 0, 0, 0), Registers::new(0x0400_2000, 0x0008_0040, 0x10, 0)]),
            (0x1e, &[Registers::new(0, 0x4010, 0, 0)]),
        ],
        arch_capabilities: 0x0d2d_e9eb,
    },
    Processor {
        name: "granite-rapids",
        model: "GraniteRapids-v2",
        vendor: Vendor::INTEL,
        brand: "Intel(R) Xeon(R) 6980P",
        signature: 0x000a_06d1,
        level: 0x24,
        xlevel: 0x8000_0008,
        widths: 0x3934,
        cpus: 256,
        threads: 2,
        caches: &[
            Registers::new(0xfc00_4121, 0x02c0_003f, 0x3f, 0),
            Registers::new(0xfc00_4122, 0x03c0_003f, 0x3f, 0),
            Registers::new(0xfc01_c143, 0x03c0_003f, 0x7ff, 0),
            Registers::new(0xfc3f_c163, 0x03c0_003f, 0x7_dfff, 4),
        ],
        components: &[
            AVX, OPMASK, ZMM_HI, HI16_ZMM, PT, PKRU, PASID, CET_U, CET_S, LBR, HWP, TILECFG, TILEDATA,
        ],
        more: &[
            (7, 0, Register::Ebx, 0x0240_d004),
            (7, 0, Register::Edx, 0xbc1c_4410),
            (7, 0, Register::Ecx, 0x6000_00a4),
        ],
        leaves: &[
            (2, Registers::new(0x00fe_ff01, 0xf0, 0, 0)),
            (0xa, Registers::new(0x0830_0806, 0, 0xf, 0x8604)),
            (0x15, Registers::new(2, 0xa0, 0x017d_7840, 0)),
            (0x16, Registers::new(2000, 3900, 100, 0)),
        ],
        subleaves: &[
            (0x14, &[Registers::new(1, 0x4f, 0xf, 0), Registers::new(0x0249_0002, 0x003f_3fff, 0, 0)]),
            (0x1d, &[Registers::new(1, 0, 0, 0), Registers::new(0x0400_2000, 0x0008_0040, 0x10, 0)]),
            (0x1e, &[Registers::new(1, 0x4010, 0, 0), Registers::new(0xf, 0, 0, 0)]),
            (0x24, &[Registers::new(0, 0x0007_0001, 0, 0)]),
        ],
        arch_capabilities: 0x0d2d_e9eb,
    },
    Processor {
        name: "opteron-k10",
        model: "Opteron_G3",
        vendor: Vendor::AMD,
        brand: "Quad-Core AMD Opteron(tm) Processor 2378",
        signature: 0x0010_0f42,
        level: 5,
        xlevel: 0x8000_001b,
        widths: 0x3030,
        cpus: 4,
        threads: 1,
        caches: &[],
        components: &[],
        more: &[(0x8000_0001, 0, Register::Ecx, 0x37ff), (0x8000_0001, 0, Register::Edx, 0xee50_0800)],
        leaves: &[
            (0x8000_0005, Registers::new(0xff30_ff10, 0xff30_ff20, 0x4002_0140, 0x4002_0140)),
            (0x8000_0006, Registers::new(0x2080_0000, 0x4200_4200, 0x0200_8140, 0x0030_b140)),
            (0x8000_0007, Registers::new(0, 0, 0, 0x1f9)),
            (0x8000_000a, Registers::new(1, 0x40, 0, 0xf)),
        ],
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "rome",
        model: "EPYC-Rome-v2",
        vendor: Vendor::AMD,
        brand: "AMD EPYC 7702 64-Core Processor",
        signature: 0x0083_0f10,
        level: 0x10,
        xlevel: 0x8000_0020,
        widths: 0x3030,
        cpus: 128,
        threads: 2,
        caches: &[
            Registers::new(0x4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4143, 0x01c0_003f, 0x3ff, 2),
            Registers::new(0x1_c163, 0x03c0_003f, 0x3fff, 1),
        ],
        components: &[AVX, (9, [8, 0x340, 0])],
        more: &[(7, 0, Register::Ebx, 0x9000), (0xd, 1, Register::Eax, 8)],
        leaves: ZEN_LEAVES,
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "milan",
        model: "EPYC-Milan-v2",
        vendor: Vendor::AMD,
        brand: "AMD EPYC 7763 64-Core Processor",
        signature: 0x00a0_0f11,
        level: 0x10,
        xlevel: 0x8000_0023,
        widths: 0x3030,
        cpus: 128,
        threads: 2,
        caches: &[
            Registers::new(0x4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4143, 0x01c0_003f, 0x3ff, 2),
            Registers::new(0x3_c163, 0x03c0_003f, 0x7fff, 1),
        ],
        components: &[AVX, (9, [8, 0x980, 0]), CET_U, CET_S],
        more: &[(7, 0, Register::Ebx, 0x9000), (7, 0, Register::Ecx, 0x80), (0xd, 1, Register::Eax, 8)],
        leaves: ZEN_LEAVES,
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "genoa",
        model: "EPYC-Genoa",
        vendor: Vendor::AMD,
        brand: "AMD EPYC 9654 96-Core Processor",
        signature: 0x00a1_0f11,
        level: 0x10,
        xlevel: 0x8000_0028,
        widths: 0x3934,
        cpus: 192,
        threads: 2,
        caches: &[
            Registers::new(0x4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4143, 0x01c0_003f, 0x7ff, 2),
            Registers::new(0x3_c163, 0x03c0_003f, 0x7fff, 1),
        ],
        components: GENOA_XSAVE,
        more: &[
            (7, 0, Register::Ebx, 0x9000),
            (7, 0, Register::Ecx, 0x80),
            (0x8000_0021, 0, Register::Eax, 0x60),
        ],
        leaves: ZEN_LEAVES,
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "ryzen-7950x",
        model: "EPYC-Genoa",
        vendor: Vendor::AMD,
        brand: "AMD Ryzen 9 7950X 16-Core Processor",
        signature: 0x00a6_0f12,
        level: 0x10,
        xlevel: 0x8000_0028,
        widths: 0x3030,
        cpus: 32,
        threads: 2,
        caches: &[
            Registers::new(0x4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4122, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4143, 0x01c0_003f, 0x7ff, 2),
            Registers::new(0x3_c163, 0x03c0_003f, 0x7fff, 1),
        ],
        components: GENOA_XSAVE,
        more: &[(7, 0, Register::Ebx, 0x8000), (7, 0, Register::Ecx, 0x80)],
        leaves: ZEN_LEAVES,
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "hygon-dhyana",
        model: "Dhyana",
        vendor: Vendor::HYGON,
        brand: "Hygon C86 7185 32-core Processor",
        signature: 0x0090_0f02,
        level: 0xd,
        xlevel: 0x8000_001f,
        widths: 0x3030,
        cpus: 64,
        threads: 2,
        caches: &[
            Registers::new(0x4121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x4122, 0x00c0_003f, 0xff, 0),
            Registers::new(0x4143, 0x01c0_003f, 0x3ff, 2),
            Registers::new(0x1_c163, 0x03c0_003f, 0x1fff, 1),
        ],
        components: &[AVX],
        more: &[],
        leaves: ZEN_LEAVES,
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "zhaoxin-yongfeng",
        model: "YongFeng",
        vendor: Vendor::ZHAOXIN,
        brand: "ZHAOXIN KaiSheng KH-40000/16@2.2GHz",
        signature: 0x0007_05b0,
        level: 0x1f,
        xlevel: 0x8000_0008,
        widths: 0x302e,
        cpus: 16,
        threads: 1,
        caches: &[
            Registers::new(0x3c00_0121, 0x01c0_003f, 0x3f, 0),
            Registers::new(0x3c00_0122, 0x03c0_003f, 0x3f, 0),
            Registers::new(0x3c00_0143, 0x01c0_003f, 0x1ff, 0),
            Registers::new(0x3c03_c163, 0x03c0_003f, 0x7fff, 2),
        ],
        components: &[AVX],
        more: &[],
        leaves: &[
            (0xa, Registers::new(0x0730_0402, 0, 0, 0x603)),
            (0xc000_0000, Registers::new(0xc000_0004, 0, 0, 0)),
        ],
        subleaves: &[],
        arch_capabilities: 0,
    },
    Processor {
        name: "via-nano",
        model: "core2duo",
        vendor: Vendor::CENTAUR,
        brand: "VIA Nano U3500@1000MHz",
        signature: 0x0000_06fa,
        level: 0xa,
        xlevel: 0x8000_0008,
        widths: 0x3024,
        cpus: 1,
        threads: 1,
        caches: &[],
        components: &[],
        more: &[(1, 0, Register::Ecx, 0x0008_2000)],
        leaves: &[
            (0xa, Registers::new(0x0728_0201, 0, 0, 0)),
            (0x8000_0005, Registers::new(0, 0x0880_0880, 0x4010_0140, 0x4010_0140)),
            (0x8000_0006, Registers::new(0, 0, 0x0400_a140, 0)),
            (0xc000_0000, Registers::new(0xc000_0002, 0, 0, 0)),
            (0xc000_0001, Registers::new(0, 0, 0, 0x3fcd)),
        ],
        subleaves: &[],
        arch_capabilities: 0,
    },
];

/// Zen 4's XSAVE layout.
const GENOA_XSAVE: &[Component] = &[
    AVX,
    (5, [0x40, 0x340, 0]),
    (6, [0x200, 0x380, 0]),
    (7, [0x400, 0x580, 0]),
    (9, [8, 0x980, 0]),
    CET_U,
    CET_S,
];

/// The leaves that processors with Zen cores share, as in the second generation.
const ZEN_LEAVES: &[(u32, Registers)] = &[
    (5, Registers::new(0x40, 0x40, 3, 0x11)),
    (0x8000_0005, Registers::new(0xff40_ff40, 0xff40_ff40, 0x2008_0140, 0x2008_0140)),
    (0x8000_0006, Registers::new(0x4800_6400, 0x6800_6400, 0x0200_6140, 0x0800_9140)),
    (0x8000_0007, Registers::new(0, 0x3b, 0, 0x6799)),
    (0x8000_000a, Registers::new(1, 0x8000, 0, 0x0013_bcff)),
    (0x8000_001b, Registers::new(0x3ff, 0, 0, 0)),
    (0x8000_001e, Registers::new(0, 0x100, 0, 0)),
    (0x8000_001f, Registers::new(0x0101_ffff, 0x173, 0x1fd, 1)),
];

/// Every processor described here, with a current KVM, by name.
pub fn processors() -> Outcome<Vec<(&'static str, Host)>> {
    PROCESSORS.iter().map(|processor| Ok((processor.name, processor.host()?))).collect()
}

impl Processor {
    fn host(&self) -> Outcome<Host> {
        let words = self.words()?;
        let word = |leaf: u32, subleaf: u32, register: Register| {
            words.get(&CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register)).copied().unwrap_or(0)
        };
        let of = |leaf: u32, subleaf: u32| Registers::from_fn(|register| word(leaf, subleaf, register));
        let mut entries = Entries::default();
        entries.leaf(0, self.vendor.leaf(self.level));
        let Registers { ecx, edx, .. } = of(1, 0);
        entries
            .leaf(1, Registers::new(self.signature, self.cpus.next_power_of_two() << 16 | 0x0800, ecx, edx));
        if !self.vendor.is_amd() && !self.caches.is_empty() {
            entries.subleaves(4, &[self.caches, &[Registers::ZERO]].concat());
        }
        entries.leaf(6, of(6, 0));
        if self.level >= 7 {
            let last = (1..=2).rev().find(|subleaf| of(7, *subleaf) != Registers::ZERO).unwrap_or(0);
            let mut all: Vec<Registers> = (0..=last).map(|subleaf| of(7, subleaf)).collect();
            all[0].eax = last;
            entries.subleaves(7, &all);
        }
        self.topology(&mut entries);
        if self.level >= 0xd {
            xsave(&mut entries, self.components, word(0xd, 1, Register::Eax));
        }
        for (leaf, all) in self.subleaves {
            entries.subleaves(*leaf, all);
        }
        self.extended(&mut entries, of);
        for (leaf, registers) in self.leaves {
            entries.leaf(*leaf, *registers);
        }
        let mut instruction = entries.0;
        instruction.sort_by_key(|entry: &CpuidEntry| (entry.function, entry.index));
        Ok(kvm::host(self.vendor, instruction, self.arch_capabilities))
    }

    /// The model's feature words, and the features that only the hardware has.
    fn words(&self) -> Outcome<BTreeMap<CpuidWord, u32>> {
        let release = QemuRelease::find("10.0").ok_or("no QEMU 10.0")?;
        let model = release.cpu_model(self.model).ok_or_else(|| format!("no model {}", self.model))?;
        let mut words: BTreeMap<CpuidWord, u32> = model.words().collect();
        let mut add = |rows: &[(u32, u32, Register, u32)]| {
            for (leaf, subleaf, register, bits) in rows {
                *words.entry(CpuidWord::new(Leaf(*leaf), Subleaf(*subleaf), *register)).or_default() |= bits;
            }
        };
        if self.vendor.is_amd() {
            add(&AMD_LEAF_1)
        } else {
            add(&INTEL_LEAF_1)
        }
        add(self.more);
        Ok(words)
    }

    /// Leaf 0xB.
    fn topology(&self, entries: &mut Entries) {
        if self.level < 0xb {
            return;
        }
        let width = |count: u32| count.next_power_of_two().trailing_zeros();
        entries.subleaves(
            0xb,
            &[
                Registers::new(width(self.threads), self.threads, 0x100, 0),
                Registers::new(width(self.cpus), self.cpus, 0x201, 0),
                Registers::new(0, 0, 2, 0),
            ],
        );
    }

    fn extended(&self, entries: &mut Entries, of: impl Fn(u32, u32) -> Registers) {
        let amd = self.vendor.is_amd();
        entries.leaf(
            0x8000_0000,
            if amd { self.vendor.leaf(self.xlevel) } else { Registers::new(self.xlevel, 0, 0, 0) },
        );
        let Registers { ecx, edx, .. } = of(0x8000_0001, 0);
        // AMD repeats bits of leaf 1.
        let aliases = if amd { of(1, 0).edx & 0x0183_f3ff } else { 0 };
        entries
            .leaf(0x8000_0001, Registers::new(if amd { self.signature } else { 0 }, 0, ecx, edx | aliases));
        entries.brand(self.brand);
        if self.vendor == Vendor::INTEL {
            entries.leaf(0x8000_0006, Registers::new(0, 0, 0x0100_6040, 0));
            entries.leaf(0x8000_0007, Registers::new(0, 0, 0, 0x100));
        }
        let Registers { ebx, .. } = of(0x8000_0008, 0);
        let ecx = if amd { width_and_count(self.cpus) } else { 0 };
        entries.leaf(0x8000_0008, Registers::new(self.widths, ebx, ecx, 0));
        if amd && !self.caches.is_empty() {
            entries.subleaves(0x8000_001d, &[self.caches, &[Registers::ZERO]].concat());
        }
        if self.xlevel >= 0x8000_0021 && amd {
            let Registers { eax, ecx, .. } = of(0x8000_0021, 0);
            entries.leaf(0x8000_0021, Registers::new(eax, 0, ecx, 0));
        }
    }
}

/// 0x80000008.ECX: bits of an APIC id, and the number of processors minus one.
fn width_and_count(cpus: u32) -> u32 {
    cpus.next_power_of_two().trailing_zeros() << 12 | (cpus - 1)
}
