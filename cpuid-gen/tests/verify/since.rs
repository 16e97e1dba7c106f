//! `verify --since`: a row that only moves gives no finding; a changed bit gives one, with both places.

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts, LinuxFacts};
use cpuid_gen::verify::{Report, Scope, verify, verify_since};

use crate::input::{Input, text_of};

const LINUX: &str = "linux-7.3.tsv";
const QEMU: &str = "qemu-11.1.tsv";

/// The findings of a changed text since the release's own, and beside it.
fn findings(text: &str) -> [String; 2] {
    findings_beside(text, &[QEMU])
}

fn findings_beside(text: &str, others: &[&str]) -> [String; 2] {
    let others: Vec<(&str, String)> = others.iter().map(|name| (*name, text_of(name))).collect();
    let mut files = vec![("new.tsv", text)];
    files.extend(others.iter().map(|(name, text)| (*name, text.as_str())));
    let mut input = Input::try_read(&files, &text_of("differences.tsv")).unwrap();
    let mut diagnostics = Diagnostics::new();
    let file = input.sources.add("old.tsv", text_of(LINUX));
    let before = facts::read(&input.sources, file, &mut diagnostics).unwrap();
    let Facts::Linux(pinned) = before.clone() else { panic!("{LINUX}") };
    let since = verify_since(&before, &input.linux, &input.qemu, &input.differences);
    let pinned: Vec<LinuxFacts> = vec![pinned];
    input.differences.add_pinned(pinned, Vec::new());
    let alone = verify(&input.linux, &input.qemu, &input.differences, Scope::Given);
    [since, alone].map(|report| report.render_findings(&input.sources))
}

/// The release with SGX's register as a word of the kernel, and its features there.
fn with_a_word_of_sgx() -> String {
    let text = text_of(LINUX).replace("linux-count	NCAPINTS	22\n", "linux-count	NCAPINTS	23\n");
    let features = [("SGX1", 0), ("SGX2", 1), ("SGX_EUPDATESVN", 10), ("SGX_EDECCSSA", 11)];
    let row = |line: &str| -> Option<String> {
        let columns: Vec<&str> = line.split('\t').collect();
        let bit = features.iter().find(|(name, _)| columns.get(1) == Some(name)).map(|(_, bit)| bit);
        match (columns[0], bit) {
            ("linux-scattered" | "kvm-translate", Some(_)) => None,
            ("linux-feature", Some(bit)) => {
                Some(format!("linux-feature	{}	22	{bit}	{}", columns[1], columns[4]))
            }
            _ => Some(line.replace("CPUID_12_EAX	SCATTERED_F	", "CPUID_12_EAX	F	")),
        }
    };
    let rows: Vec<String> = text.lines().filter_map(row).collect();
    rows.join("\n")
}

#[test]
fn a_register_that_becomes_a_word_is_no_finding() {
    assert_eq!(findings(&text_of(LINUX)), ["findings: 0\n"; 2]);
    assert_eq!(findings(&with_a_word_of_sgx()), ["findings: 0\n"; 2]);
}

#[test]
fn a_bit_that_moves_is_a_finding_at_both_places() {
    let text = with_a_word_of_sgx();
    let row = "linux-feature	SGX_EUPDATESVN	22	10	";
    assert!(text.contains(row));
    let line = |text: &str, row: &str| text.lines().position(|line| line.starts_with(row)).unwrap() + 1;
    let at = line(&text, row);
    let [since, alone] = findings(&text.replace(row, "linux-feature	SGX_EUPDATESVN	22	12	"));
    let changed = format!(
        "new.tsv:{at}:1: error: changed: linux-feature SGX_EUPDATESVN is CPUID.(EAX=0x12,ECX=0):EAX[12] in the changed 7.3.4 (Linux \
         7.3.4)\nold.tsv:{}:1: note: but was CPUID.(EAX=0x12,ECX=0):EAX[10] CPUID_LNX_5[17] in the original 7.3.4\n",
        line(&text_of(LINUX), "linux-feature	SGX_EUPDATESVN	")
    );
    assert!(since.contains(&changed) && alone.contains(&changed), "{since}\n{alone}");
    assert_eq!(since.matches("error: changed: linux-feature").count(), 1, "{since}");
    assert!(!since.contains("explain it in differences.tsv: changed"), "{since}");
    // The lost name is reported where the name is now.
    let lost = format!(
        "new.tsv:{at}:1: error: name-lost: CPUID.(EAX=0x12,ECX=0):EAX[10] has no name in the changed 7.3.4, "
    );
    assert!(alone.contains(&lost), "{alone}");
}

