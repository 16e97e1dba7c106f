//! What SEV-SNP's firmware and TDX's module make of a guest's table.

use std::collections::BTreeSet;

use cpuid_tables::Register::{self, Eax, Ebx, Ecx, Edx};
use cpuid_tables::check::{Kind, Severity, Target};
use cpuid_tables::host::Host;
use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf, feature};

use crate::cases::{INTEL, Tables};

const GENOA: &str = include_str!("amd-genoa.txt");

/// The findings of the target, in a line each.
fn found(tables: &Tables, target: Target, host: Option<&Host>) -> BTreeSet<String> {
    let mut check = tables.check().target(target);
    if let Some(host) = host {
        check = check.with_host(host);
    }
    let findings = check.run().findings;
    let own = findings.iter().filter(|finding| {
        let name = finding.kind.name();
        name.starts_with("sev-snp") || name.starts_with("tdx")
    });
    own.map(|finding| format!("{}: {}", finding.kind, finding.what)).collect()
}

/// What a change adds.
fn added(text: &str, target: Target, plant: impl Fn(&mut Tables)) -> Vec<String> {
    let mut tables = Tables::read(text);
    let before = found(&tables, target, None);
    plant(&mut tables);
    found(&tables, target, None).difference(&before).cloned().collect()
}

fn indexed(leaf: u32, subleaf: u32, eax: u32) -> CpuidEntry {
    CpuidEntry::indexed(Leaf(leaf), Subleaf(subleaf), Registers::new(eax, 0, 0, 0))
}

#[test]
fn the_firmware_refuses_what_the_processor_does_not_have() {
    type Row = (&'static str, fn(&mut Tables), &'static str);
    let rows: [Row; 9] = [
        (
            "Intel's complex indexing in AMD's leaf of caches",
            |tables| tables.set(0x8000_001d, 3, Edx, 4),
            "sev-snp-refused: 0x8000001D.3.EDX has bit 2, which must be 0",
        ),
        (
            "the TSC deadline timer, which KVM emulates",
            |tables| tables.set(1, 0, Ecx, feature::TSC_DEADLINE_TIMER.mask()),
            "sev-snp-refused: 0x1.0.ECX has bit 24, which the firmware of Genoa does not have",
        ),
        (
            "speculation controls in Intel's place",
            |tables| tables.set(7, 0, Edx, feature::SPEC_CTRL.mask() | feature::INTEL_STIBP.mask()),
            "sev-snp-refused: 0x7.0.EDX has bits 26-27, which the firmware of Genoa does not have",
        ),
        (
            "a leaf that the firmware does not know",
            |tables| tables.push(indexed(0x1f, 0, 1)),
            "sev-snp-refused: the firmware does not know leaf 0x1F, subleaf 0: it must be all zeros",
        ),
        (
            "a component at another place",
            |tables| tables.put(0xd, 2, Ebx, 0x280),
            "sev-snp-refused: 0xD.2.EBX is 0x280, but the firmware of Genoa has 0x240",
        ),
        (
            "more addresses",
            |tables| tables.put(0x8000_0008, 0, Eax, 0x3939),
            "sev-snp-refused: 0x80000008.0.EAX is 0x39, but the firmware of Genoa has 0x34",
        ),
        (
            "another line size of CLFLUSH",
            |tables| {
                tables.clear(1, 0, Ebx, 0xff00);
                tables.set(1, 0, Ebx, 0x1000);
            },
            "sev-snp-refused: 0x1.0.EBX is 0x1000, but the firmware of Genoa has 0x800",
        ),
        (
            "more entries than the page has",
            |tables| {
                (0..64).for_each(|n| tables.push(CpuidEntry::new(Leaf(0x4000_0100 + n), Registers::ZERO)))
            },
            "sev-snp-refused: the table has 97 entries, but the page holds at most 64",
        ),
        (
            "another vendor",
            |tables| tables.put(0, 0, Ebx, 0x756e_6547),
            "sev-snp-refused: the vendor is not AuthenticAMD: SEV-SNP is AMD's",
        ),
    ];
    for (name, plant, expected) in rows {
        assert_eq!(added(GENOA, Target::SevSnp, |tables| plant(tables.first())), [expected], "{name}");
    }
}

#[test]
fn leaves_of_hypervisors_are_not_checked() {
    let added = added(GENOA, Target::SevSnp, |tables| tables.first().set(0x4000_0001, 0, Eax, 1 << 30));
    assert_eq!(added, [""; 0]);
}

