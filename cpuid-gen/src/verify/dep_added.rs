//! Dependencies that a change adds, and that nobody else states.
//!
//! A wrong dependency takes a feature from every machine that lacks the required one. The other checks compare what several
//! projects state, so they cannot judge a dependency that only one does. An added one is therefore a finding, unless another
//! release of the project, another project or the manuals (the `needs` rows of the differences) state it, directly or through
//! others. A release is compared with the state before a change (`--since`) and, between two pinned releases, with both. An
//! enlightenment of Hyper-V must not need more than in the pinned release before: it would fail where it worked.

use super::dep_edges::{Edges, Node, Row, shown};
use super::dep_unstated::is_refuted;
use super::deps::{linux_edges, qemu_edges, witness_edges};
use super::differences::Differences;
use super::finding::Findings;
use super::follows::About;
use super::history::names_of;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::needed::{Needed, StatedBy};
use super::needs::is_reversed;
use super::qemu::QemuIndex;
use super::release::Release;
use super::witnesses::WitnessIndex;
use super::{linux_indexes, qemu_indexes};
use crate::diagnostic::Diagnostic;
use crate::facts::{LinuxFacts, QemuFacts, QemuHypervDep};
use crate::graph::closure;
use crate::ordered::Set;
use crate::source::Span;

/// The releases that can state a dependency, too.
pub(super) struct Others<'f> {
    pub(super) linux: Vec<&'f LinuxFacts>,
    pub(super) qemu: Vec<&'f QemuFacts>,
}

impl<'f> Others<'f> {
    /// The given releases but one, and the pinned ones.
    pub(super) fn beside(
        own: &Release,
        (linux, qemu): (&[LinuxIndex<'f>], &[QemuIndex<'f>]),
        pinned: &'f (Vec<LinuxFacts>, Vec<QemuFacts>),
    ) -> Others<'f> {
        let linux = linux.iter().filter(|index| index.release != *own).map(|index| index.facts);
        let qemu = qemu.iter().filter(|index| index.release != *own).map(|index| index.facts);
        Others { linux: linux.chain(&pinned.0).collect(), qemu: qemu.chain(&pinned.1).collect() }
    }
}

