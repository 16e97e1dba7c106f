//! Checks the dependencies of each release, and of each Linux release with each QEMU release, for cycles.
//!
//! A dependency in only one project is not a finding: Linux lists the features that a kernel can disable, QEMU those
//! that its properties leave in a guest. But they must not contradict each other: together, their dependencies must
//! not form a cycle, of which two opposite dependencies are the shortest. Dependencies with alternatives are
//! excluded, as in the model, which documents them.

use std::collections::HashMap;

use super::finding::{Findings, Release};
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{LinuxDep, QemuDep, QemuSource};
use crate::graph::cycles;
use crate::location::{Bit, Location, Msr};
use crate::source::Span;

/// A dependent or required bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'a> {
    Feature(Location),
    Software(&'a str),
    Msr(Msr, Bit),
}

/// The row that states an edge.
#[derive(Clone, Copy)]
enum Row<'a> {
    Linux(&'a LinuxDep),
    Qemu(&'a QemuDep),
}

type Edges<'a> = Vec<((Node<'a>, Node<'a>), Row<'a>)>;

/// Checks every release and every pair.
pub(super) fn check(linux: &[LinuxIndex<'_>], qemu: &[QemuIndex<'_>], findings: &mut Findings<'_>) {
    let of_linux: Vec<Edges<'_>> = linux.iter().map(linux_edges).collect();
    let of_qemu: Vec<Edges<'_>> = qemu.iter().map(|index| qemu_edges(index, linux)).collect();
    // Nearly always the union has no cycle, and then no subset has one.
    let all: Vec<_> = of_linux.iter().chain(&of_qemu).flatten().map(|(edge, _)| *edge).collect();
    if cycles(&all).is_empty() {
        return;
    }
    let by_release = linux.iter().map(|index| &index.release).chain(qemu.iter().map(|index| &index.release));
    for (release, edges) in by_release.zip(of_linux.iter().chain(&of_qemu)) {
        report(&[release], edges, findings);
    }
    for (one, edges) in linux.iter().zip(&of_linux) {
        for (other, more) in qemu.iter().zip(&of_qemu) {
            let both: Edges<'_> = edges.iter().chain(more).copied().collect();
            report(&[&one.release, &other.release], &both, findings);
        }
    }
}

fn linux_edges<'a>(index: &LinuxIndex<'a>) -> Edges<'a> {
    let nodes = |name: &'a str| match index.rows.named(name) {
        [] => vec![Node::Software(name)],
        places => places.iter().copied().map(Node::Feature).collect(),
    };
    let mut edges = Edges::new();
    for dep in &index.facts.deps {
        if let [needs] = nodes(&dep.needs).as_slice() {
            // A feature that needs itself is a separate finding.
            let others = nodes(&dep.name).into_iter().filter(|node| node != needs);
            edges.extend(others.map(|node| ((node, *needs), Row::Linux(dep))));
        }
    }
    edges
}

/// The edges of one QEMU release, for the bits that it or a Linux release names.
fn qemu_edges<'a>(index: &QemuIndex<'a>, linux: &[LinuxIndex<'_>]) -> Edges<'a> {
    let mut msr_bits: HashMap<&str, Vec<Bit>> = HashMap::new();
    for bit in &index.facts.bits {
        msr_bits.entry(bit.word.as_str()).or_default().push(bit.bit);
    }
    let bits = |(name, mask): &(String, u64)| -> Vec<Node<'a>> {
        let held = |bit: &Bit| mask.checked_shr(u32::from(bit.0)).is_some_and(|rest| rest & 1 == 1);
        let mut found: Vec<Node<'a>> = match index.rows.words.get(name.as_str()).map(|word| word.source) {
            Some(QemuSource::Msr(msr)) => {
                let named = msr_bits.get(name.as_str()).into_iter().flatten();
                named.filter(|bit| held(bit)).map(|bit| Node::Msr(msr, *bit)).collect()
            }
            Some(source) => source.cpuid_word().map_or(Vec::new(), |word| {
                let [first, last] = [0, 31].map(|bit| Location { word, bit: Bit(bit) });
                let own = index.bits.range(first..=last).map(|(location, _)| *location);
                let others = linux.iter().flat_map(|other| other.bits.range(first..=last));
                let all = own.chain(others.map(|(location, _)| *location));
                all.filter(|location| held(&location.bit)).map(Node::Feature).collect()
            }),
            None => Vec::new(),
        };
        found.sort_unstable();
        found.dedup();
        found
    };
    let mut edges = Edges::new();
    for dep in &index.facts.deps {
        if let ([needs], 1) = (bits(&dep.from).as_slice(), dep.from.1.count_ones()) {
            let nodes = bits(&dep.to);
            let several = nodes.len() > 1;
            let others = nodes.into_iter().filter(|node| !several || node != needs);
            edges.extend(others.map(|node| ((node, *needs), Row::Qemu(dep))));
        }
    }
    edges
}

