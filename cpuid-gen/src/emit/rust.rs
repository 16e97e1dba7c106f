//! Rust as text. Output for build scripts is written directly, since building tokens, parsing and formatting takes
//! longer than everything else together. Output for human readers is parsed and formatted afterwards, see
//! [`super::format`].

use std::fmt::{Arguments, Display, Write as _};

/// Maximum length of a line of numbers, in bytes.
const WIDTH: usize = 100;

/// Rust source under construction.
#[derive(Default)]
pub(super) struct Rust {
    pub(super) text: String,
}

impl Rust {
    pub(super) fn new() -> Rust {
        Rust::default()
    }

    /// Adds text.
    pub(super) fn put(&mut self, text: Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(text);
    }

    /// A static array of rows, one per line.
    pub(super) fn rows(&mut self, name: &str, ty: &str, rows: &[String]) {
        self.put(format_args!("pub(crate) static {name}: [{ty}; {}] = [\n", rows.len()));
        self.lines(rows);
        self.put(format_args!("];\n"));
    }

    /// Rows of a list, one per line.
    pub(super) fn lines(&mut self, rows: &[String]) {
        for row in rows {
            self.text.push_str(row);
            self.text.push_str(",\n");
        }
    }
}

/// The inside of an array, and its number of elements.
pub(super) struct Cells {
    pub(super) len: usize,
    pub(super) text: String,
}

/// Decimal numbers between commas.
pub(super) fn numbers(cells: &[u64]) -> Cells {
    wrapped(&mut cells.iter().map(|cell| cell as &dyn Display))
}

/// Hexadecimal numbers between commas.
pub(super) fn hexadecimal(cells: &[u32]) -> Cells {
    let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:#x}")).collect();
    names(&cells)
}

/// Expressions, separated by commas.
pub(super) fn names(cells: &[String]) -> Cells {
    wrapped(&mut cells.iter().map(|cell| cell as &dyn Display))
}

/// A slice of numbers as an expression.
pub(super) fn slice(cells: &[u16]) -> String {
    let cells: Vec<u64> = cells.iter().map(|&cell| u64::from(cell)).collect();
    format!("&[{}]", numbers(&cells).text)
}

/// A slice of rows as an expression, one per line.
pub(super) fn slice_of_rows(rows: &[String]) -> String {
    let mut out = Rust::new();
    out.text.push_str("&[\n");
    out.lines(rows);
    out.text.push(']');
    out.text
}

fn wrapped(cells: &mut dyn Iterator<Item = &dyn Display>) -> Cells {
    let (mut out, mut line, mut len) = (Rust::new(), 0, 0);
    for cell in cells {
        if out.text.len() > line + WIDTH {
            out.text.push_str(",\n");
            line = out.text.len();
        } else if len > 0 {
            out.text.push_str(", ");
        }
        out.put(format_args!("{cell}"));
        len += 1;
    }
    Cells { len, text: out.text }
}

/// `Some(..)` or `None`.
pub(super) fn option(value: Option<&dyn Display>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| format!("Some({value})"))
}
