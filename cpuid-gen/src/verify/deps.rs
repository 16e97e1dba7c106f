//! Checks the dependencies of each release, and of each two releases of different projects, for cycles.
//!
//! A dependency in only one project is not a finding: Linux lists those of features that a kernel can disable, QEMU
//! those that its properties can break, Xen those of its guests' features. But they must not contradict each other: together,
//! their dependencies must not form a cycle, of which two opposite dependencies are the shortest. Dependencies with
//! alternatives are excluded, as in the model, which documents them. `dep_unstated` joins the statements of several projects.

use std::collections::HashMap;

use super::dep_edges::{Edges, Node, Row};
use super::dep_unstated;
use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use super::release::Release;
use super::witnesses::WitnessIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{BitPlace, QemuSource};
use crate::graph::cycles;
use crate::location::Bit;
use crate::ordered::sort_by;

/// A release and its dependencies.
type Stated<'r, 'a> = (&'r Release, Edges<'a>);

/// Checks every release, every pair, and what the newest releases state together.
pub(super) fn check(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    witnesses: &[WitnessIndex<'_>],
    findings: &mut Findings<'_>,
) {
    let of_linux: Vec<Stated<'_, '_>> =
        linux.iter().map(|index| (&index.release, linux_edges(index))).collect();
    let of_qemu: Vec<Stated<'_, '_>> =
        qemu.iter().map(|index| (&index.release, qemu_edges(index, linux))).collect();
    let with_deps = witnesses.iter().filter(|index| !index.facts.deps.is_empty());
    let of_others: Vec<Stated<'_, '_>> =
        with_deps.clone().map(|index| (&index.release, witness_edges(index))).collect();
    let newest = [of_linux.last(), of_qemu.last()].into_iter().flatten().chain(&of_others);
    let names = |project: &str, node: Node<'_>| match project {
        "Linux" => linux.last().is_some_and(|index| index_has(index, node)),
        "QEMU" => qemu.last().is_some_and(|index| qemu_has(index, node)),
        _ => with_deps.clone().any(|index| index.release.project == project && witness_has(index, node)),
    };
    dep_unstated::check(
        &newest.map(|(release, edges)| (*release, edges)).collect::<Vec<_>>(),
        names,
        findings,
    );
    // Nearly always the union has no cycle, and then no subset has one.
    let groups = [of_linux, of_qemu, of_others];
    let all: Vec<_> = groups.iter().flatten().flat_map(|(_, edges)| edges).map(|(edge, _)| *edge).collect();
    if cycles(&all).is_empty() {
        return;
    }
    for (release, edges) in groups.iter().flatten() {
        report(&[release], edges, findings);
    }
    let pairs = groups.iter().enumerate().flat_map(|(at, group)| {
        let later = groups[at + 1..].iter().flatten();
        group.iter().flat_map(move |one| later.clone().map(move |other| (one, other)))
    });
    for ((one, edges), (other, more)) in pairs {
        let both: Edges<'_> = edges.iter().chain(more).copied().collect();
        report(&[one, other], &both, findings);
    }
}

fn index_has(index: &LinuxIndex<'_>, node: Node<'_>) -> bool {
    match node {
        Node::Feature(location) => index.bits.contains_key(&location),
        Node::Software(name) => index.features.contains_key(name),
        Node::Msr(..) => false,
    }
}

fn qemu_has(index: &QemuIndex<'_>, node: Node<'_>) -> bool {
    match node {
        Node::Feature(location) => index.bits.contains_key(&location),
        Node::Software(_) => false,
        Node::Msr(msr, bit) => index.msr_bits.contains_key(&(msr, bit)),
    }
}

fn witness_has(index: &WitnessIndex<'_>, node: Node<'_>) -> bool {
    match node {
        Node::Feature(location) => index.named.contains(&BitPlace::Cpuid(location)),
        Node::Software(_) => false,
        Node::Msr(msr, bit) => index.named.contains(&BitPlace::Msr(msr.bit(bit))),
    }
}

fn witness_node(place: BitPlace) -> Node<'static> {
    match place {
        BitPlace::Cpuid(location) => Node::Feature(location),
        BitPlace::Msr(bit) => Node::Msr(bit.msr, bit.bit),
    }
}

pub(super) fn witness_edges<'a>(index: &WitnessIndex<'a>) -> Edges<'a> {
    let nodes = |name: &str| {
        index.places.get(name).into_iter().flatten().map(|place| witness_node(*place)).collect::<Vec<_>>()
    };
    let mut edges = Edges::new();
    for dep in &index.facts.deps {
        if let [needs] = nodes(&dep.needs).as_slice() {
            let others = nodes(&dep.name).into_iter().filter(|node| node != needs);
            edges.extend(others.map(|node| ((node, *needs), Row::Witness(index.release.project, dep))));
        }
    }
    edges
}

pub(super) fn linux_edges<'a>(index: &LinuxIndex<'a>) -> Edges<'a> {
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
pub(super) fn qemu_edges<'a>(index: &QemuIndex<'a>, linux: &[LinuxIndex<'_>]) -> Edges<'a> {
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
                let bits = word.bit(Bit(0))..=word.bit(Bit(31));
                let own = index.bits.range(&bits).map(|(location, _)| *location);
                let others = linux.iter().flat_map(|other| other.bits.range(&bits));
                let all = own.chain(others.map(|(location, _)| *location));
                all.filter(|location| held(&location.bit)).map(Node::Feature).collect()
            }),
            None => Vec::new(),
        };
        sort_by(&mut found, Ord::cmp);
        found.dedup();
        found
    };
    let mut edges = Edges::new();
    for dep in &index.facts.deps {
        if let ([needs], 1) = (bits(&dep.from).as_slice(), dep.from.1.count_ones()) {
            let nodes = bits(&dep.to);
            let several = nodes.len() > 1;
            let others = nodes.into_iter().filter(|node| !several || node != needs);
            edges.extend(others.map(|node| ((node, *needs), Row::Qemu(index.facts, dep))));
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
        // The rows of each release of a pair; of one release, all of them.
        let of = |release: &Release| {
            let own = rows.iter().filter(|row| row.project() == release.project);
            own.map(|row| row.shown()).collect::<Vec<_>>().join(", ")
        };
        let (left, right) = match releases {
            [one] if one.project == "QEMU" => (String::new(), of(one)),
            [one] => (of(one), String::new()),
            [one, other, ..] => (of(one), of(other)),
            [] => continue,
        };
        let kind = match releases {
            [_] => Kind::DepCircle,
            _ if left.is_empty() || right.is_empty() => continue,
            _ => Kind::DepOpposite,
        };
        let side = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let round: Vec<String> = cycle.iter().chain(cycle.first()).map(Node::shown).collect();
        let round = round.join(" > ");
        findings.add(Key::new(kind, &round, side(&left), side(&right)), releases, || {
            let at = rows.first().map(|row| row.at());
            let mut found = Diagnostic::general(format!("the dependencies form a cycle: {round}"));
            found.at = at;
            rows.iter().fold(found, |found, row| found.with_label(row.at(), row.text()))
        });
    }
}
