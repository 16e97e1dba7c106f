//! What needs what: one array of pairs, transitively closed, that is searched from either side.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::layout::{LIST, Layout, number};
use super::names::Lists;
use super::text::pairs;
use crate::model::{Model, Node};

/// `NEEDS`: a bit's id, then the id of one that it needs, [`LIST`] added where a release states just that.
/// `NEEDS_ONE_OF`: a bit's id, then the list of features of which it needs any.
pub(super) fn needs(model: &Model, layout: &Layout, lists: &mut Lists) -> TokenStream {
    let direct: BTreeSet<(Node, Node)> = model.dependencies.direct().collect();
    // Nodes are in the order of ids, so these come sorted.
    let closed = model.dependencies.closed.iter().map(|&(node, needs)| {
        let flag = if direct.contains(&(node, needs)) { LIST } else { 0 };
        (id(layout, node), id(layout, needs) | flag)
    });
    let closed: Vec<(u16, u16)> = closed.collect();
    let one_of = model.dependencies.one_of().filter_map(|dependency| {
        let all: BTreeSet<u16> = dependency.needs.iter().map(|&node| id(layout, node)).collect();
        // The runtime crate hands alternatives out as a set of features.
        let features = all.last().is_some_and(|last| *last < layout.bases[0]);
        features.then(|| (id(layout, dependency.node), lists.many(&all)))
    });
    let one_of: Vec<(u16, u16)> = one_of.collect();
    let (closed, one_of) = (array("NEEDS", &closed), array("NEEDS_ONE_OF", &one_of));
    quote!(#closed #one_of)
}

/// The number that stands for a bit of any sort.
fn id(layout: &Layout, node: Node) -> u16 {
    let [software, _, _, msr] = layout.bases;
    match node {
        Node::Feature(at) => layout.slots[at],
        Node::Software(at) => software + number(at),
        Node::Msr(at) => msr + number(at),
    }
}

fn array(name: &str, rows: &[(u16, u16)]) -> TokenStream {
    let (name, count) = (quote::format_ident!("{name}"), Literal::usize_unsuffixed(rows.len()));
    let rows = pairs(rows);
    quote!(pub(crate) static #name: [(u16, u16); #count] = decimal_pairs(#rows);)
}
