//! Decoded tables as text.

use crate::bits::location::Registers;
use alloc::string::{String, ToString};
use core::fmt;

use super::styled::{Style, Styled};
use super::{DecodedEntry, DecodedRegister, bit_list, name_of, number};

/// Maximum width of a line of names, if the caller does not state one.
const WIDTH: usize = 100;
/// Column of names and fields.
const INDENT: usize = 18;

impl DecodedEntry {
    /// A heading, facts of the whole entry after `=`, and one register per line; long lines are wrapped. An entry of
    /// zeros has only a heading.
    #[must_use]
    pub fn styled(&self) -> Styled {
        self.styled_within(WIDTH)
    }

    /// The same with lines of at most this many columns, as far as a name and its column allow.
    #[must_use]
    pub fn styled_within(&self, width: usize) -> Styled {
        let entry = &self.entry;
        let mut text = Styled::new();
        text.push(Style::Heading, format_args!("{:#010x}", entry.function.0));
        if entry.is_indexed() {
            text.push(Style::Heading, format_args!(".{}", entry.index.0));
        }
        let all_zero = entry.registers == Registers::ZERO;
        let title = self.title.unwrap_or("undescribed leaf");
        text.line(Style::Heading, format_args!(": {title}{}", if all_zero { ": all zero" } else { "" }));
        for fact in &self.facts {
            text.plain("  ").line(Style::Name, format_args!("= {fact}"));
        }
        let other_flags = entry.flags & !crate::CpuidEntry::SIGNIFICANT_INDEX;
        if other_flags != 0 {
            text.plain(format_args!("  other flags: {other_flags:#x}\n"));
        }
        if !all_zero {
            self.registers.iter().for_each(|register| {
                text.append(&register.styled_within(width));
            });
        }
        text
    }
}

impl fmt::Display for DecodedEntry {
    /// The text of [`DecodedEntry::styled`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled().fmt(f)
    }
}

impl DecodedRegister {
    /// The register and its value, then its features, fields and unknown bits; only the value if it is 0.
    #[must_use]
    pub fn styled(&self) -> Styled {
        self.styled_within(WIDTH)
    }

    /// The same with lines of at most this many columns, as far as a name and its column allow.
    #[must_use]
    pub fn styled_within(&self, width: usize) -> Styled {
        let mut lines = Lines { most: width, ..Lines::default() };
        lines.push(Style::Plain, &alloc::format!("  {} {:#010x}", self.word.register.name(), self.value));
        lines.wrap(" ", self.features.iter().map(|feature| name_of(*feature).to_string()));
        // A one-bit field is a feature that has a name only in the field table.
        let set = self.fields.iter().filter(|(field, value)| field.width() == 1 && *value != 0);
        lines.wrap(" ", set.map(|(field, _)| field.name().to_string()));
        let wide = self.fields.iter().filter(|(field, _)| field.width() > 1 && self.value != 0);
        lines.wrap(
            ", ",
            wide.map(|(field, value)| [field.name(), "=", &number::describe(*field, *value)].concat()),
        );
        if self.unknown != 0 {
            let (bits, mask) = (bit_list(self.unknown), self.unknown);
            lines.add(Style::Doubt, &alloc::format!("unknown bits: {bits} ({mask:#010x})"));
        }
        lines.finish()
    }
}

impl fmt::Display for DecodedRegister {
    /// The text of [`DecodedRegister::styled`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled().fmt(f)
    }
}

/// Lines that all begin in the same column, except the first.
#[derive(Default)]
struct Lines {
    text: Styled,
    /// Bytes of the last line.
    width: usize,
    /// Bytes of a line that is wrapped.
    most: usize,
}

impl Lines {
    fn push(&mut self, style: Style, text: &str) {
        self.text.push(style, text);
        self.width += text.len();
    }

    /// Adds a line; the first goes on the register's line if it fits.
    fn add(&mut self, style: Style, text: &str) {
        if self.width > INDENT {
            self.end();
        }
        self.pad();
        self.push(style, text);
    }

    /// Adds words, wrapped, beginning on a new line.
    fn wrap(&mut self, between: &str, words: impl Iterator<Item = String>) {
        for (at, word) in words.enumerate() {
            if at == 0 {
                self.add(Style::Plain, &word);
                continue;
            }
            self.push(Style::Plain, between);
            if self.width + word.len() > self.most {
                self.end();
                self.pad();
            }
            self.push(Style::Plain, &word);
        }
    }

    fn pad(&mut self) {
        while self.width < INDENT {
            self.push(Style::Plain, " ");
        }
    }

    fn end(&mut self) {
        self.text.trim_end();
        self.text.plain('\n');
        self.width = 0;
    }

    fn finish(mut self) -> Styled {
        self.end();
        self.text
    }
}
