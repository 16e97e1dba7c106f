//! Dependencies between bits: `cpuid_deps[]` of Linux (arch/x86/kernel/cpu/cpuid-deps.c) and `feature_dependencies[]`
//! of QEMU (target/i386/cpu.c), as one graph over the bits of the model.
//!
//! Both tables list the bits that are cleared together with a bit, so `A needs B` means that A is unavailable without
//! B. Linux names macros; a macro with several locations (MBA) is available if any location is. QEMU has masks: each
//! bit of the dependent mask needs *any* bit of the other mask (`x86_cpu_expand_features`), so that several bits
//! there are alternatives. A dependent mask of a whole word means every bit of the word in the model. A bit that such
//! a mask makes dependent on itself is omitted.
//!
//! All releases count, since a dependency belongs to the hardware and only older releases may have the bit. A newer
//! release corrects an older one: a dependency that it no longer states, although it has names for all the bits, is
//! *withdrawn*; so is one that the known differences deny, for builds from old releases alone. The closure contains the current dependencies without alternatives. Alternatives are excluded because
//! of QEMU 10's AVX10: that bit needs any of three vector lengths, each of which needs the bit, which would form a
//! cycle. Cycles of the other dependencies are errors.

use super::types::{Dependencies, Dependency, Feature, Model, Node};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::QemuDep;
use crate::graph;
use crate::index::{LinuxRows, QemuRows};
use crate::location::{Bit, WordSource};
use crate::ordered::{Map, Set, sort_by};
use crate::source::Span;

/// Maximum number of pairs; real releases have hundreds.
const MAX_PAIRS: usize = 1 << 16;

/// The first place in each release that states a dependency.
#[derive(Clone)]
struct Stated {
    linux: Vec<Option<Span>>,
    qemu: Vec<Option<Span>>,
}

