//! Pairs of rows of two releases, and the changes between them.
//!
//! Invariant: a row is paired with an equal one, or a change contains it. Every column of a record must therefore be
//! in its key or in its [`Line`].

use std::collections::{BTreeMap, VecDeque};

use super::change::{Action, Change, Field, Moved};
use super::identity::Identity;
use crate::source::Span;

/// The field with the place among a release's words: if only this field changes, the thing has moved.
pub(super) const PLACE: &str = "word";

/// The properties of a row, or of several rows about one thing, in a report.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) owner: Option<String>,
    pub(super) subject: String,
    pub(super) at: Option<Identity>,
    pub(super) fields: Vec<(String, Option<String>)>,
    pub(super) rows: Vec<Span>,
}

impl Line {
    pub(super) fn new(subject: impl Into<String>, row: Span) -> Line {
        Line { subject: subject.into(), rows: vec![row], ..Line::default() }
    }

    /// Sets the identity.
    pub(super) fn at(mut self, at: impl Into<Identity>) -> Line {
        self.at = Some(at.into());
        self
    }

    /// Sets the identity to a name in the sources.
    pub(super) fn named(self, name: &str) -> Line {
        self.at(Identity::Name(name.to_owned()))
    }

    /// Sets what the thing is a part of.
    pub(super) fn owned_by(mut self, owner: &str) -> Line {
        self.owner = Some(owner.to_owned());
        self
    }

    /// Adds a property.
    pub(super) fn with(mut self, name: &str, value: impl ToString) -> Line {
        self.fields.push((name.to_owned(), Some(value.to_string())));
        self
    }

    /// Adds an optional property.
    pub(super) fn maybe(mut self, name: &str, value: Option<impl ToString>) -> Line {
        self.fields.push((name.to_owned(), value.map(|value| value.to_string())));
        self
    }

    pub(super) fn added(self) -> Change {
        let new =
            |(name, new): (String, Option<String>)| new.map(|new| Field { name, old: None, new: Some(new) });
        Change {
            action: Action::Added,
            owner: self.owner,
            subject: self.subject,
            was: None,
            at: self.at,
            moved: None,
            fields: self.fields.into_iter().filter_map(new).collect(),
            old_rows: Vec::new(),
            new_rows: self.rows,
        }
    }

    pub(super) fn removed(self) -> Change {
        let Change { action: _, fields, new_rows, .. } = self.clone().added();
        let gone = |field: Field| Field { old: field.new, new: None, ..field };
        Change {
            action: Action::Removed,
            owner: self.owner,
            subject: self.subject,
            was: None,
            at: self.at,
            moved: None,
            fields: fields.into_iter().map(gone).collect(),
            old_rows: new_rows,
            new_rows: Vec::new(),
        }
    }
}

/// The change between two lines about the same thing; `None` if they are equal.
pub(super) fn between(old: Line, new: Line) -> Option<Change> {
    let mut fields = Vec::new();
    let mut note = |name: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            fields.push(Field { name: name.to_owned(), old, new });
        }
    };
    for (name, value) in &new.fields {
        let before = old.fields.iter().find(|(other, _)| other == name);
        note(name, before.and_then(|(_, value)| value.clone()), value.clone());
    }
    for (name, value) in &old.fields {
        if !new.fields.iter().any(|(other, _)| other == name) {
            note(name, value.clone(), None);
        }
    }
    let was = (old.subject != new.subject).then_some(old.subject);
    let moved = old.at != new.at;
    if was.is_none() && fields.is_empty() && !moved {
        return None;
    }
    let replaced =
        fields.iter().any(|field| field.name == PLACE && field.old.is_some() && field.new.is_some());
    let action = match was {
        Some(_) => Action::Renamed,
        None if moved || replaced => Action::Moved,
        None => Action::Changed,
    };
    let (at, moved) = if moved { (None, Some(Moved { old: old.at, new: new.at })) } else { (new.at, None) };
    let (old_rows, new_rows) = (old.rows, new.rows);
    Some(Change {
        action,
        owner: new.owner,
        subject: new.subject,
        was,
        at,
        moved,
        fields,
        old_rows,
        new_rows,
    })
}

/// The rows of two releases, paired.
pub(super) struct Paired<'a, T> {
    pub(super) removed: Vec<&'a T>,
    pub(super) added: Vec<&'a T>,
    pub(super) kept: Vec<(&'a T, &'a T)>,
}

/// Pairs rows with the same key; repeated keys are paired in order.
pub(super) fn pair<'a, T, K: Ord>(old: &'a [T], new: &'a [T], key: impl Fn(&'a T) -> K) -> Paired<'a, T> {
    let mut waiting: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
    for (index, row) in old.iter().enumerate() {
        waiting.entry(key(row)).or_default().push_back(index);
    }
    let mut taken = vec![false; old.len()];
    let (mut added, mut kept) = (Vec::new(), Vec::new());
    for row in new {
        match waiting.get_mut(&key(row)).and_then(VecDeque::pop_front) {
            Some(index) => {
                taken[index] = true;
                kept.push((&old[index], row));
            }
            None => added.push(row),
        }
    }
    let removed = old.iter().zip(taken).filter(|(_, taken)| !taken).map(|(row, _)| row).collect();
    Paired { removed, added, kept }
}

/// The changes of a table whose rows are identified by a key.
pub(super) fn table<'a, T, K: Ord>(
    old: &'a [T],
    new: &'a [T],
    key: impl Fn(&'a T) -> K,
    line: impl Fn(&'a T) -> Line,
) -> Vec<Change> {
    let paired = pair(old, new, key);
    let mut changes: Vec<Change> = paired.added.into_iter().map(|row| line(row).added()).collect();
    changes.extend(paired.removed.into_iter().map(|row| line(row).removed()));
    changes.extend(paired.kept.into_iter().filter_map(|(old, new)| between(line(old), line(new))));
    changes
}
