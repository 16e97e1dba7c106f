//! Tab-separated files: the rows, and each row's columns from left to right. Errors point at the faulty column.

use std::str::FromStr as _;

use crate::diagnostic::Diagnostic;
use crate::location::{Bit, Leaf, Msr, Register, Subleaf, Word};
use crate::source::{FileId, Sources, Span};

/// Every row of a file except empty lines and comments, which start with `#`.
pub(crate) fn rows(sources: &Sources, file: FileId) -> impl Iterator<Item = Columns<'_>> {
    let mut start = 0;
    sources[file].text.split('\n').filter_map(move |line| {
        let at = sources.span(file, start, start + line.len());
        start += line.len() + 1;
        (!line.is_empty() && !line.starts_with('#')).then(|| Columns::new(line, at))
    })
}

/// The columns of one row.
pub(crate) struct Columns<'a> {
    row: Span,
    rest: Option<&'a str>,
    next_start: u32,
    has_bars: bool,
}

/// Between the columns of a row in a message.
const BARS: &str = " | ";

type Result<T> = std::result::Result<T, Diagnostic>;

impl<'a> Columns<'a> {
    /// The columns of `line`, which is at `row`.
    fn new(line: &'a str, row: Span) -> Columns<'a> {
        Columns { row, rest: Some(line), next_start: row.start, has_bars: false }
    }

    /// Accepts a row that was pasted from a message, which has bars in place of tabs.
    #[cfg(feature = "verify")]
    pub(crate) fn accept_bars(&mut self) {
        self.has_bars = self.rest.is_some_and(|rest| !rest.contains('\t') && rest.contains(BARS));
    }

    /// The place of the whole row.
    #[cfg(feature = "verify")]
    pub(crate) fn place(&self) -> Span {
        self.row
    }

    /// The rest of the row.
    pub(crate) fn rest(&self) -> Option<&'a str> {
        self.rest
    }

    /// The next column; diagnostics call it `what`.
    pub(crate) fn text(&mut self, what: &str) -> Result<(&'a str, Span)> {
        let Some(rest) = self.rest else {
            return Err(Diagnostic::error(self.row, format!("the row ends before column `{what}`")));
        };
        // To find one byte is much faster than to find a text.
        let (cut, separator) =
            if self.has_bars { (rest.split_once(BARS), BARS.len()) } else { (rest.split_once('\t'), 1) };
        let (column, rest) = cut.map_or((rest, None), |(column, rest)| (column, Some(rest)));
        let start = self.next_start;
        let end = start + u32::try_from(column.len()).unwrap_or(0);
        self.next_start = end + u32::try_from(separator).unwrap_or(0);
        self.rest = rest;
        let at = Span { start, end, ..self.row };
        if column.is_empty() || column.trim() != column {
            return Err(Diagnostic::error(
                at,
                format!("column `{what}` is `{column}`: it must be neither empty nor padded"),
            ));
        }
        Ok((column, at))
    }

    /// A name without white space.
    pub(crate) fn name(&mut self, what: &str) -> Result<String> {
        let (text, at) = self.text(what)?;
        if text == "-" || text.contains(char::is_whitespace) {
            return Err(Diagnostic::error(at, format!("`{text}` is not a valid `{what}`: expected a name")));
        }
        Ok(text.to_owned())
    }

    /// Text, or `-` for `None`.
    pub(crate) fn optional(&mut self, what: &str) -> Result<Option<String>> {
        let (text, _) = self.text(what)?;
        Ok((text != "-").then(|| text.to_owned()))
    }

    /// Text that may be empty or padded if it is in quotes.
    pub(crate) fn string(&mut self, what: &str) -> Result<String> {
        let (text, at) = self.text(what)?;
        match text.strip_prefix('"') {
            None => Ok(text.to_owned()),
            Some(open) => open.strip_suffix('"').map(str::to_owned).ok_or_else(|| {
                Diagnostic::error(at, format!("`{text}` in column `{what}` opens a quote that is not closed"))
            }),
        }
    }

    /// A [`string`](Self::string), or `-` for `None`.
    pub(crate) fn optional_string(&mut self, what: &str) -> Result<Option<String>> {
        if self.none() { Ok(None) } else { self.string(what).map(Some) }
    }

    /// Consumes a `-` if it is the next column.
    pub(crate) fn none(&mut self) -> bool {
        let none = self.rest.is_some_and(|rest| rest == "-" || rest.starts_with("-\t"));
        none && self.text("-").is_ok()
    }

    /// An error about the row as a whole.
    pub(crate) fn error(&self, message: &str) -> Diagnostic {
        Diagnostic::error(self.row, message)
    }

