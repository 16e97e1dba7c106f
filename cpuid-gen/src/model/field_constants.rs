//! Names of fields' constants: the field's name in capitals, or the published name.
//!
//! A field has the published constant of the same place, or, if cpuid.csv was corrected, the constant of the same
//! name whose bits it shares. The published name can differ from cpuid.csv's: a field that several leaves have (the
//! levels of leaves 0xB and 0x1F, the signature of leaves 1 and 0x80000001) has one constant's name in all of them. If several fields have one name, or a field's name is that of the leaf's list, the
//! first subleaf, register and lowest bit are appended.

use super::constants::{identifier, settle_alike};
use super::types::Field;
use crate::location::{FieldPlace, Leaf};
use crate::ordered::Map;
use crate::published::{Published, PublishedBit, PublishedConstant};

/// The name of the list of a leaf's fields, which no constant may have.
const LIST: &str = "ALL";

/// Names the constants of all fields, and returns the published constants that are not used.
pub(super) fn name(fields: &mut [Field], published: &Published) -> Vec<PublishedConstant> {
    let mut former = Vec::new();
    let leaf_of = |constant: &PublishedConstant| match &constant.bit {
        PublishedBit::Field(place, _) => Some(place.leaf),
        _ => None,
    };
    let mut leaves: Map<Leaf, Vec<&PublishedConstant>> = Map::new();
    for field in fields.iter() {
        leaves.or_default(field.place.leaf);
    }
    for constant in &published.constants {
        if let Some(leaf) = leaf_of(constant) {
            leaves.or_default(leaf).push(constant);
        }
    }
    let mut rest = fields;
    for (leaf, known) in &leaves {
        let count = rest.iter().take_while(|field| field.place.leaf == *leaf).count();
        let (here, others) = rest.split_at_mut(count);
        rest = others;
        former.extend(name_leaf(here, known));
    }
    former
}

/// Like [`name`], for one leaf.
fn name_leaf(fields: &mut [Field], published: &[&PublishedConstant]) -> Vec<PublishedConstant> {
    let mut rest: Vec<&PublishedConstant> = Vec::new();
    let mut taken: Vec<&str> = vec![LIST];
    for &constant in published {
        let field = if constant.successor.is_none() { same(fields, constant) } else { None };
        match field {
            Some(at) => fields[at].constant.clone_from(&constant.name),
            None => rest.push(constant),
        }
        taken.push(&constant.name);
    }
    let unnamed = || fields.iter().filter(|field| field.constant.is_empty());
    let suffix = |place: FieldPlace| format!("{}_{}_{}", place.first.0, place.register, place.low.0);
    let wanted = unnamed().map(|field| (field.name.as_str(), suffix(field.place))).collect();
    let mut names = settle_alike(wanted, &taken).into_iter();
    for field in fields.iter_mut().filter(|field| field.constant.is_empty()) {
        field.constant = names.next().unwrap_or_default();
    }
    let mut rest: Vec<_> = rest.into_iter().map(|constant| superseded(constant, fields)).collect();
    // If the successor was itself superseded, use its successor.
    let chain: Vec<(String, String)> =
        rest.iter().filter_map(|old| Some((old.name.clone(), old.successor.clone()?))).collect();
    for constant in &mut rest {
        let next = |name: &String| chain.iter().find(|(old, _)| old == name).map(|(_, next)| next.clone());
        while let Some(next) = constant.successor.as_ref().and_then(next) {
            constant.successor = Some(next);
        }
    }
    rest
}

/// The field that a published constant represents.
fn same(fields: &[Field], constant: &PublishedConstant) -> Option<usize> {
    let PublishedBit::Field(place, name) = &constant.bit else { return None };
    let free = |field: &Field| field.constant.is_empty();
    let unchanged = |field: &&Field| field.place == *place && field.name == *name;
    let corrected = |field: &Field| free(field) && field.name == *name && field.place.overlaps(place);
    // A suffix distinguishes fields of the same name: such a constant does not follow corrections.
    let plain = || identifier(name) == constant.name;
    let at = |is: &dyn Fn(&Field) -> bool| fields.iter().position(is);
    // cpuid.csv adopted the constant's name.
    let adopted =
        |field: &Field| free(field) && field.place == *place && identifier(&field.name) == constant.name;
    at(&|field| unchanged(&field))
        .or_else(|| at(&adopted))
        .or_else(|| if plain() { at(&corrected) } else { None })
}

/// A published constant without a field of its own, deprecated if another field has its bits.
fn superseded(constant: &PublishedConstant, fields: &[Field]) -> PublishedConstant {
    let mut constant = constant.clone();
    if let (PublishedBit::Field(place, _), None) = (&constant.bit, &constant.successor) {
        let now = fields.iter().find(|field| field.place.overlaps(place));
        constant.successor = now.map(|field| field.constant.clone());
    }
    constant
}
