//! What a tree of a release must keep: each row that it drops or changes is a finding, with `verify --since` and without it.

use std::collections::BTreeMap;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::records::{QemuCompatList, QemuMachine};
use cpuid_gen::facts::{self, Facts, QemuFacts};
use cpuid_gen::source::Sources;
use cpuid_gen::verify::{Differences, Scope, verify, verify_since};

use crate::input::{Input, text_of};
use crate::rng::cases;

const LINUX: &str = "linux-7.3.tsv";
const QEMU: &str = "qemu-10.2.tsv";

/// Another text in place of a column.
type Change = fn(&str) -> String;

/// Kinds of rows; the column that is changed, and how.
const CHANGES: [(&str, usize, Change); 17] = [
    ("qemu-model", 4, |_| "CentaurHauls".to_owned()),
    ("qemu-model", 5, |family| format!("{family}1")),
    ("qemu-model", 8, |id| format!("{id} E5")),
    ("qemu-model-word", 3, |mask| format!("{mask}0")),
    ("qemu-model-prop", 4, |value| if value == "on" { "off".to_owned() } else { format!("{value}1") }),
    ("qemu-model-cache", 6, |size| format!("{size}0")),
    ("qemu-machine", 2, |_| "2".to_owned()),
    ("qemu-compat", 4, |value| if value == "on" { "off".to_owned() } else { format!("{value}1") }),
    ("qemu-xsave", 4, |size| format!("{size}0")),
    ("qemu-cache", 5, |size| format!("{size}0")),
    ("qemu-cache-descriptor", 4, |size| format!("{size}0")),
    ("qemu-kvm-default", 2, |value| if value == "on" { "off".to_owned() } else { "on".to_owned() }),
    ("qemu-tcg-default", 2, |value| if value == "on" { "off".to_owned() } else { "on".to_owned() }),
    ("qemu-alias", 2, |_| "avx2".to_owned()),
    ("qemu-property", 5, |default| format!("{default}1")),
    ("qemu-hyperv", 4, |mask| format!("{mask}0")),
    ("qemu-hyperv-dep", 2, |_| "hv-runtime".to_owned()),
];

fn qemu(text: &str) -> Result<(Sources, QemuFacts), String> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(QEMU, text);
    match facts::read(&sources, file, &mut diagnostics) {
        Some(Facts::Qemu(facts)) => Ok((sources, facts)),
        _ => Err(diagnostics.render(&sources)),
    }
}

/// The pinned pair, with QEMU's facts replaced for each change.
struct Bench {
    /// `input.differences` has no pinned release.
    input: Input,
    with_pinned: Differences,
    before: Facts,
}

impl Bench {
    fn new() -> Bench {
        let read = || {
            let files = [LINUX, QEMU].map(|name| (name, text_of(name)));
            let files = [0, 1].map(|at| (files[at].0, files[at].1.as_str()));
            Input::try_read(&files, &text_of("differences.tsv")).unwrap()
        };
        let (input, mut other) = (read(), read());
        let pinned = input.qemu[0].clone();
        other.differences.add_pinned(Vec::new(), vec![pinned.clone()]);
        Bench { input, with_pinned: other.differences, before: Facts::Qemu(pinned) }
    }

    /// The findings that a changed text adds: with the earlier state, and with the pinned release alone. A text that is
    /// not read has its errors.
    fn findings(&mut self, text: &str) -> [String; 2] {
        let Input { sources, linux, qemu, differences } = &mut self.input;
        let mut diagnostics = Diagnostics::new();
        let file = sources.add(QEMU, text);
        match facts::read(sources, file, &mut diagnostics) {
            Some(Facts::Qemu(facts)) if diagnostics.is_empty() => *qemu = vec![facts],
            _ => return [0; 2].map(|_| diagnostics.render(sources)),
        }
        let since = verify_since(&self.before, linux, qemu, differences);
        let alone = verify(linux, qemu, &self.with_pinned, Scope::Given);
        [since, alone].map(|report| report.findings.render(sources))
    }
}

/// Rows of a kind, evenly spread.
fn some_rows<'t>(lines: &[&'t str], kind: &str) -> Vec<(usize, &'t str)> {
    let is_kind = |line: &str| line.split('\t').next() == Some(kind);
    let all: Vec<(usize, &str)> =
        lines.iter().enumerate().filter(|(_, line)| is_kind(line)).map(|(at, line)| (at, *line)).collect();
    let count = cases(1).min(all.len());
    (0..count).map(|number| all[all.len() * (2 * number + 1) / (2 * count)]).collect()
}

