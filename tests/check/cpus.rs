//! Addresses, topology and APIC ids.

use cpuid_tables::Register::{Eax, Ebx, Ecx, Edx};
use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf, feature};

use crate::cases::{AMD, Alone, Case, INTEL, On};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "49 bits of linear addresses",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0008, 0, Eax, 0x3128),
        expected: &[
            "virtual-width vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):EAX[15:8]: linear addresses have 49 bits: KVM accepts 48, 57 or 0",
        ],
    },
    Case {
        name: "57 bits without LA57",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0008, 0, Eax, 0x3928),
        expected: &[
            "virtual-width-la57 vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):EAX[15:8]: linear addresses have 57 bits, but la57 is not set <entry 8, CPUID.(EAX=7,ECX=0):ECX[16]>",
        ],
    },
    Case {
        name: "48 bits with LA57",
        base: Alone(AMD),
        plant: |tables| tables.set(7, 0, Ecx, feature::LA57.mask()),
        expected: &[
            "virtual-width-la57 vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):EAX[15:8]: linear addresses have 48 bits, but la57 is set <entry 8, CPUID.(EAX=7,ECX=0):ECX[16]>",
        ],
    },
    Case {
        name: "no bits of linear addresses are not judged",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0008, 0, Eax, 0x0028),
        expected: &[],
    },
    Case {
        name: "53 bits of physical addresses",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0008, 0, Eax, 0x3035),
        expected: &[
            "physical-width vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):EAX[7:0]: physical addresses have 53 bits: expected 32 to 52",
        ],
    },
    Case {
        name: "no bits of physical addresses",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0008, 0, Eax, 0x3000),
        expected: &[
            "physical-width vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):EAX[7:0]: physical addresses have 0 bits: expected 32 to 52",
        ],
    },
    Case {
        name: "more bits than the host's",
        base: On(AMD, |host| {
            host.supported
                .iter_mut()
                .filter(|entry| entry.function.0 == 0x8000_0008)
                .for_each(|entry| entry.registers.eax = 0x3027);
        }),
        plant: |_| {},
        expected: &[
            "physical-width-host vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):EAX[7:0]: physical addresses have 40 bits, but this host's only 39",
        ],
    },
    Case {
        name: "more guest-physical bits than physical ones",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0008, 0, Eax, 0x0030_3028),
        expected: &[
            "guest-physical-width vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):EAX[23:16]: guest-physical addresses have 48 bits, but physical addresses only 40",
        ],
    },
    Case {
        name: "a core below the thread",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xb, 0, Ecx, 0x200);
            tables.put(0xb, 1, Ecx, 0x101);
            tables.put(0x8000_001e, 0, Ebx, 0);
        },
        expected: &[
            "level-order vCPUs 0-3, entry 9, CPUID.(EAX=0xB,ECX=0):ECX[15:8]: leaf 0xB begins with a core: expected type 1",
            "level-order vCPUs 0-3, entry 10, CPUID.(EAX=0xB,ECX=1):ECX[15:8]: level 1 of leaf 0xB is a thread, after a core <entry 9, CPUID.(EAX=0xB,ECX=0):ECX[15:8]>",
        ],
    },
    Case {
        name: "a type of level that 0xB does not have",
        base: Alone(AMD),
        plant: |tables| tables.put(0xb, 1, Ecx, 0x501),
        expected: &[
            "level-order vCPUs 0-3, entry 10, CPUID.(EAX=0xB,ECX=1):ECX[15:8]: level 1 of leaf 0xB is of type 5, which that leaf does not define",
        ],
    },
    Case {
        name: "a level that calls itself another",
        base: Alone(AMD),
        plant: |tables| tables.put(0xb, 1, Ecx, 0x207),
        expected: &[
            "level-number vCPUs 0-3, entry 10, CPUID.(EAX=0xB,ECX=1):ECX[7:0]: level 1 of leaf 0xB has level number 7",
        ],
    },
    Case {
        name: "shifts that descend",
        base: Alone(INTEL),
        plant: |tables| {
            tables.put(0x1f, 1, Eax, 3);
        },
        expected: &[
            "level-shift vCPUs 0-3, entry 36, CPUID.(EAX=0x1F,ECX=2):EAX[4:0]: level 2 of leaf 0x1F has shift 2, but the one below 3 <entry 35, CPUID.(EAX=0x1F,ECX=1):EAX[4:0]>",
        ],
    },
    Case {
        name: "more processors than a shift has room for",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xb, 0, Ebx, 3);
            tables.put(0xb, 1, Ebx, 3);
        },
        expected: &[
            "logical-count-low vCPUs 0-3, entry 3, CPUID.(EAX=1):EBX[23:16]: 1.EBX counts 2 logical processors, but leaf 0xB 3 <entry 10, CPUID.(EAX=0xB,ECX=1):EBX[15:0]>",
            "level-count vCPUs 0-3, entry 9, CPUID.(EAX=0xB,ECX=0):EBX[15:0]: level 0 of leaf 0xB has 3 processors, but its shift 1 has room for only 2 <entry 9, CPUID.(EAX=0xB,ECX=0):EAX[4:0]>",
            "level-count vCPUs 0-3, entry 10, CPUID.(EAX=0xB,ECX=1):EBX[15:0]: level 1 of leaf 0xB has 3 processors, but its shift 1 has room for only 2 <entry 10, CPUID.(EAX=0xB,ECX=1):EAX[4:0]>",
            "amd-thread-count-low vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):ECX[7:0]: leaf 0x80000008 counts 2 threads, but leaf 0xB 3 <entry 10, CPUID.(EAX=0xB,ECX=1):EBX[15:0]>",
            "amd-core-threads vCPUs 0-3, entry 28, CPUID.(EAX=0x8000001E):EBX[15:8]: a core has 2 threads in leaf 0x8000001E, but 3 in leaf 0xB <entry 9, CPUID.(EAX=0xB,ECX=0):EBX[15:0]>",
        ],
    },
    Case {
        name: "a level of no processors",
        base: Alone(INTEL),
        plant: |tables| tables.put(0x1f, 1, Ebx, 0),
        expected: &[
            "level-count vCPUs 0-3, entry 35, CPUID.(EAX=0x1F,ECX=1):EBX[15:0]: level 1 of leaf 0x1F has no processors",
        ],
    },
    Case {
        name: "fewer processors than the level below",
        base: Alone(INTEL),
        plant: |tables| tables.put(0x1f, 1, Ebx, 1),
        expected: &[
            "level-count vCPUs 0-3, entry 35, CPUID.(EAX=0x1F,ECX=1):EBX[15:0]: level 1 of leaf 0x1F has 1 processor, but the one below 2 <entry 34, CPUID.(EAX=0x1F,ECX=0):EBX[15:0]>",
        ],
    },
    Case {
        name: "packages of 0xB and 0x1F with other shifts",
        base: Alone(INTEL),
        plant: |tables| tables.put(0xb, 1, Eax, 3),
        expected: &[
            "levels-differ vCPUs 0-3, entry 36, CPUID.(EAX=0x1F,ECX=2):EAX[4:0]: the package shift is 3 in leaf 0xB, but 2 in leaf 0x1F <entry 16, CPUID.(EAX=0xB,ECX=1):EAX[4:0]>",
        ],
    },
    Case {
        name: "packages of 0xB and 0x1F with other processors",
        base: Alone(INTEL),
        plant: |tables| tables.put(0xb, 1, Ebx, 3),
        expected: &[
            "level-counts-differ vCPUs 0-3, entry 36, CPUID.(EAX=0x1F,ECX=2):EBX[15:0]: the processors per package are 3 in leaf 0xB, but 4 in leaf 0x1F <entry 16, CPUID.(EAX=0xB,ECX=1):EBX[15:0]>",
        ],
    },
    Case {
        name: "another topology in one vCPU",
        base: Alone(AMD),
        plant: |tables| {
            tables.of(3, |entries| {
                for entry in entries.iter_mut() {
                    match (entry.function.0, entry.index.0) {
                        (0xb, 1) => entry.registers.eax = 2,
                        (0x8000_0008, _) => entry.registers.ecx = 0x2001,
                        _ => {}
                    }
                }
            });
        },
        expected: &[
            "topologies-differ vCPU 3, entry 9, CPUID.(EAX=0xB): leaf 0xB of vCPU 3 has the levels thread 1, core 2, but of vCPU 0 thread 1, core 1 <vCPU 0, entry 9, CPUID.(EAX=0xB)>",
        ],
    },
    Case {
        name: "fewer logical processors than 0xB",
        base: Alone(INTEL),
        plant: |tables| {
            tables.edit(1, 0, |entry| entry.registers.ebx = entry.registers.ebx & !0xff_0000 | 2 << 16)
        },
        expected: &[
            "logical-count-low vCPUs 0-3, entry 3, CPUID.(EAX=1):EBX[23:16]: 1.EBX counts 2 logical processors, but leaf 0x1F 4 <entry 36, CPUID.(EAX=0x1F,ECX=2):EBX[15:0]>",
        ],
    },
    Case {
        name: "more logical processors than 0xB has room for",
        base: Alone(INTEL),
        plant: |tables| {
            tables.edit(1, 0, |entry| entry.registers.ebx = entry.registers.ebx & !0xff_0000 | 8 << 16)
        },
        expected: &[
            "logical-count vCPUs 0-3, entry 3, CPUID.(EAX=1):EBX[23:16]: 1.EBX counts 8 logical processors, but a package has room for only 4 according to leaf 0x1F <entry 36, CPUID.(EAX=0x1F,ECX=2):EAX[4:0]>",
        ],
    },
    Case {
        name: "logical processors without HTT",
        base: Alone(INTEL),
        plant: |tables| tables.clear(1, 0, Edx, feature::HT.mask()),
        expected: &[
            "logical-count-without-htt vCPUs 0-3, entry 3, CPUID.(EAX=1):EBX[23:16]: 1.EBX counts 4 logical processors, but ht is not set <entry 3, CPUID.(EAX=1):EDX[28]>",
        ],
    },
    Case {
        name: "HTT without logical processors",
        base: Alone(INTEL),
        plant: |tables| tables.clear(1, 0, Ebx, 0xff_0000),
        expected: &[
            "htt-without-count vCPUs 0-3, entry 3, CPUID.(EAX=1):EDX[28]: ht is set, but 1.EBX counts 0 logical processors <entry 3, CPUID.(EAX=1):EBX[23:16]>",
        ],
    },
    Case {
        name: "CMP_LEGACY on Intel",
        base: Alone(INTEL),
        plant: |tables| tables.set(0x8000_0001, 0, Ecx, feature::CMP_LEGACY.mask()),
        expected: &[
            "cmp-legacy vCPUs 0-3, entry 40, CPUID.(EAX=0x80000001):ECX[1]: cmp_legacy is set, but the vendor is not AMD",
        ],
    },
    Case {
        name: "CMP_LEGACY without HTT",
        base: Alone(AMD),
        plant: |tables| {
            tables.clear(1, 0, Edx, feature::HT.mask());
            tables.clear(1, 0, Ebx, 0xff_0000);
        },
        expected: &[
            "cmp-legacy vCPUs 0-3, entry 17, CPUID.(EAX=0x80000001):ECX[1]: cmp_legacy is set, but ht is not <entry 3, CPUID.(EAX=1):EDX[28]>",
        ],
    },
    Case {
        name: "a cache shared by more than a package",
        base: Alone(INTEL),
        plant: |tables| tables.set(4, 3, Eax, 0x3f << 14),
        expected: &[
            "cache-sharing vCPUs 0-3, entry 8, CPUID.(EAX=4,ECX=3):EAX[25:14]: cache 3 of leaf 4 (level 3) is shared by 64 APIC ids, but leaf 0x1F gives a package only 4 <entry 36, CPUID.(EAX=0x1F,ECX=2):EAX[4:0]>",
        ],
    },
    Case {
        name: "AMD's cache shared by more than a package",
        base: Alone(AMD),
        plant: |tables| tables.set(0x8000_001d, 3, Eax, 0xf << 14),
        expected: &[
            "cache-sharing vCPUs 0-3, entry 26, CPUID.(EAX=0x8000001D,ECX=3):EAX[25:14]: cache 3 of leaf 0x8000001D (level 3) is shared by 16 APIC ids, but leaf 0xB gives a package only 2 <entry 10, CPUID.(EAX=0xB,ECX=1):EAX[4:0]>",
        ],
    },
    Case {
        name: "fewer ids of cores than cores",
        base: Alone(INTEL),
        plant: |tables| tables.clear(4, 0, Eax, 0x3f << 26),
        expected: &[
            "core-count-low vCPUs 0-3, entry 5, CPUID.(EAX=4,ECX=0):EAX[31:26]: subleaf 0 of leaf 4 has room for 1 core in a package, but it has 2 according to leaf 0x1F <entry 36, CPUID.(EAX=0x1F,ECX=2):EBX[15:0]>",
        ],
    },
    Case {
        name: "more ids of cores than a package has room for",
        base: Alone(INTEL),
        plant: |tables| tables.set(4, 2, Eax, 0x3f << 26),
        expected: &[
            "core-count vCPUs 0-3, entry 7, CPUID.(EAX=4,ECX=2):EAX[31:26]: subleaf 2 of leaf 4 has room for 64 cores in a package, but leaf 0x1F for only 2 <entry 36, CPUID.(EAX=0x1F,ECX=2):EAX[4:0]>",
        ],
    },
    Case {
        name: "0x80000008 counts other threads",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0008, 0, Ecx, 0x1000),
        expected: &[
            "amd-thread-count-low vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):ECX[7:0]: leaf 0x80000008 counts 1 thread, but leaf 0xB 2 <entry 10, CPUID.(EAX=0xB,ECX=1):EBX[15:0]>",
        ],
    },
    Case {
        name: "0x80000008 has no room for its threads, and other ids",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0008, 0, Ecx, 0x2007),
        expected: &[
            "amd-thread-count vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):ECX[7:0]: leaf 0x80000008 counts 8 threads, but gives them only 2 bits of the APIC id <entry 22, CPUID.(EAX=0x80000008):ECX[15:12]>",
            "amd-thread-count vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):ECX[15:12]: leaf 0x80000008 gives threads 2 bits of the APIC id, but leaf 0xB 1 <entry 10, CPUID.(EAX=0xB,ECX=1):EAX[4:0]>",
        ],
    },
    Case {
        name: "0x80000008 counts more than leaf 1, without 0xB",
        base: Alone(AMD),
        plant: |tables| {
            for subleaf in 0..3 {
                tables.remove(0xb, subleaf);
            }
            tables.put(0x8000_0008, 0, Ecx, 0x2003);
        },
        expected: &[
            "leaf-missing vCPUs 0-3, no entry, CPUID.(EAX=0xB,ECX=0): x2apic is set, and CPUID.(EAX=0xB,ECX=0) (the x2APIC id) is missing <entry 3, CPUID.(EAX=1):ECX[21]>",
            "amd-thread-count vCPUs 0-3, entry 19, CPUID.(EAX=0x80000008):ECX[7:0]: leaf 0x80000008 counts 4 threads, but 1.EBX 2 <entry 3, CPUID.(EAX=1):EBX[23:16]>",
        ],
    },
    Case {
        name: "0x8000001E has cores of one thread",
        base: Alone(AMD),
        plant: |tables| tables.clear(0x8000_001e, 0, Ebx, 0x100),
        expected: &[
            "amd-core-threads vCPUs 0-3, entry 28, CPUID.(EAX=0x8000001E):EBX[15:8]: a core has 1 thread in leaf 0x8000001E, but 2 in leaf 0xB <entry 9, CPUID.(EAX=0xB,ECX=0):EBX[15:0]>",
        ],
    },
    Case {
        name: "two threads of a core with two core ids",
        base: Alone(AMD),
        plant: |tables| {
            tables.of(1, |entries| {
                entries
                    .iter_mut()
                    .filter(|entry| entry.function.0 == 0x8000_001e)
                    .for_each(|entry| entry.registers.ebx = 0x101);
            });
        },
        expected: &[
            "core-ids vCPU 1, entry 28, CPUID.(EAX=0x8000001E):EBX[7:0]: vCPUs 0 and 1 are threads of one core by their APIC ids, but have core ids 0 and 1 <vCPU 0, entry 28, CPUID.(EAX=0x8000001E):EBX[7:0]>",
        ],
    },
    Case {
        name: "two packages with one node id",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_001e, 0, Ecx, 0),
        expected: &[
            "node-ids vCPU 2, entry 28, CPUID.(EAX=0x8000001E):ECX[7:0]: vCPUs 0 and 2 both have node id 0, but are in packages 0 and 1 by their APIC ids <vCPU 0, entry 28, CPUID.(EAX=0x8000001E):ECX[7:0]>",
            "node-ids vCPU 3, entry 28, CPUID.(EAX=0x8000001E):ECX[7:0]: vCPUs 0 and 3 both have node id 0, but are in packages 0 and 1 by their APIC ids <vCPU 0, entry 28, CPUID.(EAX=0x8000001E):ECX[7:0]>",
        ],
    },
    Case {
        name: "another id in leaf 1",
        base: Alone(AMD),
        plant: |tables| {
            tables.first();
            tables.set(1, 0, Ebx, 5 << 24);
        },
        expected: &[
            "apic-ids-differ vCPU 0, entry 3, CPUID.(EAX=1):EBX[31:24]: the APIC id is 5 here but 0 there <entry 9, CPUID.(EAX=0xB,ECX=0):EDX>",
        ],
    },
    Case {
        name: "another id in 0x1F and 0x8000001E",
        base: Alone(INTEL),
        plant: |tables| {
            tables.first();
            tables.put(0x1f, 1, Edx, 2);
        },
        expected: &[
            "apic-ids-differ vCPU 0, entry 35, CPUID.(EAX=0x1F,ECX=1):EDX: the APIC id is 2 here but 0 there <entry 15, CPUID.(EAX=0xB,ECX=0):EDX>",
        ],
    },
    Case {
        name: "another id in 0x8000001E",
        base: Alone(AMD),
        plant: |tables| {
            tables.first();
            tables.put(0x8000_001e, 0, Eax, 2);
        },
        expected: &[
            "apic-ids-differ vCPU 0, entry 28, CPUID.(EAX=0x8000001E):EAX: the APIC id is 2 here but 0 there <entry 9, CPUID.(EAX=0xB,ECX=0):EDX>",
        ],
    },
    Case {
        name: "the base table for two vCPUs",
        base: Alone(AMD),
        plant: |tables| {
            let base = tables.0[0].1.clone();
            tables.of(1, |entries| entries.clone_from(&base));
        },
        expected: &[
            "apic-id-used-twice vCPU 1, entry 9, CPUID.(EAX=0xB,ECX=0):EDX: vCPUs 0 and 1 both have APIC id 0 <vCPU 0, entry 9, CPUID.(EAX=0xB,ECX=0):EDX>",
        ],
    },
    Case {
        name: "ids of leaf 1 alone, twice",
        base: Alone(include_str!("pentium.txt")),
        plant: |tables| {
            let base = tables.0[0].1.clone();
            tables.0.push((1, base));
        },
        expected: &[
            "apic-id-used-twice vCPU 1, entry 3, CPUID.(EAX=1):EBX[31:24]: vCPUs 0 and 1 both have APIC id 0 <vCPU 0, entry 3, CPUID.(EAX=1):EBX[31:24]>",
        ],
    },
    Case {
        name: "id 255 without x2APIC",
        base: Alone(include_str!("pentium.txt")),
        plant: |tables| {
            tables.set(1, 0, Ebx, 0xff << 24);
            tables.clear(1, 0, Ecx, feature::X2APIC.mask());
        },
        expected: &[
            "apic-id-too-wide vCPU 0, entry 3, CPUID.(EAX=1):EBX[31:24]: the APIC id is 255, but x2apic is not set <entry 3, CPUID.(EAX=1):ECX[21]>",
        ],
    },
    Case {
        name: "id 256 with x2APIC",
        base: Alone(INTEL),
        plant: |tables| {
            tables.first();
            for subleaf in 0..3 {
                tables.put(0xb, subleaf, Edx, 256);
            }
            for subleaf in 0..4 {
                tables.put(0x1f, subleaf, Edx, 256);
            }
        },
        expected: &[],
    },
    Case {
        name: "an id that KVM cannot create",
        base: On(AMD, |host| {
            host.capabilities.insert(128, 2);
        }),
        plant: |_| {},
        expected: &[
            "apic-id-limit vCPU 2, entry 9, CPUID.(EAX=0xB,ECX=0):EDX: the APIC id is 2, but this host's KVM accepts only ids below 2",
            "apic-id-limit vCPU 3, entry 9, CPUID.(EAX=0xB,ECX=0):EDX: the APIC id is 3, but this host's KVM accepts only ids below 2",
        ],
    },
    Case {
        name: "0x80000026 that agrees",
        base: Alone(AMD),
        plant: |tables| {
            tables.first();
            tables.put(0x8000_0000, 0, Eax, 0x8000_0026);
            tables.push(CpuidEntry::indexed(Leaf(0x8000_0026), Subleaf(0), Registers::new(1, 2, 0x100, 0)));
            tables.push(CpuidEntry::indexed(Leaf(0x8000_0026), Subleaf(1), Registers::new(0, 0, 1, 0)));
        },
        expected: &[],
    },
    Case {
        name: "a cache of three ids",
        base: Alone(AMD),
        plant: |tables| {
            tables.edit(0x8000_001d, 3, |entry| {
                entry.registers.eax = entry.registers.eax & 0xfc00_3fff | 2 << 14;
            })
        },
        expected: &[
            "cache-sharing vCPUs 0-3, entry 26, CPUID.(EAX=0x8000001D,ECX=3):EAX[25:14]: cache 3 of leaf 0x8000001D (level 3) is shared by 3 APIC ids, but leaf 0xB gives a package only 2 <entry 10, CPUID.(EAX=0xB,ECX=1):EAX[4:0]>",
            "cache-sharing-uneven vCPUs 0-3, entry 26, CPUID.(EAX=0x8000001D,ECX=3):EAX[25:14]: cache 3 of leaf 0x8000001D (level 3) is shared by 3 APIC ids, which is not a power of two",
        ],
    },
    Case {
        name: "more vCPUs in a package than it has processors",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xb, 1, Eax, 2);
            tables.put(0xb, 1, Ebx, 3);
            tables.put(0x8000_0008, 0, Ecx, 0x2002);
            tables.edit(1, 0, |entry| entry.registers.ebx = entry.registers.ebx & 0xff00_ffff | 3 << 16);
            for (_, entries) in &mut tables.0 {
                entries.iter_mut().filter(|entry| entry.function.0 == 0x8000_001e).for_each(|entry| {
                    entry.registers.ebx = 0x100 | entry.registers.eax >> 1;
                    entry.registers.ecx = 0;
                });
            }
        },
        expected: &[
            "unit-overfull vCPUs 0-3, entry 10, CPUID.(EAX=0xB,ECX=1):EBX[15:0]: 4 vCPUs have APIC ids of package 0, and a package has 3 logical processors by leaf 0xB <entry 10, CPUID.(EAX=0xB,ECX=1):EAX[4:0]>",
        ],
    },
    Case {
        name: "a package that counts one of its dies, as QEMU 7.2 has it",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0xb, 1, Eax, 3);
            tables.put(0xb, 1, Ebx, 2);
            tables.put(0x8000_0008, 0, Ecx, 0x3001);
            for (_, entries) in &mut tables.0 {
                entries.iter_mut().filter(|entry| entry.function.0 == 0x8000_001e).for_each(|entry| {
                    entry.registers.ebx = 0x100 | entry.registers.eax >> 1;
                    entry.registers.ecx = 0;
                });
            }
        },
        expected: &[
            "unit-count-low vCPUs 0-3, entry 10, CPUID.(EAX=0xB,ECX=1):EBX[15:0]: 4 vCPUs have APIC ids of package 0, and a package has 2 logical processors by leaf 0xB <entry 10, CPUID.(EAX=0xB,ECX=1):EAX[4:0]>",
        ],
    },
];
