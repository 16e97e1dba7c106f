//! Ranges and entries.

use cpuid_tables::Register::{Eax, Ebx, Ecx};
use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf};

use crate::cases::{AMD, Alone, Case, INTEL};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "no leaf 0",
        base: Alone(AMD),
        plant: |tables| tables.remove(0, 0),
        expected: &["no-leaf-0 vCPUs 0-3, no entry, CPUID.(EAX=0): the table has no entry for leaf 0"],
    },
    Case {
        name: "nothing but a hypervisor",
        base: Alone(AMD),
        plant: |tables| tables.0.iter_mut().for_each(|(_, entries)| entries.truncate(2)),
        expected: &[
            "no-basic-leaves vCPUs 0-3, no entry, CPUID.(EAX=0): the table has no entry below 0x40000000",
            "hypervisor-leaves-hidden vCPUs 0-3, entry 0, CPUID.(EAX=0x40000000): leaf 0x40000000 is present, but hypervisor is not set <no entry, CPUID.(EAX=1):ECX[31]>",
        ],
    },
    Case {
        name: "no 0x80000000",
        base: Alone(AMD),
        plant: |tables| tables.remove(0x8000_0000, 0),
        expected: &[
            "no-maximum vCPUs 0-3, no entry, CPUID.(EAX=0x80000000): leaf 0x80000021 is present, but its range's first leaf 0x80000000 is missing <entry 28, CPUID.(EAX=0x80000021)>",
        ],
    },
    Case {
        name: "leaf 0 below leaf 0xD",
        base: Alone(AMD),
        plant: |tables| tables.put(0, 0, Eax, 0xb),
        expected: &[
            "leaf-above-maximum vCPUs 0-3, entry 2, CPUID.(EAX=0):EAX: the maximum is 0xB, but there is a leaf 0xD <entry 12, CPUID.(EAX=0xD)>",
        ],
    },
    Case {
        name: "0x80000000 below 0x80000021",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0000, 0, Eax, 0x8000_001e),
        expected: &[
            "leaf-above-maximum vCPUs 0-3, entry 16, CPUID.(EAX=0x80000000):EAX: the maximum is 0x8000001E, but there is a leaf 0x80000021 <entry 29, CPUID.(EAX=0x80000021)>",
        ],
    },
    Case {
        name: "KVM's maximum below its features",
        base: Alone(AMD),
        plant: |tables| tables.put(0x4000_0000, 0, Eax, 0x4000_0000),
        expected: &[
            "leaf-above-maximum vCPUs 0-3, entry 0, CPUID.(EAX=0x40000000):EAX: the maximum is 0x40000000, but there is a leaf 0x40000001 <entry 1, CPUID.(EAX=0x40000001)>",
        ],
    },
    Case {
        name: "an old KVM's maximum of 0",
        base: Alone(AMD),
        plant: |tables| tables.put(0x4000_0000, 0, Eax, 0),
        expected: &[],
    },
    Case {
        name: "leaf 0 above all",
        base: Alone(AMD),
        plant: |tables| tables.put(0, 0, Eax, 0x1f),
        expected: &[
            "maximum-above-leaves vCPUs 0-3, entry 2, CPUID.(EAX=0):EAX: the maximum is 0x1F, but the highest leaf is 0xD <entry 12, CPUID.(EAX=0xD)>",
        ],
    },
    Case {
        name: "0x80000000 has a basic leaf as maximum",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0000, 0, Eax, 0x21),
        expected: &[
            "maximum-out-of-range vCPUs 0-3, entry 16, CPUID.(EAX=0x80000000):EAX: the maximum is 0x21, outside its range, which begins at 0x80000000",
        ],
    },
    Case {
        name: "257 entries",
        base: Alone(AMD),
        plant: |tables| {
            tables.first().of(0, |entries| {
                let missing = 257 - entries.len();
                let zeros = (0x4000_0010..).take(missing);
                entries.extend(zeros.map(|leaf| CpuidEntry::new(Leaf(leaf), Registers::ZERO)));
            });
            tables.put(0x4000_0000, 0, Eax, 0x4000_00f2);
        },
        expected: &[
            "too-many-entries vCPU 0, entry 256, CPUID.(EAX=0x400000F2): the table has 257 entries, but KVM accepts only 256",
        ],
    },
    Case {
        name: "a second leaf 6 with other registers",
        base: Alone(AMD),
        plant: |tables| tables.push(CpuidEntry::new(Leaf(6), Registers::new(5, 0, 0, 0))),
        expected: &[
            "unreachable-entry vCPUs 0-3, entry 30, CPUID.(EAX=6): entry 30 is never used: entry 7 matches first, with different registers <entry 7, CPUID.(EAX=6)>",
        ],
    },
    Case {
        name: "a second subleaf 5 of 7 is not a duplicate, a second 7.0 is",
        base: Alone(AMD),
        plant: |tables| {
            tables.push(CpuidEntry::indexed(
                Leaf(7),
                Subleaf(0),
                Registers::new(0, 0x219c_07a9, 0x0040_060c, 0x10),
            ));
            tables.push(CpuidEntry::indexed(Leaf(7), Subleaf(5), Registers::ZERO));
        },
        expected: &[
            "repeated-entry vCPUs 0-3, entry 30, CPUID.(EAX=7,ECX=0): entry 30 repeats entry 8 <entry 8, CPUID.(EAX=7,ECX=0)>",
        ],
    },
    Case {
        name: "7.0 without the flag",
        base: Alone(INTEL),
        plant: |tables| tables.edit(7, 0, |entry| entry.flags = 0),
        expected: &[
            "index-not-flagged vCPUs 0-3, entry 12, CPUID.(EAX=7): entry 12 answers for every subleaf of leaf 7 <entry 13, CPUID.(EAX=7,ECX=1)> <entry 14, CPUID.(EAX=7,ECX=2)>",
        ],
    },
    Case {
        name: "leaf 1 with the flag",
        base: Alone(AMD),
        plant: |tables| tables.edit(1, 0, |entry| entry.flags = 1),
        expected: &[
            "flag-on-plain-leaf vCPUs 0-3, entry 3, CPUID.(EAX=1,ECX=0): leaf 1 has no subleaves, but entry 3 answers only for ECX=0",
        ],
    },
    Case {
        name: "KVM's signature with the flag",
        base: Alone(AMD),
        plant: |tables| tables.edit(0x4000_0000, 0, |entry| entry.flags = 1),
        expected: &[
            "flag-on-plain-leaf vCPUs 0-3, entry 0, CPUID.(EAX=0x40000000,ECX=0): leaf 0x40000000 has no subleaves, but entry 0 answers only for ECX=0",
        ],
    },
    Case {
        name: "flags without meaning; those of leaf 2 have had one",
        base: Alone(INTEL),
        plant: |tables| {
            tables.edit(2, 0, |entry| entry.flags = 6);
            tables.edit(6, 0, |entry| entry.flags = 0x12);
        },
        expected: &[
            "unknown-flag vCPUs 0-3, entry 11, CPUID.(EAX=6): entry 11 has flags 0x12, which KVM does not define",
        ],
    },
    Case {
        name: "no flag in leaf 4 at all",
        base: Alone(INTEL),
        plant: |tables| {
            for subleaf in (0..5).rev() {
                tables.edit(4, subleaf, |entry| entry.flags = 0);
            }
        },
        expected: &[
            "index-not-flagged vCPUs 0-3, entry 5, CPUID.(EAX=4): entry 5 answers for every subleaf of leaf 4 <entry 6, CPUID.(EAX=4)> <entry 7, CPUID.(EAX=4)> <entry 8, CPUID.(EAX=4)> <entry 9, CPUID.(EAX=4)>",
        ],
    },
    Case {
        name: "no 7.0",
        base: Alone(include_str!("intel-nokvm.txt")),
        plant: |tables| {
            tables.remove(0x8000_0005, 0);
            tables.remove(7, 0);
            tables.push(CpuidEntry::indexed(Leaf(7), Subleaf(2), Registers::new(0, 0, 0, 1)));
            // Features that need 7.0 are not part of this case.
            tables.put(0xd, 0, Eax, 7);
            [3, 4, 5, 6, 7, 9].into_iter().for_each(|component| tables.remove(0xd, component));
            tables.put(0xd, 0, Ebx, 0x340);
            tables.put(0xd, 0, Ecx, 0x340);
            tables.put(0xd, 1, Ebx, 0x340);
        },
        expected: &[
            "no-first-subleaf vCPUs 0-1, no entry, CPUID.(EAX=7,ECX=0): leaf 7 has subleaf 2 but no subleaf 0 <entry 23, CPUID.(EAX=7,ECX=2)>",
        ],
    },
    Case {
        name: "no end of leaf 4",
        base: Alone(INTEL),
        plant: |tables| tables.remove(4, 4),
        expected: &[
            "no-terminator vCPUs 0-3, no entry, CPUID.(EAX=4,ECX=4): the subleaves of leaf 4 end at 3 without a terminator <entry 8, CPUID.(EAX=4,ECX=3)>",
        ],
    },
    Case {
        name: "no end of leaf 0xB",
        base: Alone(AMD),
        plant: |tables| tables.remove(0xb, 2),
        expected: &[
            "no-terminator vCPUs 0-3, no entry, CPUID.(EAX=0xB,ECX=2): the subleaves of leaf 0xB end at 1 without a terminator <entry 10, CPUID.(EAX=0xB,ECX=1)>",
        ],
    },
    Case {
        name: "no end of leaf 0x1F",
        base: Alone(INTEL),
        plant: |tables| tables.remove(0x1f, 3),
        expected: &[
            "no-terminator vCPUs 0-3, no entry, CPUID.(EAX=0x1F,ECX=3): the subleaves of leaf 0x1F end at 2 without a terminator <entry 36, CPUID.(EAX=0x1F,ECX=2)>",
        ],
    },
    Case {
        name: "no end of leaf 0x8000001D",
        base: Alone(AMD),
        plant: |tables| tables.remove(0x8000_001d, 4),
        expected: &[
            "no-terminator vCPUs 0-3, no entry, CPUID.(EAX=0x8000001D,ECX=4): the subleaves of leaf 0x8000001D end at 3 without a terminator <entry 26, CPUID.(EAX=0x8000001D,ECX=3)>",
        ],
    },
    Case {
        name: "a gap in leaf 4",
        base: Alone(INTEL),
        plant: |tables| tables.remove(4, 1),
        expected: &[
            "subleaf-not-reached vCPUs 0-3, entry 6, CPUID.(EAX=4,ECX=2): leaf 4 has a subleaf 2, but its list breaks off after subleaf 0 <no entry, CPUID.(EAX=4,ECX=1)>",
        ],
    },
    Case {
        name: "7.0 excludes 7.2",
        base: Alone(INTEL),
        plant: |tables| tables.put(7, 0, Eax, 1),
        expected: &[
            "subleaf-not-reached vCPUs 0-3, entry 14, CPUID.(EAX=7,ECX=2): leaf 7 has a subleaf 2, but its subleaf 0 gives 1 as the last <entry 12, CPUID.(EAX=7,ECX=0)>",
        ],
    },
    Case {
        name: "a cache after the end",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_001d, 1, Eax, 0),
        expected: &[
            "subleaf-not-reached vCPUs 0-3, entry 25, CPUID.(EAX=0x8000001D,ECX=2): leaf 0x8000001D has a subleaf 2, but its list ends with subleaf 1 <entry 24, CPUID.(EAX=0x8000001D,ECX=1)>",
        ],
    },
    Case {
        name: "a section of SGX after the end",
        base: Alone(INTEL),
        plant: |tables| {
            tables.push(CpuidEntry::indexed(Leaf(0x12), Subleaf(3), Registers::new(1, 0, 0x1001, 0)))
        },
        expected: &[
            "subleaf-not-reached vCPUs 0-3, entry 46, CPUID.(EAX=0x12,ECX=3): leaf 0x12 has a subleaf 3, but its list ends with subleaf 2 <entry 29, CPUID.(EAX=0x12,ECX=2)>",
        ],
    },
    Case {
        name: "a range of a hypervisor without its first leaf",
        base: Alone(AMD),
        plant: |tables| tables.push(CpuidEntry::new(Leaf(0x4000_0101), Registers::new(1, 0, 0, 0))),
        expected: &[
            "no-maximum vCPUs 0-3, no entry, CPUID.(EAX=0x40000100): leaf 0x40000101 is present, but its range's first leaf 0x40000100 is missing <entry 30, CPUID.(EAX=0x40000101)>",
        ],
    },
    Case {
        name: "a leaf in no range, and AMD's easter egg",
        base: Alone(AMD),
        plant: |tables| {
            tables.push(CpuidEntry::new(Leaf(0x5000_0001), Registers::new(1, 0, 0, 0)));
            tables.push(CpuidEntry::new(Leaf(0x8fff_ffff), Registers::new(1, 0, 0, 0)));
        },
        expected: &[
            "leaf-outside-ranges vCPUs 0-3, entry 30, CPUID.(EAX=0x50000001): leaf 0x50000001 is outside the ranges that guests read",
        ],
    },
    Case {
        name: "zeros above the maximum",
        base: Alone(AMD),
        plant: |tables| {
            tables.push(CpuidEntry::new(Leaf(0x15), Registers::ZERO));
            tables.put(6, 0, Ebx, 0);
        },
        expected: &[],
    },
];
