//! Cloud Hypervisor's log at level debug (`-vv`), which has a line for each entry that it gives to KVM.
//!
//! ```text
//! cloud-hypervisor: 12.3ms: <vmm> DEBUG:arch/src/x86_64/mod.rs:1124 -- function = 0x00000007 index = 0x00000000 eax = 0x00000000 ebx = 0x00000020 ecx = 0x00000000 edx = 0x00000000 flags = 0x00000001
//! ```
//!
//! All vCPUs' tables come one after the other: the first entry of one begins the next. Lines of other kinds are passed over.

use std::boxed::Box;

use super::descriptor::{Descriptor, Mark};
use super::scan::find;
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Subleaf};
use crate::table::CpuidEntry;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "cloud-hypervisor-log",
    about: "Cloud Hypervisor's log with -vv",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Log::default()),
    style: None,
};

const EXPECTED: &str =
    "expected `function = 0xN index = 0xN eax = 0xN ebx = 0xN ecx = 0xN edx = 0xN flags = 0xN`";

/// The reader.
#[derive(Default)]
struct Log {
    /// Function and index of the first entry of the table at hand.
    first: Option<(Leaf, Subleaf)>,
}

/// A debugger's fields have commas between them.
fn is_line(line: &[u8]) -> bool {
    let begins = b"function = 0x";
    let Some(at) = find(line, begins) else { return false };
    let rest = &line[at + begins.len()..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    rest[digits..].starts_with(b" index = 0x") && find(rest, b" flags = 0x").is_some()
}

/// The number after a name, which has eight digits at most.
fn number(line: &[u8], name: &[u8]) -> Option<u32> {
    let digits = &line[find(line, name)? + name.len()..];
    let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    u32::from_str_radix(core::str::from_utf8(&digits[..length]).ok()?, 16).ok()
}

fn entry(line: &[u8]) -> Option<CpuidEntry> {
    let registers = [
        number(line, b" eax = 0x")?,
        number(line, b" ebx = 0x")?,
        number(line, b" ecx = 0x")?,
        number(line, b" edx = 0x")?,
    ];
    Some(CpuidEntry {
        function: Leaf(number(line, b"function = 0x")?),
        index: Subleaf(number(line, b" index = 0x")?),
        flags: number(line, b" flags = 0x")?,
        registers: registers.into(),
    })
}

impl Parser for Log {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if find(line.text, b"function = 0x").is_none() {
            return Ok(());
        }
        let entry = entry(line.text).ok_or(Fault::Here(EXPECTED))?;
        let key = (entry.function, entry.index);
        if self.first.is_none_or(|first| first == key) {
            if self.first.is_some() {
                sink.finish();
            }
            sink.start(None, None);
            self.first = Some(key);
        }
        sink.entry(entry)
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        if self.first.is_some() {
            sink.finish();
        }
        Ok(())
    }
}