    /// A hexadecimal number with `0x`.
    pub(crate) fn hex(&mut self, what: &str) -> Result<u64> {
        let (text, at) = self.text(what)?;
        parse_hex(text).ok_or_else(|| {
            Diagnostic::error(
                at,
                format!("`{text}` is not a valid `{what}`: expected a hexadecimal number with 0x"),
            )
        })
    }

    pub(crate) fn hex32(&mut self, what: &str) -> Result<u32> {
        let (text, at) = self.text(what)?;
        parse_hex(text).and_then(|value| u32::try_from(value).ok()).ok_or_else(|| {
            let wants =
                format!("`{text}` is not a valid `{what}`: expected a 32-bit hexadecimal number with 0x");
            Diagnostic::error(at, wants)
        })
    }

    /// A decimal number up to `max`.
    pub(crate) fn decimal(&mut self, what: &str, max: u32) -> Result<u32> {
        let (text, at) = self.text(what)?;
        parse_decimal(text).filter(|&value| value <= max).ok_or_else(|| {
            let wants =
                format!("`{text}` is not a valid `{what}`: expected a decimal number from 0 to {max}");
            Diagnostic::error(at, wants)
        })
    }

    /// A decimal number up to 255.
    pub(crate) fn byte(&mut self, what: &str) -> Result<u8> {
        Ok(u8::try_from(self.decimal(what, u32::from(u8::MAX))?).unwrap_or(u8::MAX))
    }

    /// A hexadecimal number up to 0xff.
    pub(crate) fn hex_byte(&mut self, what: &str) -> Result<u8> {
        let (text, at) = self.text(what)?;
        parse_hex(text).and_then(|value| u8::try_from(value).ok()).ok_or_else(|| {
            Diagnostic::error(at, format!("`{text}` is not a valid `{what}`: expected a byte with 0x"))
        })
    }

    pub(crate) fn word(&mut self) -> Result<Word> {
        Ok(Word(self.decimal16("WORD")?))
    }

    pub(crate) fn decimal16(&mut self, what: &str) -> Result<u16> {
        Ok(u16::try_from(self.decimal(what, u32::from(u16::MAX))?).unwrap_or(u16::MAX))
    }

    pub(crate) fn bit(&mut self, max: u8) -> Result<Bit> {
        Ok(Bit(u8::try_from(self.decimal("BIT", u32::from(max))?).unwrap_or(max)))
    }

    pub(crate) fn leaf(&mut self) -> Result<Leaf> {
        Ok(Leaf(self.hex32("FUNCTION")?))
    }

    pub(crate) fn msr(&mut self) -> Result<Msr> {
        Ok(Msr(self.hex32("MSR")?))
    }

    pub(crate) fn subleaf(&mut self) -> Result<Subleaf> {
        Ok(Subleaf(self.decimal("SUBLEAF", u32::MAX)?))
    }

    /// A subleaf, or `-` for `None`.
    pub(crate) fn optional_subleaf(&mut self) -> Result<Option<Subleaf>> {
        if self.none() { Ok(None) } else { self.subleaf().map(Some) }
    }

    pub(crate) fn register(&mut self) -> Result<Register> {
        let (text, at) = self.text("REGISTER")?;
        Register::from_str(text).ok().filter(|register| register.name() == text).ok_or_else(|| {
            Diagnostic::error(at, format!("`{text}` is not a register: expected EAX, EBX, ECX or EDX"))
        })
    }

    /// One of the `known` words.
    pub(crate) fn choice<T: Copy>(&mut self, what: &str, known: &[(T, &str)]) -> Result<T> {
        let (text, at) = self.text(what)?;
        known.iter().find(|(_, name)| *name == text).map(|(value, _)| *value).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(_, name)| *name).collect();
            Diagnostic::error(
                at,
                format!("`{text}` is not a valid {what}: expected one of {}", names.join(", ")),
            )
        })
    }

    /// Requires the end of the row.
    pub(crate) fn end(self) -> Result<()> {
        match self.rest {
            None => Ok(()),
            Some(rest) => {
                let at = Span { start: self.next_start, ..self.row };
                Err(Diagnostic::error(at, format!("unexpected column `{rest}`: the row is complete")))
            }
        }
    }
}

fn parse_hex(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x")?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok())?
}

fn parse_decimal(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The error for a row that a project's facts do not have; `whose` is `a Linux` or `a QEMU`.
pub(crate) fn unknown_kind(kind: &str, at: Span, whose: &str) -> Diagnostic {
    Diagnostic::error(at, format!("`{kind}` is not a row of {whose} facts file"))
}
