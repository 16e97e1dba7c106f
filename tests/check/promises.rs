//! Needs that no upstream states, features whose leaf is missing, reserved bits, and widths.

use cpuid_tables::Register::{Eax, Ebx, Ecx, Edx};
use cpuid_tables::check::{Check, Kind, OWN_NEEDS, Report, Severity};
use cpuid_tables::host::Host;
use cpuid_tables::{CpuidEntry, FeatureSet, Leaf, Registers, Subleaf, feature};

use crate::cases::{AMD, Alone, Case, INTEL, On};
use crate::common;
use crate::counting::guest;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "VEX instructions without AVX",
        base: Alone(include_str!("pentium.txt")),
        plant: |tables| {
            tables.set(1, 0, Ecx, feature::F16C.mask() | feature::XSAVE.mask());
            tables.set(1, 0, Edx, feature::XMM.mask() | feature::XMM2.mask() | feature::FXSR.mask());
            tables.put(0, 0, Eax, 0xd);
            tables.clear(1, 0, Ecx, feature::X2APIC.mask());
            tables.push(CpuidEntry::indexed(Leaf(0xd), Subleaf(0), Registers::new(3, 0x240, 0x240, 0)));
            tables.push(CpuidEntry::indexed(Leaf(0xd), Subleaf(1), Registers::ZERO));
        },
        expected: &[
            "feature-needs vCPU 0, entry 3, CPUID.(EAX=1):ECX[29]: f16c is set without avx <entry 3, CPUID.(EAX=1):ECX[28]>",
        ],
    },
    Case {
        name: "the x2APIC without the APIC",
        base: Alone(INTEL),
        plant: |tables| tables.first().clear(1, 0, Edx, feature::APIC.mask()),
        expected: &[
            "feature-expects vCPU 0, entry 3, CPUID.(EAX=1):ECX[21]: x2apic is set without apic <entry 3, CPUID.(EAX=1):EDX[9]>",
            "feature-expects vCPU 0, entry 3, CPUID.(EAX=1):ECX[24]: tsc_deadline_timer is set without apic <entry 3, CPUID.(EAX=1):EDX[9]>",
        ],
    },
    Case {
        name: "STIBP without IBRS",
        base: Alone(INTEL),
        plant: |tables| {
            tables.clear(7, 0, Edx, feature::SPEC_CTRL.mask() | feature::SPEC_CTRL_SSBD.mask());
            tables.set(7, 0, Edx, feature::INTEL_STIBP.mask());
            tables.put(7, 2, Edx, 0);
        },
        expected: &[
            "feature-expects vCPUs 0-3, entry 12, CPUID.(EAX=7,ECX=0):EDX[27]: stibp is set without spec-ctrl <entry 12, CPUID.(EAX=7,ECX=0):EDX[26]>",
        ],
    },
    Case {
        name: "tiles without their leaf",
        base: Alone(INTEL),
        plant: |tables| {
            tables.remove(0x1d, 0);
            tables.remove(0x1d, 1);
        },
        expected: &[
            "leaf-missing vCPUs 0-3, no entry, CPUID.(EAX=0x1D,ECX=0): amx_tile is set, and CPUID.(EAX=0x1D,ECX=0) (the number of palettes) is missing <entry 12, CPUID.(EAX=7,ECX=0):EDX[24]>",
            "leaf-missing vCPUs 0-3, no entry, CPUID.(EAX=0x1D,ECX=1): amx_tile is set, and CPUID.(EAX=0x1D,ECX=1) (the size of tiles) is missing <entry 12, CPUID.(EAX=7,ECX=0):EDX[24]>",
        ],
    },
    Case {
        name: "topology extensions above the maximum",
        base: Alone(AMD),
        plant: |tables| {
            tables.put(0x8000_0000, 0, Eax, 0x8000_0008);
            for subleaf in 0..=4 {
                tables.remove(0x8000_001d, subleaf);
            }
            tables.remove(0x8000_001e, 0);
            tables.remove(0x8000_0021, 0);
            tables.remove(0x8000_001f, 0);
            tables.remove(0x8000_000a, 0);
            tables.remove(0x8000_0019, 0);
            tables.remove(0x8000_001a, 0);
        },
        expected: &[
            "leaf-missing vCPUs 0-3, no entry, CPUID.(EAX=0x8000001D,ECX=0): topoext is set, and CPUID.(EAX=0x8000001D,ECX=0) (caches) is missing <entry 17, CPUID.(EAX=0x80000001):ECX[22]>",
            "leaf-missing vCPUs 0-3, no entry, CPUID.(EAX=0x8000001E): topoext is set, and CPUID.(EAX=0x8000001E) (APIC id, core and node) is missing <entry 17, CPUID.(EAX=0x80000001):ECX[22]>",
        ],
    },
    Case {
        name: "complex indexing of a cache of AMD's",
        base: Alone(AMD),
        plant: |tables| tables.set(0x8000_001d, 3, Edx, 4),
        expected: &[
            "reserved-bits vCPUs 0-3, entry 26, CPUID.(EAX=0x8000001D,ECX=3):EDX[2]: CPUID.(EAX=0x8000001D,ECX=3):EDX has bit 2, reserved by AMD's manual",
        ],
    },
    Case {
        name: "complex indexing of a cache of Intel's",
        base: Alone(INTEL),
        plant: |tables| tables.set(4, 3, Edx, 4),
        expected: &[],
    },
    Case {
        name: "reserved bits of AMD's topology",
        base: Alone(AMD),
        plant: |tables| {
            tables.set(0x8000_001e, 0, Ebx, 1 << 16);
            tables.set(0x8000_001e, 0, Edx, 3);
            tables.set(0xb, 0, Eax, 1 << 5);
            tables.set(6, 0, Ebx, 2);
        },
        expected: &[
            "reserved-bits vCPUs 0-3, entry 7, CPUID.(EAX=6):EBX[1]: CPUID.(EAX=6):EBX has bit 1, reserved by AMD's manual",
            "reserved-bits vCPUs 0-3, entry 9, CPUID.(EAX=0xB,ECX=0):EAX[5]: CPUID.(EAX=0xB,ECX=0):EAX has bit 5, reserved by AMD's manual",
            "reserved-bits vCPUs 0-3, entry 28, CPUID.(EAX=0x8000001E):EBX[16]: CPUID.(EAX=0x8000001E):EBX has bit 16, reserved by AMD's manual",
            "reserved-bits vCPUs 0-3, entry 28, CPUID.(EAX=0x8000001E):EDX[1:0]: CPUID.(EAX=0x8000001E):EDX has bits 0-1, reserved by AMD's manual",
        ],
    },
    Case {
        name: "reserved bits of Intel's leaves",
        base: Alone(INTEL),
        plant: |tables| {
            tables.set(4, 0, Eax, 1 << 10);
            tables.set(0x1d, 1, Edx, 1);
            tables.push(CpuidEntry::new(Leaf(0x8000_0007), Registers::new(1, 0, 0, 0)));
        },
        expected: &[
            "reserved-bits vCPUs 0-3, entry 5, CPUID.(EAX=4,ECX=0):EAX[10]: CPUID.(EAX=4,ECX=0):EAX has bit 10, reserved by Intel's manual",
            "reserved-bits vCPUs 0-3, entry 32, CPUID.(EAX=0x1D,ECX=1):EDX[0]: CPUID.(EAX=0x1D,ECX=1):EDX has bit 0, reserved by Intel's manual",
            "reserved-bits vCPUs 0-3, entry 46, CPUID.(EAX=0x80000007):EAX[0]: CPUID.(EAX=0x80000007):EAX has bit 0, reserved by Intel's manual",
        ],
    },
    Case {
        name: "fewer bits of physical addresses than the host's",
        base: On(AMD, |host| {
            host.supported
                .iter_mut()
                .filter(|entry| entry.function.0 == 0x8000_0008)
                .for_each(|entry| entry.registers.eax = 0x3030);
        }),
        plant: |_| {},
        expected: &[
            "physical-width-low vCPUs 0-3, entry 22, CPUID.(EAX=0x80000008):EAX[7:0]: physical addresses have 40 bits, but this host's have 48",
        ],
    },
];

