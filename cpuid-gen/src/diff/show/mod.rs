//! The changes as human-readable text or Markdown, and as JSON.

mod brief;
#[cfg(feature = "json")]
mod json;
mod markdown;
mod text;

pub use text::LineStyle;

use super::change::{Action, Change, Field, GAINS, LOSES, Moved};
use super::identity::Identity;
use super::impact::{ApiChange, ApiItem, Impact};

/// The style of names and arrows.
struct Style {
    code: fn(&str) -> String,
    arrow: &'static str,
}

impl Style {
    /// A change in one line, without its action.
    fn sentence(&self, change: &Change) -> String {
        let mut out = (self.code)(&change.title());
        if let Some(was) = &change.was {
            out = format!("{out}, formerly {}", (self.code)(was));
        }
        let mut parts: Vec<String> = change.at.iter().map(ToString::to_string).collect();
        parts.extend(change.moved.iter().map(|moved| self.moved(moved)));
        parts.extend(change.fields.iter().map(|field| self.field(change.action, field)));
        if parts.is_empty() { out } else { format!("{out}: {}", parts.join(", ")) }
    }

    fn moved(&self, Moved { old, new }: &Moved) -> String {
        let side =
            |side: &Option<Identity>| side.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        format!("{} {} {}", side(old), self.arrow, side(new))
    }

    fn field(&self, action: Action, field: &Field) -> String {
        let Field { name, old, new } = field;
        let value = |value: &'_ Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        match action {
            Action::Added => format!("{name} {}", value(new)),
            Action::Removed => format!("{name} {}", value(old)),
            _ if name == GAINS => format!("gains {}", value(new)),
            _ if name == LOSES => format!("loses {}", value(old)),
            _ => format!("{name} {} {} {}", value(old), self.arrow, value(new)),
        }
    }

    fn api_item(&self, item: &ApiItem) -> String {
        let constant = (self.code)(&item.constant);
        match &item.change {
            ApiChange::Added | ApiChange::Removed | ApiChange::Unused(None) => {
                format!("{constant}: {}", item.stands_for)
            }
            ApiChange::Unused(Some(other)) => {
                format!("{constant}: {}; there is {}", item.stands_for, (self.code)(other))
            }
            ApiChange::Deprecated(to) => {
                format!("{constant} {} {}: {}", self.arrow, (self.code)(to), item.stands_for)
            }
            ApiChange::Moved { was, is } => format!("{constant}: {was} {} {is}", self.arrow),
        }
    }
}

/// The name of a kind of API change, and the changes of that kind.
type ApiAction = (&'static str, fn(&ApiChange) -> bool);

/// The kinds of API changes, with their names in reports.
fn api_actions() -> [ApiAction; 5] {
    [
        ("removed", |change| matches!(change, ApiChange::Removed)),
        ("corrected", |change| matches!(change, ApiChange::Moved { .. })),
        ("deprecated", |change| matches!(change, ApiChange::Deprecated(_))),
        ("kept without a release", |change| matches!(change, ApiChange::Unused(_))),
        ("added", |change| matches!(change, ApiChange::Added)),
    ]
}

/// `major (constants: 3 removed, 60 added)`.
fn verdict(impact: &Impact) -> String {
    let counts = api_actions().map(|(name, is)| {
        let count = impact.items.iter().filter(|item| is(&item.change)).count();
        (count > 0).then(|| format!("{count} {name}"))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let level = impact.level.name();
    if counts.is_empty() { level.to_owned() } else { format!("{level} (constants: {})", counts.join(", ")) }
}

impl Impact {
    /// The constants to show: all, or those that break users. Additions are the same for each way of adopting a
    /// release; new fields of leaves, which come in hundreds, are only counted.
    fn shown(&self, whole: bool) -> impl Iterator<Item = &ApiItem> {
        let is_shown = move |item: &&ApiItem| {
            item.change != ApiChange::Added || (whole && !item.constant.starts_with("field::"))
        };
        self.items.iter().filter(is_shown)
    }
}
