//! Splits C source as text, independently of the reader under test.

use std::fs;
use std::path::{Path, PathBuf};

/// C without comments, which become a blank, and with line splices joined.
pub(crate) fn without_comments(text: &str) -> String {
    let text = text.replace("\\\n", "");
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            out.push(b' ');
        } else if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if bytes[at] == b'"' {
            let end = string_end(bytes, at);
            out.extend_from_slice(&bytes[at..end]);
            at = end;
        } else {
            out.push(bytes[at]);
            at += 1;
            while !text.is_char_boundary(at) {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// From the `{` at or after `from` to its `}`, both included. Skips strings; comments must have been removed.
pub(crate) fn braced(text: &str, from: usize) -> &str {
    let start = from + text[from..].find('{').expect("a brace");
    let (bytes, mut at, mut depth) = (text.as_bytes(), start, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at) - 1,
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return &text[start..at];
        }
    }
    panic!("no brace closes {:?}", &text[start..text.len().min(start + 60)]);
}

/// The braces after the first occurrence of `head`, blanks and `then`, both as whole words.
pub(crate) fn definition<'t>(text: &'t str, head: &str, then: &str) -> Option<&'t str> {
    let found = text.match_indices(head).find(|(at, _)| {
        let before = text[..*at].chars().next_back();
        let after = text[at + head.len()..].trim_start();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && after.starts_with(then)
    });
    found.map(|(at, _)| braced(text, at))
}

/// The names in an enum's braces.
pub(crate) fn enumerators(braces: &str) -> Vec<&str> {
    let inside = &braces[1..braces.len() - 1];
    let name = |part: &'_ str| -> usize { part.find('=').unwrap_or(part.len()) };
    inside.split(',').map(|part| part[..name(part)].trim()).filter(|part| !part.is_empty()).collect()
}

/// The directives of a text, one per line: definitions and conditionals, without `#include` and `#error`.
pub(crate) fn directives(text: &str) -> String {
    let keep = |line: &&str| {
        let word = line.trim_start().strip_prefix('#').map(str::trim_start).unwrap_or_default();
        ["define", "undef", "if", "el", "endif"].iter().any(|start| word.starts_with(start))
    };
    without_comments(text).lines().filter(keep).map(|line| format!("{line}\n")).collect()
}

/// The names of all `#define`s, including inactive ones, with `(` if they have parameters.
pub(crate) fn defined(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in without_comments(text).lines() {
        let define = line.trim_start().strip_prefix('#').map(str::trim_start);
        let Some(rest) = define.and_then(|rest| rest.strip_prefix("define")) else { continue };
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let call = if rest[end..].starts_with('(') { "(" } else { "" };
        names.push(format!("{}{call}", &rest[..end]));
    }
    names
}

/// Every file below a folder with this suffix, sorted.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Copies the files of a folder. The copies can be changed, also those of files that cannot.
pub(crate) fn copy(from: &Path, to: &Path) {
    for path in files(from, "") {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, fs::read(path).unwrap()).unwrap();
    }
}
