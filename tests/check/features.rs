//! Features: their support, their dependencies, and unnamed bits.

use cpuid_tables::Register::{Eax, Ebx, Ecx, Edx};
use cpuid_tables::{CpuidEntry, Leaf, Registers, feature};

use crate::cases::{AMD, Alone, Case, INTEL, On};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "AVX2 that the host lacks",
        base: On(AMD, |host| {
            host.supported
                .iter_mut()
                .filter(|entry| entry.function.0 == 7)
                .for_each(|entry| entry.registers.ebx &= !0x20);
        }),
        plant: |_| {},
        expected: &[
            "feature-not-supported vCPUs 0-3, entry 8, CPUID.(EAX=7,ECX=0):EBX[5]: avx2 is set, but KVM on this host does not support it",
        ],
    },
    Case {
        name: "RTM set by hand",
        base: On(INTEL, |host| {
            host.supported
                .iter_mut()
                .filter(|entry| entry.function.0 == 7 && entry.index.0 == 0)
                .for_each(|entry| entry.registers.ebx &= !(1 << 11));
        }),
        plant: |tables| tables.first().set(7, 0, Ebx, feature::RTM.mask()),
        expected: &[
            "feature-not-supported vCPU 0, entry 12, CPUID.(EAX=7,ECX=0):EBX[11]: rtm is set, but KVM on this host does not support it",
        ],
    },
    Case {
        name: "LASS, which few KVMs know",
        base: On(INTEL, |_| {}),
        plant: |tables| tables.set(7, 1, Eax, feature::LASS.mask()),
        expected: &[
            "feature-not-supported vCPUs 0-3, entry 13, CPUID.(EAX=7,ECX=1):EAX[6]: lass is set, but KVM on this host does not support it; no KVM up to Linux 7.3.4 reports it",
        ],
    },
    Case {
        name: "what user space may set without KVM",
        base: On(AMD, |host| {
            for entry in &mut host.supported {
                match entry.function.0 {
                    1 => {
                        entry.registers.ecx &=
                            !(feature::HYPERVISOR.mask() | feature::TSC_DEADLINE_TIMER.mask());
                        entry.registers.edx &= !(feature::HT.mask() | feature::MTRR.mask());
                    }
                    0x8000_0001 => {
                        entry.registers.ecx &= !(feature::TOPOEXT.mask() | feature::CMP_LEGACY.mask());
                        entry.registers.edx &= !0x0183_f3ff;
                    }
                    _ => {}
                }
            }
        }),
        plant: |tables| {
            tables.set(1, 0, Ecx, feature::OSXSAVE.mask() | feature::MWAIT.mask());
            tables.set(7, 0, Ecx, feature::OSPKE.mask());
        },
        expected: &[],
    },
    Case {
        name: "the TSC deadline timer with its capability",
        base: On(INTEL, |host| {
            host.supported
                .iter_mut()
                .filter(|entry| entry.function.0 == 1)
                .for_each(|entry| entry.registers.ecx &= !(1 << 24));
            host.capabilities.insert(72, 1);
        }),
        plant: |_| {},
        expected: &[],
    },
    Case {
        name: "the TSC deadline timer without its capability",
        base: On(INTEL, |host| {
            host.supported
                .iter_mut()
                .filter(|entry| entry.function.0 == 1)
                .for_each(|entry| entry.registers.ecx &= !(1 << 24));
            host.capabilities.insert(72, 0);
        }),
        plant: |_| {},
        expected: &[
            "feature-not-supported vCPUs 0-3, entry 3, CPUID.(EAX=1):ECX[24]: tsc_deadline_timer is set, but KVM on this host does not support it; of the releases known here, Linux 7.3.4 is the first whose KVM may report it",
        ],
    },
    Case {
        name: "a feature of KVM's own that it lacks, with Hyper-V's leaves before it",
        base: On(AMD, |host| {
            host.supported
                .iter_mut()
                .filter(|entry| entry.function.0 == 0x4000_0001)
                .for_each(|entry| entry.registers.eax &= !0x40);
        }),
        plant: |tables| {
            tables.first().of(0, |entries| {
                entries[0].function.0 = 0x4000_0100;
                entries[0].registers.eax = 0x4000_0101;
                entries[1].function.0 = 0x4000_0101;
                entries.insert(
                    0,
                    CpuidEntry::new(
                        Leaf(0x4000_0000),
                        Registers::new(0x4000_0001, 0x7263_694d, 0x666f_736f, 0x7648_2074),
                    ),
                );
                entries.insert(1, CpuidEntry::new(Leaf(0x4000_0001), Registers::new(0x3123_7648, 0, 0, 0)));
            });
        },
        expected: &[
            "feature-not-supported vCPU 0, entry 3, CPUID.(EAX=0x40000101):EAX[6]: kvm-pv-eoi is set, but KVM on this host does not support it",
        ],
    },
    Case {
        name: "a bit without name that the host's KVM lacks",
        base: On(AMD, |_| {}),
        plant: |tables| tables.set(1, 0, Ecx, 1 << 16),
        expected: &[
            "bit-not-supported vCPUs 0-3, entry 3, CPUID.(EAX=1):ECX[16]: CPUID.(EAX=1,ECX=0):ECX has bit 16 set, which no release up to Linux 7.3.4 or QEMU 11.1.3 names and KVM on this host does not support",
        ],
    },
    Case {
        name: "a bit without name that the host's KVM has",
        base: On(AMD, |host| {
            host.supported
                .iter_mut()
                .filter(|entry| entry.function.0 == 1)
                .for_each(|entry| entry.registers.ecx |= 1 << 16);
        }),
        plant: |tables| tables.set(1, 0, Ecx, 1 << 16),
        expected: &[],
    },
    Case {
        name: "bits without name",
        base: Alone(AMD),
        plant: |tables| tables.set(7, 0, Edx, 1 << 0 | 1 << 6 | 1 << 7),
        expected: &[
            "unknown-bit vCPUs 0-3, entry 8, CPUID.(EAX=7,ECX=0):EDX[7:6, 0]: CPUID.(EAX=7,ECX=0):EDX has bits 0, 6-7 set, which no release up to Linux 7.3.4 or QEMU 11.1.3 names",
        ],
    },
    Case {
        name: "AVX-512 without AVX",
        base: Alone(INTEL),
        plant: |tables| {
            // FMA, F16C, AVX2 and similar features are not part of this case.
            tables.first().clear(1, 0, Ecx, feature::FMA.mask() | feature::F16C.mask());
            tables.put(7, 0, Ebx, feature::AVX512F.mask());
            tables.put(7, 0, Ecx, 0);
            tables.put(7, 0, Edx, 0);
            tables.put(7, 1, Eax, 0);
            tables.put(7, 1, Edx, 0);
            tables.put(0x24, 0, Ebx, 0);
            tables.put(0x8000_0008, 0, Eax, 0x3034);
            tables.put(0xd, 1, Eax, 0);
            tables.put(0xd, 0, Eax, 0xe7);
            tables.put(0xd, 0, Ebx, 0xa80);
            tables.put(0xd, 0, Ecx, 0xa80);
            for component in [9, 17, 18] {
                tables.remove(0xd, component);
            }
            tables.clear(1, 0, Ecx, feature::AVX.mask());
        },
        expected: &[
            "feature-needs vCPU 0, entry 12, CPUID.(EAX=7,ECX=0):EBX[16]: avx512f is set without avx <entry 3, CPUID.(EAX=1):ECX[28]>",
            "component-without-feature vCPU 0, entry 18, CPUID.(EAX=0xD,ECX=0):EAX[2]: component 2 is in 0xD.0, but its feature avx is not set <entry 3, CPUID.(EAX=1):ECX[28]>",
        ],
    },
    Case {
        name: "AVX2 without XSAVE",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(7, 0, Ebx, feature::AVX2.mask());
            tables.put(7, 0, Ecx, 0);
            tables.clear(1, 0, Ecx, feature::FMA.mask() | feature::F16C.mask() | feature::XSAVE.mask());
            for subleaf in [0, 1, 2, 9] {
                tables.remove(0xd, subleaf);
            }
            tables.put(0, 0, Eax, 0xb);
        },
        expected: &[
            "feature-needs vCPUs 0-3, entry 3, CPUID.(EAX=1):ECX[28]: avx is set without xsave <entry 3, CPUID.(EAX=1):ECX[26]>",
            "feature-needs vCPUs 0-3, entry 8, CPUID.(EAX=7,ECX=0):EBX[5]: avx2 is set without xsave <entry 3, CPUID.(EAX=1):ECX[26]>",
        ],
    },
    Case {
        name: "AVX10 of no width",
        base: Alone(INTEL),
        plant: |tables| tables.put(0x24, 0, Ebx, 1),
        expected: &[
            "feature-needs-one-of vCPUs 0-3, entry 13, CPUID.(EAX=7,ECX=1):EDX[19]: avx10 is set without any of avx10-128, avx10-256, avx10-512 <entry 38, CPUID.(EAX=0x24,ECX=0):EBX[16]> <entry 38, CPUID.(EAX=0x24,ECX=0):EBX[17]> <entry 38, CPUID.(EAX=0x24,ECX=0):EBX[18]>",
        ],
    },
    Case {
        name: "MMX without FXSR is a Pentium's",
        base: Alone(include_str!("pentium.txt")),
        plant: |tables| tables.set(1, 0, Edx, feature::MMX.mask()),
        expected: &[],
    },
    Case {
        name: "one vCPU lacks AES",
        base: Alone(AMD),
        plant: |tables| {
            tables.of(2, |entries| {
                entries
                    .iter_mut()
                    .filter(|entry| entry.function.0 == 1)
                    .for_each(|entry| entry.registers.ecx &= !(1 << 25));
            });
        },
        expected: &[
            "features-differ vCPU 2, entry 3, CPUID.(EAX=1):ECX[25]: vCPU 0 has aes, but some other vCPU lacks it <vCPU 0, entry 3, CPUID.(EAX=1):ECX[25]>",
            "feature-expects vCPU 2, entry 8, CPUID.(EAX=7,ECX=0):ECX[9]: vaes is set without aes <entry 3, CPUID.(EAX=1):ECX[25]>",
        ],
    },
    Case {
        name: "APIC, OSXSAVE and MWAIT may differ among vCPUs",
        base: Alone(INTEL),
        plant: |tables| {
            tables.of(2, |entries| {
                for entry in entries.iter_mut().filter(|entry| entry.function.0 == 1) {
                    entry.registers.ecx |= feature::OSXSAVE.mask();
                    entry.registers.edx &= !feature::APIC.mask();
                }
            });
        },
        expected: &[],
    },
];
