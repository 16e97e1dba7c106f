//! The CPUID of an ESXi host as `vim-cmd hostsvc/hosthardware` prints it (`vim.host.CpuIdInfo`).
//!
//! ```text
//! cpuFeature = (vim.host.CpuIdInfo) [
//!    (vim.host.CpuIdInfo) {
//!       level = 1,
//!       vendor = <unset>,
//!       eax = "0000:0000:0000:0101:0000:0110:0101:0100",
//! ```
//!
//! Registers have 32 binary digits; others than 0 and 1 leave a bit open, as in a mask. A level above 0x7FFFFFFF is negative.
//! There is no place for subleaves: those of leaf 0 are meant. Each list is a CPU, of which only the listed leaves are known.

use std::boxed::Box;

use super::descriptor::{Descriptor, Mark};
use super::names::Names;
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "esxi",
    about: "vim.host.CpuIdInfo of an ESXi host",
    marks: &[Mark::Text(INFO)],
    parser: || Box::new(Esxi::default()),
    style: None,
};

const INFO: &[u8] = b"(vim.host.CpuIdInfo)";
const EXPECTED: &str = "expected `level = N`, or a register with 32 binary digits in quotes";

/// The reader.
#[derive(Default)]
struct Esxi {
    open: Option<Names>,
    level: Option<u32>,
}

/// The digits of a register: which are known, and their values.
fn digits(text: &[u8]) -> Option<(u32, u32)> {
    let (mut known, mut value, mut count) = (0_u32, 0_u32, 0);
    for byte in text.iter().filter(|byte| !b"\":".contains(byte)) {
        if !byte.is_ascii_alphanumeric() && *byte != b'-' {
            return None;
        }
        known = known << 1 | u32::from(matches!(byte, b'0' | b'1'));
        value = value << 1 | u32::from(*byte == b'1');
        count += 1;
    }
    (count == 32).then_some((known, value))
}

impl Parser for Esxi {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = trim(line.text);
        if find(text, INFO).is_some() {
            self.level = None;
            if text.ends_with(b"[") {
                self.end(sink)?;
            }
            return Ok(());
        }
        let Some(at) = find(text, b" = ") else { return Ok(()) };
        let (name, value) = (&text[..at], text[at + 3..].strip_suffix(b",").unwrap_or(&text[at + 3..]));
        let register = match name {
            b"level" => {
                let level = core::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
                let level = level.filter(|level| (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(level));
                let wrapped =
                    level.map(|level| level & 0xffff_ffff).and_then(|level| u32::try_from(level).ok());
                self.level = Some(wrapped.ok_or(Fault::Here(EXPECTED))?);
                return Ok(());
            }
            b"eax" => Register::Eax,
            b"ebx" => Register::Ebx,
            b"ecx" => Register::Ecx,
            b"edx" => Register::Edx,
            _ => return Ok(()),
        };
        let (Some(level), b'"') = (self.level, value.first().copied().unwrap_or_default()) else {
            return Ok(());
        };
        let (known, bits) = digits(value).ok_or(Fault::Here(EXPECTED))?;
        let names = self.open.get_or_insert_default();
        names.state(CpuidWord::new(Leaf(level), Subleaf(0), register), known, bits);
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.open.take().map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}
