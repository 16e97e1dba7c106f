//! The recorded matrix: what is read of each release. `upstream/matrix` writes it; fetched trees must still agree.

use std::collections::BTreeMap;

use cpuid_gen::facts::{write_linux, write_qemu};

use crate::common::{note, read_linux, read_qemu, trees};

const MATRIX: &str = include_str!("../recorded/matrix.tsv");

/// Result and counts, by project and release.
fn recorded() -> BTreeMap<(&'static str, &'static str), (&'static str, &'static str)> {
    let rows = MATRIX.lines().filter(|line| !line.starts_with('#'));
    let columns = rows.map(|row| row.split('\t').collect::<Vec<_>>());
    columns
        .map(|columns| match columns[..] {
            [project, release, result, counts] => ((project, release), (result, counts)),
            _ => panic!("{columns:?}"),
        })
        .collect()
}

/// The number of rows of each kind, as in the matrix.
fn counts(facts: &str) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in facts.lines() {
        *counts.entry(row.split('\t').next().unwrap_or_default()).or_default() += 1;
    }
    counts.iter().map(|(kind, count)| format!("{kind}={count}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn fetched_trees_agree_with_the_recorded_matrix() {
    let known = recorded();
    let mut compared = 0;
    for tree in trees("fetched_trees_agree_with_the_recorded_matrix", "") {
        let (project, release) = tree.name.split_once('-').unwrap();
        let Some((result, expected)) = known.get(&(project, release)) else { continue };
        let text = match project {
            "linux" => read_linux(&tree.path).0.map(|facts| write_linux(&facts)),
            _ => read_qemu(&tree.path).0.map(|facts| write_qemu(&facts)),
        };
        assert_eq!(text.is_some(), *result == "read", "{}: {result}", tree.name);
        if let Some(text) = text {
            assert_eq!(counts(&text), *expected, "{}", tree.name);
        }
        compared += 1;
    }
    note(&format!("compared {compared} trees with the matrix"));
}

/// Every recorded release is read, except for QEMU before 2.5; every QEMU from 2.5 on is recorded.
#[test]
fn only_qemu_before_2_5_is_not_read() {
    let series = |release: &str| -> (u32, u32) {
        let mut numbers = release.split('.').map(|number| number.parse().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap())
    };
    let mut qemu = Vec::new();
    for ((project, release), (result, counts)) in recorded() {
        let series = series(release);
        let is_old = project == "qemu" && series < (2, 5);
        assert_eq!(result == "read", !is_old, "{project} {release}: {result}");
        assert_eq!(counts == "-", is_old, "{project} {release}");
        if project == "qemu" && !is_old {
            qemu.push(series);
        }
    }
    let last = [(2, 12), (3, 1), (4, 2), (5, 2), (6, 2), (7, 2), (8, 2), (9, 2), (10, 2), (11, 0)];
    for (major, minor) in last {
        let first = if major == 2 { 5 } else { 0 };
        for minor in first..=minor {
            assert!(qemu.contains(&(major, minor)), "QEMU {major}.{minor} is not recorded");
        }
    }
}
