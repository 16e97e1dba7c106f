//! The changes as JSON: all of them, including those that text reports summarize.

use serde_json::{Value, json};

use crate::diff::change::{Change, Changes};
use crate::diff::identity::Identity;
use crate::diff::impact::{ApiChange, Impact};

impl Changes {
    /// Everything, in the order of the text. Missing sides are null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let sections = self.sections.iter().map(|section| {
            json!({
                "topic": section.topic.names().1,
                "title": section.topic.names().0,
                "changes": section.changes.iter().map(change).collect::<Vec<_>>(),
            })
        });
        json!({
            "project": self.project.name(),
            "old": self.old,
            "new": self.new,
            "api": self.api.iter().map(api).collect::<Vec<_>>(),
            "sections": sections.collect::<Vec<_>>(),
        })
    }
}

fn change(change: &Change) -> Value {
    let place = |side: &Option<Identity>| side.as_ref().map(ToString::to_string);
    let moved = change
        .moved
        .iter()
        .map(|moved| json!({"name": "at", "old": place(&moved.old), "new": place(&moved.new)}));
    let fields =
        change.fields.iter().map(|field| json!({"name": field.name, "old": field.old, "new": field.new}));
    json!({
        "action": change.action.name(),
        "subject": change.title(),
        "was": change.was,
        "at": place(&change.at),
        "fields": moved.chain(fields).collect::<Vec<_>>(),
    })
}

fn api(impact: &Impact) -> Value {
    let items = impact.items.iter().map(|item| {
        let (action, other) = match &item.change {
            ApiChange::Added => ("added", None),
            ApiChange::Removed => ("removed", None),
            ApiChange::Deprecated(to) => ("deprecated", Some(to.clone())),
            ApiChange::Unused(elsewhere) => ("unused", elsewhere.clone()),
            ApiChange::Moved { is, .. } => ("corrected", Some(is.clone())),
        };
        json!({"action": action, "constant": item.constant, "stands_for": item.stands_for, "now": other})
    });
    json!({"how": impact.how, "level": impact.level.name(), "items": items.collect::<Vec<_>>()})
}
