//! Leaf 0xD.

use cpuid_tables::Register::{Eax, Ebx, Ecx, Edx};
use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf, feature};

use crate::cases::{AMD, Alone, Case, INTEL, On};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "XSAVE without leaf 0xD",
        base: Alone(AMD),
        plant: |tables| {
            for subleaf in [0, 1, 2, 9] {
                tables.remove(0xd, subleaf);
            }
            tables.put(0, 0, Eax, 0xb);
        },
        expected: &[
            "no-xsave-leaf vCPUs 0-3, entry 3, CPUID.(EAX=1):ECX[26]: xsave is set, but 0xD.0 has no component <no entry, CPUID.(EAX=0xD,ECX=0)>",
        ],
    },
    Case {
        name: "leaf 0xD without XSAVE",
        base: Alone(AMD),
        plant: |tables| {
            tables.clear(
                1,
                0,
                Ecx,
                feature::XSAVE.mask() | feature::AVX.mask() | feature::FMA.mask() | feature::F16C.mask(),
            );
            tables.put(0xd, 1, Eax, 0);
            tables.put(7, 0, Ebx, 0);
            tables.put(7, 0, Ecx, 0);
        },
        expected: &[
            "xsave-leaf-without-xsave vCPUs 0-3, entry 12, CPUID.(EAX=0xD,ECX=0): leaf 0xD is present, but xsave is not set <entry 3, CPUID.(EAX=1):ECX[26]>",
        ],
    },
    Case {
        name: "XCR0 without x87",
        base: Alone(AMD),
        plant: |tables| tables.clear(0xd, 0, Eax, 1),
        expected: &[
            "xcr0-invalid vCPUs 0-3, entry 12, CPUID.(EAX=0xD,ECX=0):EAX[0]: 0xD.0 lacks component 0: x87 is always set",
        ],
    },
    Case {
        name: "XCR0 without SSE",
        base: Alone(AMD),
        plant: |tables| tables.clear(0xd, 0, Eax, 2),
        expected: &[
            "xcr0-invalid vCPUs 0-3, entry 12, CPUID.(EAX=0xD,ECX=0):EAX[1]: 0xD.0 lacks component 1: all other components need SSE",
        ],
    },
    Case {
        name: "AVX-512 without its opmasks",
        base: Alone(INTEL),
        plant: |tables| {
            tables.clear(0xd, 0, Eax, 0x20);
            tables.remove(0xd, 5);
            tables.put(0xd, 1, Ebx, 0x2980);
        },
        expected: &[
            "feature-without-component vCPUs 0-3, entry 12, CPUID.(EAX=7,ECX=0):EBX[16]: avx512f is set, but its component 5 is not in 0xD.0 <entry 18, CPUID.(EAX=0xD,ECX=0):EAX[5]>",
            "xcr0-invalid vCPUs 0-3, entry 18, CPUID.(EAX=0xD,ECX=0):EAX[5]: 0xD.0 lacks component 5 (avx512f): AVX-512's three components belong together and need AVX's",
        ],
    },
    Case {
        name: "AMX without its data",
        base: Alone(INTEL),
        plant: |tables| {
            tables.clear(0xd, 0, Eax, 1 << 18);
            tables.remove(0xd, 18);
            tables.put(0xd, 0, Ebx, 0xb00);
            tables.put(0xd, 0, Ecx, 0xb00);
            tables.put(0xd, 1, Ebx, 0x940);
        },
        expected: &[
            "feature-unusable vCPUs 0-3, entry 12, CPUID.(EAX=7,ECX=0):EDX[24]: amx_tile is set, but its component 18 is not in 0xD.0 <entry 18, CPUID.(EAX=0xD,ECX=0):EAX[18]>",
            "xcr0-invalid vCPUs 0-3, entry 18, CPUID.(EAX=0xD,ECX=0):EAX[18]: 0xD.0 lacks component 18 (amx_tile): AMX's two components belong together",
        ],
    },
    Case {
        name: "PKU without its component",
        base: Alone(AMD),
        plant: |tables| {
            tables.clear(0xd, 0, Eax, 0x200);
            tables.remove(0xd, 9);
            tables.put(0xd, 0, Ebx, 0x340);
            tables.put(0xd, 0, Ecx, 0x340);
            tables.put(0xd, 1, Ebx, 0x340);
        },
        expected: &[
            "feature-without-component vCPUs 0-3, entry 8, CPUID.(EAX=7,ECX=0):ECX[3]: pku is set, but its component 9 is not in 0xD.0 <entry 12, CPUID.(EAX=0xD,ECX=0):EAX[9]>",
        ],
    },
    Case {
        name: "a component without PKU",
        base: Alone(AMD),
        plant: |tables| tables.clear(7, 0, Ecx, feature::PKU.mask()),
        expected: &[
            "component-without-feature vCPUs 0-3, entry 12, CPUID.(EAX=0xD,ECX=0):EAX[9]: component 9 is in 0xD.0, but its feature pku is not set <entry 8, CPUID.(EAX=7,ECX=0):ECX[3]>",
        ],
    },
    Case {
        name: "a component without subleaf",
        base: Alone(AMD),
        plant: |tables| {
            tables.remove(0xd, 9);
            tables.put(0xd, 0, Ecx, 0x340);
            tables.put(0xd, 0, Ebx, 0x340);
            tables.put(0xd, 1, Ebx, 0x340);
        },
        expected: &[
            "component-not-described vCPUs 0-3, no entry, CPUID.(EAX=0xD,ECX=9): component 9 (pku) is in XCR0, but 0xD.9 does not give its size <entry 12, CPUID.(EAX=0xD,ECX=0):EAX[9]>",
        ],
    },
    Case {
        name: "a supervisor component without subleaf",
        base: Alone(INTEL),
        plant: |tables| tables.set(0xd, 1, Ecx, 1 << 11),
        expected: &[
            "component-not-described vCPUs 0-3, no entry, CPUID.(EAX=0xD,ECX=11): component 11 (cet-ss) is in IA32_XSS, but 0xD.11 does not give its size <entry 19, CPUID.(EAX=0xD,ECX=1):ECX[11]>",
        ],
    },
    Case {
        name: "last branch records without subleaf",
        base: Alone(INTEL),
        plant: |tables| tables.set(0xd, 1, Ecx, 1 << 15),
        expected: &[
            "component-size-unknown vCPUs 0-3, no entry, CPUID.(EAX=0xD,ECX=15): component 15 (arch_lbr) is in IA32_XSS, but 0xD.15 does not give its size <entry 19, CPUID.(EAX=0xD,ECX=1):ECX[15]>",
        ],
    },
    Case {
        name: "a subleaf for a component of neither mask",
        base: Alone(AMD),
        plant: |tables| {
            tables.push(CpuidEntry::indexed(Leaf(0xd), Subleaf(5), Registers::new(0x40, 0x340, 0, 0)))
        },
        expected: &[
            "component-not-enabled vCPUs 0-3, entry 30, CPUID.(EAX=0xD,ECX=5): component 5 (avx512f) has a subleaf, but is neither in XCR0 nor in IA32_XSS <entry 12, CPUID.(EAX=0xD,ECX=0):EAX[5]>",
        ],
    },
    Case {
        name: "a component that is too short",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xd, 2, Eax, 0x80);
            tables.put(0xd, 1, Ebx, 0x2c8);
        },
        expected: &[
            "component-size vCPUs 0-3, entry 14, CPUID.(EAX=0xD,ECX=2):EAX: component 2 (avx) has 128 bytes: expected 256",
        ],
    },
    Case {
        name: "PKRU within AVX's component",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xd, 9, Ebx, 0x300);
            tables.put(0xd, 0, Ebx, 0x340);
            tables.put(0xd, 0, Ecx, 0x340);
        },
        expected: &[
            "component-overlap vCPUs 0-3, entry 15, CPUID.(EAX=0xD,ECX=9):EBX: component 9 (pku) at 768 to 776 overlaps component 2 (avx) at 576 to 832 <entry 14, CPUID.(EAX=0xD,ECX=2):EBX>",
        ],
    },
    Case {
        name: "PKRU's component in the header",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xd, 9, Ebx, 0x200);
            tables.put(0xd, 0, Ebx, 0x340);
            tables.put(0xd, 0, Ecx, 0x340);
        },
        expected: &[
            "component-overlap vCPUs 0-3, entry 15, CPUID.(EAX=0xD,ECX=9):EBX: component 9 (pku) at 512 to 520 begins in the legacy region and header, which end at 576",
        ],
    },
    Case {
        name: "AVX's component after PKRU's",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xd, 2, Ebx, 0x9c0);
            tables.put(0xd, 0, Ebx, 0xac0);
            tables.put(0xd, 0, Ecx, 0xac0);
        },
        expected: &[
            "component-offset vCPUs 0-3, entry 14, CPUID.(EAX=0xD,ECX=2):EBX: component 2 (avx) is at 2496: expected 576",
        ],
    },
    Case {
        name: "a component of XCR0 that calls itself a supervisor's",
        base: Alone(AMD),
        plant: |tables| tables.put(0xd, 9, Ecx, 1),
        expected: &[
            "component-mask vCPUs 0-3, entry 15, CPUID.(EAX=0xD,ECX=9):ECX[0]: component 9 (pku) is in XCR0, but bit 0 of 0xD.9's ECX is 1 <entry 12, CPUID.(EAX=0xD,ECX=0):EAX[9]>",
        ],
    },
    Case {
        name: "PKRU at another place than the host has it",
        base: On(AMD, |_| {}),
        plant: |tables| {
            tables.put(0xd, 9, Ebx, 0xa80);
            tables.put(0xd, 0, Ebx, 0xa88);
            tables.put(0xd, 0, Ecx, 0xa88);
        },
        expected: &[
            "component-place vCPUs 0-3, entry 15, CPUID.(EAX=0xD,ECX=9):EBX: component 9 (pku) has 8 bytes at 2688, but on this host 8 bytes at 2432",
        ],
    },
    Case {
        name: "components that the host lacks",
        base: On(INTEL, |host| {
            for entry in
                host.supported.iter_mut().filter(|entry| entry.function.0 == 0xd && entry.index.0 == 0)
            {
                entry.registers.eax = 0xe7;
            }
        }),
        plant: |tables| {
            tables.set(0xd, 1, Ecx, 1 << 12);
            tables.push(CpuidEntry::indexed(Leaf(0xd), Subleaf(12), Registers::new(0x18, 0, 1, 0)));
        },
        expected: &[
            "component-not-supported vCPUs 0-3, entry 18, CPUID.(EAX=0xD,ECX=0):EAX[9]: component 9 (pku) is in XCR0, but KVM on this host does not support it",
            "component-not-supported vCPUs 0-3, entry 18, CPUID.(EAX=0xD,ECX=0):EAX[17]: component 17 (amx_tile) is in XCR0, but KVM on this host does not support it",
            "component-not-supported vCPUs 0-3, entry 18, CPUID.(EAX=0xD,ECX=0):EAX[18]: component 18 (amx_tile) is in XCR0, but KVM on this host does not support it",
            "component-not-supported vCPUs 0-3, entry 19, CPUID.(EAX=0xD,ECX=1):ECX[12]: component 12 (cet-ss) is in IA32_XSS, but KVM on this host does not support it",
        ],
    },
    Case {
        name: "AMX, which takes a permission",
        base: On(INTEL, |host| {
            host.guest_xcomponents = Some(0x6_02e7);
            for entry in
                host.supported.iter_mut().filter(|entry| entry.function.0 == 0xd && entry.index.0 == 0)
            {
                entry.registers.eax = 0x2_02e7;
            }
        }),
        plant: |_| {},
        expected: &[
            "component-permission vCPUs 0-3, entry 18, CPUID.(EAX=0xD,ECX=0):EAX[18]: component 18 (amx_tile) is in XCR0, but KVM on this host grants it only to a process that requests it",
        ],
    },
    Case {
        name: "an area that is too small",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xd, 0, Ecx, 0x340);
            tables.put(0xd, 0, Ebx, 0x340);
        },
        expected: &[
            "xsave-size vCPUs 0-3, entry 12, CPUID.(EAX=0xD,ECX=0):ECX: 0xD.0 gives 832 bytes for all components, but they end at 2440",
        ],
    },
    Case {
        name: "an area that is too large",
        base: Alone(AMD),
        plant: |tables| tables.put(0xd, 0, Ecx, 0xa80),
        expected: &[
            "xsave-size-large vCPUs 0-3, entry 12, CPUID.(EAX=0xD,ECX=0):ECX: 0xD.0 gives 2688 bytes for all components, but they end at 2440",
        ],
    },
    Case {
        name: "a current size of 0",
        base: Alone(AMD),
        plant: |tables| tables.put(0xd, 0, Ebx, 0),
        expected: &[
            "xsave-current-size vCPUs 0-3, entry 12, CPUID.(EAX=0xD,ECX=0):EBX: 0xD.0 gives 0 bytes for the enabled components: expected 576 to 2440",
        ],
    },
    Case {
        name: "a compacted size that is too large",
        base: Alone(AMD),
        plant: |tables| tables.put(0xd, 1, Ebx, 0x988),
        expected: &[
            "xsave-compacted-size vCPUs 0-3, entry 13, CPUID.(EAX=0xD,ECX=1):EBX: 0xD.1 gives 2440 bytes: expected 576 to 840",
        ],
    },
    Case {
        name: "components above 31 are EDX's",
        base: Alone(AMD),
        plant: |tables| tables.put(0xd, 0, Edx, 1 << 30),
        expected: &[
            "component-not-described vCPUs 0-3, no entry, CPUID.(EAX=0xD,ECX=62): component 62 is in XCR0, but 0xD.62 does not give its size <entry 12, CPUID.(EAX=0xD,ECX=0):EDX[30]>",
        ],
    },
];