/// A host of another generation has other bits than Genoa.
#[test]
fn a_host_takes_the_place_of_genoa() {
    let mut tables = Tables::read(GENOA);
    tables.first();
    let mut host = Host { instruction: tables.0[0].1.clone(), ..Host::default() };
    host.supported.clone_from(&host.instruction);
    let avx_vnni = 1 << 4;
    tables.set(7, 1, Eax, avx_vnni);
    let refused = "0x7.1.EAX has bit 4, which the firmware of Genoa does not have";
    let is_refused = |found: BTreeSet<String>, what: &str| found.iter().any(|line| line.ends_with(what));
    assert!(is_refused(found(&tables, Target::SevSnp, None), refused));
    let by_host = "0x7.1.EAX has bit 4, which the host's processor does not have";
    assert!(is_refused(found(&tables, Target::SevSnp, Some(&host)), by_host));
    let entry = host.instruction.iter_mut().find(|entry| entry.answers(Leaf(7), Subleaf(1)));
    entry.unwrap().registers.eax |= avx_vnni;
    let with_it = found(&tables, Target::SevSnp, Some(&host));
    assert!(!with_it.iter().any(|line| line.contains("0x7.1.EAX")), "{with_it:?}");
    // A newer stepping than the host's.
    tables.edit(1, 0, |entry| entry.registers.eax += 1);
    let newer = found(&tables, Target::SevSnp, Some(&host));
    assert!(newer.iter().any(|line| line.contains("a newer processor than the host's")), "{newer:?}");
}

#[test]
fn qemu_s_table_of_genoa_needs_the_encryption_leaf() {
    let found = found(&Tables::read(GENOA), Target::SevSnp, None);
    assert!(
        found.iter().any(|line| line.starts_with("sev-snp-differs: 0x8000001F.EAX lacks SEV")),
        "{found:?}"
    );
}

#[test]
fn tdx_forces_withholds_and_refuses() {
    type Row = (Register, u32, u32, u32, bool, &'static str);
    let rows: [Row; 6] = [
        (Ebx, 7, 0, 1 << 11, true, "tdx-refused: 0x7.0.EBX has bit 11, which KVM refuses for a TD"),
        (Ecx, 7, 0, 1 << 5, true, "tdx-refused: 0x7.0.ECX has bit 5, which KVM refuses for a TD"),
        (Ecx, 1, 0, 1 << 25, false, "tdx-forced: 0x1.0.ECX lacks bit 25, which TDX sets"),
        (
            Ecx,
            7,
            0,
            1 << 31,
            true,
            "tdx-withheld: 0x7.0.ECX has bit 31, which needs bit 30 of ATTRIBUTES, but KVM does not set it",
        ),
        (
            Ecx,
            7,
            0,
            1 << 7,
            true,
            "tdx-withheld: 0x7.0.ECX has bit 7, which needs XSAVE component 11, but 0xD lacks it",
        ),
        (
            Eax,
            0x4000_0001,
            0,
            1 << 30,
            true,
            "tdx-differs: 0x40000001.0.EAX has bit 30, KVM features that QEMU clears for a TD",
        ),
    ];
    for (register, leaf, subleaf, bits, is_set, expected) in rows {
        let mut tables = Tables::read(INTEL);
        tables.first();
        // The opposite first, then nothing else of the same word that is withheld or forced.
        let all = |tables: &Tables| found(tables, Target::Tdx, None);
        let change = |tables: &mut Tables, set: bool| match set {
            true => tables.set(leaf, subleaf, register, bits),
            false => tables.clear(leaf, subleaf, register, bits),
        };
        change(&mut tables, !is_set);
        let before = all(&tables);
        change(&mut tables, is_set);
        let added: Vec<String> = all(&tables).difference(&before).cloned().collect();
        assert!(
            added.iter().any(|line| line.starts_with(&expected[..expected.find(" has").unwrap_or(12)])),
            "{added:?}"
        );
        let one = added.iter().any(|line| line == expected || line.contains(" bits "));
        assert!(one, "{expected}: {added:?}");
    }
}

#[test]
fn tdx_needs_a_width_and_intel() {
    let mut tables = Tables::read(INTEL);
    tables.first().edit(0x8000_0008, 0, |entry| entry.registers.eax = 0x2e_392e);
    let before = found(&tables, Target::Tdx, None);
    assert!(before.contains(
        "tdx-refused: guest-physical addresses have 46 bits, but KVM accepts only 48 and 52 for a TD"
    ));
    tables.edit(0x8000_0008, 0, |entry| entry.registers.eax = 0x34_392e);
    let after = found(&tables, Target::Tdx, None);
    assert!(!after.iter().any(|line| line.contains("the width")), "{after:?}");
    let amd = found(&Tables::read(GENOA), Target::Tdx, None);
    assert_eq!(
        amd.into_iter().collect::<Vec<_>>(),
        ["tdx-refused: the vendor is not GenuineIntel: TDX is Intel's"]
    );
}

#[test]
fn without_a_target_there_are_no_findings_of_one() {
    for text in [GENOA, INTEL] {
        let findings = Tables::read(text).check().run().findings;
        assert!(findings.iter().all(|finding| !finding.kind.name().starts_with("tdx")));
        assert!(findings.iter().all(|finding| !finding.kind.name().starts_with("sev-snp")));
    }
    for kind in [Kind::SevSnpRefused, Kind::TdxRefused, Kind::TdxWithheld] {
        assert_eq!(kind.severity(), Severity::Error);
    }
}
