//! What a line that a program printed names: messages, lists of features, MSRs and registers.

use alloc::string::String;
use alloc::vec::Vec;

use super::boot;
use super::differing::differing_in;
use super::found::Found;
use super::names::{by_name, by_name_or_level, property_named};
use super::places::at;
use crate::bits::lookup::Named;
use crate::naming::{bits_in, cut_off};
use crate::show::msr::{self, AboutMsr};
use crate::show::{About, enlightenment, listed, message};

/// What a text means, and the names in it that nothing has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meanings {
    /// Every meaning, as [`find`](super::find) has it.
    pub found: Vec<Found>,
    /// Names that a list in the text has and that are not known, such as `foobar` of `missing features: avx2,foobar`.
    pub unknown: Vec<String>,
}

impl Meanings {
    /// Of a text in which every name is known.
    pub(super) fn known(found: Vec<Found>) -> Meanings {
        Meanings { found, unknown: Vec::new() }
    }
}

/// A message of a program, with the names that belong to it and those that the line has.
pub(super) fn of_message(text: &str) -> Meanings {
    let Some(message) = message::message(text) else { return Meanings::default() };
    let names = message.names().into_iter().flat_map(by_name_or_level);
    let named: Vec<Found> = names.collect();
    let mut meant = in_line(text);
    let mut found = alloc::vec![Found::Message(message)];
    found.append(&mut meant.found);
    found.extend(named);
    Meanings { found, ..meant }
}

/// What a line names that a program printed.
pub(super) fn in_line(text: &str) -> Meanings {
    if let Some(left) = cut_off(text) {
        let bits: Vec<Found> = left.bits.into_iter().map(|bit| Found::Bit(About::new(bit))).collect();
        let found = if bits.is_empty() { left.place.map(at).unwrap_or_default() } else { bits };
        return Meanings { found, unknown: Vec::new() };
    }
    if text.contains("[bit ") {
        let bits = bits_in(text).into_iter().flat_map(|found| match found.place {
            Some(place) if found.bits.is_empty() => at(place),
            _ => found.bits.into_iter().map(|bit| Found::Bit(About::new(bit))).collect(),
        });
        let bits: Vec<Found> = bits.collect();
        if !bits.is_empty() {
            return Meanings::known(bits);
        }
    }
    let mut meant = in_lists(text);
    meant.found.extend(boot::stated_in(text));
    if !meant.found.is_empty() {
        return meant;
    }
    let msrs = msr::msrs_in(text).into_iter();
    let msrs = msrs.filter_map(|(msr, value)| {
        let about = AboutMsr::new(msr)?;
        Some(value.map_or(Found::Msr(about), |value| Found::MsrValue(about, value)))
    });
    let msrs: Vec<Found> = msrs.collect();
    Meanings::known(if msrs.is_empty() { differing_in(text) } else { msrs })
}

/// The names of a line's lists.
fn in_lists(text: &str) -> Meanings {
    let mut meant = Meanings::default();
    for list in listed::lists(text) {
        let found = list.names.iter().map(|name| listed_name(name));
        if list.is_list {
            let or_property = |(name, found): (&&str, Vec<Found>)| {
                if found.is_empty() { property_named(name).into_iter().collect() } else { found }
            };
            meant.found.extend(list.names.iter().zip(found).flat_map(or_property));
            meant.unknown.extend(listed::unknown(&list.names, |name| !listed_name(name).is_empty()));
        } else if text.contains("-cpu.") && list.names.len() == 1 {
            meant.found.extend(found.flatten().chain(property_named(list.names[0])));
        } else {
            meant.found.extend(found.take_while(|found| !found.is_empty()).flatten());
        }
    }
    meant
}

/// A name in a list; libvirt and `KubeVirt` leave the prefix of an enlightenment out. Of features and other bits of one name
/// features are meant.
fn listed_name(name: &str) -> Vec<Found> {
    let mut found = by_name(name);
    if found.is_empty() {
        found = enlightenment::named(name, true).into_iter().map(Found::Enlightenment).collect();
    }
    let is_feature =
        |found: &Found| matches!(found, Found::Bit(about) if matches!(about.named, Named::Feature(_)));
    if found.iter().any(is_feature) {
        found.retain(is_feature);
    }
    found
}