/// Reports cycles in the edges of one release, or of a pair; for a pair, those that neither release has alone.
fn report(releases: &[&Release], edges: &Edges<'_>, findings: &mut Findings<'_>) {
    let plain: Vec<(Node<'_>, Node<'_>)> = edges.iter().map(|(edge, _)| *edge).collect();
    for cycle in cycles(&plain) {
        let next = cycle.iter().cycle().skip(1);
        let rows: Vec<Row<'_>> = cycle
            .iter()
            .zip(next)
            .filter_map(|(&node, &needs)| {
                edges.iter().find(|(edge, _)| *edge == (node, needs)).map(|(_, row)| *row)
            })
            .collect();
        let [linux, qemu] = [true, false].map(|of_linux| {
            let own = rows.iter().filter(|row| matches!(row, Row::Linux(_)) == of_linux);
            own.map(|row| row.shown()).collect::<Vec<_>>().join(", ")
        });
        let kind = match releases {
            [_] => Kind::DepCircle,
            _ if linux.is_empty() || qemu.is_empty() => continue,
            _ => Kind::DepOpposite,
        };
        let side = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let round: Vec<String> = cycle.iter().chain(cycle.first()).map(Node::shown).collect();
        let round = round.join(" > ");
        findings.add(Key::new(kind, &round, side(&linux), side(&qemu)), releases, || {
            let at = rows.first().map(|row| row.at());
            let mut found = Diagnostic::general(format!("the dependencies form a cycle: {round}"));
            found.at = at;
            rows.iter().fold(found, |found, row| found.with_label(row.at(), row.text()))
        });
    }
}

impl Node<'_> {
    fn shown(&self) -> String {
        match self {
            Node::Feature(location) => location.to_string(),
            Node::Software(name) => (*name).to_owned(),
            Node::Msr(msr, bit) => msr.bit(*bit).to_string(),
        }
    }
}

impl Row<'_> {
    fn at(&self) -> Span {
        match self {
            Row::Linux(dep) => dep.at,
            Row::Qemu(dep) => dep.at,
        }
    }

    /// The text of its facts row.
    fn shown(&self) -> String {
        match self {
            Row::Linux(dep) => format!("{} {}", dep.name, dep.needs),
            Row::Qemu(dep) => shown(dep),
        }
    }

    fn text(&self) -> String {
        match self {
            Row::Linux(dep) => format!("Linux: `{}` needs `{}`", dep.name, dep.needs),
            Row::Qemu(QemuDep { from, to, .. }) => {
                format!("QEMU: {:#x} of `{}` needs {:#x} of `{}`", to.1, to.0, from.1, from.0)
            }
        }
    }
}

/// A QEMU dependency in keys: the text of its facts row, with the required bits first.
pub(super) fn shown(dep: &QemuDep) -> String {
    let QemuDep { from, to, .. } = dep;
    format!("{} {:#x} {} {:#x}", from.0, from.1, to.0, to.1)
}
