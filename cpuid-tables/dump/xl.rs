//! The setting `cpuid` of a domain in `xl`'s configuration (Xen 4.x, xl.cfg(5)).
//!
//! ```text
//! cpuid = [ "0x00000001:ecx=x00xxxxxx0xxxxxxxxx00xxxxxxxxxxx", "0x00000007,0x00:ebx=xxxxxxxxxxxxxxxxxx00x0000x0x0x00" ]
//! cpuid = "host,tm=0,sse3=0"
//! ```
//!
//! A mask has the most significant bit first. `0` and `1` are what the guest gets; `x`, `k` and `s` leave a bit to Xen or the
//! host. The rest of the configuration is ignored.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{Scan, find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "xl",
    about: "the setting cpuid of xl's domain configuration",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Xl::default()),
    style: None,
};

const MASK: &str = "expected `LEAF[,SUBLEAF]:REGISTER=` and 32 of 0, 1, x, k and s";
const NAMED: &str = "expected `NAME=VALUE`, VALUE one of 0, 1, x, k and s or a number";
/// Names of libxl that stand for numbers, not for bits.
const NUMBERS: [&str; 13] = [
    "maxleaf",
    "maxhvleaf",
    "family",
    "model",
    "stepping",
    "localapicid",
    "proccount",
    "clflush",
    "brandid",
    "nc",
    "procpkg",
    "apicidsize",
    "nodeid",
];

/// The reader.
#[derive(Default)]
struct Xl {
    names: Option<Names>,
    /// Within the brackets of a list.
    in_list: bool,
}

/// What comes after `cpuid =`.
fn setting(line: &[u8]) -> Option<&[u8]> {
    let mut rest = Scan::new(trim(line));
    rest.literal(b"cpuid").then_some(())?;
    rest.blanks();
    rest.literal(b"=").then_some(())?;
    rest.blanks();
    matches!(rest.rest().first(), Some(b'[' | b'"' | b'\'')).then(|| rest.rest())
}

fn is_line(line: &[u8]) -> bool {
    setting(line).is_some()
}

/// A mask's known bits and their values.
fn bits(mask: &[u8]) -> Option<(u32, u32)> {
    let (mut known, mut value) = (0u32, 0u32);
    for digit in mask {
        let (is_known, is) = match digit {
            b'0' => (1, 0),
            b'1' => (1, 1),
            b'x' | b'k' | b's' => (0, 0),
            _ => return None,
        };
        (known, value) = (known << 1 | is_known, value << 1 | is);
    }
    (mask.len() == 32).then_some((known, value))
}

/// `LEAF[,SUBLEAF]:REGISTER=MASK,...`.
fn masks(text: &[u8], names: &mut Names) -> Option<()> {
    let mut rest = Scan::new(text);
    let leaf = rest.number()?;
    let subleaf = if rest.literal(b",") { rest.number()? } else { 0 };
    rest.literal(b":").then_some(())?;
    for mask in rest.rest().split(|byte| *byte == b',') {
        let mask = trim(mask);
        let register = Register::ALL
            .into_iter()
            .find(|register| mask.starts_with(register.name().to_ascii_lowercase().as_bytes()))?;
        let (known, value) = bits(mask[3..].strip_prefix(b"=")?)?;
        names.state(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), known, value);
    }
    Some(())
}

impl Xl {
    /// What is between two quotes.
    fn quoted(&mut self, text: &[u8], line: u64, sink: &mut Sink) -> Result<(), Fault> {
        let names = self.names.get_or_insert_default();
        if trim(text).first().is_some_and(u8::is_ascii_digit) && find(text, b":").is_some() {
            return masks(trim(text), names).ok_or(Fault::Here(MASK));
        }
        let text = String::from_utf8_lossy(text);
        let number = |name: &str| {
            let value = text.split(',').find_map(|item| item.trim().strip_prefix(name)?.strip_prefix('='));
            value.and_then(|value| value.trim().parse().ok())
        };
        names.signature(number("family"), number("model"), number("stepping"));
        for item in text.split(',').map(str::trim).filter(|item| !matches!(*item, "" | "host")) {
            let Some((name, value)) = item.split_once('=') else { return Err(Fault::Here(NAMED)) };
            let on = match value.trim() {
                "0" => false,
                "1" => true,
                _ => continue,
            };
            if !NUMBERS.contains(&name) && names.feature(name, on).is_err() {
                sink.note(line, Unknown::note(name));
            }
        }
        Ok(())
    }
}

impl Parser for Xl {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let mut rest = match setting(line.text) {
            Some(rest) => {
                self.in_list = rest.starts_with(b"[");
                rest
            }
            None if self.in_list => line.text,
            None => return Ok(()),
        };
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\'' | b']' | b'#')) {
            let quote = rest[at];
            rest = &rest[at + 1..];
            if quote == b']' {
                self.in_list = false;
            }
            if matches!(quote, b']' | b'#') {
                break;
            }
            let end = rest.iter().position(|byte| *byte == quote).ok_or(Fault::Here(MASK))?;
            self.quoted(&rest[..end], line.number, sink)?;
            rest = &rest[end + 1..];
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.names.take().map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}
