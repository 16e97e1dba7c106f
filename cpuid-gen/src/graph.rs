//! Directed graphs over any ordered nodes: reachability and cycles.
//!
//! Results are in node order, so they do not depend on the order of the edges.

use std::collections::VecDeque;

use crate::ordered::{Map, Set};

/// The edges of each node.
type Edges<N> = Map<N, Set<N>>;

fn by_node<N: Ord + Copy>(edges: &[(N, N)]) -> Edges<N> {
    let mut all = Edges::new();
    for &(from, to) in edges {
        all.or_default(from).insert(to);
    }
    all
}

/// Every node with each node reachable from it, sorted; `None` if there are more than `max` such pairs.
pub(crate) fn closure<N: Ord + Copy>(edges: &[(N, N)], max: usize) -> Option<Vec<(N, N)>> {
    let edges = by_node(edges);
    let mut pairs = Vec::new();
    for (&from, direct) in &edges {
        let mut reached: Set<N> = Set::new();
        let mut open: Vec<N> = direct.iter().copied().collect();
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                open.extend(edges.get(&node).into_iter().flatten());
            }
        }
        pairs.extend(reached.into_iter().map(|to| (from, to)));
        if pairs.len() > max {
            return None;
        }
    }
    Some(pairs)
}

/// The graph's cycles, as lists of nodes in which each has an edge to the next and the last to the first. Each is as
/// short as any through its first node, and every node on a cycle is on one of these. Empty exactly if there is no
/// cycle.
pub(crate) fn cycles<N: Ord + Copy>(edges: &[(N, N)]) -> Vec<Vec<N>> {
    let edges = without_ends(edges);
    let mut seen = Set::new();
    let mut found = Vec::new();
    for &start in edges.keys() {
        if !seen.contains(&start) {
            if let Some(cycle) = shortest(&edges, start) {
                seen.extend(cycle.iter().copied());
                found.push(cycle);
            }
        }
    }
    found
}

/// The edges after repeatedly removing nodes without outgoing edges: what remains leads to cycles.
fn without_ends<N: Ord + Copy>(edges: &[(N, N)]) -> Edges<N> {
    let mut forward = by_node(edges);
    let backward = by_node(&edges.iter().map(|&(from, to)| (to, from)).collect::<Vec<_>>());
    let mut ends: Vec<N> = backward.keys().filter(|node| !forward.contains_key(node)).copied().collect();
    while let Some(end) = ends.pop() {
        for from in backward.get(&end).into_iter().flatten() {
            let Some(left) = forward.get_mut(from) else { continue };
            left.remove(&end);
            if left.as_slice().is_empty() {
                forward.remove(from);
                ends.push(*from);
            }
        }
    }
    forward
}

/// The shortest path from a node back to itself.
fn shortest<N: Ord + Copy>(edges: &Edges<N>, start: N) -> Option<Vec<N>> {
    let mut before: Map<N, N> = Map::new();
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        for &next in edges.get(&node).into_iter().flatten() {
            if next == start {
                let mut cycle = vec![node];
                while let Some(&earlier) =
                    cycle.last().filter(|last| **last != start).and_then(|last| before.get(last))
                {
                    cycle.push(earlier);
                }
                cycle.reverse();
                return Some(cycle);
            }
            before.or_insert_with(next, || {
                open.push_back(next);
                node
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{closure, cycles};

    #[test]
    fn what_is_reached() {
        let edges = [(3, 2), (2, 1), (5, 3), (5, 1), (2, 1)];
        let pairs = vec![(2, 1), (3, 1), (3, 2), (5, 1), (5, 2), (5, 3)];
        assert_eq!(closure(&edges, 6), Some(pairs));
        assert_eq!(closure(&edges, 5), None);
        assert_eq!(closure::<u8>(&[], 0), Some(Vec::new()));
        assert_eq!(closure(&[(1, 2), (2, 1)], 9), Some(vec![(1, 1), (1, 2), (2, 1), (2, 2)]));
    }

    #[test]
    fn circles_are_found() {
        assert_eq!(cycles(&[(3, 2), (2, 1), (5, 3), (5, 1)]), Vec::<Vec<u8>>::new());
        assert_eq!(cycles(&[(1, 1)]), [[1]]);
        // A longer cycle, an entry and an exit.
        let edges = [(9, 1), (1, 2), (2, 3), (3, 1), (2, 4), (4, 5), (5, 1), (3, 8)];
        assert_eq!(cycles(&edges), [vec![1, 2, 3], vec![4, 5, 1, 2]]);
        // Two cycles and a bridge between them.
        assert_eq!(cycles(&[(1, 2), (2, 1), (2, 3), (3, 4), (4, 3)]), [[1, 2], [3, 4]]);
    }
}
