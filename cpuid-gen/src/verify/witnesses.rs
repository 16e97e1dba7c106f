//! One witness, indexed by the places of names.

use super::fold::fold;
use super::release::Release;
use crate::facts::{BitPlace, WitnessBit, WitnessFacts};
use crate::hash::QuickMap;
use crate::ordered::Set;

pub(super) struct WitnessIndex<'a> {
    pub(super) facts: &'a WitnessFacts,
    pub(super) release: Release,
    /// Each bit with its folded name.
    pub(super) bits: Vec<(&'a WitnessBit, String)>,
    /// The places of each name, as the witness spells it.
    pub(super) places: QuickMap<&'a str, Vec<BitPlace>>,
    /// Every bit that has a name.
    pub(super) named: Set<BitPlace>,
}

impl<'a> WitnessIndex<'a> {
    pub(super) fn new(facts: &'a WitnessFacts) -> WitnessIndex<'a> {
        let mut places: QuickMap<&str, Vec<BitPlace>> = QuickMap::default();
        for bit in &facts.bits {
            places.entry(&bit.name).or_default().push(bit.place);
        }
        WitnessIndex {
            facts,
            release: Release { project: facts.project.name(), rank: 0, name: facts.release.clone() },
            bits: facts.bits.iter().map(|bit| (bit, fold(&bit.name))).collect(),
            places,
            named: facts.bits.iter().map(|bit| bit.place).collect(),
        }
    }
}
