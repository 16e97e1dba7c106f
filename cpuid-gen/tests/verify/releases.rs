//! The recorded findings in releases that are not pinned: each is named, and the counts agree.

use cpuid_gen::verify::Kind;

const FINDINGS: &str = include_str!("../recorded/findings.tsv");

#[test]
fn every_finding_in_another_release_is_named() {
    let rows = FINDINGS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let (mut in_pairs, mut in_findings, mut pairs) = (0, 0, Vec::new());
    for row in rows {
        match row.as_slice() {
            ["pair", qemu, _, count] => {
                in_pairs += count.parse::<usize>().unwrap();
                pairs.push(*qemu);
            }
            ["finding", kind, _, _, _, first, last, count, what] => {
                in_findings += count.parse::<usize>().unwrap();
                assert!(Kind::ALL.iter().any(|(_, name)| name == kind), "{row:?}");
                assert!(what.len() > 10 && pairs.contains(first) && pairs.contains(last), "{row:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(pairs.len() > 25, "{}", pairs.len());
    assert_eq!(in_pairs, in_findings);
}
