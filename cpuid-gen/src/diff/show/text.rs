//! Text for a terminal, with a sign before each change.

use super::{Style, brief, verdict};
use crate::diff::change::{Action, Changes, Section};
use crate::diff::impact::{ApiChange, ApiItem, Level};

/// The style of a line, for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineStyle {
    /// The releases, or the title of a section.
    Heading,
    /// Text between the changes.
    Plain,
    /// A change, with its sign.
    Change(Action),
}

const STYLE: Style = Style { code: str::to_owned, arrow: "->" };

impl Changes {
    /// Human-readable text with one line per change, starting with a sign: `+` added, `-` removed, `=` renamed, `>`
    /// moved, `~` changed. Sections of many small changes are summarized.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_lines().into_iter().fold(String::new(), |out, (_, line)| out + &line + "\n")
    }

    /// The lines of this text, each with its style.
    #[must_use]
    pub fn to_lines(&self) -> Vec<(LineStyle, String)> {
        let empty = || (LineStyle::Plain, String::new());
        let mut out = Vec::new();
        out.push((LineStyle::Heading, format!("{} {} -> {}", self.project.name(), self.old, self.new)));
        if self.is_empty() {
            out.extend([empty(), (LineStyle::Heading, "no changes".to_owned())]);
        }
        for section in &self.sections {
            let title = format!("{}: {}", section.topic.names().0, section.counts());
            out.extend([empty(), (LineStyle::Heading, title)]);
            out.extend(lines(section).map(|(action, line)| change(action, 2, &line)));
        }
        if self.api.iter().any(|impact| impact.level > Level::Nothing) {
            out.extend([empty(), (LineStyle::Heading, "Rust API".to_owned())]);
            for (index, impact) in self.api.iter().enumerate() {
                out.push((LineStyle::Plain, format!("  {}: {}", impact.how, verdict(impact))));
                out.extend(impact.shown(index == 0).map(api_line));
            }
        }
        out
    }
}

/// A change's line, indented.
fn change(action: Action, indent: usize, line: &str) -> (LineStyle, String) {
    (LineStyle::Change(action), format!("{:indent$}{} {line}", "", action.sign()))
}

fn api_line(item: &ApiItem) -> (LineStyle, String) {
    let action = match item.change {
        ApiChange::Added => Action::Added,
        ApiChange::Removed => Action::Removed,
        ApiChange::Deprecated(_) => Action::Renamed,
        ApiChange::Moved { .. } | ApiChange::Unused(_) => Action::Changed,
    };
    change(action, 4, &STYLE.api_item(item))
}

fn lines(section: &Section) -> impl Iterator<Item = (Action, String)> {
    let lines: Vec<(Action, String)> = if section.topic.is_brief() {
        brief::lines(section, &STYLE)
    } else {
        section.changes.iter().map(|change| (change.action, STYLE.sentence(change))).collect()
    };
    lines.into_iter()
}
