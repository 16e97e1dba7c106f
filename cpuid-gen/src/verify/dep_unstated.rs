//! Joins the dependencies of the newest Linux, the newest QEMU and the witnesses that state some (Xen).
//!
//! A dependency that only one project states is that project's judgement. A dependency that two projects state, directly or
//! through others, is a finding if a third project names both bits but does not state it: either it was forgotten, or it is not
//! a dependency. A row of the differences without bits explains that a project does not intend to state all dependencies.

use super::dep_edges::{Edges, Node, Row};
use super::differences::Differences;
use super::finding::Findings;
use super::key::{Key, Kind};
use super::needed::StatedBy;
use super::release::Release;
use crate::diagnostic::Diagnostic;
use crate::ordered::{Map, Set};

/// A project's statements: the bits that each bit needs, with the rows.
struct Graph<'r, 'e, 'a> {
    release: &'r Release,
    needs: Map<Node<'a>, Vec<(Node<'a>, &'e Row<'a>)>>,
    /// Every bit that each bit needs, directly or through others.
    all: Map<Node<'a>, Set<Node<'a>>>,
}

impl<'r, 'e, 'a> Graph<'r, 'e, 'a> {
    fn new((release, edges): (&'r Release, &'e Edges<'a>)) -> Graph<'r, 'e, 'a> {
        let mut needs: Map<Node<'a>, Vec<_>> = Map::new();
        for ((node, needed), row) in edges {
            needs.or_default(*node).push((*needed, row));
        }
        let all = needs.keys().map(|node| (*node, reached(*node, &needs))).collect();
        Graph { release, needs, all }
    }

    /// True if a bit needs another one, directly or through others.
    fn reaches(&self, node: Node<'a>, needed: Node<'a>) -> bool {
        self.all.get(&node).is_some_and(|all| all.contains(&needed))
    }
}

/// Every bit that a bit needs.
fn reached<'a, T>(node: Node<'a>, needs: &Map<Node<'a>, Vec<(Node<'a>, T)>>) -> Set<Node<'a>> {
    let (mut found, mut open) = (Set::new(), vec![node]);
    while let Some(node) = open.pop() {
        let next = needs.get(&node).into_iter().flatten().map(|(needed, _)| *needed);
        open.extend(next.filter(|needed| found.insert(*needed)));
    }
    found
}

/// Runs the check. `names` says whether a project has a name for a bit.
pub(super) fn check<'a>(
    stated: &[(&Release, &Edges<'a>)],
    names: impl Fn(&str, Node<'a>) -> bool,
    findings: &mut Findings<'_>,
) {
    let graphs: Vec<Graph<'_, '_, 'a>> =
        stated.iter().filter(|(_, edges)| !edges.is_empty()).map(|one| Graph::new(*one)).collect();
    for (at, lacking) in graphs.iter().enumerate() {
        let others: Vec<_> = graphs.iter().enumerate().filter(|(index, _)| *index != at).collect();
        for (index, one) in &others {
            for (&node, needs) in &one.needs {
                if !names(lacking.release.project, node) {
                    continue;
                }
                for (needed, row) in needs.iter().filter(|(needed, _)| !lacking.reaches(node, *needed)) {
                    let second = others.iter().find(|(other, graph)| {
                        let later = other > index || !graph_has(graph, node, *needed);
                        other != index && later && graph.reaches(node, *needed)
                    });
                    let known = names(lacking.release.project, *needed);
                    if let Some((_, second)) = second.filter(|_| known) {
                        add((node, *needed, row), second.release, lacking.release, findings);
                    }
                }
            }
        }
    }
}

/// True if a graph states a dependency directly: it was reported from that side.
fn graph_has<'a>(graph: &Graph<'_, '_, 'a>, node: Node<'a>, needed: Node<'a>) -> bool {
    graph.needs.get(&node).is_some_and(|needs| needs.iter().any(|(own, _)| *own == needed))
}

fn add(
    (node, needed, row): (Node<'_>, Node<'_>, &Row<'_>),
    second: &Release,
    lacking: &Release,
    findings: &mut Findings<'_>,
) {
    if findings.is_explained(&Key::new(Kind::DepUnstated, "-", "-", lacking.project), &[lacking]) {
        return;
    }
    let (bit, needs) = (node.shown(), needed.shown());
    if is_refuted((node, needed), findings.differences()) {
        return;
    }
    let key = Key::new(Kind::DepUnstated, bit, needs, lacking.project);
    findings.add(key, &[lacking], || {
        let message = format!(
            "{} needs {} in {} and {}, but {} does not state it",
            node.shown(),
            needed.shown(),
            row.project(),
            second.project,
            lacking.project
        );
        Diagnostic::error(row.at(), message).with_help(row.text())
    });
}

/// True if the manuals do not have the dependency: the projects that state it are a finding of their own.
pub(super) fn is_refuted((node, needed): (Node<'_>, Node<'_>), differences: &Differences) -> bool {
    let mut manuals = differences.needs.iter().filter(|row| row.by == StatedBy::Neither);
    let (bit, needs) = (node.shown(), needed.shown());
    manuals.any(|row| row.bit.to_string() == bit && row.needs.to_string() == needs)
}
