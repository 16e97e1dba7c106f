//! Arrays as raw string literals: numbers between blanks, or one name per line.

use std::fmt::Write as _;

use proc_macro2::Literal;

/// Where a line of numbers ends, in bytes.
const WIDTH: usize = 100;

/// Decimal numbers.
pub(super) fn decimal(numbers: impl Iterator<Item = u16>) -> Literal {
    wrapped(numbers)
}

/// Pairs, a comma within each.
pub(super) fn pairs(pairs: &[(u16, u16)]) -> Literal {
    wrapped(pairs.iter().map(|(a, b)| format!("{a},{b}")))
}

/// Hexadecimal numbers without `0x`.
pub(super) fn hexadecimal(numbers: impl Iterator<Item = u32>) -> Literal {
    wrapped(numbers.map(|number| format!("{number:x}")))
}

/// Rows of hexadecimal numbers without `0x`, a line each.
pub(super) fn rows<const C: usize>(rows: &[[u64; C]]) -> Literal {
    let line = |row: &[u64; C]| row.map(|number| format!("{number:x}")).join(" ");
    raw(&rows.iter().map(line).collect::<Vec<String>>().join("\n"))
}

fn wrapped(cells: impl Iterator<Item = impl std::fmt::Display>) -> Literal {
    let mut text = String::new();
    let mut line = 0;
    for cell in cells {
        if text.len() > line + WIDTH {
            text.push('\n');
            line = text.len();
        } else if !text.is_empty() {
            text.push(' ');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{cell}");
    }
    raw(&text)
}

/// One text per line; [`super::strings`] has seen that none holds a line end.
pub(super) fn lines(texts: &[&str]) -> Literal {
    raw(&texts.join("\n"))
}

/// A raw string, so that its lines are lines of the file too.
fn raw(text: &str) -> Literal {
    if !text.contains('\n') && !text.contains(['"', '\\']) {
        return Literal::string(text);
    }
    let literal = if text.contains(['"', '\\']) { None } else { format!("r\"{text}\"").parse().ok() };
    literal.unwrap_or_else(|| Literal::string(text))
}