/// A vCPU with these features and nothing else.
fn vcpu(features: FeatureSet) -> Vec<CpuidEntry> {
    let mut table =
        vec![CpuidEntry::new(Leaf(0), Registers::new(0x24, 0x756e_6547, 0x6c65_746e, 0x4965_6e69))];
    for (word, value) in features.words() {
        let (leaf, subleaf) = (word.leaf, word.subleaf);
        let at = table.iter().position(|entry| entry.function == leaf && entry.subleaf() == subleaf);
        let entry = match at {
            Some(at) => &mut table[at],
            None => {
                table.push(CpuidEntry::indexed(leaf, subleaf, Registers::ZERO));
                table.last_mut().unwrap()
            }
        };
        *entry.register_mut(word.register) |= value;
    }
    table
}

#[test]
fn every_need_of_our_own_is_found_and_met() {
    if !common::pinned("every_need_of_our_own_is_found_and_met") {
        return;
    }
    for row in OWN_NEEDS {
        let alone = FeatureSet::new().with(row.feature);
        let kind = match row.severity {
            Severity::Error => Kind::FeatureNeeds,
            Severity::Warning => Kind::FeatureExpects,
        };
        let of = |features: FeatureSet| {
            let report = Check::one(&vcpu(features)).run();
            let mut found = report.findings.iter().filter(|finding| finding.feature == Some(row.feature));
            let site = row.needs.location().word;
            found.any(|finding| {
                let missing = finding.others.iter().any(|other| {
                    (other.leaf, other.register, other.bits)
                        == (site.leaf, Some(site.register), row.needs.mask())
                });
                missing && [kind, Kind::FeatureNeeds].contains(&finding.kind)
            })
        };
        assert!(of(alone), "{} without {}", row.feature, row.needs);
        assert!(!of(alone.with(row.needs)), "{} with {}", row.feature, row.needs);
        assert_ne!(row.feature, row.needs);
        assert!(!row.source.is_empty());
    }
}

