//! Directed graphs of anything that has an order: what is reached, and circles.
//!
//! Results come in the order of the nodes, so the same edges give the same results in whatever order they come.

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

/// Every node with each node that can be reached from it, sorted; none when there are more than `max` such pairs.
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

/// Circles: of each the nodes, every one with an edge to the next and the last with one to the first. Each is as short
/// as any through its first node, and every node that is on a circle is on one of these. Empty exactly when the edges
/// have no circle.
pub(crate) fn circles<N: Ord + Copy>(edges: &[(N, N)]) -> Vec<Vec<N>> {
    let edges = without_ends(edges);
    let mut seen = Set::new();
    let mut found = Vec::new();
    for &start in edges.keys() {
        if !seen.contains(&start) {
            if let Some(circle) = shortest(&edges, start) {
                seen.extend(circle.iter().copied());
                found.push(circle);
            }
        }
    }
    found
}

/// The edges without the nodes that nothing leads on from, again and again: what is left leads to circles.
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

/// The shortest way from a node back to itself.
fn shortest<N: Ord + Copy>(edges: &Edges<N>, start: N) -> Option<Vec<N>> {
    let mut before: Map<N, N> = Map::new();
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        for &next in edges.get(&node).into_iter().flatten() {
            if next == start {
                let mut circle = vec![node];
                while let Some(&earlier) =
                    circle.last().filter(|last| **last != start).and_then(|last| before.get(last))
                {
                    circle.push(earlier);
                }
                circle.reverse();
                return Some(circle);
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
    use super::{circles, closure};

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
        assert_eq!(circles(&[(3, 2), (2, 1), (5, 3), (5, 1)]), Vec::<Vec<u8>>::new());
        assert_eq!(circles(&[(1, 1)]), [[1]]);
        // A longer way round, an entry and an exit.
        let edges = [(9, 1), (1, 2), (2, 3), (3, 1), (2, 4), (4, 5), (5, 1), (3, 8)];
        assert_eq!(circles(&edges), [vec![1, 2, 3], vec![4, 5, 1, 2]]);
        // Two, and a bridge between them.
        assert_eq!(circles(&[(1, 2), (2, 1), (2, 3), (3, 4), (4, 3)]), [[1, 2], [3, 4]]);
    }
}
