//! `verify --since`: a row that only moves gives no finding; a changed bit gives one, with both places.

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts, LinuxFacts};
use cpuid_gen::verify::{Report, Scope, verify, verify_since};

use crate::input::{Input, text_of};

const LINUX: &str = "linux-7.3.tsv";
const QEMU: &str = "qemu-11.1.tsv";

/// The findings of a changed text since the release's own, and beside it.
fn findings(text: &str) -> [String; 2] {
    let files = [("new.tsv", text), (QEMU, &text_of(QEMU))];
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
        "new.tsv:{at}:1: error: changed: linux-feature SGX_EUPDATESVN is CPUID.(EAX=0x12,ECX=0):EAX[12] in the later 7.3.4 (Linux \
         7.3.4)\nold.tsv:{}:1: note: but was CPUID.(EAX=0x12,ECX=0):EAX[10] CPUID_LNX_5[17] in the earlier 7.3.4\n",
        line(&text_of(LINUX), "linux-feature	SGX_EUPDATESVN	")
    );
    assert!(since.contains(&changed) && alone.contains(&changed), "{since}\n{alone}");
    assert_eq!(since.matches("error: changed: linux-feature").count(), 1, "{since}");
    assert!(!since.contains("explain it in differences.tsv: changed"), "{since}");
    // The lost name is reported where the name is now.
    let lost = format!(
        "new.tsv:{at}:1: error: name-lost: CPUID.(EAX=0x12,ECX=0):EAX[10] has no name in the later 7.3.4, "
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
    let wanted = format!("\nnew.tsv:{at}:1: note: but not in the later 7.3.4, where it came after this\n");
    for found in [since, alone] {
        assert!(
            found.contains("error: gone: linux-dep SGX_EDECCSSA SGX1 is in the earlier 7.3.4"),
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
    (report.render_findings(&input.sources), report.unneeded.len())
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
    assert!(found.contains("qemu-mask FEAT_8000_0007_EDX unmigratable is 0x101"), "{found}");
    let new = format!("{mask}\nqemu-mask	FEAT_7_0_EDX	unmigratable	0x20000000");
    let (found, _) = since_qemu(mask, &new, "");
    assert!(found.contains("qemu-mask FEAT_7_0_EDX unmigratable is 0x20000000"), "{found}");
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