/// Finds a merged model's dependencies. Those on bits that are not in the model are reported and omitted.
pub(super) fn find(
    model: &Model,
    linux: &[LinuxRows<'_>],
    qemu: &[QemuRows<'_>],
    diagnostics: &mut Diagnostics,
) -> Dependencies {
    let mut finder = Finder { model, stated: Map::new(), diagnostics };
    for (release, rows) in linux.iter().enumerate() {
        finder.linux(release, rows);
    }
    for (release, rows) in qemu.iter().enumerate() {
        finder.qemu(release, rows);
    }
    finder.finish()
}

struct Finder<'m, 'd> {
    model: &'m Model,
    stated: Map<(Node, Vec<Node>), Stated>,
    diagnostics: &'d mut Diagnostics,
}

impl Finder<'_, '_> {
    fn state(&mut self, node: Node, needs: Vec<Node>) -> &mut Stated {
        let (linux, qemu) = (self.model.linux.len(), self.model.qemu.len());
        let new = || Stated { linux: vec![None; linux], qemu: vec![None; qemu] };
        self.stated.or_insert_with((node, needs), new)
    }

    fn linux(&mut self, release: usize, rows: &LinuxRows<'_>) {
        let software: Map<&str, usize> =
            self.model.software.iter().map(|bit| bit.name.as_str()).zip(0..).collect();
        for dep in &rows.facts.deps {
            let [nodes, needs] = [&dep.name, &dep.needs].map(|name| {
                let places = rows.named(name).iter().filter_map(|place| self.model.feature_at(*place));
                let mut nodes: Vec<Node> = places.map(Node::Feature).collect();
                let own = software
                    .get(name.as_str())
                    .filter(|at| self.model.software[**at].linux[release].is_some());
                nodes.extend(own.filter(|_| nodes.is_empty()).map(|at| Node::Software(*at)));
                sort_by(&mut nodes, Ord::cmp);
                if nodes.is_empty() {
                    self.diagnostics.warning(
                        dep.at,
                        format!("`{name}`, in a dependency, has no location in this release"),
                    );
                }
                nodes
            });
            if !needs.is_empty() {
                for node in nodes {
                    self.state(node, needs.clone()).linux[release].get_or_insert(dep.at);
                }
            }
        }
    }

    fn qemu(&mut self, release: usize, rows: &QemuRows<'_>) {
        for dep in &rows.facts.deps {
            let [needs, nodes] = [&dep.from, &dep.to].map(|(name, mask)| {
                let word = rows.words.get(name.as_str());
                if word.is_none() {
                    let message = format!("a dependency names `{name}`, which is not a word of this release");
                    self.diagnostics.push(Diagnostic::error(dep.at, message));
                }
                word.map(|word| bits_in(self.model, word.source.word_source(), *mask))
            });
            if let (Some(needs), Some(nodes)) = (needs, nodes) {
                self.qemu_dep(release, dep, needs, &nodes);
            }
        }
    }

    fn qemu_dep(&mut self, release: usize, dep: &QemuDep, needs: Vec<Node>, nodes: &[Node]) {
        // An unnamed alternative would be lost.
        if needs.is_empty() || needs.len() != dep.from.1.count_ones() as usize {
            let message = format!("ignored a dependency on unnamed bits of `{}`", dep.from.0);
            return self.diagnostics.warning(dep.at, message);
        }
        if nodes.is_empty() {
            let message = format!("ignored a dependency of unnamed bits of `{}`", dep.to.0);
            return self.diagnostics.warning(dep.at, message);
        }
        let several = nodes.len() > 1 || needs.len() > 1;
        for &node in nodes {
            if !(several && needs.contains(&node)) {
                self.state(node, needs.clone()).qemu[release].get_or_insert(dep.at);
            }
        }
    }

    fn finish(mut self) -> Dependencies {
        let denied: Vec<(Node, Node)> = denied(self.model).collect();
        let stated: Vec<Dependency> = self
            .stated
            .iter()
            .map(|((node, needs), stated)| {
                let stated_by = |places: &[Option<Span>]| places.iter().map(Option::is_some).collect();
                let (linux, qemu) = (stated_by(&stated.linux), stated_by(&stated.qemu));
                let mut dependency =
                    Dependency { node: *node, needs: needs.clone(), linux, qemu, withdrawn: false };
                let is_denied = |(node, needs)| *dependency.needs == [needs] && dependency.node == node;
                dependency.withdrawn =
                    denied.iter().copied().any(is_denied) || is_withdrawn(self.model, &dependency);
                dependency
            })
            .collect();
        let mut dependencies = Dependencies { stated, closed: Vec::new() };
        let edges: Vec<(Node, Node)> = dependencies.direct().collect();
        for cycle in graph::cycles(&edges) {
            self.report(&cycle);
        }
        match graph::closure(&edges, MAX_PAIRS) {
            Some(closed) => dependencies.closed = closed,
            None => self.diagnostics.push(Diagnostic::general(format!(
                "the dependencies have more than {MAX_PAIRS} pairs of bits"
            ))),
        }
        dependencies
    }

    /// The error for a cycle, with the place of each edge.
    fn report(&mut self, cycle: &[Node]) {
        let next = cycle.iter().cycle().skip(1);
        let edges: Vec<(Node, Node)> = cycle.iter().copied().zip(next.copied()).collect();
        let named = |node: Node| format!("`{}`", self.model.constant(node));
        let round: Vec<String> = cycle.iter().chain(cycle.first()).map(|node| named(*node)).collect();
        let mut labels = edges.iter().filter_map(|&(node, needs)| {
            let (at, release) = self.newest(self.stated.get(&(node, vec![needs]))?)?;
            Some((at, format!("{} needs {} in {release}", named(node), named(needs))))
        });
        let Some((first, text)) = labels.next() else { return };
        let message = format!("the dependencies form a cycle: {}", round.join(" > "));
        let found = Diagnostic::error(first, message).with_label(first, text);
        let found = labels.fold(found, |found, (at, text)| found.with_label(at, text));
        self.diagnostics.push(found);
    }

    /// The newest release that states the dependency, since newer releases correct older ones.
    fn newest(&self, stated: &Stated) -> Option<(Span, String)> {
        let last = |places: &[Option<Span>]| {
            let place = |(at, place): (usize, &Option<Span>)| Some((at, (*place)?));
            places.iter().enumerate().rev().find_map(place)
        };
        let linux =
            last(&stated.linux).map(|(at, place)| (place, format!("Linux {}", self.model.linux[at].name)));
        linux.or_else(|| {
            last(&stated.qemu).map(|(at, place)| (place, format!("QEMU {}", self.model.qemu[at].name)))
        })
    }
}

/// The bits of a register or MSR that are in the model and in a mask.
fn bits_in(model: &Model, source: WordSource, mask: u64) -> Vec<Node> {
    let held = |bit: Bit| mask.checked_shr(u32::from(bit.0)).is_some_and(|rest| rest & 1 == 1);
    match source {
        WordSource::Msr(msr) => {
            let start = model.msr.partition_point(|feature| feature.msr < msr);
            let of_msr =
                model.msr.iter().enumerate().skip(start).take_while(|(_, feature)| feature.msr == msr);
            of_msr.filter(|(_, feature)| held(feature.bit)).map(|(at, _)| Node::Msr(at)).collect()
        }
        WordSource::Cpuid(word) => {
            let start = model.features.partition_point(|feature| feature.location.word < word);
            let here = |feature: &Feature| feature.location.word == word;
            let of_word =
                model.features.iter().enumerate().skip(start).take_while(|(_, feature)| here(feature));
            of_word
                .filter(|(_, feature)| held(feature.location.bit))
                .map(|(at, _)| Node::Feature(at))
                .collect()
        }
    }
}

/// Dependencies between bits of the model that the processors do not have, by the rows `needs ... none` of the known
/// differences.
fn denied(model: &Model) -> impl Iterator<Item = (Node, Node)> {
    let node = |place: &str| Some(Node::Feature(model.feature_at(place.parse().ok()?)?));
    crate::DIFFERENCES.lines().filter_map(move |line| {
        let mut columns = line.strip_prefix("needs\t")?.split('\t');
        let [dependent, needs, stated] = [columns.next()?, columns.next()?, columns.next()?];
        if stated == "none" { Some((node(dependent)?, node(needs)?)) } else { None }
    })
}

/// True if each project that states it has a newer release that names all the bits and does not state it.
fn is_withdrawn(model: &Model, dependency: &Dependency) -> bool {
    let ends: Set<Node> = dependency.needs.iter().copied().chain([dependency.node]).collect();
    let withdrawn = |stated: &[bool], knows: &dyn Fn(Node, usize) -> bool| {
        let newest = stated.iter().rposition(|stated| *stated);
        newest.map(|newest| {
            (newest + 1..stated.len()).any(|release| ends.iter().all(|&end| knows(end, release)))
        })
    };
    let linux = withdrawn(&dependency.linux, &|node, release| model.linux_knows(node, release));
    let qemu = withdrawn(&dependency.qemu, &|node, release| model.qemu_knows(node, release));
    linux.unwrap_or(true) && qemu.unwrap_or(true)
}

impl Model {
    /// The index of the feature at a location.
    fn feature_at(&self, location: crate::location::Location) -> Option<usize> {
        self.features.binary_search_by_key(&location, |feature| feature.location).ok()
    }

    /// The name of a bit's constant.
    #[must_use]
    pub fn constant(&self, node: Node) -> &str {
        match node {
            Node::Feature(at) => &self.features[at].constant,
            Node::Software(at) => &self.software[at].constant,
            Node::Msr(at) => &self.msr[at].constant,
        }
    }

    fn linux_knows(&self, node: Node, release: usize) -> bool {
        match node {
            Node::Feature(at) => self.features[at].linux[release].name.is_some(),
            Node::Software(at) => self.software[at].linux[release].is_some(),
            Node::Msr(_) => false,
        }
    }

    fn qemu_knows(&self, node: Node, release: usize) -> bool {
        match node {
            Node::Feature(at) => self.features[at].qemu[release].name.is_some(),
            Node::Software(_) => false,
            Node::Msr(at) => self.msr[at].qemu[release].name.is_some(),
        }
    }
}