#[test]
fn no_need_of_our_own_repeats_upstream_or_itself() {
    if !common::pinned("no_need_of_our_own_repeats_upstream_or_itself") {
        return;
    }
    let mut repeated = Vec::new();
    for (at, row) in OWN_NEEDS.iter().enumerate() {
        let upstream = row.feature.needs().contains(row.needs);
        let same =
            |other: &&cpuid_tables::check::OwnNeed| (other.feature, other.needs) == (row.feature, row.needs);
        // Linux lets SSBD need IBRS, which is no error: tests/check/features.rs.
        let known = (row.feature, row.needs) == (feature::SPEC_CTRL_SSBD, feature::SPEC_CTRL);
        if upstream && !known {
            repeated.push((row.feature.name(), row.needs.name()));
        }
        assert_eq!(OWN_NEEDS[at + 1..].iter().find(same).map(|row| row.feature), None);
    }
    assert_eq!(repeated, [], "upstream states them");
}

#[test]
fn a_writer_of_reserved_bits_is_named() {
    let mut tables = guest(AMD, 1, |number| number);
    tables.set(0x8000_001d, 3, Edx, 4);
    let report = tables.check().run();
    let [finding] = report.findings.as_slice() else { panic!("{report}") };
    assert!(finding.help().contains("QEMU before 10.0") && finding.why().contains("SEV-SNP"), "{report}");
    assert_eq!(report.errors(), 0);
}

#[test]
fn zeros_of_the_first_vcpu_are_an_answer() {
    // One thread in a core, APIC id 0, core 0, node 0: nothing but zeros.
    let mut tables = guest(AMD, 2, |number| number);
    tables.edit(0x8000_001e, 0, |entry| entry.registers = Registers::ZERO);
    let report = tables.check().run();
    let missing: Vec<&[u32]> = report
        .findings
        .iter()
        .filter(|finding| finding.kind == Kind::LeafMissing)
        .map(|finding| finding.vcpus.as_slice())
        .collect();
    assert_eq!(missing, [[1].as_slice()]);
}

/// A bit that only a manual names is known by itself; a host's KVM does not support it.
#[test]
fn a_bit_that_only_a_manual_names_is_not_supported() {
    let mut tables = guest(INTEL, 1, |number| number);
    tables.set(7, 1, Eax, 1 << 3);
    let kinds =
        |report: Report| -> Vec<Kind> { report.findings.iter().map(|finding| finding.kind).collect() };
    assert_eq!(kinds(tables.check().run()), []);
    let mut host = Host { supported: tables.0[0].1.clone(), ..Host::default() };
    assert_eq!(kinds(tables.check().with_host(&host).run()), []);
    for entry in host.supported.iter_mut().filter(|entry| entry.function == Leaf(7)) {
        entry.registers.eax &= !(1 << 3);
    }
    assert_eq!(kinds(tables.check().with_host(&host).run()), [Kind::BitNotSupported]);
}

/// The cores of a compute unit are no threads.
#[test]
fn compute_units_are_not_compared_with_threads() {
    let mut tables = guest(AMD, 1, |number| number);
    tables.put(0xb, 0, Eax, 0);
    tables.put(0xb, 0, Ebx, 1);
    let kinds =
        |report: Report| -> Vec<Kind> { report.findings.iter().map(|finding| finding.kind).collect() };
    assert_eq!(kinds(tables.check().run()), [Kind::AmdCoreThreads]);
    for leaf in [1, 0x8000_0001] {
        tables.put(leaf, 0, Eax, 0x0060_0f12);
    }
    assert_eq!(kinds(tables.check().run()), []);
}