#[test]
fn what_models_state_cannot_change_or_go_unseen() {
    each_change_is_seen(|kind| kind.starts_with("qemu-model"), 4);
}

#[test]
fn what_machine_types_and_properties_state_cannot_change_or_go_unseen() {
    each_change_is_seen(|kind| !kind.starts_with("qemu-model"), 11);
}

/// Changes and drops rows of the chosen kinds, of which `kinds` have a row.
fn each_change_is_seen(is_chosen: fn(&str) -> bool, kinds: usize) {
    let text = text_of(QEMU);
    let mut bench = Bench::new();
    let unchanged = bench.findings(&text);
    assert!(unchanged.iter().all(String::is_empty), "{unchanged:?}");
    let lines: Vec<&str> = text.lines().collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, column, change) in CHANGES.iter().filter(|(kind, ..)| is_chosen(kind)) {
        for (at, line) in some_rows(&lines, kind) {
            let mut columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
            columns[*column] = change(&columns[*column]);
            let changed = columns.join("\t");
            for instead in [Some(changed.as_str()), None] {
                // Machine types older than all others expire.
                if instead.is_none() && *kind == "qemu-machine" {
                    continue;
                }
                let mut planted = lines.clone();
                planted.splice(at..=at, instead);
                let found = bench.findings(&planted.join("\n"));
                assert!(found.iter().all(|found| found.contains("error: ")), "{line} -> {instead:?}");
                *counts.entry(*kind).or_default() += 1;
            }
        }
    }
    assert_eq!(counts.len(), kinds, "{counts:?}");
}

/// A machine type may only go if all older ones of its board go.
#[test]
fn machine_types_expire_from_the_oldest_on() {
    let text = text_of(QEMU);
    let (_, pinned) = qemu(&text).unwrap();
    let mut bench = Bench::new();
    let mut without = |machine: &str| {
        let is_kept =
            |line: &&str| line.split('\t').nth(1) != Some(machine) || line.starts_with("qemu-model");
        let kept: Vec<&str> = text.lines().filter(is_kept).collect();
        bench.findings(&kept.join("\n"))
    };
    let of_board = |machine: &&QemuMachine| machine.name.starts_with("pc-q35-");
    let names: Vec<&str> =
        pinned.machines.iter().filter(of_board).map(|machine| machine.name.as_str()).collect();
    let [.., second, oldest] = names[..] else { panic!("{names:?}") };
    assert_eq!(without(oldest), ["", ""]);
    for found in without(second) {
        assert!(found.contains(&format!("gone: qemu-machine {second} is in")), "{found}");
    }
}

/// A finding of a tree: one board uses the list of a release, another one does not.
#[test]
fn a_list_that_a_board_leaves_out_is_reported() {
    let text = "qemu-release	1.0\nqemu-machine	pc-q35-1.0	1	-\nqemu-machine	pc-i440fx-1.0	1	-\n\
                qemu-machine	pc-q35-0.9	1	pc-q35-1.0\nqemu-machine	pc-i440fx-0.9	1	pc-i440fx-1.0\n\
                qemu-machine	pc-q35-0.8	1	pc-q35-0.9\nqemu-machine	isapc	legacy	-\n";
    let (sources, mut facts) = qemu(text).unwrap();
    let at = facts.machines[0].at;
    let lists = [
        ("pc-q35-1.0", "pc_q35_compat_defaults"),
        ("pc-i440fx-1.0", "pc_i440fx_compat_defaults"),
        ("pc-q35-0.9", "hw_compat_0_9"),
        ("pc-q35-0.9", "pc_compat_0_9"),
        ("pc-i440fx-0.9", "hw_compat_0_9"),
        ("pc-q35-0.8", "hw_compat_0_8"),
    ];
    facts.compat_lists = lists
        .map(|(machine, list)| QemuCompatList { machine: machine.to_owned(), list: list.to_owned(), at })
        .to_vec();
    let report = verify(&[], &[facts], &Differences::none(), Scope::Given);
    let found = report.findings.render(&sources);
    let wanted = "error: machine-compat: `pc-i440fx-0.9` does not use `pc_compat_0_9` (QEMU 1.0)";
    assert!(report.findings.len() == 1 && found.contains(wanted), "{found}");
}
