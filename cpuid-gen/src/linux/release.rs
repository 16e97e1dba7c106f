//! The release stated in a tree's top Makefile.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Sources, Span};

/// VERSION.PATCHLEVEL.SUBLEVEL, and EXTRAVERSION if it marks a release candidate; vendors put other text there.
pub(super) fn read(
    sources: &Sources,
    makefile: FileId,
    diagnostics: &mut Diagnostics,
) -> Option<(String, Span)> {
    let text = &sources[makefile].text;
    let mut values: [Option<(&str, Span)>; 4] = [None; 4];
    let mut start = 0;
    for line in text.lines().take(50) {
        if let Some((key, value)) = line.split_once('=') {
            let names = ["VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION"];
            if let Some(index) = names.iter().position(|name| *name == key.trim()) {
                values[index] = Some((value.trim(), sources.span(makefile, start, start + line.len())));
            }
        }
        start += line.len() + 1;
    }
    let is_number =
        |text: &str| !text.is_empty() && text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit());
    let [Some((version, at)), Some((patch, _)), Some((sub, _)), extra] = values else {
        let whole = sources.span(makefile, 0, 0);
        diagnostics.error(whole, "expected VERSION, PATCHLEVEL and SUBLEVEL in the first 50 lines");
        return None;
    };
    for (value, at) in values.iter().take(3).flatten() {
        if !is_number(value) {
            diagnostics.push(Diagnostic::error(*at, format!("`{value}` is not a number")));
            return None;
        }
    }
    let candidate = extra.map_or("", |(extra, _)| extra);
    let candidate = if candidate.strip_prefix("-rc").is_some_and(is_number) { candidate } else { "" };
    Some((format!("{version}.{patch}.{sub}{candidate}"), at))
}
