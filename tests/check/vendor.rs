//! Vendors and hypervisors.

use cpuid_tables::Register::{Eax, Ebx, Ecx, Edx};
use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf, feature};

use crate::cases::{AMD, Alone, Case, INTEL};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "an unknown vendor",
        base: Alone(INTEL),
        plant: |tables| {
            for leaf in [0, 0x8000_0000] {
                tables.put(leaf, 0, Ebx, 0x6f6c_6c65);
            }
        },
        expected: &[
            "unknown-vendor vCPUs 0-3, entry 2, CPUID.(EAX=0): the vendor is \"elloineIntel\", which is unknown to KVM and Linux",
        ],
    },
    Case {
        name: "two vendors",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0x8000_0000, 0, Ebx, 0x756e_6547);
            tables.put(0x8000_0000, 0, Ecx, 0x6c65_746e);
            tables.put(0x8000_0000, 0, Edx, 0x4965_6e69);
        },
        expected: &[
            "vendors-differ vCPUs 0-3, entry 16, CPUID.(EAX=0x80000000): leaf 0 has vendor \"AuthenticAMD\", but 0x80000000 \"GenuineIntel\" <entry 2, CPUID.(EAX=0)>",
        ],
    },
    Case {
        name: "AMD's vendor is not repeated",
        base: Alone(AMD),
        plant: |tables| {
            for register in [Ebx, Ecx, Edx] {
                tables.put(0x8000_0000, 0, register, 0);
            }
        },
        expected: &[
            "vendor-not-repeated vCPUs 0-3, entry 16, CPUID.(EAX=0x80000000): leaf 0 has vendor \"AuthenticAMD\", but 0x80000000 does not repeat it <entry 2, CPUID.(EAX=0)>",
        ],
    },
    Case {
        name: "Intel's vendor need not be",
        base: Alone(INTEL),
        plant: |tables| {
            for register in [Ebx, Ecx, Edx] {
                tables.put(0x8000_0000, 0, register, 0);
            }
        },
        expected: &[],
    },
    Case {
        name: "AMD's signature is another in 0x80000001",
        base: Alone(AMD),
        plant: |tables| tables.put(0x8000_0001, 0, Eax, 0x00a0_0f10),
        expected: &[
            "signatures-differ vCPUs 0-3, entry 17, CPUID.(EAX=0x80000001):EAX: 1.EAX is 0xa00f11, but 0x80000001.EAX 0xa00f10 <entry 3, CPUID.(EAX=1):EAX>",
        ],
    },
    Case {
        name: "Transmeta's two names",
        base: Alone(INTEL),
        plant: |tables| {
            // GenuineTMx86, TransmetaCPU.
            for (leaf, [ebx, ecx, edx]) in [
                (0, [0x756e_6547, 0x3638_784d, 0x5465_6e69]),
                (0x8000_0000, [0x6e61_7254, 0x5550_4361, 0x7465_6d73]),
            ] {
                tables.put(leaf, 0, Ebx, ebx);
                tables.put(leaf, 0, Ecx, ecx);
                tables.put(leaf, 0, Edx, edx);
            }
        },
        expected: &[],
    },
    Case {
        name: "AMD's leaves on Intel",
        base: Alone(INTEL),
        plant: |tables| {
            tables.put(0x8000_0000, 0, Eax, 0x8000_001d);
            tables.push(CpuidEntry::indexed(
                Leaf(0x8000_001d),
                Subleaf(0),
                Registers::new(0x121, 0x01c0_003f, 0x3f, 0),
            ));
            tables.push(CpuidEntry::indexed(Leaf(0x8000_001d), Subleaf(1), Registers::ZERO));
            tables.push(CpuidEntry::new(Leaf(0x8000_000a), Registers::new(1, 16, 0, 0)));
        },
        expected: &[
            "leaf-of-another-vendor vCPUs 0-3, entry 48, CPUID.(EAX=0x8000000A): leaf 0x8000000A (SVM) is AMD's, but the vendor is \"GenuineIntel\" <entry 2, CPUID.(EAX=0)>",
            "leaf-of-another-vendor vCPUs 0-3, entry 46, CPUID.(EAX=0x8000001D,ECX=0): leaf 0x8000001D (caches) is AMD's, but the vendor is \"GenuineIntel\" <entry 2, CPUID.(EAX=0)>",
        ],
    },
    Case {
        name: "Intel's leaves on AMD",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(2, 0, Eax, 0x00fe_ff01);
            tables.put(4, 0, Eax, 0x121);
            tables.push(CpuidEntry::indexed(Leaf(4), Subleaf(1), Registers::ZERO));
            tables.push(CpuidEntry::new(Leaf(0xa), Registers::new(0x0830_0805, 0, 0xf, 0x8604)));
        },
        expected: &[
            "leaf-of-another-vendor vCPUs 0-3, entry 4, CPUID.(EAX=2): leaf 2 (cache descriptors) is Intel's, but the vendor is \"AuthenticAMD\" <entry 2, CPUID.(EAX=0)>",
            "leaf-of-another-vendor vCPUs 0-3, entry 5, CPUID.(EAX=4,ECX=0): leaf 4 (caches) is Intel's, but the vendor is \"AuthenticAMD\" <entry 2, CPUID.(EAX=0)>",
            "leaf-of-another-vendor vCPUs 0-3, entry 31, CPUID.(EAX=0xA): leaf 0xA (performance monitoring) is Intel's, but the vendor is \"AuthenticAMD\" <entry 2, CPUID.(EAX=0)>",
        ],
    },
    Case {
        name: "Centaur's leaf on Intel",
        base: Alone(INTEL),
        plant: |tables| {
            tables.push(CpuidEntry::new(Leaf(0xc000_0000), Registers::new(0xc000_0001, 0, 0, 0)));
            tables.push(CpuidEntry::new(Leaf(0xc000_0001), Registers::new(0, 0, 0, feature::XSTORE.mask())));
        },
        expected: &[
            "leaf-of-another-vendor vCPUs 0-3, entry 47, CPUID.(EAX=0xC0000001): leaf 0xC0000001 (Centaur's features) is Centaur's, but the vendor is \"GenuineIntel\" <entry 2, CPUID.(EAX=0)>",
        ],
    },
    Case {
        name: "SVM on Intel",
        base: Alone(INTEL),
        plant: |tables| tables.set(0x8000_0001, 0, Ecx, feature::SVM.mask()),
        expected: &[
            "feature-of-another-vendor vCPUs 0-3, entry 40, CPUID.(EAX=0x80000001):ECX[2]: svm is AMD's, but the vendor is \"GenuineIntel\" <entry 2, CPUID.(EAX=0)>",
        ],
    },
    Case {
        name: "VMX on AMD",
        base: Alone(AMD),
        plant: |tables| tables.set(1, 0, Ecx, feature::VMX.mask()),
        expected: &[
            "feature-of-another-vendor vCPUs 0-3, entry 3, CPUID.(EAX=1):ECX[5]: vmx is Intel's, but the vendor is \"AuthenticAMD\" <entry 2, CPUID.(EAX=0)>",
        ],
    },
    Case {
        name: "PAE in 1.EDX alone",
        base: Alone(AMD),
        plant: |tables| tables.clear(0x8000_0001, 0, Edx, 1 << 6),
        expected: &[
            "aliases-differ vCPUs 0-3, entry 17, CPUID.(EAX=0x80000001):EDX[6]: 0x80000001.EDX differs from 1.EDX in bit 6, which AMD's processors repeat there <entry 3, CPUID.(EAX=1):EDX[6]>",
        ],
    },
    Case {
        name: "the APIC, which KVM takes out of 1.EDX alone",
        base: Alone(AMD),
        plant: |tables| tables.clear(1, 0, Edx, feature::APIC.mask()),
        expected: &[],
    },
    Case {
        name: "AMD's copies on Intel",
        base: Alone(INTEL),
        plant: |tables| tables.set(0x8000_0001, 0, Edx, 1 << 6 | 1 << 24),
        expected: &[
            "aliases-reserved vCPUs 0-3, entry 40, CPUID.(EAX=0x80000001):EDX[24, 6]: 0x80000001.EDX has bits 6, 24, AMD's copies of 1.EDX, but the vendor is \"GenuineIntel\"",
        ],
    },
    Case {
        name: "a hypervisor without leaves",
        base: Alone(AMD),
        plant: |tables| {
            tables.remove(0x4000_0000, 0);
            tables.remove(0x4000_0001, 0);
        },
        expected: &[
            "hypervisor-bit-alone vCPUs 0-3, entry 1, CPUID.(EAX=1):ECX[31]: hypervisor is set, but leaf 0x40000000 is missing <no entry, CPUID.(EAX=0x40000000)>",
        ],
    },
    Case {
        name: "leaves of a hypervisor that is not shown",
        base: Alone(AMD),
        plant: |tables| tables.clear(1, 0, Ecx, feature::HYPERVISOR.mask()),
        expected: &[
            "hypervisor-leaves-hidden vCPUs 0-3, entry 0, CPUID.(EAX=0x40000000): leaf 0x40000000 is present, but hypervisor is not set <entry 3, CPUID.(EAX=1):ECX[31]>",
        ],
    },
    Case {
        name: "KVM's signature without its features",
        base: Alone(AMD),
        plant: |tables| {
            tables.remove(0x4000_0001, 0);
            tables.put(0x4000_0000, 0, Eax, 0x4000_0000);
        },
        expected: &[
            "kvm-features-missing vCPUs 0-3, entry 0, CPUID.(EAX=0x40000000): leaf 0x40000000 has KVM's signature, but leaf 0x40000001 is missing <no entry, CPUID.(EAX=0x40000001)>",
        ],
    },
    Case {
        name: "Hyper-V's signature without its interface",
        base: Alone(include_str!("intel-hyperv.txt")),
        plant: |tables| {
            tables.remove(0x8000_0005, 0);
            tables.put(0x4000_0001, 0, Eax, 0);
        },
        expected: &[
            "hyperv-interface vCPU 0, entry 1, CPUID.(EAX=0x40000001):EAX: 0x40000000 has Hyper-V's signature, but EAX of 0x40000001 is 0x0: expected 0x31237648 <entry 0, CPUID.(EAX=0x40000000)>",
        ],
    },
];
