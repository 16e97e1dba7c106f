//! Sections of many small changes in a few lines.

use std::collections::BTreeMap;

use super::Style;
use crate::diff::change::{Action, Change, Field, SPELLED, Section, Topic};

/// The lines of a section, each with its sign.
pub(super) fn lines(section: &Section, style: &Style) -> Vec<(char, String)> {
    let mut lines = Vec::new();
    for action in Action::ALL {
        let changes: Vec<&Change> = section.changes.iter().filter(|change| change.action == action).collect();
        if changes.is_empty() {
            continue;
        }
        let found = match section.topic {
            Topic::CpuidFields => fields(&changes, style),
            Topic::KvmCaps => caps(&changes, style),
            Topic::QemuMacros if action != Action::Changed => vec![names(&changes, style)],
            _ => vec![changes.iter().map(|change| short(change, style)).collect::<Vec<_>>().join("; ")],
        };
        lines.extend(found.into_iter().map(|line| (action.sign(), line)));
    }
    lines
}

/// A change without what its section's title says already.
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

/// Capabilities by what is said of them, then by register.
fn caps(changes: &[&Change], style: &Style) -> Vec<String> {
    // States and registers in the order in which they come: by location of the first.
    let mut groups: Vec<(String, &str, Vec<String>)> = Vec::new();
    for change in changes {
        let state = match change.fields.as_slice() {
            [field] if field.name == SPELLED => "the same, spelled otherwise".to_owned(),
            [field] => transition(field, change.action, style),
            _ => style.sentence(change),
        };
        let (register, bit) = match change.at.as_deref().and_then(|at| at.rsplit_once('[')) {
            Some((register, bit)) => (register, format!(" [{bit}")),
            None => ("nowhere in hardware", String::new()),
        };
        let name = format!("{}{bit}", (style.code)(&change.subject));
        match groups.iter_mut().find(|group| group.0 == state && group.1 == register) {
            Some(group) => group.2.push(name),
            None => groups.push((state, register, vec![name])),
        }
    }
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    groups
        .iter()
        .map(|(state, register, names)| format!("{state}: {register}: {}", names.join(", ")))
        .collect()
}

/// One side, where there is only one to tell.
fn transition(field: &Field, action: Action, style: &Style) -> String {
    let side = |value: &'_ Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    match action {
        Action::Added if field.old.is_none() => side(&field.new),
        Action::Removed if field.new.is_none() => side(&field.old),
        _ => format!("{} {} {}", side(&field.old), style.arrow, side(&field.new)),
    }
}

/// Fields by register: one-bit fields by name, others counted.
fn fields(changes: &[&Change], style: &Style) -> Vec<String> {
    let mut registers: BTreeMap<(bool, &str), (Vec<String>, usize)> = BTreeMap::new();
    for change in changes {
        let moved = change.fields.iter().find(|field| field.name == "at");
        let at = change.at.as_deref().or_else(|| moved.and_then(|field| field.new.as_deref()));
        let (register, bits) = at.and_then(|at| at.rsplit_once('[')).unwrap_or(("", ""));
        let bits = bits.trim_end_matches(']');
        // Leaves with eight digits are the extended ones: they come last.
        let entry = registers.entry((register.contains("=0x8"), register)).or_default();
        if bits.contains(':') {
            entry.1 += 1;
            continue;
        }
        let name = (style.code)(&change.subject);
        entry.0.push(match (&change.was, moved.and_then(|field| field.old.as_deref())) {
            (Some(was), _) => format!("{} {} {name} [{bits}]", (style.code)(was), style.arrow),
            (None, Some(old)) => format!("{name} {old} {} [{bits}]", style.arrow),
            (None, None) => format!("{name} [{bits}]"),
        });
    }
    let line = |((_, register), (mut bits, others)): ((bool, &str), (Vec<String>, usize))| {
        if others > 0 {
            let plural = if others == 1 { "" } else { "s" };
            bits.push(format!("{others} field{plural} of several bits"));
        }
        format!("{register}: {}", bits.join(", "))
    };
    registers.into_iter().map(line).collect()
}
