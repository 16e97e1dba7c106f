//! The changes of `/proc/cpuinfo`: a summary of the flags of features, bugs and VMX flags.
//!
//! Facts have the flag as shown, so the new rule of Linux 6.9, from "shown unless the comment starts with empty
//! quotes" to "shown only if quoted", causes no changes.

use std::collections::BTreeMap;

use crate::diff::change::{Action, Change, Field};
use crate::diff::identity::Identity;

/// The features that lost a flag and those that gained it.
#[derive(Default)]
struct Owners<'a> {
    lost: Vec<&'a Change>,
    gained: Vec<&'a Change>,
}

/// The flags of each line that were added, removed, changed, or moved to another feature.
pub(super) fn changes(lines: &[(&str, &[Change])]) -> Vec<Change> {
    let mut found = Vec::new();
    for (line, changes) in lines {
        let mut flags: BTreeMap<&str, Owners<'_>> = BTreeMap::new();
        for change in *changes {
            match change.fields.iter().find(|field| field.name == "flag") {
                Some(Field { old: Some(old), new: Some(new), .. }) => {
                    found.push(renamed(line, old, new, change))
                }
                Some(Field { old: Some(old), .. }) => add(&mut flags.entry(old).or_default().lost, change),
                Some(Field { new: Some(new), .. }) => add(&mut flags.entry(new).or_default().gained, change),
                _ => {}
            }
        }
        found.extend(flags.into_iter().map(|(flag, owners)| moved(line, flag, &owners)));
    }
    found
}

/// A feature at two locations has one flag.
fn add<'a>(owners: &mut Vec<&'a Change>, change: &'a Change) {
    if !owners.iter().any(|known| known.subject == change.subject) {
        owners.push(change);
    }
}

/// A feature with a new flag.
fn renamed(line: &str, old: &str, new: &str, of: &Change) -> Change {
    let mut change = base(Action::Renamed, line, new, &[of]);
    change.was = Some(old.to_owned());
    change
}

/// A flag that only one release has, or that belongs to another feature.
fn moved(line: &str, flag: &str, owners: &Owners<'_>) -> Change {
    let names = |owners: &[&Change]| {
        let names: Vec<&str> = owners.iter().map(|change| change.subject.as_str()).collect();
        (!names.is_empty()).then(|| names.join(" and "))
    };
    let (old, new) = (names(&owners.lost), names(&owners.gained));
    let action = match (&old, &new) {
        (None, _) => Action::Added,
        (_, None) => Action::Removed,
        _ => Action::Changed,
    };
    let all: Vec<&Change> = owners.lost.iter().chain(&owners.gained).copied().collect();
    let mut change = base(action, line, flag, &all);
    change.fields.push(field("of", old, new));
    let stays = !all.iter().any(|change| matches!(change.action, Action::Added | Action::Removed));
    let hidden = Some("hidden".to_owned());
    match action {
        Action::Added if stays => change.fields.push(field("which was", None, hidden)),
        Action::Removed if stays => change.fields.push(field("which is", hidden, None)),
        _ => {}
    }
    change
}

fn base(action: Action, line: &str, flag: &str, of: &[&Change]) -> Change {
    Change {
        action,
        owner: None,
        subject: flag.to_owned(),
        was: None,
        at: Some(Identity::Name(format!("line {line}"))),
        moved: None,
        fields: Vec::new(),
        old_rows: of.iter().flat_map(|change| change.old_rows.iter().copied()).collect(),
        new_rows: of.iter().flat_map(|change| change.new_rows.iter().copied()).collect(),
    }
}

fn field(name: &str, old: Option<String>, new: Option<String>) -> Field {
    Field { name: name.to_owned(), old, new }
}
