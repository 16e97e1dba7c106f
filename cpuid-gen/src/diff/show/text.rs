//! Text for a terminal, with a sign before each change.

use super::{Style, brief, verdict};
use crate::diff::change::{Action, Change, Changes, Section};
use crate::diff::impact::{ApiChange, Impact, Level};

const STYLE: Style = Style { code: str::to_owned, arrow: "->" };

impl Changes {
    /// Human-readable text with one line per change, starting with a sign: `+` added, `-` removed, `=` renamed, `>`
    /// moved, `~` changed. Sections of many small changes are summarized.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!("{} {} -> {}\n", self.project.name(), self.old, self.new);
        if self.is_empty() {
            out.push_str("\nno changes\n");
        }
        for section in &self.sections {
            out.push_str(&format!("\n{}: {}\n", section.topic.names().0, section.counts()));
            out.push_str(&lines(section));
        }
        if self.api.iter().any(|impact| impact.level > Level::Nothing) {
            out.push_str("\nRust API\n");
            for (index, impact) in self.api.iter().enumerate() {
                out.push_str(&api(impact, index == 0));
            }
        }
        out
    }
}

fn api(impact: &Impact, whole: bool) -> String {
    let mut out = format!("  {}: {}\n", impact.how, verdict(impact));
    for item in impact.shown(whole) {
        let sign = match item.change {
            ApiChange::Added => Action::Added,
            ApiChange::Removed => Action::Removed,
            ApiChange::Deprecated(_) => Action::Renamed,
            ApiChange::Moved { .. } | ApiChange::Unused(_) => Action::Changed,
        }
        .sign();
        out.push_str(&format!("    {sign} {}\n", STYLE.api_item(item)));
    }
    out
}

fn lines(section: &Section) -> String {
    if section.topic.is_brief() {
        return brief::lines(section, &STYLE)
            .iter()
            .map(|(sign, line)| format!("  {sign} {line}\n"))
            .collect();
    }
    let line = |change: &Change| format!("  {} {}\n", change.action.sign(), STYLE.sentence(change));
    section.changes.iter().map(line).collect()
}
