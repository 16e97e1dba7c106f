//! Names of fields' constants: as the field, in capitals; a published one as it was published.
//!
//! A field is the published one of the same place; or, where cpuid.csv was corrected, the one of the same name whose
//! bits it shares. Fields of one name get their first subleaf, register and lowest bit appended, and so does one that
//! would be called as the leaf's list is.

use super::constants::{identifier, settle_alike};
use super::types::Field;
use crate::location::{FieldPlace, Leaf};
use crate::ordered::Set;
use crate::published::{Published, PublishedBit, PublishedConstant};

/// What no field's constant is called: the list of a leaf's fields.
const LIST: &str = "ALL";

/// Names the constants of all fields; the rest of the published ones comes back.
pub(super) fn name(fields: &mut [Field], published: &Published) -> Vec<PublishedConstant> {
    let mut former = Vec::new();
    let leaf_of = |constant: &PublishedConstant| match &constant.bit {
        PublishedBit::Field(place, _) => Some(place.leaf),
        _ => None,
    };
    let mut leaves: Set<Leaf> = fields.iter().map(|field| field.place.leaf).collect();
    leaves.extend(published.constants.iter().filter_map(leaf_of));
    let mut rest = fields;
    for leaf in leaves {
        let count = rest.iter().take_while(|field| field.place.leaf == leaf).count();
        let (here, others) = rest.split_at_mut(count);
        rest = others;
        let known = published.constants.iter().filter(|constant| leaf_of(constant) == Some(leaf));
        former.extend(name_leaf(here, known.collect()));
    }
    former
}

/// The same for one leaf.
fn name_leaf(fields: &mut [Field], published: Vec<&PublishedConstant>) -> Vec<PublishedConstant> {
    let mut rest: Vec<&PublishedConstant> = Vec::new();
    let mut taken: Vec<&str> = vec![LIST];
    for constant in published {
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
    // A successor that was superseded itself hands on to its own.
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

/// The field that a published constant stands for.
fn same(fields: &[Field], constant: &PublishedConstant) -> Option<usize> {
    let PublishedBit::Field(place, name) = &constant.bit else { return None };
    let free = |field: &Field| field.constant.is_empty();
    let unchanged = |field: &&Field| field.place == *place && field.name == *name;
    let corrected = |field: &Field| free(field) && field.name == *name && field.place.overlaps(place);
    // A suffix tells of others of its name: such a constant stays where it is.
    let plain = identifier(name) == constant.name;
    let at = |is: &dyn Fn(&Field) -> bool| fields.iter().position(is);
    at(&|field| unchanged(&field)).or_else(|| if plain { at(&corrected) } else { None })
}

/// A published constant without a field of its own: deprecated where a field has its bits now.
fn superseded(constant: &PublishedConstant, fields: &[Field]) -> PublishedConstant {
    let mut constant = constant.clone();
    if let (PublishedBit::Field(place, _), None) = (&constant.bit, &constant.successor) {
        let now = fields.iter().find(|field| field.place.overlaps(place));
        constant.successor = now.map(|field| field.constant.clone());
    }
    constant
}
