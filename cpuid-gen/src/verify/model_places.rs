//! The places of a bit in a CPU model's rows.

use super::qemu::QemuIndex;
use crate::facts::{QemuModel, QemuModelVersion, QemuProp};
use crate::index::Property;
use crate::location::{Location, Word};
use crate::source::Span;

/// The row that decides whether the newest version of a model has a bit: the last property that sets it, the word of the base
/// definition, or the model itself.
pub(super) fn of_bit(index: &QemuIndex<'_>, model: &str, (word, mask): (Word, u64)) -> Span {
    let Some(row) = index.facts.models.iter().find(|row| row.name == model) else { return index.facts.at };
    let mut versions = row.versions.iter().rev();
    let prop = versions.find_map(|version| in_version(index, version, &[(word, mask)]));
    prop.map_or_else(|| in_base(index, row, (word, mask)), |prop| prop.at)
}

/// The same for a bit of CPUID.
pub(super) fn place_in(index: &QemuIndex<'_>, model: &str, location: Location) -> Span {
    let word = index.rows.registers.get(&location.word);
    let mask = 1u64.checked_shl(location.bit.0.into()).unwrap_or(0);
    word.map_or(index.facts.at, |word| of_bit(index, model, (word.index, mask)))
}

/// The word of the base definition that has a bit, or could have it, or the model.
pub(super) fn in_base(index: &QemuIndex<'_>, row: &QemuModel, (word, mask): (Word, u64)) -> Span {
    let is_word = |name: &str| index.rows.words.get(name).is_some_and(|known| known.index == word);
    let own = row.words.iter().filter(|own| is_word(&own.word));
    own.max_by_key(|own| own.mask & mask != 0).map_or(row.at, |own| own.at)
}

/// The last property of a version that sets one of these bits.
pub(super) fn in_version<'v>(
    index: &QemuIndex<'_>,
    version: &'v QemuModelVersion,
    bits: &[(Word, u64)],
) -> Option<&'v QemuProp> {
    version.props.iter().rev().find(|prop| match index.rows.properties.get(&prop.name) {
        Some(Property::Bits(word, mask)) => bits.iter().any(|bit| bit.0 == word && bit.1 & mask != 0),
        _ => false,
    })
}
