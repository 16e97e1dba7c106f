//! `upstream/history.tsv`: real mistakes of Linux and QEMU, and whether cpuid-gen reports them. `upstream/history` rebuilds
//! the trees and compares the results; here only the list itself is checked, and the numbers that the documents state.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// The text of a file of the repository; `None` in the package, which has no such files.
fn read(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join(path)).ok();
    if text.is_none() {
        assert!(!root.join("upstream/bump").exists(), "{path} cannot be read");
        // Past the harness, which hides the output of tests that pass.
        let line = format!("SKIPPED: the package has no {path}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    text
}

/// The rows' columns.
fn mistakes(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|line| line.split('\t').collect()).collect()
}

#[test]
fn every_mistake_has_a_result_and_what_verify_does_not_find_a_reason() {
    let Some(text) = read("upstream/history.tsv") else { return };
    for row in mistakes(&text) {
        let [project, with, without, against, about, result, by, what, reason] = row[..] else {
            panic!("nine columns: {row:?}");
        };
        assert!(["linux", "qemu"].contains(&project), "{row:?}");
        assert!([with, without, against, about, what].iter().all(|column| !column.is_empty()), "{row:?}");
        assert!(["found", "stated", "missed"].contains(&result), "{row:?}");
        assert_eq!(by == "-", result == "missed", "{row:?}");
        assert_eq!(reason == "-", result == "found", "{row:?}");
    }
}

#[test]
fn four_of_five_mistakes_are_found_or_stated_and_the_documents_say_so() {
    let Some(text) = read("upstream/history.tsv") else { return };
    let rows = mistakes(&text);
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *count.entry(row[5]).or_default() += 1;
    }
    let [found, stated, missed] = ["found", "stated", "missed"].map(|result| count[result]);
    let all = rows.len();
    assert!(5 * (found + stated) >= 4 * all, "{count:?}");
    let Some(page) = read("docs/linux-and-qemu.md") else { return };
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let stated = format!(
        "Of {all} mistakes `verify` finds {found}, `diff` states {stated} more, and {missed} are missed"
    );
    assert!(page.contains(&stated), "docs/linux-and-qemu.md does not say: {stated}");
}
