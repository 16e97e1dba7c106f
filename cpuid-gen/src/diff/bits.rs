//! Named bits of two releases: renames, moves, additions and removals.
//!
//! A hardware bit is identified by its location: another name there is a rename, even if another bit now has the old
//! name. A software-defined bit is identified by its name, so it can move but not be renamed: its place may belong to
//! an unrelated bit in the next release. Remaining bits are paired by name across locations if the name is unique,
//! and have moved.

use std::collections::BTreeMap;

use super::change::Change;
use super::identity::Identity;
use super::rows::{Line, between};

/// A named bit.
#[derive(Clone, Debug)]
pub(super) struct Bit<H> {
    /// Its hardware location; `None` if software defines it.
    pub(super) home: Option<H>,
    /// Its other properties; the subject is the name.
    pub(super) line: Line,
}

/// The changes from the old bits to the new ones.
pub(super) fn changes<H: Ord + Copy + Into<Identity>>(old: Vec<Bit<H>>, new: Vec<Bit<H>>) -> Vec<Change> {
    changes_within(old, new, |_| ())
}

/// Like [`changes`], where a bit can only move within its realm.
pub(super) fn changes_within<H: Ord + Copy + Into<Identity>, R: Ord>(
    old: Vec<Bit<H>>,
    new: Vec<Bit<H>>,
    realm: impl Fn(&Bit<H>) -> R,
) -> Vec<Change> {
    let mut pairing = Pairing {
        old: old.into_iter().map(Some).collect(),
        new: new.into_iter().map(Some).collect(),
        pairs: Vec::new(),
    };
    pairing.by(|bit| Some((bit.home, bit.line.subject.clone())), false);
    pairing.by(|bit| bit.home, true);
    pairing.by(|bit| Some((realm(bit), bit.line.subject.clone())), true);
    let mut changes: Vec<Change> =
        pairing.new.into_iter().flatten().map(|bit| located(bit).added()).collect();
    changes.extend(pairing.old.into_iter().flatten().map(|bit| located(bit).removed()));
    pairing.pairs.sort_by_key(|(index, ..)| *index);
    changes.extend(pairing.pairs.into_iter().filter_map(|(_, old, new)| between(located(old), located(new))));
    changes
}

fn located<H: Into<Identity>>(bit: Bit<H>) -> Line {
    let at: Identity = bit.home.map_or(Identity::Software, Into::into);
    bit.line.at(at)
}

/// The bits that are not paired, and the pairs, each with the new bit's index.
struct Pairing<H> {
    old: Vec<Option<Bit<H>>>,
    new: Vec<Option<Bit<H>>>,
    pairs: Vec<(usize, Bit<H>, Bit<H>)>,
}

impl<H> Pairing<H> {
    /// Pairs bits with the same key; with `alone`, only keys that occur once on both sides.
    fn by<K: Ord>(&mut self, key: impl Fn(&Bit<H>) -> Option<K>, alone: bool) {
        let mut found: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (index, bit) in self.old.iter().enumerate() {
            if let Some(key) = bit.as_ref().and_then(&key) {
                found.entry(key).or_default().0.push(index);
            }
        }
        for (index, bit) in self.new.iter().enumerate() {
            if let Some(key) = bit.as_ref().and_then(&key) {
                found.entry(key).or_default().1.push(index);
            }
        }
        for (old, new) in found.into_values() {
            if alone && (old.len() > 1 || new.len() > 1) {
                continue;
            }
            for (old, new) in old.into_iter().zip(new) {
                if let (Some(old), Some(bit)) = (self.old[old].take(), self.new[new].take()) {
                    self.pairs.push((new, old, bit));
                }
            }
        }
    }
}
