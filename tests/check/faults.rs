//! Faults planted into tables of real QEMUs, each found exactly; and tables without faults.

use std::collections::BTreeSet;

use cpuid_tables::check::{Check, Finding, Kind, Report, Severity};
use cpuid_tables::guest::GuestCpuid;
use cpuid_tables::host::{Host, HostFile};
use cpuid_tables::{CpuidEntry, CpuidTable, Leaf, QemuRelease, Registers, Subleaf, feature};
use proptest::prelude::*;

use crate::cases::{AMD, Case, INTEL, Tables, in_a_line};
use crate::{cpus, entries, features, promises, vendor, xsave};

use crate::common;

const CASES: [&[Case]; 6] =
    [entries::CASES, features::CASES, promises::CASES, xsave::CASES, cpus::CASES, vendor::CASES];

/// The stored tables, with their findings.
const KEPT: [(&str, &[&str]); 7] = [
    (AMD, &[]),
    (
        include_str!("amd-genoa.txt"),
        &["maximum-above-leaves: the maximum is 0x80000022, but the highest leaf is 0x80000021"],
    ),
    (INTEL, &[FIRST_LEVEL_CACHES]),
    (include_str!("intel-hyperv.txt"), &[FIRST_LEVEL_CACHES]),
    (include_str!("intel-nokvm.txt"), &[FIRST_LEVEL_CACHES]),
    (include_str!("pentium.txt"), &[]),
    (include_str!("host.txt"), &[FIRST_LEVEL_CACHES]),
];

/// QEMU gives AMD's leaf to guests of every vendor.
const FIRST_LEVEL_CACHES: &str = "leaf-of-another-vendor: \
    leaf 0x80000005 (first-level caches and TLBs) is AMD's, but the vendor is \"GenuineIntel\"";

fn found(report: &Report) -> Vec<String> {
    report.findings.iter().map(|finding| format!("{}: {}", finding.kind, finding.what)).collect()
}

#[test]
fn qemu_tables_have_no_errors() {
    for (text, expected) in KEPT {
        let report = Tables::read(text).check().run();
        assert_eq!(found(&report), expected, "{}", text.lines().next().unwrap_or_default());
        assert_eq!(report.errors(), 0);
    }
}

/// KVM's supported table is not a guest's table yet: a VMM that passes it on unchanged gets warnings but no errors.
#[test]
fn supported_table_of_kvm_has_no_errors() {
    let host = real_host();
    let report = Check::one(&host.supported).with_host(&host).run();
    assert_eq!(report.errors(), 0, "{report}");
    assert_eq!(
        found(&report),
        [
            "logical-count-without-htt: 1.EBX counts 2 logical processors, but ht is not set",
            "leaf-missing: x2apic is set, and CPUID.(EAX=0xB,ECX=0) (the x2APIC id) is all zero",
            "xsave-leaf-without-xsave: leaf 0xD is present, but xsave is not set",
        ]
    );
}

fn real_host() -> Host {
    let mut host = Host::default();
    host.read(HostFile::Supported, include_str!("kvm.supported")).unwrap();
    host
}

#[test]
fn qemu_table_fits_its_host() {
    if !common::recent("qemu_table_fits_its_host") {
        return;
    }
    let host = real_host();
    let tables = Tables::read(include_str!("host.txt"));
    let report = tables.check().with_host(&host).emulated(&[]).run();
    // The processor has fast string operations, but this description of the host lacks them.
    let fast = ["erms", "fsrm"].map(|name| {
        format!("feature-not-supported: {name} is set, but KVM on this host does not support it")
    });
    let mut expected: Vec<String> = fast.into();
    expected.push(FIRST_LEVEL_CACHES.into());
    assert_eq!(found(&report), expected);
    assert_eq!(report.skipped().count(), 0);

    let mut with_processor = host;
    with_processor.instruction.push(CpuidEntry::indexed(
        Leaf(7),
        Subleaf(0),
        Registers::new(0, feature::ERMS.mask(), 0, feature::FSRM.mask()),
    ));
    assert_eq!(found(&tables.check().with_host(&with_processor).run()), [FIRST_LEVEL_CACHES]);
}

