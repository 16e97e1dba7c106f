//! The name map: what a tree's `mkcapflags.sh` makes of its headers.
//!
//! The script works on lines, not on C, and its rules are its own: `entry` follows them to the letter. Up to 6.10 a
//! macro without a quoted name is shown under its own, in lower case, and `""` hides it; since then only a quoted name
//! is shown. Stable and vendor trees mix versions, so the [`Rule`] is taken from the tree's script, or else from the
//! header itself.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{LinuxFacts, LinuxFlag};
use crate::source::{FileId, Sources, Span};

use super::Tree;

/// Which macros have a name in `/proc/cpuinfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// All, unless the quoted name is empty.
    HiddenIfEmpty,
    /// Those with a quoted name.
    ShownIfQuoted,
}

impl Rule {
    /// The rule of a tree: by its script, or, when it has none, by its header: only the older rule needs `""`.
    #[must_use]
    pub fn of(sources: &Sources, script: Option<FileId>, header: FileId) -> Rule {
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

/// What the script makes of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// From after the prefix to the first blank.
    name: String,
    /// The quoted name with its quotes and whatever follows the comment; none when there is no quoted name.
    value: Option<String>,
}

impl Entry {
    /// What is shown, in lower case and with its quotes.
    fn shown(&self, rule: Rule) -> Option<String> {
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
fn entry(line: &str, prefix: &str) -> Option<Entry> {
    if !line.trim_start_matches([' ', '\t']).starts_with('#') {
        return None;
    }
    let line = line.replace('\t', " ");
    let rest = line.trim_start_matches(' ').strip_prefix('#')?;
    let rest = rest.trim_start_matches(' ').strip_prefix("define")?;
    let rest = rest.trim_start_matches(' ').strip_prefix(prefix)?;
    // The shell's `read` drops blanks at both ends, and backslashes.
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

/// A header's lines as the script sees them, matched with its macros as C sees them.
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

    /// The name that the macro whose `#define` stands at `at` has in `/proc/cpuinfo`.
    pub(super) fn flag_of(&mut self, at: Span, name: &str) -> Result<Option<String>, Diagnostic> {
        let text = &self.sources[self.file].text;
        let line = text[..at.start as usize].rfind('\n').map_or(0, |end| end + 1);
        let found = self.by_line.remove(&u32::try_from(line).unwrap_or(u32::MAX));
        let Some(entry) = found.filter(|entry| entry.name == name) else {
            let message =
                format!("the #define of `{name}` has a form that mkcapflags.sh does not read as such");
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
                format!("mkcapflags.sh makes {shown} of `{name}`, which is no name"),
            ));
        }
        Ok(Some(flag.to_owned()))
    }

    /// What the script would show although C has no such macro: a `#define` at the start of a comment's line.
    pub(super) fn left_over(self) -> Vec<Diagnostic> {
        let (sources, file) = (self.sources, self.file);
        let place = |line: u32| sources.span(file, line as usize, line as usize + 1);
        let say = |entry: Entry| {
            format!("mkcapflags.sh takes this line for the macro `{}`, which C does not", entry.name)
        };
        self.by_line.into_iter().map(|(line, entry)| Diagnostic::warning(place(line), say(entry))).collect()
    }
}

/// Prints what the tree's own script writes.
///
/// # Errors
///
/// A script whose form is not known, at the line that was not understood.
pub fn of_tree(sources: &Sources, tree: &Tree) -> Result<String, Diagnostics> {
    let rule = Rule::of(sources, tree.mkcapflags, tree.features);
    let layout = match tree.mkcapflags {
        // Before 3.14 it wrote one array, without a function for it.
        Some(script) if sources[script].text.contains("dump_array") => layout(sources, script)?,
        Some(_) => default_layout(false, tree.vmx.is_some()),
        None => default_layout(true, tree.vmx.is_some()),
    };
    let mut out = String::new();
    for part in layout {
        match part {
            Part::Line(line) => out.push_str(&line),
            Part::Array(array) => {
                let header = if array.prefix == "VMX_FEATURE_" { tree.vmx } else { Some(tree.features) };
                let text = header.map_or("", |header| sources[header].text.as_str());
                let entries = text.lines().filter_map(|line| entry(line, &array.prefix));
                let shown = entries.filter_map(|entry| Some((entry.name.clone(), entry.shown(rule)?)));
                array.print(shown, &mut out);
                continue;
            }
        }
        out.push('\n');
    }
    Ok(out)
}

/// Prints the same arrays from facts, in the form that the newest script gives them.
#[must_use]
pub fn of_facts(facts: &LinuxFacts) -> String {
    let mut out = String::new();
    for part in default_layout(!facts.bugs.is_empty(), !facts.vmx.is_empty()) {
        match part {
            Part::Line(line) => {
                out.push_str(&line);
                out.push('\n');
            }
            Part::Array(array) => {
                let flags: &[LinuxFlag] = match array.prefix.as_str() {
                    "X86_FEATURE_" => &facts.features,
                    "X86_BUG_" => &facts.bugs,
                    _ => &facts.vmx,
                };
                let shown = flags
                    .iter()
                    .filter_map(|flag| Some((flag.name.clone(), format!("\"{}\"", flag.flag.as_ref()?))));
                array.print(shown, &mut out);
            }
        }
    }
    out
}

/// One piece of the script's output.
enum Part {
    /// An `echo`.
    Line(String),
    /// A `dump_array`.
    Array(Array),
}

/// The arguments of `dump_array`.
struct Array {
    name: String,
    size: String,
    prefix: String,
    /// What is subtracted from each index; empty for nothing.
    base: String,
}

impl Array {
    fn new(name: &str, size: &str, prefix: &str, base: &str) -> Array {
        Array { name: name.into(), size: size.into(), prefix: prefix.into(), base: base.into() }
    }

