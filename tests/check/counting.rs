//! vCPUs counted by package, die and core, and findings of many vCPUs.

use cpuid_tables::check::{Check, Kind, Report};
use cpuid_tables::{CpuidEntry, Leaf, Register, Registers, Subleaf, feature};

use crate::cases::{AMD, INTEL, Tables};

/// vCPU 0 of a kept table so many times, with the APIC ids that a function gives.
pub(crate) fn guest(text: &str, count: u32, id: impl Fn(u32) -> u32) -> Tables {
    let mut first = Tables::read(text);
    if text == INTEL {
        first.remove(0x8000_0005, 0);
    }
    let entries = first.0.swap_remove(0).1;
    let vcpu = |number: u32| {
        let mut entries = entries.clone();
        for entry in &mut entries {
            match entry.function.0 {
                1 => entry.registers.ebx = entry.registers.ebx & 0x00ff_ffff | id(number) << 24,
                0xb | 0x1f => entry.registers.edx = id(number),
                0x8000_001e => entry.registers.eax = id(number),
                _ => {}
            }
        }
        (number, entries)
    };
    Tables((0..count).map(vcpu).collect())
}

/// Cores without threads, so many in a package: 0xB and what older leaves say.
fn packages(tables: &mut Tables, leaf: u32, cores: u32, shift: u32) {
    tables.put(leaf, 0, Register::Eax, 0);
    tables.put(leaf, 0, Register::Ebx, 1);
    tables.put(leaf, 1, Register::Eax, shift);
    tables.put(leaf, 1, Register::Ebx, cores);
    tables.edit(1, 0, |entry| entry.registers.ebx = entry.registers.ebx & 0xff00_ffff | cores << 16);
}

/// Intel's table with 0xB alone.
fn intel(count: u32, cores: u32, shift: u32, id: impl Fn(u32) -> u32) -> Tables {
    let mut tables = guest(INTEL, count, id);
    for subleaf in 0..4 {
        tables.remove(0x1f, subleaf);
        tables
            .edit(4, subleaf, |entry| entry.registers.eax = entry.registers.eax & 0x3fff | (cores - 1) << 26);
    }
    packages(&mut tables, 0xb, cores, shift);
    tables
}

fn found(report: &Report, kind: Kind) -> Vec<(String, String)> {
    let of_kind = report.findings.iter().filter(|finding| finding.kind == kind);
    of_kind.map(|finding| (finding.vcpu_list(), finding.what.clone())).collect()
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.into(), other.into())
}

#[test]
fn ids_that_are_not_cut_at_the_shift_make_a_package_too_large() {
    let report = intel(20, 10, 4, |number| number).check().run();
    let expected = "16 vCPUs have APIC ids of package 0, and a package has 10 logical processors by leaf 0xB";
    assert_eq!(found(&report, Kind::UnitOverfull), [pair("vCPUs 0-15", expected)]);
    assert_eq!(report.errors(), 1, "{report}");
    let finding = report.findings.iter().find(|finding| finding.kind == Kind::UnitOverfull).unwrap();
    let help = "let the ids of package n begin with n times 16: 10 vCPUs stay in package 0, the next package begins with id 16";
    assert_eq!(finding.help(), help);
    assert_eq!(finding.others.len(), 1);
}

#[test]
fn ids_that_are_cut_at_the_shift_and_packages_that_are_not_full_are_no_fault() {
    let cut = |number: u32| number / 10 * 16 + number % 10;
    for count in [1, 5, 10, 13, 20, 30] {
        let report = intel(count, 10, 4, cut).check().run();
        assert_eq!(report.errors(), 0, "{count}: {report}");
    }
}

#[test]
fn cores_and_dies_are_counted_as_packages_are() {
    // Two threads of a core by the shift, one by the count.
    let mut tables = intel(4, 4, 3, |number| number);
    tables.put(0xb, 0, Register::Eax, 1);
    let report = tables.check().run();
    let of_core = |core: u32| {
        format!("2 vCPUs have APIC ids of core {core}, and a core has 1 logical processor by leaf 0xB")
    };
    assert_eq!(
        found(&report, Kind::UnitOverfull),
        [pair("vCPUs 0-1", &of_core(0)), pair("vCPUs 2-3", &of_core(1))]
    );

    // Dies of two ids each, and of one processor.
    let mut tables = guest(INTEL, 4, |number| number);
    for leaf in [0xb, 0x1f] {
        tables.put(leaf, 0, Register::Eax, 0);
        tables.put(leaf, 0, Register::Ebx, 1);
    }
    tables.put(0x1f, 1, Register::Eax, 1);
    tables.put(0x1f, 1, Register::Ebx, 1);
    let dies = found(&tables.check().run(), Kind::UnitOverfull);
    let expected = "2 vCPUs have APIC ids of die 0, and a die has 1 logical processor by leaf 0x1F";
    assert_eq!(dies.first(), Some(&pair("vCPUs 0-1", expected)));
}