/// A QEMU-like VMM's table on that host, for any model.
#[test]
fn guests_of_every_model_have_no_errors() {
    if !common::pinned("guests_of_every_model_have_no_errors") {
        return;
    }
    let mut host = real_host();
    // The host's description lacks the instruction's table; a guest has only KVM's features anyway.
    host.instruction.clone_from(&host.supported);
    let release = QemuRelease::find("10.0").unwrap();
    let names = release.cpu_models().map(|model| model.name()).chain(["host", "max"]);
    let mut checked = 0;
    for (name, smp) in
        names.zip(["1", "4,cores=2,threads=2", "12,sockets=2,dies=2,cores=3"].into_iter().cycle())
    {
        let builder = GuestCpuid::builder().release(release).model(name).topology(smp.parse().unwrap());
        let guest = builder.host(&host).build().unwrap();
        let tables: Vec<(u32, CpuidTable)> = guest.vcpus().collect();
        let check = tables.iter().fold(Check::new(), |check, (id, table)| check.vcpu(*id, table));
        let report = check.with_host(&host).run();
        assert_eq!(report.errors(), 0, "{name} -smp {smp}: {report}");
        checked += 1;
    }
    assert!(checked > 40, "{checked}");
}

#[test]
fn each_planted_fault_is_the_only_finding() {
    if !common::pinned("each_planted_fault_is_the_only_finding") {
        return;
    }
    let mut wrong = Vec::new();
    for case in CASES.into_iter().flatten() {
        let report = case.run();
        let found: Vec<String> = report.findings.iter().map(in_a_line).collect();
        if found != case.expected {
            wrong.push(format!("{}:\n  found    {found:#?}\n  expected {:#?}", case.name, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_kind_has_a_planted_fault() {
    let planted: BTreeSet<&str> = CASES
        .into_iter()
        .flatten()
        .flat_map(|case| case.expected)
        .filter_map(|line| line.split(' ').next())
        .collect();
    // Those of confidential guests have tests of their own, in confidential.rs.
    let of_targets = |name: &&str| name.starts_with("sev-snp-") || name.starts_with("tdx-");
    let missing: Vec<&str> = Kind::ALL
        .iter()
        .map(|kind| kind.name())
        .filter(|name| !planted.contains(name) && !of_targets(name))
        .collect();
    assert!(missing.is_empty(), "no case has {missing:?}");
}

#[test]
fn every_kind_has_a_reason_and_advice() {
    let names: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        let fits =
            |text: &str| !text.is_empty() && !text.ends_with('.') && !text.starts_with(char::is_whitespace);
        assert!(fits(kind.why()) && fits(kind.help()), "{kind}");
        assert!(kind.name().bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{kind}");
    }
}

#[test]
fn same_fault_of_all_vcpus_is_one_finding() {
    if !common::recent("same_fault_of_all_vcpus_is_one_finding") {
        return;
    }
    let mut tables = Tables::read(AMD);
    tables.edit(7, 0, |entry| entry.registers.ebx &= !feature::AVX2.mask());
    tables.of(3, |entries| {
        entries
            .iter_mut()
            .filter(|entry| entry.function == Leaf(7))
            .for_each(|entry| entry.registers.ebx |= 0x20)
    });
    let report = tables.check().run();
    let lists: Vec<String> = report.findings.iter().map(Finding::vcpu_list).collect();
    assert_eq!(found(&report), ["features-differ: vCPU 0 lacks avx2, but some other vCPU has it"]);
    assert_eq!(lists, ["vCPU 3"]);

    let mut tables = Tables::read(AMD);
    tables.edit(1, 0, |entry| entry.registers.ecx &= !feature::AVX.mask());
    let report = tables.check().run();
    let avx2 = report.findings.iter().find(|finding| finding.feature == Some(feature::AVX2)).unwrap();
    assert_eq!((avx2.vcpu_list().as_str(), avx2.severity()), ("vCPUs 0-3", Severity::Error));
    assert_eq!(
        avx2.to_string(),
        "error[feature-needs]: avx2 is set without avx\n\
         \x20 at: vCPUs 0-3, entry 8, CPUID.(EAX=7,ECX=0):EBX[5]\n\
         \x20 and: entry 3, CPUID.(EAX=1):ECX[28]\n\
         \x20 why: software that sees the feature relies on its dependency and gets an invalid-opcode exception; Linux \
         turns the feature off and logs it\n\
         \x20 help: set avx, or clear avx2"
    );
    let [odd, even] = [[0, 1, 2, 5, 7, 8].as_slice(), [u32::MAX].as_slice()]
        .map(|vcpus| Finding { vcpus: vcpus.to_vec(), ..avx2.clone() }.vcpu_list());
    assert_eq!((odd.as_str(), even.as_str()), ("vCPUs 0-2, 5, 7-8", "vCPU 4294967295"));
}

#[test]
fn findings_are_sorted_by_location() {
    let mut tables = Tables::read(AMD);
    tables.edit(1, 0, |entry| entry.registers.ecx = 0);
    tables.edit(0x8000_0008, 0, |entry| entry.registers.eax = 0x0000_4040);
    let report = tables.check().run();
    assert!(report.findings.len() > 3, "{report}");
    assert!(report.findings.is_sorted_by_key(|finding| (
        finding.at.leaf,
        finding.at.subleaf,
        finding.at.register
    )));
    assert_eq!(report.errors() + report.warnings(), report.findings.len());
}

#[test]
fn no_tables_and_an_empty_table_are_checked() {
    assert_eq!(Check::new().run().findings, []);
    assert_eq!(found(&Check::one(&[]).run()), ["no-basic-leaves: the table has no entry below 0x40000000"]);
    // An empty host counts as none.
    let report = Check::one(&[]).with_host(&Host::default()).run();
    assert!(report.skipped().any(|kind| kind == Kind::FeatureNotSupported));
}

/// Numbers that are common in entries, and any others.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        0..0x30_u32,
        0x4000_0000..0x4000_0003_u32,
        0x8000_0000..0x8000_0028_u32,
        Just(u32::MAX),
        Just(0),
    ]
}

fn entry() -> impl Strategy<Value = CpuidEntry> {
    let index = prop_oneof![0..4_u32, number()];
    (number(), index, 0..8_u32, [number(), number(), number(), number()]).prop_map(
        |(function, index, flags, registers)| CpuidEntry {
            function: Leaf(function),
            index: Subleaf(index),
            flags,
            registers: registers.into(),
        },
    )
}

/// A QEMU table with entries of any kind inserted at any position.
fn table() -> impl Strategy<Value = Vec<CpuidEntry>> {
    let base = prop_oneof![
        Just(Vec::new()),
        Just(Tables::read(AMD).0[0].1.clone()),
        Just(Tables::read(INTEL).0[1].1.clone())
    ];
    (base, prop::collection::vec((any::<prop::sample::Index>(), entry(), any::<bool>()), 0..40)).prop_map(
        |(mut table, changes)| {
            for (at, entry, replace) in changes {
                let at = at.index(table.len() + 1);
                if replace && at < table.len() {
                    table[at].registers = entry.registers;
                } else {
                    table.insert(at, entry);
                }
            }
            table
        },
    )
}

proptest! {
    #[test]
    fn any_entries_are_checked_without_panic(tables in prop::collection::vec(table(), 0..4), of_host in table()) {
        let host = Host { supported: of_host, ..Host::default() };
        let numbered = (0..).zip(&tables);
        let check = numbered.fold(Check::new(), |check, (number, table)| check.vcpu(number % 2, table));
        for report in [check.run(), check.with_host(&host).run()] {
            prop_assert!(!report.to_string().is_empty());
            prop_assert!(report.findings.is_sorted_by_key(|finding| finding.at.leaf));
        }
    }
}
