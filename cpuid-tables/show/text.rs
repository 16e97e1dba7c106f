//! Decoded tables as text.

use crate::bits::location::Registers;
use alloc::string::{String, ToString};
use core::fmt;

use super::{DecodedEntry, DecodedRegister, bit_list, name_of, number};

/// Maximum width of a line of names.
const WIDTH: usize = 100;
/// Column of names and fields.
const INDENT: usize = 18;

impl fmt::Display for DecodedEntry {
    /// A heading, facts of the whole entry after `=`, and one register per line; long lines are wrapped. An entry of
    /// zeros has only a heading.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = &self.entry;
        write!(f, "{:#010x}", entry.function.0)?;
        if entry.is_indexed() {
            write!(f, ".{}", entry.index.0)?;
        }
        write!(f, ": {}", self.title.unwrap_or("undescribed leaf"))?;
        let all_zero = entry.registers == Registers::ZERO;
        writeln!(f, "{}", if all_zero { ": all zero" } else { "" })?;
        for fact in &self.facts {
            writeln!(f, "  = {fact}")?;
        }
        let other_flags = entry.flags & !crate::CpuidEntry::SIGNIFICANT_INDEX;
        if other_flags != 0 {
            writeln!(f, "  other flags: {other_flags:#x}")?;
        }
        if all_zero {
            return Ok(());
        }
        self.registers.iter().try_for_each(|register| register.fmt(f))
    }
}

impl fmt::Display for DecodedRegister {
    /// The register and its value, then its features, fields and unknown bits; only the value if it is 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = ["  ", self.word.register.name(), " "].concat();
        let mut lines = Lines::new(value + &alloc::format!("{:#010x}", self.value));
        lines.wrap(" ", self.features.iter().map(|feature| name_of(*feature).to_string()));
        // A one-bit field is a feature that has a name only in the field table.
        let set = self.fields.iter().filter(|(field, value)| field.width() == 1 && *value != 0);
        lines.wrap(" ", set.map(|(field, _)| field.name().to_string()));
        let wide = self.fields.iter().filter(|(field, _)| field.width() > 1 && self.value != 0);
        lines.wrap(
            ", ",
            wide.map(|(field, value)| [field.name(), "=", &number::tell(*field, *value)].concat()),
        );
        if self.unknown != 0 {
            lines.add(alloc::format!("unknown bits: {} ({:#010x})", bit_list(self.unknown), self.unknown));
        }
        f.write_str(&lines.finish())
    }
}

/// Lines that all begin in the same column, except the first.
struct Lines {
    done: String,
    line: String,
}

impl Lines {
    fn new(first: String) -> Lines {
        Lines { done: String::new(), line: first }
    }

    /// Adds a line; the first goes on the register's line if it fits.
    fn add(&mut self, text: String) {
        if self.line.len() > INDENT {
            self.end();
        }
        self.pad();
        self.line += &text;
    }

    /// Adds words, wrapped, beginning on a new line.
    fn wrap(&mut self, between: &str, words: impl Iterator<Item = String>) {
        for (at, word) in words.enumerate() {
            if at == 0 {
                self.add(word);
                continue;
            }
            self.line += between;
            if self.line.len() + word.len() > WIDTH {
                self.end();
                self.pad();
            }
            self.line += &word;
        }
    }

    fn pad(&mut self) {
        while self.line.len() < INDENT {
            self.line.push(' ');
        }
    }

    fn end(&mut self) {
        self.done += self.line.trim_end();
        self.done += "\n";
        self.line.clear();
    }

    fn finish(mut self) -> String {
        self.end();
        self.done
    }
}
