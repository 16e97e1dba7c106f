//! `X86_REQUIRED_FEATURE_*` and `X86_DISABLED_FEATURE_*`: the features that a kernel configuration fixes, since 6.15.
//!
//! arch/x86/Kconfig.cpufeatures. Every entry has `config NAME`, `def_bool y` and optionally `depends on` lines.
//! arch/x86/tools/cpufeaturemasks.awk turns them into masks. Anything else in the file is an error.

use super::reader::Reader;
use crate::diagnostic::Diagnostic;
use crate::facts::condition::pieces;
use crate::facts::{Condition, ConfigKind, LinuxConfig};
use crate::source::{FileId, Span};

const PREFIXES: [(&str, ConfigKind); 2] =
    [("X86_REQUIRED_FEATURE_", ConfigKind::Required), ("X86_DISABLED_FEATURE_", ConfigKind::Disabled)];

/// An entry under construction.
struct Entry {
    kind: ConfigKind,
    name: String,
    at: Span,
    set: bool,
    depends: Vec<Condition>,
}

impl Reader<'_, '_> {
    /// Reads every entry.
    pub(super) fn kconfig(&mut self, file: FileId) {
        let before = self.facts.configs.len();
        self.whole_lines(file);
        let (mut start, mut entry) = (0, None);
        for line in self.sources[file].text.split('\n') {
            let lead = line.len() - line.trim_start().len();
            let text = line.trim();
            let at = self.sources.span(file, start + lead, start + lead + text.len());
            start += line.len() + 1;
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let read = match text.strip_prefix("config").filter(|rest| rest.starts_with([' ', '\t'])) {
                Some(name) => {
                    self.finish(entry.take());
                    open(name.trim(), at).map(|opened| entry = Some(opened))
                }
                None => line_of(entry.as_mut(), text, at),
            };
            self.diagnostics.take(read);
        }
        self.finish(entry);
        if self.facts.configs.len() == before {
            self.diagnostics.error(self.sources.span(file, 0, 0), "this file has no entries");
        }
    }

    fn finish(&mut self, entry: Option<Entry>) {
        let Some(Entry { kind, name, at, set, depends }) = entry else { return };
        if !set {
            self.diagnostics.error(at, format!("`{name}` has no `def_bool y`"));
            return;
        }
        self.add_config((kind, &name, at), Condition::all(depends));
    }

    /// Adds a row, unless its condition is always false.
    pub(super) fn add_config(&mut self, (kind, name, at): (ConfigKind, &str, Span), condition: Condition) {
        let Some((holds, fails)) = self.diagnostics.take(condition.can_hold_and_fail(at)) else { return };
        if !holds {
            return;
        }
        let condition = fails.then(|| condition.to_string());
        self.facts.configs.push(LinuxConfig { kind, name: name.to_owned(), condition, at });
    }
}

fn open(name: &str, at: Span) -> Result<Entry, Diagnostic> {
    let found = PREFIXES.iter().find_map(|(prefix, kind)| Some((*kind, name.strip_prefix(prefix)?)));
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match found.filter(|(_, name)| !name.is_empty() && plain(name)) {
        Some((kind, name)) => Ok(Entry { kind, name: name.to_owned(), at, set: false, depends: Vec::new() }),
        None => Err(Diagnostic::error(
            at,
            format!("`{name}` is not an entry that requires or disables a feature"),
        )
        .with_help("expected X86_REQUIRED_FEATURE_* or X86_DISABLED_FEATURE_*")),
    }
}

/// Reads a line of an entry.
fn line_of(entry: Option<&mut Entry>, text: &str, at: Span) -> Result<(), Diagnostic> {
    let words = text.split_ascii_whitespace().collect::<Vec<_>>();
    match (entry, words.as_slice()) {
        (Some(entry), ["def_bool", "y"]) if !entry.set => entry.set = true,
        (Some(entry), ["depends", "on", first, ..]) => {
            let length = text.find(" on").or(text.find("\ton")).map_or(0, |found| found + 3);
            let rest = &text[length..];
            let rest_at = Span { start: at.end - u32::try_from(rest.len()).unwrap_or(0), ..at };
            debug_assert!(rest.trim_start().starts_with(first));
            entry.depends.push(Condition::parse(&pieces(rest, rest_at)?, rest_at)?);
        }
        (None, _) => return Err(Diagnostic::error(at, format!("`{text}` is outside any entry"))),
        _ => {
            let message = format!("unexpected `{text}` in an entry");
            let help = "expected one `def_bool y`, and `depends on ...`";
            return Err(Diagnostic::error(at, message).with_help(help));
        }
    }
    Ok(())
}
