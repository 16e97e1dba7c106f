//! Markdown, for `docs/bumps/`.

use std::fmt::Write as _;

use super::{Style, api_actions, brief, verdict};
use crate::diff::change::{Action, Change, Changes, Section};
use crate::diff::impact::{Impact, Level};

const STYLE: Style = Style { code, arrow: "→" };

/// A name in backticks, or in double backticks if it contains one.
fn code(name: &str) -> String {
    if name.contains('`') { format!("`` {name} ``") } else { format!("`{name}`") }
}

impl Changes {
    /// A document: a summary, then a heading for each topic.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let (project, old, new) = (self.project.name(), &self.old, &self.new);
        let mut out = format!("# {project} {old} to {new}\n");
        if self.is_empty() {
            out.push_str("\nNo changes.\n");
            return out;
        }
        out.push_str("\n| | added | removed | renamed | moved | changed |\n|---|---|---|---|---|---|\n");
        for section in &self.sections {
            out.push_str(&summary(section));
        }
        for section in &self.sections {
            put(&mut out, format_args!("\n## {}\n", section.topic.names().0));
            out.push_str(&body(section));
        }
        if self.api.iter().any(|impact| impact.level > Level::Nothing) {
            out.push_str("\n## Rust API\n");
            for (index, impact) in self.api.iter().enumerate() {
                out.push_str(&api(impact, index == 0));
            }
        }
        out
    }
}

fn summary(section: &Section) -> String {
    let title = section.topic.names().0;
    let counts = Action::ALL.map(|action| {
        let count = section.changes.iter().filter(|change| change.action == action).count();
        if count == 0 { String::new() } else { count.to_string() }
    });
    let anchor: String = title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect();
    format!("| [{title}](#{anchor}) | {} |\n", counts.join(" | "))
}

fn api(impact: &Impact, whole: bool) -> String {
    let mut out = format!("\n**{}: {}.**\n", impact.how, verdict(impact));
    for (name, is) in api_actions() {
        let items: Vec<_> = impact.shown(whole).filter(|item| is(&item.change)).collect();
        if !items.is_empty() {
            put(&mut out, format_args!("\n{}:\n\n", capital(name)));
            out.extend(items.into_iter().map(|item| format!("- {}\n", STYLE.api_item(item))));
        }
    }
    out
}

fn body(section: &Section) -> String {
    if section.topic.is_brief() {
        let mut out = String::new();
        let mut last = None;
        for (action, line) in brief::lines(section, &STYLE) {
            if last != Some(action) {
                put(&mut out, format_args!("\n{}:\n\n", capital(action.name())));
                last = Some(action);
            }
            put(&mut out, format_args!("- {line}\n"));
        }
        return out;
    }
    if section.topic.is_by_action() {
        let mut out = String::new();
        for action in Action::ALL {
            let found: Vec<&Change> =
                section.changes.iter().filter(|change| change.action == action).collect();
            if !found.is_empty() {
                put(&mut out, format_args!("\n{}:\n\n", capital(action.name())));
                out.extend(found.into_iter().map(|change| format!("- {}\n", STYLE.sentence(change))));
            }
        }
        return out;
    }
    let line = |change: &Change| format!("- {} {}\n", change.action.name(), STYLE.sentence(change));
    section.changes.iter().fold("\n".to_owned(), |out, change| out + &line(change))
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Writing to a String cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
