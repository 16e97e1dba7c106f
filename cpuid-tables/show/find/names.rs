//! What a name means, or several.

use alloc::vec::Vec;

use super::found::Found;
use crate::bits::field::Field;
use crate::bits::lookup::{LookupError, Named, without_prefix};
use crate::bits::name_hash::fold_eq;
use crate::naming::PsabiLevel;
use crate::show::msr::{self, AboutMsr};
use crate::show::{About, enlightenment, hypervisor, named, property};

/// No name is longer.
const LONGEST_NAME: usize = 128;

pub(super) fn by_name(text: &str) -> Vec<Found> {
    if text.len() > LONGEST_NAME && !text.contains("[bit ") {
        return Vec::new();
    }
    let bits = all_of(named(text)).into_iter().map(|bit| Found::Bit(About::new(bit)));
    let enlightenments = enlightenment::named(text, false).into_iter().map(Found::Enlightenment);
    let others = Field::named(text).map(Found::Field).chain(enlightenments);
    let found: Vec<Found> = bits.chain(others).collect();
    // Some MSRs have a feature's name, without the prefix that says which is meant.
    let msr = || AboutMsr::named(text).map(Found::Msr).into_iter().collect();
    if found.is_empty() { msr() } else { found }
}

/// A name, a property of QEMU's `-cpu`, or a level of x86-64. A field and a property may share a name, such as `family`.
pub(super) fn by_name_or_level(text: &str) -> Vec<Found> {
    let mut found = by_name(text);
    if !found.iter().any(|one| matches!(one, Found::Bit(_) | Found::Msr(_))) {
        found.extend(property_named(text));
    }
    let level = || PsabiLevel::named(text).map(Found::Level).into_iter().collect();
    if found.is_empty() { level() } else { found }
}

/// A property of QEMU's `-cpu` that is not a feature.
pub(super) fn property_named(text: &str) -> Option<Found> {
    if text.len() > LONGEST_NAME { None } else { property::named(text).map(Found::Property) }
}

/// Names that mean something only where nothing else has them: Hyper-V's fields, libvirt's enlightenments, an MSR's bits.
pub(super) fn bare_name(text: &str) -> Vec<Found> {
    if text.len() > LONGEST_NAME {
        return Vec::new();
    }
    let short = without_prefix(text, "KVM_FEATURE_").unwrap_or(text);
    let fields = hypervisor::all_fields().map(|(_, field)| field);
    let fields = fields.filter(|field| fold_eq(field.name(), short)).map(Found::Field);
    let enlightenments = enlightenment::named(text, true).into_iter().map(Found::Enlightenment);
    let bit = msr::bit_named(text).map(|(at, name)| Found::MsrBit(at, name));
    fields.chain(enlightenments).chain(bit).collect()
}

/// Several names, with spaces or commas between them, each of which is known.
pub(super) fn several(text: &str) -> Vec<Found> {
    let words = || text.split(|c: char| c.is_whitespace() || c == ',').filter(|name| !name.is_empty());
    let names = || words().map(|word| word.split_once('=').map_or(word, |(name, _)| name));
    if names().nth(1).is_none() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for name in names() {
        let found = by_name_or_level(name);
        if found.is_empty() {
            return Vec::new();
        }
        all.extend(found);
    }
    all
}

pub(super) fn all_of(found: Result<Named, LookupError>) -> Vec<Named> {
    match found {
        Ok(named) => alloc::vec![named],
        Err(LookupError::Ambiguous(all)) => all.iter().collect(),
        Err(LookupError::Unknown) => Vec::new(),
    }
}
