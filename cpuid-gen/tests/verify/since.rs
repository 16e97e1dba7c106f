//! `verify --since`: a row that only moves gives no finding; a changed bit gives one, with both places.

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts, LinuxFacts};
use cpuid_gen::verify::{Scope, verify, verify_since};

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
