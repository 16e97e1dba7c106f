//! The writer of facts files, which [`super::read()`] reads, in upstream's order.

mod cpu_model;
mod linux;
mod machine;
mod qemu;

use std::fmt::{self, Display, Write as _};

pub use linux::write_linux;
pub use qemu::write_qemu;

fn row(out: &mut String, kind: &str, columns: &[&dyn Display]) {
    out.push_str(kind);
    for column in columns {
        // Writing to a String cannot fail.
        let _ = write!(out, "\t{column}");
    }
    out.push('\n');
}

struct Hex(u64);

impl Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Text as [`super::columns::Columns::string`] reads it: in quotes if it is empty, padded or ambiguous.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text(text) = *self;
        let plain = !text.is_empty() && text.trim() == text && text != "-" && !text.starts_with('"');
        if plain { f.write_str(text) } else { write!(f, "\"{text}\"") }
    }
}

/// A value, or `-` for `None`.
struct Or<T>(Option<T>);

impl<T: Display> Display for Or<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