/// What is missing is reported with the row that came before it.
#[test]
fn a_row_that_is_gone_is_missing_after_the_row_before_it() {
    let row = "linux-dep	SGX_EDECCSSA	SGX1";
    let text = text_of(LINUX).replace(&format!("{row}\n"), "");
    let at = text.lines().position(|line| line == "linux-dep	SGX_EUPDATESVN	SGX1").unwrap() + 1;
    let [since, alone] = findings(&text);
    let wanted = format!("\nnew.tsv:{at}:1: note: but not in the changed 7.3.4, where it came after this\n");
    for found in [since, alone] {
        assert!(
            found.contains("error: gone: linux-dep SGX_EDECCSSA SGX1 is in the original 7.3.4"),
            "{found}"
        );
        assert!(found.contains(&wanted), "{found}");
    }
}

/// Two enumerators that change places make all features of both words wrong: that is one mistake with two registers, and the findings
/// about the features one by one are left out.
#[test]
fn words_that_change_places_are_one_finding_each() {
    let (one, other) = ("linux-word	CPUID_7_0_EBX	9	", "linux-word	CPUID_7_EDX	18	");
    let text = text_of(LINUX);
    assert!(text.contains(one) && text.contains(other));
    let swapped =
        text.replace(one, "linux-word	CPUID_7_0_EBX	18	").replace(other, "linux-word	CPUID_7_EDX	9	");
    for found in findings(&swapped) {
        let of_words = found.matches("error: word-moved: ").count();
        assert_eq!(of_words, 2, "{found}");
        assert!(
            found.contains(" features of CPUID.(EAX=7,ECX=0):EDX are at CPUID.(EAX=7,ECX=0):EBX here: "),
            "{found}"
        );
        assert!(found.matches("error: ").count() < 8, "{found}");
    }
}

/// A changed release of QEMU since the release itself, with rows of accepted findings: the findings, and the number of rows that
/// none needs.
fn since_qemu(row: &str, instead: &str, accepted: &str) -> (String, usize) {
    let report = report_since_qemu(row, instead, accepted);
    (report.0, report.1.unneeded.len())
}

