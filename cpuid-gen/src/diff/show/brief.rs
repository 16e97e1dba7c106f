//! Summaries of sections with many small changes.

use std::collections::BTreeMap;

use super::Style;
use crate::diff::change::{Action, Change, Field, SPELLED, Section, Topic};
use crate::diff::identity::Identity;
use crate::location::{CpuidWord, RegisterIn};

/// The lines of a section, each with what it says about its subjects.
pub(super) fn lines(section: &Section, style: &Style) -> Vec<(Action, String)> {
    let mut lines = Vec::new();
    for action in Action::ALL {
        let changes: Vec<&Change> = section.changes.iter().filter(|change| change.action == action).collect();
        if changes.is_empty() {
            continue;
        }
        let found = match section.topic {
            Topic::CpuidFields | Topic::LeafFields => fields(&changes, style),
            Topic::KvmCaps => caps(&changes, style),
            Topic::QemuCompat => compat(&changes, style),
            Topic::QemuMachines if action != Action::Removed => {
                changes.iter().map(|change| style.sentence(change)).collect()
            }
            Topic::QemuMachines => vec![names(&changes, style)],
            Topic::QemuMacros if action != Action::Changed => vec![names(&changes, style)],
            _ => vec![changes.iter().map(|change| short(change, style)).collect::<Vec<_>>().join("; ")],
        };
        lines.extend(found.into_iter().map(|line| (action, line)));
    }
    lines
}

/// A change without the information in its section's title.
fn short(change: &Change, style: &Style) -> String {
    let value = |value: &'_ Option<String>| value.clone().unwrap_or_default();
    let subject = (style.code)(&change.subject);
    match change.fields.as_slice() {
        [field] if change.action == Action::Added => format!("{subject} {}", value(&field.new)),
        [field] if change.action == Action::Removed => format!("{subject} {}", value(&field.old)),
        [field] if change.was.is_none() => {
            format!("{subject} {} {} {}", value(&field.old), style.arrow, value(&field.new))
        }
        _ => style.sentence(change),
    }
}

fn names(changes: &[&Change], style: &Style) -> String {
    changes.iter().map(|change| (style.code)(&change.subject)).collect::<Vec<_>>().join(", ")
}

/// Capabilities by their new treatment, then by register.
fn caps(changes: &[&Change], style: &Style) -> Vec<String> {
    // Treatments and registers are in the order of their first location.
    let mut groups: Vec<(String, Option<CpuidWord>, Vec<String>)> = Vec::new();
    for change in changes {
        let state = match change.fields.as_slice() {
            [field] if field.name == SPELLED => "the same, spelled differently".to_owned(),
            [field] => transition(field, change.action, style),
            _ => style.sentence(change),
        };
        let code = (style.code)(&change.subject);
        let (register, name) = match change.at {
            Some(Identity::Bit(at)) => (Some(at.word), format!("{code} [{}]", at.bit.0)),
            _ => (None, code),
        };
        match groups.iter_mut().find(|group| group.0 == state && group.1 == register) {
            Some(group) => group.2.push(name),
            None => groups.push((state, register, vec![name])),
        }
    }
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    groups
        .iter()
        .map(|(state, register, names)| {
            let register = register.map_or_else(|| "nowhere in hardware".to_owned(), |word| word.to_string());
            format!("{state}: {register}: {}", names.join(", "))
        })
        .collect()
}

/// A single value, if there is only one side.
fn transition(field: &Field, action: Action, style: &Style) -> String {
    let side = |value: &'_ Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    match action {
        Action::Added if field.old.is_none() => side(&field.new),
        Action::Removed if field.new.is_none() => side(&field.old),
        _ => format!("{} {} {}", side(&field.old), style.arrow, side(&field.new)),
    }
}

/// Compatibility properties by machine type; machine types with the same properties are combined.
fn compat(changes: &[&Change], style: &Style) -> Vec<String> {
    let mut machines: Vec<(&str, Vec<String>)> = Vec::new();
    for change in changes {
        let (machine, property) = (change.owner.as_deref().unwrap_or_default(), &change.subject);
        let value = change.fields.first().map_or_else(String::new, |field| match change.action {
            Action::Added | Action::Removed => format!("={}", transition(field, change.action, style)),
            _ => format!(" {}", transition(field, change.action, style)),
        });
        let property = format!("{}{value}", (style.code)(property));
        match machines.iter_mut().find(|(known, _)| *known == machine) {
            Some((_, properties)) => properties.push(property),
            None => machines.push((machine, vec![property])),
        }
    }
    let mut together: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (machine, properties) in machines {
        let machine = (style.code)(machine);
        match together.iter_mut().find(|(_, known)| *known == properties) {
            Some((machines, _)) => machines.push(machine),
            None => together.push((vec![machine], properties)),
        }
    }
    let line = |(machines, properties): &(Vec<String>, Vec<String>)| {
        format!("{}: {}", machines.join(" and "), properties.join(", "))
    };
    together.iter().map(line).collect()
}

/// Fields by register.
fn fields(changes: &[&Change], style: &Style) -> Vec<String> {
    let mut registers: BTreeMap<RegisterIn, Vec<String>> = BTreeMap::new();
    for change in changes {
        let moved = change.moved.as_ref();
        let at = change.at.as_ref().or_else(|| moved.and_then(|moved| moved.new.as_ref()));
        let Some(Identity::Field(place)) = at else { continue };
        let name = (style.code)(&change.subject);
        let bits = match (place.low.0, place.high.0) {
            (low, high) if low == high => format!("[{low}]"),
            (low, high) => format!("[{high}:{low}]"),
        };
        let named = match (&change.was, moved.and_then(|moved| moved.old.as_ref())) {
            (Some(was), _) => format!("{} {} {name} {bits}", (style.code)(was), style.arrow),
            (None, Some(old)) => format!("{name} {old} {} {bits}", style.arrow),
            (None, None) => format!("{name} {bits}"),
        };
        registers.entry(place.register_in()).or_default().push(named);
    }
    registers.into_iter().map(|(register, fields)| format!("{register}: {}", fields.join(", "))).collect()
}