#[test]
fn older_leaves_count_where_there_are_no_levels() {
    let without_levels = |mut tables: Tables| {
        for (leaf, subleaf) in (0..4).flat_map(|subleaf| [(0xb, subleaf), (0x1f, subleaf)]) {
            tables.remove(leaf, subleaf);
        }
        tables
    };
    let mut tables = without_levels(guest(INTEL, 8, |number| number));
    tables.edit(1, 0, |entry| entry.registers.ebx = entry.registers.ebx & 0xff00_ffff | 3 << 16);
    let expected = |first: u32, last: u32, package: u32, by: &str| {
        let what = format!(
            "4 vCPUs have APIC ids of package {package}, and a package has 3 logical processors by {by}"
        );
        (format!("vCPUs {first}-{last}"), what)
    };
    assert_eq!(
        found(&tables.check().run(), Kind::UnitOverfull),
        [expected(0, 3, 0, "leaf 1"), expected(4, 7, 1, "leaf 1")]
    );
    let mut tables = without_levels(guest(AMD, 8, |number| number));
    tables.put(0x8000_0008, 0, Register::Ecx, 0x2002);
    tables.edit(1, 0, |entry| entry.registers.ebx = entry.registers.ebx & 0xff00_ffff | 3 << 16);
    assert_eq!(
        found(&tables.check().run(), Kind::UnitOverfull),
        [expected(0, 3, 0, "leaf 0x80000008"), expected(4, 7, 1, "leaf 0x80000008")]
    );
    // Without HTT a package is one processor, whatever its ids are.
    tables.put(0x8000_0008, 0, Register::Ecx, 0);
    tables.clear(1, 0, Register::Edx, feature::HT.mask());
    assert_eq!(found(&tables.check().run(), Kind::UnitOverfull), []);
}

#[test]
fn ids_that_are_used_twice_are_counted_once() {
    let report = intel(20, 10, 4, |number| number % 10).check().run();
    assert_eq!(found(&report, Kind::UnitOverfull), []);
    assert!(!found(&report, Kind::ApicIdUsedTwice).is_empty());
}

#[test]
fn a_cache_of_three_ids_is_uneven_where_groups_differ() {
    let amd = |count, id: fn(u32) -> u32| {
        let mut tables = guest(AMD, count, id);
        tables.put(0xb, 0, Register::Eax, 0);
        packages(&mut tables, 0xb, 3, 2);
        tables.put(0x8000_0008, 0, Register::Ecx, 0x2002);
        tables.edit(0x8000_001d, 3, |entry| entry.registers.eax = entry.registers.eax & 0x3fff | 2 << 14);
        tables
    };
    let cut = |number: u32| number / 3 * 4 + number % 3;
    let uneven = found(&amd(6, cut).check().run(), Kind::CacheSharingUneven);
    let what = "cache 3 of leaf 0x8000001D (level 3) is shared by 3 APIC ids, which is not a power of two";
    assert_eq!(uneven, [pair("vCPUs 0-5", what)]);
    // One package: the same group either way.
    assert_eq!(found(&amd(3, cut).check().run(), Kind::CacheSharingUneven), []);
    // Intel's manual has the number rounded.
    let report = intel(6, 3, 2, cut).check().run();
    assert_eq!(found(&report, Kind::CacheSharingUneven), []);
}

#[test]
fn what_many_vcpus_have_is_one_finding_although_the_numbers_differ() {
    let mut tables = guest(INTEL, 255, |number| number);
    for (number, entries) in &mut tables.0 {
        let leaf_1 = entries.iter_mut().find(|entry| entry.function == Leaf(1)).unwrap();
        leaf_1.registers.ebx = leaf_1.registers.ebx & 0x00ff_ffff | (*number ^ 1) << 24;
    }
    let report = tables.check().run();
    let differ = found(&report, Kind::ApicIdsDiffer);
    let what = "the APIC id is 0 here but 1 there (vCPU 1; 254 more have the same with other numbers)";
    assert_eq!(differ, [pair("vCPUs 0-254", what)]);
    assert!(report.to_string().contains("  at: vCPUs 0-254 (255), entry 3, CPUID.(EAX=1):EBX[31:24]\n"));
    assert!(report.to_string().lines().count() < 40, "{report}");
    assert!(report.findings.is_sorted_by_key(|finding| finding.at.leaf));
}

#[test]
fn few_vcpus_and_different_faults_stay_apart() {
    // Three of four vCPUs have a wrong id.
    let mut tables = guest(INTEL, 4, |number| number);
    for (number, entries) in tables.0.iter_mut().skip(1) {
        let leaf_1 = entries.iter_mut().find(|entry| entry.function == Leaf(1)).unwrap();
        leaf_1.registers.ebx = leaf_1.registers.ebx & 0x00ff_ffff | (*number + 8) << 24;
    }
    assert_eq!(found(&tables.check().run(), Kind::ApicIdsDiffer).len(), 3);
    // Several findings of one vCPU are not one, however alike they are.
    let table: Vec<CpuidEntry> =
        (0..6).map(|_| CpuidEntry::indexed(Leaf(7), Subleaf(1), Registers::ZERO)).collect();
    let repeated = found(&Check::one(&table).run(), Kind::RepeatedEntry);
    assert_eq!(repeated.len(), 5, "{repeated:?}");
}

/// Before family 17h, leaf 1 keeps the APIC id of reset.
#[test]
fn the_first_apic_id_of_an_older_amd_processor_may_differ() {
    let differ = |signature: u32| {
        let mut tables = guest(AMD, 2, |number| number);
        for leaf in [0xb, 0x1f] {
            (0..4).for_each(|subleaf| tables.remove(leaf, subleaf));
        }
        tables.put(1, 0, Register::Eax, signature);
        tables.edit(0x8000_001e, 0, |entry| entry.registers.eax += 16);
        found(&tables.check().run(), Kind::ApicIdsDiffer).len()
    };
    assert_eq!([0x0060_0f12, 0x00a0_0f11].map(differ), [0, 2]);
}
