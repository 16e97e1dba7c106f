//! `sysctl machdep.cpu`: registers as numbers, and their names.

use crate::common;
use cpuid_tables::dump::Format;
use cpuid_tables::{Register, feature};

use crate::formats::{fails, file, one, read};
use crate::forms::{find, has};

#[test]
fn sysctl_of_an_intel_mac() {
    if !common::recent("sysctl_of_an_intel_mac") {
        return;
    }
    let cpu = one(file("macos-sysctl.txt"), Format::MacOs);
    assert_eq!((find(&cpu, 0, 0).ebx, find(&cpu, 1, 0).eax), (0x756e_6547, 526_057));
    assert_eq!((find(&cpu, 0xd, 0).ecx, find(&cpu, 0xd, 1).eax), (1088, 15));
    assert_eq!((find(&cpu, 0x8000_0008, 0).eax, find(&cpu, 0xa, 0).eax), (0x3027, 0x0030_0404));
    for (feature, stated) in [
        (feature::AVX2, Some(true)),
        (feature::VMX, Some(true)),
        (feature::SGX_LC, Some(true)),
        (feature::CONSTANT_TSC, Some(true)),
        (feature::SPEC_CTRL, Some(true)),
        (feature::AVX512F, Some(false)),
        (feature::SVM, Some(false)),
        (feature::HYPERVISOR, Some(false)),
        (feature::AVX_VNNI, None),
    ] {
        assert_eq!(has(&cpu, feature), stated, "{feature}");
    }
    // The names state what the bits do, and nothing else.
    let names: String = String::from_utf8(file("macos-sysctl.txt"))
        .unwrap()
        .lines()
        .filter(|line| line.contains("features: "))
        .map(|line| format!("{line}\n"))
        .collect();
    let named = one(names.as_str(), Format::MacOs);
    for (entry, at) in named.entries.iter().zip(0..) {
        for register in Register::ALL {
            let (stated, known) = (entry.registers[register], named.known(at)[register]);
            assert_eq!(stated, known, "only set bits");
            let full = find(&cpu, entry.function.0, entry.subleaf().0)[register];
            assert_eq!(stated & !full, 0, "{:#x}", entry.function.0);
        }
    }
    assert_eq!(named.entries.iter().map(|entry| entry.registers.ebx.count_ones()).sum::<u32>(), 16);
    assert!(read(names.as_str()).notes.is_empty());
    // Older releases have one number for each register, and `sysctl -e` an equals sign.
    let old = "machdep.cpu.feature_bits=3219913727 2147154879\nmachdep.cpu.leaf7_feature_bits=10155\n\
               machdep.cpu.extfeature_bits=739248384 33\n";
    let old = one(old, Format::MacOs);
    assert_eq!((find(&old, 1, 0).ecx, find(&old, 7, 0).ebx), (2_147_154_879, 10_155));
    assert_eq!((find(&old, 0x8000_0001, 0).edx, has(&old, feature::CONSTANT_TSC)), (0x2c10_0800, Some(true)));
    assert_eq!(has(&old, feature::PKU), None);
    let optional = one("hw.optional.avx2_0: 1\nhw.optional.avx512f: 0\n", Format::MacOs);
    assert_eq!((has(&optional, feature::AVX2), has(&optional, feature::AVX512F)), (Some(true), Some(false)));
    let broken = "machdep.cpu.vendor: GenuineIntel\nmachdep.cpu.feature_bits: 1 2 3\n";
    assert!(fails(broken).contains("line 2: "), "{}", fails(broken));
}
