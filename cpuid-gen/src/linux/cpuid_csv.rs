//! kcpuid's cpuid.csv: every bit field of every leaf that its authors know, features or not.
//!
//! tools/arch/x86/kcpuid/cpuid.csv, since 5.13. A row is leaf, subleaf, register, bits, short name and a description,
//! which is not read. Three formats are one grammar: 5.13 to 6.11 write leaf numbers as it pleases and registers in upper
//! case; the file that x86-cpuid-db generates since 6.12 gives ranges of subleafs, `31:0`, and registers in lower case;
//! since 6.16 all leaf numbers are hexadecimal. Numbers are C's, ranges have the higher end first. A row may overlap
//! another: what two vendors put into the same bits.

use super::Reader;
use crate::diagnostic::Diagnostic;
use crate::facts::CpuidField;
use crate::location::{Bit, Leaf, Register, Subleaf};
use crate::source::{FileId, Span};

impl Reader<'_, '_> {
    /// Reads every row.
    pub(super) fn cpuid_csv(&mut self, file: FileId) {
        let before = self.facts.cpuid_fields.len();
        self.whole_lines(file);
        let mut start = 0;
        for line in self.sources[file].text.split('\n') {
            let at = self.sources.span(file, start, start + line.len());
            start += line.len() + 1;
            let text = line.trim_start();
            if !text.is_empty() && !text.starts_with('#') {
                let field = Row { rest: line, at }.field();
                self.facts.cpuid_fields.extend(self.diagnostics.take(field));
            }
        }
        if self.facts.cpuid_fields.len() == before {
            self.diagnostics.error(self.sources.span(file, 0, 0), "this file has no row");
        }
    }

    /// A file of lines that has not its last line feed was cut off, and what is left may mean something else.
    pub(super) fn whole_lines(&mut self, file: FileId) {
        let text = &self.sources[file].text;
        if !text.ends_with('\n') {
            let end = self.sources.span(file, text.len(), text.len());
            self.diagnostics.error(end, "the file ends in the middle of a line");
        }
    }
}

/// What is left of a row.
struct Row<'t> {
    rest: &'t str,
    at: Span,
}

type Column<'t> = (&'t str, Span);

impl<'t> Row<'t> {
    fn field(mut self) -> Result<CpuidField, Diagnostic> {
        let whole = self.at;
        let leaf = Leaf(number(self.column("a leaf")?, u32::MAX)?);
        let (last, first) = range(self.column("a subleaf")?, u32::MAX)?;
        let register = register(self.column("a register")?)?;
        let (high, low) = range(self.column("bits")?, 31)?;
        let bit = |number: u32| Bit(u8::try_from(number).unwrap_or(31));
        let (name, at) = self.column("a name")?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if name.is_empty() || name == "-" || !name.bytes().all(plain) {
            return Err(Diagnostic::error(at, format!("`{name}` is not a field's name")));
        }
        Ok(CpuidField {
            leaf,
            first: Subleaf(first),
            last: Subleaf(last),
            register,
            low: bit(low),
            high: bit(high),
            name: name.to_owned(),
            at: Span { start: at.start, ..whole },
        })
    }

    /// The text up to the next comma, blanks around it dropped.
    fn column(&mut self, what: &str) -> Result<Column<'t>, Diagnostic> {
        let Some((text, rest)) = self.rest.split_once(',') else {
            return Err(Diagnostic::error(
                self.at,
                format!("the row ends where {what} and a comma were expected"),
            )
            .with_help("a row is: leaf, subleaf, register, bits, name, description"));
        };
        let offset = |by: usize| self.at.start + u32::try_from(by).unwrap_or(0);
        let (lead, trimmed) = (text.len() - text.trim_start().len(), text.trim());
        let at = Span { start: offset(lead), end: offset(lead + trimmed.len()), ..self.at };
        self.at.start = offset(text.len() + 1);
        self.rest = rest;
        Ok((trimmed, at))
    }
}

/// A number, decimal or with `0x`, up to `max`. Octal there is none.
fn number((text, at): Column<'_>, max: u32) -> Result<u32, Diagnostic> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let octal = radix == 10 && digits.len() > 1 && digits.starts_with('0');
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && !octal;
    let value = plain.then(|| u32::from_str_radix(digits, radix).ok()).flatten();
    value.filter(|value| *value <= max).ok_or_else(|| {
        let wants = if max == u32::MAX { "32 bits".to_owned() } else { format!("0 to {max}") };
        Diagnostic::error(at, format!("`{text}` is not a number of {wants}"))
    })
}

/// A number, or two with the higher first.
fn range((text, at): Column<'_>, max: u32) -> Result<(u32, u32), Diagnostic> {
    let Some((high, low)) = text.split_once(':') else {
        let only = number((text, at), max)?;
        return Ok((only, only));
    };
    let (high, low) = (number((high.trim(), at), max)?, number((low.trim(), at), max)?);
    if high < low {
        return Err(Diagnostic::error(at, format!("`{text}`: the higher number stands first in a range")));
    }
    Ok((high, low))
}

fn register((text, at): Column<'_>) -> Result<Register, Diagnostic> {
    text.parse().map_err(|_| Diagnostic::error(at, format!("`{text}` is none of EAX, EBX, ECX, EDX")))
}