/// Reports the dependencies that a Linux release has and the one before does not have.
pub(super) fn check_linux(
    [before, after]: [&LinuxIndex<'_>; 2],
    others: &Others<'_>,
    findings: &mut Findings<'_>,
) {
    let known: Set<(&str, &str)> = before.facts.deps.iter().map(|dep| (&*dep.name, &*dep.needs)).collect();
    let is_new = |dep: &(&str, &str)| !known.contains(dep);
    let mut new = after.facts.deps.iter().filter(|dep| is_new(&(&dep.name, &dep.needs))).peekable();
    // Before 4.15 there is no table.
    if known.is_empty() || new.peek().is_none() {
        return;
    }
    let edges = linux_edges(after);
    let stated = stated(others, &[&linux_edges(before)], findings.differences());
    for dep in new {
        let own = own(&edges, |row| matches!(row, Row::Linux(of) if std::ptr::eq(*of, dep)));
        let same = |facts: &&LinuxFacts| {
            facts.deps.iter().any(|other| (&other.name, &other.needs) == (&dep.name, &dep.needs))
        };
        if !is_judged(&own, &stated, findings) && !others.linux.iter().any(same) {
            let subject = format!("linux-dep {} {}", dep.name, dep.needs);
            let row = (Row::Linux(dep).text(), dep.at);
            add((subject, shown_edges(&own)), row, [&before.release, &after.release], findings);
        }
    }
}

/// Likewise for QEMU's dependencies between features.
pub(super) fn check_qemu(
    [before, after]: [&QemuIndex<'_>; 2],
    others: &Others<'_>,
    findings: &mut Findings<'_>,
) {
    let known: Set<_> = before.facts.deps.iter().map(|dep| (&dep.from, &dep.to)).collect();
    let mut new = after.facts.deps.iter().filter(|dep| !known.contains(&(&dep.from, &dep.to))).peekable();
    // Before 4.2 there is no table.
    if known.is_empty() || new.peek().is_none() {
        return;
    }
    let linux = linux_indexes(others.linux.iter().copied());
    let edges = qemu_edges(after, &linux);
    let stated = stated(others, &[&qemu_edges(before, &linux)], findings.differences());
    for dep in new {
        let own = own(&edges, |row| matches!(row, Row::Qemu(_, of) if std::ptr::eq(*of, dep)));
        let same = |facts: &&QemuFacts| {
            facts.deps.iter().any(|other| (&other.from, &other.to) == (&dep.from, &dep.to))
        };
        if !is_judged(&own, &stated, findings) && !is_reversed(after, dep) && !others.qemu.iter().any(same) {
            let subject = format!("qemu-dep {}", shown(dep));
            let row = (Row::Qemu(after.facts, dep).text(), dep.at);
            add((subject, shown_edges(&own)), row, [&before.release, &after.release], findings);
        }
    }
}

/// Likewise for its dependencies between enlightenments; with `kept`, only of those that the release before has.
pub(super) fn check_hyperv(
    [before, after]: [&QemuIndex<'_>; 2],
    others: &Others<'_>,
    kept: bool,
    findings: &mut Findings<'_>,
) {
    let pairs = |facts| all_of(facts).map(|dep| (&*dep.property, &*dep.needs)).collect::<Vec<_>>();
    let manuals = findings.differences().property_needs.iter().map(|row| (&*row.property, &*row.needs));
    let mut stated: Set<(&str, &str)> = manuals.collect();
    for facts in others.qemu.iter().copied().chain([before.facts]) {
        stated.extend(closure(&pairs(facts), usize::MAX).unwrap_or_default());
    }
    let has = |name: &str| before.facts.hyperv.iter().any(|row| row.property == name);
    for dep in all_of(after.facts).filter(|dep| !stated.contains(&(&*dep.property, &*dep.needs))) {
        // Before 4.1 there is no table.
        let is_compared = !before.facts.hyperv.is_empty() && (!kept || has(&dep.property));
        if is_compared {
            let subject = format!("qemu-hyperv-dep {} {}", dep.property, dep.needs);
            let text = format!("QEMU: `{}` needs `{}`", dep.property, dep.needs);
            let edges = vec![[dep.property.clone(), dep.needs.clone()]];
            add((subject, edges), (text, dep.at), [&before.release, &after.release], findings);
        }
    }
}

/// The dependencies of the table, and those in code.
fn all_of(facts: &QemuFacts) -> impl Iterator<Item = &QemuHypervDep> {
    facts.hyperv_deps.iter().chain(facts.hyperv_code_deps.iter().flatten())
}

/// True if a row has edges, and all of them are stated, or refuted by the manuals, which is a finding of its own.
fn is_judged(
    own: &[(Node<'_>, Node<'_>)],
    stated: &Set<(Node<'_>, Node<'_>)>,
    findings: &Findings<'_>,
) -> bool {
    let is_known =
        |edge: &(Node<'_>, Node<'_>)| stated.contains(edge) || is_refuted(*edge, findings.differences());
    !own.is_empty() && own.iter().all(is_known)
}

/// What the others, these edges and the manuals state, directly or through others.
fn stated<'s>(
    others: &'s Others<'_>,
    more: &[&Edges<'s>],
    differences: &'s Differences,
) -> Set<(Node<'s>, Node<'s>)> {
    let linux = linux_indexes(others.linux.iter().copied());
    let qemu = qemu_indexes(others.qemu.iter().copied(), differences);
    let witnesses: Vec<WitnessIndex<'_>> = differences.witnesses.iter().map(WitnessIndex::new).collect();
    let mut all: Set<(Node<'s>, Node<'s>)> = Set::new();
    let mut add = |edges: &Edges<'s>| {
        let plain: Vec<_> = edges.iter().map(|(edge, _)| *edge).collect();
        all.extend(closure(&plain, usize::MAX).unwrap_or_default());
    };
    more.iter().for_each(|edges| add(edges));
    linux.iter().for_each(|index| add(&linux_edges(index)));
    qemu.iter().for_each(|index| add(&qemu_edges(index, &linux)));
    witnesses.iter().for_each(|index| add(&witness_edges(index)));
    let manuals = differences.needs.iter().filter(|row| row.by != StatedBy::Neither);
    all.extend(manuals.filter_map(|row| Some((node(row.bit)?, node(row.needs)?))));
    all
}

fn node(needed: Needed) -> Option<Node<'static>> {
    match needed {
        Needed::Cpuid(location) => Some(Node::Feature(location)),
        Needed::Msr(msr, bit) => Some(Node::Msr(msr, bit)),
        Needed::Register(_) | Needed::WholeMsr(_) => None,
    }
}

fn add(
    (subject, edges): (String, Vec<[String; 2]>),
    (text, at): (String, Span),
    releases: [&Release; 2],
    findings: &mut Findings<'_>,
) {
    let key = Key::new(Kind::DepAdded, subject, "-", "-");
    findings.add_change(key.clone(), releases, || {
        let [before, after] = names_of(releases);
        let message =
            format!("{text} in {after}, not in {before}, and no other release or project states it");
        Diagnostic::error(at, message)
    });
    findings.say_about(&key, || About::of_pairs(edges));
}

/// The edges of a row.
fn own<'a>(edges: &Edges<'a>, is_own: impl Fn(&Row<'_>) -> bool) -> Vec<(Node<'a>, Node<'a>)> {
    edges.iter().filter(|(_, row)| is_own(row)).map(|(edge, _)| *edge).collect()
}

fn shown_edges(edges: &[(Node<'_>, Node<'_>)]) -> Vec<[String; 2]> {
    edges.iter().map(|(node, needed)| [node.shown(), needed.shown()]).collect()
}