fn report_since_qemu(row: &str, instead: &str, accepted: &str) -> (String, Report) {
    let text = text_of(QEMU);
    assert_eq!(text.matches(row).count(), 1, "{row}");
    let changed = text.replace(row, instead);
    let files = [("new.tsv", changed.as_str()), (LINUX, &text_of(LINUX))];
    let mut input = Input::try_read(&files, &text_of("differences.tsv")).unwrap();
    let mut diagnostics = Diagnostics::new();
    let [old, rows] = [("old.tsv", text), ("accepted.tsv", accepted.to_owned())]
        .map(|(name, text)| input.sources.add(name, text));
    let before = facts::read(&input.sources, old, &mut diagnostics).unwrap();
    input.differences.read_accepted(&input.sources, rows, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{}", diagnostics.render(&input.sources));
    let report: Report = verify_since(&before, &input.linux, &input.qemu, &input.differences);
    (report.render_findings(&input.sources), report)
}

const LEVEL: &str = "qemu-model	EPYC-Turin	0xd	";

#[test]
fn an_accepted_change_is_no_finding() {
    let accepted = "changed	qemu-model EPYC-Turin level	0xd	0x10	design	leaf 0x10 has its bandwidth\n";
    let (found, _) = since_qemu(LEVEL, "qemu-model	EPYC-Turin	0x10	", "");
    let row = accepted.split('\t').take(4).collect::<Vec<_>>().join(" | ");
    let help = format!("help: if this is intended, accept it with --accept FILE: {row} | VERDICT | REASON");
    assert!(found.starts_with("findings: 1\n") && found.contains(&help), "{found}");
    let nothing = ("findings: 0\n".to_owned(), 0);
    assert_eq!(since_qemu(LEVEL, "qemu-model	EPYC-Turin	0x10	", accepted), nothing);
    // As the finding prints the row.
    let pasted = accepted.replace('\t', " | ");
    assert_eq!(since_qemu(LEVEL, "qemu-model	EPYC-Turin	0x10	", &pasted), nothing);
    // Another change is not accepted with it, and the row is then not needed.
    let (found, unneeded) = since_qemu(LEVEL, "qemu-model	EPYC-Turin	0xe	", accepted);
    assert!(found.starts_with("findings: 1\n") && unneeded == 1, "{found}");
}

/// A row of the differences knows it as an upstream bug, and a change that brings it in is a finding all the same.
#[test]
fn a_known_bug_that_a_change_brings_in_is_a_finding() {
    let (bit, wrong) = ("cpuid-field	0x7	0	0	EDX	9	9	srbds_ctrl", "cpuid-field	0x7	0	0	EDX	9	9	srdbs_ctrl");
    let text = text_of(LINUX);
    assert!(text.contains(bit));
    let [since, alone] = findings(&text.replace(bit, wrong));
    assert!(since.contains("a known upstream bug: ") && since.contains(": error: field-name: "), "{since}");
    assert!(!alone.contains(": error: field-name: "), "{alone}");
}

/// QEMU 7.2's models lack what only a newer Linux has: nothing that a change to Linux brings in.
#[test]
fn a_known_bug_of_the_other_project_is_no_finding() {
    let files = [(LINUX, text_of(LINUX)), ("qemu-7.2.tsv", text_of("qemu-7.2.tsv"))];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let mut input = Input::try_read(&files, &text_of("differences.tsv")).unwrap();
    let old = input.sources.add("old.tsv", text_of("linux-6.1.tsv"));
    let before = facts::read(&input.sources, old, &mut Diagnostics::new()).unwrap();
    let report = verify_since(&before, &input.linux, &input.qemu, &input.differences);
    let found = report.render_findings(&input.sources);
    assert!(!found.contains("error: model-lacks: "), "{found}");
}

/// What a mask of features that cannot migrate gains is taken from users; what TCG's mask gains is not.
#[test]
fn a_mask_that_withholds_more_is_a_finding() {
    let mask = "qemu-mask	FEAT_8000_0007_EDX	unmigratable	0x100";
    let (found, _) = since_qemu(mask, "qemu-mask	FEAT_8000_0007_EDX	unmigratable	0x101", "");
    assert!(found.contains("qemu-mask FEAT_8000_0007_EDX unmigratable gains bit 0: it is 0x101"), "{found}");
    let new = format!("{mask}\nqemu-mask	FEAT_7_0_EDX	unmigratable	0x20000000");
    let (found, _) = since_qemu(mask, &new, "");
    assert!(
        found.contains("qemu-mask FEAT_7_0_EDX unmigratable gains `arch-capabilities`: it is 0x20000000"),
        "{found}"
    );
    let tcg = format!("{mask}\nqemu-mask	FEAT_7_1_ECX	tcg	0x1");
    assert_eq!(since_qemu(mask, &tcg, "").0, "findings: 0\n");
}

#[test]
fn an_enlightenment_without_what_it_needs_is_a_finding() {
    let row = "qemu-hyperv-dep	hv-stimer	hv-synic\n";
    let (found, _) = since_qemu(row, "", "");
    assert!(
        found.contains("dep-missing: `hv-stimer` needs `hv-synic`, but QEMU does not state it"),
        "{found}"
    );
}

/// Nobody else states it, so no other check sees that it is wrong.
#[test]
fn a_dependency_that_a_change_adds_is_a_finding() {
    let row = "linux-dep	SGX_EDECCSSA	SGX1\n";
    let text = text_of(LINUX);
    assert!(text.contains(row));
    let added = |dep: &str| text.replace(row, &format!("{row}linux-dep	{dep}\n"));
    for found in findings(&added("AVX512_BITALG	VAES")) {
        let wanted = "error: dep-added: Linux: `AVX512_BITALG` needs `VAES` in the changed 7.3.4, not in the original 7.3.4, ";
        assert!(found.contains(wanted), "{found}");
        assert!(
            found
                .contains("accept it with --accept FILE: dep-added | linux-dep AVX512_BITALG VAES | - | - |"),
            "{found}"
        );
    }
    // Xen states it; and Linux through AVX.
    for known in ["VPCLMULQDQ	AVX2", "AVX2	XSAVE"] {
        assert!(!text.contains(&format!("linux-dep	{known}\n")), "{known}");
        let found = findings_beside(&added(known), &[QEMU, "xen-4.23.tsv"]);
        assert!(!found[0].contains("dep-added"), "{found:?}");
    }
    assert!(findings(&added("VPCLMULQDQ	AVX2"))[0].contains("dep-added"));
    for found in findings(&added("XSAVE	AVX2")) {
        assert!(found.contains("error: dep-circle: ") && found.contains("error: dep-added: "), "{found}");
    }
}

#[test]
fn a_dependency_that_qemu_adds_is_a_finding() {
    let row = "qemu-hyperv-dep	hv-stimer	hv-synic\n";
    let added = |dep: &str| since_qemu(row, &format!("{row}qemu-hyperv-dep	{dep}\n"), "").0;
    let found = added("hv-relaxed	hv-runtime");
    assert!(found.starts_with("findings: 1\n"), "{found}");
    assert!(found.contains("error: dep-added: QEMU: `hv-relaxed` needs `hv-runtime`"), "{found}");
    let accepted = "dep-added | qemu-hyperv-dep hv-relaxed hv-runtime | - | - | design | a test\n";
    let nothing = ("findings: 0\n".to_owned(), 0);
    assert_eq!(since_qemu(row, &format!("{row}qemu-hyperv-dep	hv-relaxed	hv-runtime\n"), accepted), nothing);
    let found = added("hv-vapic	hv-evmcs");
    assert!(
        found.contains("error: dep-circle: the dependencies form a cycle: hv-evmcs > hv-vapic > hv-evmcs"),
        "{found}"
    );
    // What it states already, through hv-stimer.
    assert_eq!(added("hv-stimer-direct	hv-synic"), "findings: 0\n");
    let row = "qemu-dep	FEAT_7_0_EBX	0x4	FEAT_7_0_ECX	0x40000000\n";
    let more = format!("{row}qemu-dep	FEAT_7_0_EBX	0x20	FEAT_7_0_EBX	0x8\n");
    let (found, _) = since_qemu(row, &more, "");
    assert!(
        found.contains("error: dep-added: QEMU: `bmi1` of `FEAT_7_0_EBX` needs `avx2` of `FEAT_7_0_EBX`"),
        "{found}"
    );
}

/// A release that is not pinned: an enlightenment needs more than in the pinned release before it.
#[test]
fn an_enlightenment_that_needs_more_than_before_is_a_finding() {
    let newer = text_of(QEMU).replace("qemu-release	11.1", "qemu-release	11.9");
    let with = |more: &str| {
        let files = [("new.tsv", format!("{newer}{more}")), (LINUX, text_of(LINUX))];
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        let mut input = Input::try_read(&files, &text_of("differences.tsv")).unwrap();
        let file = input.sources.add(QEMU, text_of(QEMU));
        let Some(Facts::Qemu(pinned)) = facts::read(&input.sources, file, &mut Diagnostics::new()) else {
            panic!("{QEMU}")
        };
        input.differences.add_pinned(Vec::new(), vec![pinned]);
        let report = verify(&input.linux, &input.qemu, &input.differences, Scope::Given);
        report.render_findings(&input.sources)
    };
    assert_eq!(with(""), "findings: 0\n");
    let found = with("qemu-hyperv-dep	hv-relaxed	hv-runtime\n");
    assert!(found.starts_with("findings: 1\n") && found.contains("error: dep-added: "), "{found}");
    let new = "qemu-property	hv-new	bit64	hyperv_features	40	0\nqemu-hyperv	hv-new	0x40000003	EAX	0x8000\n\
               qemu-hyperv-dep	hv-new	hv-runtime\n";
    assert_eq!(with(new), "findings: 0\n");
}

/// One lost bit of a model, and what follows from it: each finding has its row, and the count has all.
#[test]
fn findings_that_follow_from_a_change_are_shown_below_it() {
    let row = "qemu-model-word	EPYC-Milan	FEAT_1_ECX	0x";
    let text = text_of(QEMU);
    let line = text.lines().find(|line| line.starts_with(row)).unwrap();
    let mask = u64::from_str_radix(line.strip_prefix(row).unwrap(), 16).unwrap();
    let avx = 1 << 28;
    assert_ne!(mask & avx, 0);
    let (found, report) =
        report_since_qemu(line, &format!("qemu-model-word	EPYC-Milan	FEAT_1_ECX	{:#x}", mask & !avx), "");
    assert!(found.contains("FEAT_1_ECX loses `avx` (FEAT_1_ECX[28]) in the changed 11.1"), "{found}");
    let follow = report
        .findings
        .iter()
        .filter(|found| found.row.as_ref().is_some_and(|row| row.follows.is_some()))
        .count();
    assert_eq!(report.findings.len(), follow + 1, "{found}");
    assert!(
        follow > 3 && found.contains(&format!("  also {follow} findings that can follow from this:\n")),
        "{found}"
    );
    assert!(found.starts_with(&format!("findings: {}\n", follow + 1)), "{found}");
    let row = "accept it with --accept FILE: model-lacks | CPUID.(EAX=1,ECX=0):ECX[28] | avx | EPYC-Milan | VERDICT | REASON\n";
    assert!(found.contains(row), "{found}");
    // Another mistake in the same model is a finding of its own.
    let other = format!("qemu-model-word	EPYC-Milan	FEAT_1_ECX	{:#x}", mask & !avx & !(1 << 9));
    let (found, _) = report_since_qemu(line, &other, "");
    assert!(found.contains("`ssse3` (FEAT_1_ECX[9])"), "{found}");
}

/// A script reads which rows of accepted findings can go.
#[test]
fn rows_that_no_finding_needs_are_in_the_json() {
    let accepted = "changed	qemu-model EPYC-Turin level	0xd	0x10	design	leaf 0x10 has its bandwidth\n";
    let (_, report) = report_since_qemu(LEVEL, LEVEL, accepted);
    let [row] = report.unneeded.as_slice() else { panic!("{:?}", report.unneeded) };
    assert_eq!(
        (row.key.subject.as_str(), row.reason.as_str()),
        ("qemu-model EPYC-Turin level", "leaf 0x10 has its bandwidth")
    );
}

/// What is released must not get more: guests that have it would change.
#[test]
fn what_a_change_adds_to_what_is_released_is_a_finding() {
    let after = |start: &str, row: &str| {
        let text = text_of(QEMU);
        let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}"));
        since_qemu(&format!("{line}\n"), &format!("{line}\n{row}\n"), "").0
    };
    for (start, row) in [
        ("qemu-model-version	SapphireRapids	2	", "qemu-model-prop	SapphireRapids	2	min-level	0x21"),
        ("qemu-machine	pc-q35-9.0	", "qemu-compat	pc-q35-9.0	x86_64-cpu	pmu	on"),
        ("qemu-kvm-default	kvmclock	", "qemu-kvm-default	vmx	off"),
        ("qemu-hyperv	hv-relaxed	", "qemu-hyperv	hv-relaxed	0x40000003	EAX	0x80"),
    ] {
        let found = after(start, row);
        let columns: Vec<&str> = row.split('\t').collect();
        assert!(found.contains(&format!("error: added: {} ", columns[0])), "{row}: {found}");
        assert!(found.contains("accept it with --accept FILE: added | "), "{found}");
    }
    // The list of the release before is for what changes now.
    let text = text_of(QEMU);
    let machines =
        text.lines().filter_map(|line| line.strip_prefix("qemu-machine\tpc-q35-")?.split('\t').next());
    let [_, second] = machines.take(2).collect::<Vec<_>>()[..] else { panic!("{QEMU}") };
    let found = after(
        &format!("qemu-machine	pc-q35-{second}	"),
        &format!("qemu-compat	pc-q35-{second}	x86_64-cpu	pmu	on"),
    );
    assert_eq!(found, "findings: 0\n");
    for found in findings(&format!("{}kvm-module	kvm_intel	clear	LA57	-\n", text_of(LINUX))) {
        assert!(
            found.contains("error: added: kvm-module kvm_intel clear LA57, always, is in the changed 7.3.4"),
            "{found}"
        );
    }
}
