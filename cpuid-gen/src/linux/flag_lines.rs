//! How `mkcapflags.sh` reads a header: by line, not as C.
//!
//! [`entry`] follows the script's patterns to the letter. Up to 6.10, a macro without a quoted name is shown under its
//! own name in lower case, and `""` hides it; later scripts show only quoted names. Stable and vendor trees mix
//! versions, so the [`Rule`] comes from the tree's script, or from the header if there is no script.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources, Span};

/// Determines which macros have a name in `/proc/cpuinfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// All macros, except those with an empty quoted name.
    HiddenIfEmpty,
    /// Macros with a quoted name.
    ShownIfQuoted,
}

impl Rule {
    /// The [rule](Self::detect) for macros with this prefix; `None` if the script makes no array of them, so that no
    /// name is shown: bugs before 3.17, and VMX features in trees that have their header but an older script.
    pub(super) fn new(
        sources: &Sources,
        script: Option<FileId>,
        header: FileId,
        prefix: &str,
    ) -> Option<Rule> {
        let named = script.is_none_or(|script| sources[script].text.contains(prefix));
        named.then(|| Rule::detect(sources, script, header))
    }

    /// The rule of a tree, from its script, or from its header if there is no script: only the older rule needs `""`.
    pub(super) fn detect(sources: &Sources, script: Option<FileId>, header: FileId) -> Rule {
        let older = match script {
            Some(script) => sources[script].text.contains(r#"'""' ] && continue"#),
            None => {
                let lines = sources[header].text.lines();
                lines
                    .filter_map(|line| entry(line, "X86_FEATURE_"))
                    .any(|entry| entry.value.as_deref() == Some("\"\""))
            }
        };
        if older { Rule::HiddenIfEmpty } else { Rule::ShownIfQuoted }
    }
}

/// A line as the script parses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The text after the prefix, up to the first blank.
    pub(super) name: String,
    /// The quoted name with its quotes and the text after the comment; `None` without a quoted name.
    value: Option<String>,
}

impl Entry {
    /// The shown text, in lower case and with its quotes.
    pub(super) fn shown(&self, rule: Rule) -> Option<String> {
        let value = match (&self.value, rule) {
            (Some(value), _) => value.clone(),
            (None, Rule::HiddenIfEmpty) => format!("\"{}\"", self.name),
            (None, Rule::ShownIfQuoted) => return None,
        };
        (rule == Rule::ShownIfQuoted || value != "\"\"").then(|| value.to_ascii_lowercase())
    }
}

/// The script's two patterns: a line that starts with `#define PREFIX`, and the last `/*` that is followed by blanks,
/// a quoted text and, anywhere later, a `*/`.
pub(super) fn entry(line: &str, prefix: &str) -> Option<Entry> {
    if !line.trim_start_matches([' ', '\t']).starts_with('#') {
        return None;
    }
    let line = line.replace('\t', " ");
    let rest = line.trim_start_matches(' ').strip_prefix('#')?;
    let rest = rest.trim_start_matches(' ').strip_prefix("define")?;
    let rest = rest.trim_start_matches(' ').strip_prefix(prefix)?;
    // The shell's `read` removes blanks at both ends, and backslashes.
    let rest = rest.trim_matches(' ').replace('\\', "");
    let name = rest.split(' ').next().unwrap_or_default().to_owned();
    let starts: Vec<usize> = rest.match_indices("/*").map(|(at, _)| at + 2).collect();
    let close = rest.rfind("*/");
    let value = starts.into_iter().rev().find_map(|start| {
        let quoted = rest[start..].trim_start_matches(' ').strip_prefix('"')?;
        let (text, after) = quoted.split_once('"')?;
        let tail = close.filter(|close| *close >= rest.len() - after.len())?;
        Some(format!("\"{text}\"{}", &rest[tail + 2..]))
    });
    Some(Entry { name, value })
}

/// A header's lines as the script parses them, to be matched with its macros in C.
pub(super) struct Scan<'s> {
    sources: &'s Sources,
    file: FileId,
    rule: Rule,
    by_line: BTreeMap<u32, Entry>,
}

impl<'s> Scan<'s> {
    pub(super) fn new(sources: &'s Sources, file: FileId, prefix: &str, rule: Rule) -> Scan<'s> {
        let mut by_line = BTreeMap::new();
        let mut start = 0;
        for line in sources[file].text.split('\n') {
            if let Some(entry) = entry(line, prefix) {
                by_line.insert(sources.span(file, start, start).start, entry);
            }
            start += line.len() + 1;
        }
        Scan { sources, file, rule, by_line }
    }

    /// The name in `/proc/cpuinfo` of the macro whose `#define` is at `at`.
    pub(super) fn flag_of(&mut self, at: Span, name: &str) -> Result<Option<String>, Diagnostic> {
        let text = &self.sources[self.file].text;
        let line = text[..at.start as usize].rfind('\n').map_or(0, |end| end + 1);
        let found = self.by_line.remove(&u32::try_from(line).unwrap_or(u32::MAX));
        let Some(entry) = found.filter(|entry| entry.name == name) else {
            let message = format!("mkcapflags.sh does not recognize this #define of `{name}`");
            return Err(Diagnostic::error(at, message)
                .with_help("write `#define`, the name and its value on one line"));
        };
        let Some(shown) = entry.shown(self.rule) else { return Ok(None) };
        let flag = shown.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        if flag.is_empty()
            || flag == "-"
            || flag.trim() != flag
            || flag.contains(|c: char| c == '"' || c.is_control())
        {
            return Err(Diagnostic::error(
                at,
                format!("mkcapflags.sh generates {shown} from `{name}`, which is not a valid name"),
            ));
        }
        Ok(Some(flag.to_owned()))
    }

    /// Warns about lines that the script takes for macros and C does not: a `#define` inside a comment.
    pub(super) fn left_over(self) -> Vec<Diagnostic> {
        let (sources, file) = (self.sources, self.file);
        let place = |line: u32| sources.span(file, line as usize, line as usize + 1);
        let message = |entry: Entry| {
            format!("mkcapflags.sh reads this line as the macro `{}`, but C does not", entry.name)
        };
        self.by_line
            .into_iter()
            .map(|(line, entry)| Diagnostic::warning(place(line), message(entry)))
            .collect()
    }
}
