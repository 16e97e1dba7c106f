//! A row of a facts file, and the forms of its columns.

use std::fmt::{self, Display, Write as _};

/// Appends a row.
pub(super) fn row(out: &mut String, kind: &str, columns: &[&dyn Display]) {
    out.push_str(kind);
    for column in columns {
        // Writing to a String cannot fail.
        let _ = write!(out, "\t{column}");
    }
    out.push('\n');
}

/// A hexadecimal number with `0x`.
pub(super) struct Hex(pub(super) u64);

impl Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Text as [`crate::facts::columns::Columns::string`] reads it: in quotes if it is empty, padded or ambiguous.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text(text) = *self;
        let plain = !text.is_empty() && text.trim() == text && text != "-" && !text.starts_with('"');
        if plain { f.write_str(text) } else { write!(f, "\"{text}\"") }
    }
}

/// A value, or `-` for `None`.
pub(super) struct Or<T>(pub(super) Option<T>);

impl<T: Display> Display for Or<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
