//! A list of texts as two statics: all texts in one string, and where each starts.

use super::error::GenerateError;
use super::layout::{fits, number};
use super::rust::Rust;
use super::tables::fixed;

/// All texts in one string, one per line, and the start of each: two statics of these names.
pub(super) fn texts(out: &mut Rust, names: [&str; 2], texts: &[&str]) -> Result<(), GenerateError> {
    let (mut starts, mut at) = (Vec::new(), 0);
    for text in texts {
        starts.push(number(at));
        at += text.len() + 1;
    }
    fits("bytes of texts", at, usize::from(u16::MAX))?;
    // A line feed between two texts; `text_at` of the runtime crate relies on it.
    let count = texts.len();
    let end = |at: usize| if at + 1 < count { "\\n" } else { "" };
    let lines =
        texts.iter().enumerate().map(|(at, text)| format!("\"{}{}\"", text.escape_default(), end(at)));
    let lines: Vec<String> = lines.collect();
    let [text, of] = names;
    out.put(format_args!("pub(crate) static {text}: &str = concat!(\n"));
    out.lines(&lines);
    out.put(format_args!(");\n"));
    fixed(out, of, &starts);
    Ok(())
}