    /// The array, aligned with tabs as the script does it: a column of 40 or 48, a name that reaches over it by a tab
    /// or more being followed by all of the script's tabs, because `printf` ignores a negative precision.
    fn print(&self, entries: impl Iterator<Item = (String, String)>, out: &mut String) {
        out.push_str(&format!("const char * const {}[{}] = {{\n", self.name, self.size));
        let prefix_size = length(&self.prefix) + 1;
        let (column, all_tabs, used) = if self.base.is_empty() {
            (5 * 8, 5, prefix_size + 1)
        } else {
            (6 * 8, 6, prefix_size + length(&self.base) + 1 + 2 + 1)
        };
        for (name, value) in entries {
            let tabs = (column - used - (length(&name) + 1)) / 8;
            let tabs = usize::try_from(tabs).ok().map_or(all_tabs, |tabs| tabs.min(all_tabs));
            let base = if self.base.is_empty() { String::new() } else { format!(" - {}", self.base) };
            out.push_str(&format!("\t[{}{name}{base}]{} = {value},\n", self.prefix, "\t".repeat(tabs)));
        }
        out.push_str("};\n");
    }
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

fn default_layout(with_bugs: bool, with_vmx: bool) -> Vec<Part> {
    let line = |text: &str| Part::Line(text.to_owned());
    let mut parts = vec![
        line("#ifndef _ASM_X86_CPUFEATURES_H"),
        line("#include <asm/cpufeatures.h>"),
        line("#endif"),
        line(""),
        Part::Array(Array::new("x86_cap_flags", "NCAPINTS*32", "X86_FEATURE_", "")),
    ];
    if with_bugs {
        let array = Array::new("x86_bug_flags", "NBUGINTS*32", "X86_BUG_", "NCAPINTS*32");
        parts.extend([line(""), Part::Array(array)]);
    }
    if with_vmx {
        parts.extend([
            line(""),
            line("#ifdef CONFIG_X86_VMX_FEATURE_NAMES"),
            line("#ifndef _ASM_X86_VMXFEATURES_H"),
            line("#include <asm/vmxfeatures.h>"),
            line("#endif"),
            Part::Array(Array::new("x86_vmx_flags", "NVMXINTS*32", "VMX_FEATURE_", "")),
            line("#endif /* CONFIG_X86_VMX_FEATURE_NAMES */"),
        ]);
    }
    parts
}

/// The script's last block, `( ... ) > $OUT`: its `echo`s and its calls of `dump_array`.
fn layout(sources: &Sources, script: FileId) -> Result<Vec<Part>, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut parts = Vec::new();
    let mut start = 0;
    let mut inside = false;
    let text = &sources[script].text;
    for line in text.split('\n') {
        let at = sources.span(script, start, start + line.len());
        start += line.len() + 1;
        match line.trim() {
            "(" => inside = true,
            ") > $OUT" => return if diagnostics.is_empty() { Ok(parts) } else { Err(diagnostics) },
            "" => {}
            comment if comment.starts_with('#') => {}
            command if inside => match part(command) {
                Some(part) => parts.push(part),
                None => diagnostics.error(at, format!("`{command}` is neither an echo nor a dump_array")),
            },
            _ => {}
        }
    }
    diagnostics
        .error(sources.span(script, 0, 0), "no block `( ... ) > $OUT`, which every mkcapflags.sh ends with");
    Err(diagnostics)
}

fn part(command: &str) -> Option<Part> {
    let (verb, rest) = command.split_once(' ')?;
    let quoted: Vec<&str> = rest.split('"').skip(1).step_by(2).collect();
    match (verb, quoted.as_slice()) {
        ("echo", [line]) => Some(Part::Line((*line).to_owned())),
        ("dump_array", [name, size, prefix, base]) => Some(Part::Array(Array::new(name, size, prefix, base))),
        _ => None,
    }
}
