//! The dependencies: one array of pairs, transitively closed, that can be searched from either side.

use super::layout::{LIST, Layout, number};
use super::names::Lists;
use super::rust::{Rust, names};
use crate::model::{Model, Node};
use crate::ordered::Set;

/// `NEEDS`: a bit's id, then the id of one that it needs, plus [`LIST`] if a release states this dependency directly.
/// `NEEDS_ONE_OF`: a bit's id, then the list of features of which it needs any.
pub(super) fn needs(out: &mut Rust, model: &Model, layout: &Layout, lists: &mut Lists) {
    let direct: Set<(Node, Node)> = model.dependencies.direct().collect();
    // Nodes are in the order of ids, so the pairs are sorted.
    let closed = model.dependencies.closed.iter().map(|&(node, needs)| {
        let flag = if direct.contains(&(node, needs)) { LIST } else { 0 };
        (id(layout, node), id(layout, needs) | flag)
    });
    let closed: Vec<(u16, u16)> = closed.collect();
    let one_of = model.dependencies.one_of().filter_map(|dependency| {
        let all: Set<u16> = dependency.needs.iter().map(|&node| id(layout, node)).collect();
        // The runtime crate returns alternatives as a set of features.
        let features = all.as_slice().last().is_some_and(|last| *last < layout.bases[0]);
        features.then(|| (id(layout, dependency.node), lists.many(&all)))
    });
    let one_of: Vec<(u16, u16)> = one_of.collect();
    array(out, "NEEDS", &closed);
    array(out, "NEEDS_ONE_OF", &one_of);
}

/// The number of a bit of any kind.
fn id(layout: &Layout, node: Node) -> u16 {
    let [software, _, _, msr] = layout.bases;
    match node {
        Node::Feature(at) => layout.slots[at],
        Node::Software(at) => software + number(at),
        Node::Msr(at) => msr + number(at),
    }
}

fn array(out: &mut Rust, name: &str, rows: &[(u16, u16)]) {
    let rows: Vec<String> = rows.iter().map(|(a, b)| format!("({a}, {b})")).collect();
    let rows = names(&rows);
    out.put(format_args!("pub(crate) static {name}: [(u16, u16); {}] = [{}];\n", rows.len, rows.text));
}
