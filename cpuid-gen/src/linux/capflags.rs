//! The name map: the output that a tree's `mkcapflags.sh` generates from its headers.
//!
//! `flag_lines` reads the headers' lines; this file prints them as the script does.

use crate::diagnostic::Diagnostics;
use crate::facts::{LinuxFacts, LinuxFlag};
use crate::source::{FileId, Sources};

use super::flag_lines::{Rule, entry};
use super::tree::Tree;

/// Prints the output of the tree's own script.
///
/// # Errors
///
/// A script of unknown form, at the line that was not recognized.
pub fn from_tree(sources: &Sources, tree: &Tree) -> Result<String, Diagnostics> {
    let rule = Rule::detect(sources, tree.mkcapflags, tree.features);
    let layout = match tree.mkcapflags {
        Some(script) => layout(sources, script)?,
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

/// Prints the same arrays from facts, in the form of the newest script.
#[must_use]
pub fn from_facts(facts: &LinuxFacts) -> String {
    let mut out = String::new();
    let has_names = |flags: &[LinuxFlag]| flags.iter().any(|flag| flag.flag.is_some());
    for part in default_layout(has_names(&facts.bugs), has_names(&facts.vmx)) {
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

/// A part of the script's output.
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
    /// The value subtracted from each index; empty if none.
    base: String,
}

impl Array {
    fn new(name: &str, size: &str, prefix: &str, base: &str) -> Array {
        Array { name: name.into(), size: size.into(), prefix: prefix.into(), base: base.into() }
    }

    /// Writes the array with the script's alignment: tabs up to column 40 or 48. A name that is too long by a tab or
    /// more is followed by all of the script's tabs, because `printf` ignores a negative precision.
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

/// Reads the script's last block, `( ... ) > $OUT`: its `echo`s and its calls of `dump_array`. Before 3.17 the block
/// itself writes a single array, between two `echo`s.
fn layout(sources: &Sources, script: FileId) -> Result<Vec<Part>, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut parts = Vec::new();
    let mut start = 0;
    let mut inside = false;
    let mut array: Option<Array> = None;
    let text = &sources[script].text;
    for line in text.split('\n') {
        let at = sources.span(script, start, start + line.len());
        start += line.len() + 1;
        match line.trim() {
            "(" => inside = true,
            ") > $OUT" => return if diagnostics.is_empty() { Ok(parts) } else { Err(diagnostics) },
            "" => {}
            comment if comment.starts_with('#') => {}
            "echo \"};\"" if array.is_some() => {
                if let Some(array) = array.take() {
                    if array.prefix.is_empty() {
                        let message = format!("no line states which macros the array `{}` has", array.name);
                        diagnostics.error(at, message);
                    }
                    parts.push(Part::Array(array));
                }
            }
            command if array.is_some() => {
                let prefix = command.split_once("define *").and_then(|(_, rest)| rest.split_once("//p"));
                if let (Some(array), Some((prefix, _))) = (&mut array, prefix) {
                    prefix.clone_into(&mut array.prefix);
                }
            }
            command if inside && begins(command).is_some() => array = begins(command),
            command if inside => match part(command) {
                Some(part) => parts.push(part),
                None => diagnostics.error(at, format!("expected `echo` or `dump_array`, found `{command}`")),
            },
            _ => {}
        }
    }
    diagnostics
        .error(sources.span(script, 0, 0), "expected a block `( ... ) > $OUT` at the end of mkcapflags.sh");
    Err(diagnostics)
}

/// The array that an `echo` begins; its prefix is in a later line.
fn begins(command: &str) -> Option<Array> {
    let text = command.strip_prefix("echo \"const char * const ")?.strip_suffix("] = {\"")?;
    let (name, size) = text.split_once('[')?;
    Some(Array::new(name, size, "", ""))
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
