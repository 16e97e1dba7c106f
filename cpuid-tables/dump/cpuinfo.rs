//! Linux's `/proc/cpuinfo`, or the line `flags` of it alone.
//!
//! ```text
//! processor       : 0
//! vendor_id       : GenuineIntel
//! flags           : fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat
//! ```
//!
//! A flag that is listed is a bit that is set. One that is not is off where the list is complete, with further lines after it, and
//! every release of the tables lists it (`linux_flags.rs`); else nothing is known of it. The kernel changes what it prints of the width of physical addresses and of the brand,
//! so that these are ignored. An empty line or a further `processor` begins a CPU.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::linux_flags::LinuxFlags;
use super::names::{Names, Unknown};
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Register;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "cpuinfo",
    about: "Linux's /proc/cpuinfo, or its line flags",
    marks: &[Mark::Line(is_line), Mark::MayBeLine(is_flags)],
    parser: || Box::new(Cpuinfo::default()),
    style: None,
};

/// The reader.
#[derive(Default)]
struct Cpuinfo {
    open: Option<Open>,
    /// The line before was that of the flags.
    in_flags: bool,
}

/// The CPU at hand.
#[derive(Default)]
struct Open {
    number: Option<u32>,
    names: Names,
    family: Option<u32>,
    model: Option<u32>,
    stepping: Option<u32>,
    flags: LinuxFlags,
}

/// A key, and its value.
pub(super) fn key(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b':')?;
    Some((trim(&line[..at]), trim(&line[at + 1..])))
}

/// True for a line of which the kernel aligns the colon with tabs, or a paste with blanks.
fn is_line(line: &[u8]) -> bool {
    let mut rest = Scan::new(trim(line));
    let known: [&[u8]; 5] = [b"processor", b"vendor_id", b"flags", b"cpu family", b"vmx flags"];
    known.into_iter().any(|name| rest.literal(name)) && rest.blanks() && rest.literal(b":")
}

fn is_flags(line: &[u8]) -> bool {
    trim(line).starts_with(b"flags:")
}

/// A decimal number that is the whole value.
pub(super) fn decimal(value: &[u8]) -> Option<u32> {
    let mut value = Scan::new(value);
    value.decimal().filter(|_| value.is_empty())
}

/// Takes in the names of a line; those that are not known become notes.
pub(super) fn each_name(
    value: &[u8],
    line: u64,
    sink: &mut Sink,
    mut take: impl FnMut(&str) -> Result<(), Unknown>,
) {
    for name in String::from_utf8_lossy(value).split_ascii_whitespace() {
        if take(name).is_err() {
            sink.note(line, Unknown::note(name));
        }
    }
}

impl Cpuinfo {
    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.flags.finish(&mut open.names, open.family);
        open.names.signature(open.family, open.model, open.stepping);
        open.names.finish(open.number, None, sink)
    }
}

impl Parser for Cpuinfo {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let Some((key, value)) = key(line.text) else {
            if trim(line.text).is_empty() {
                return self.finish(sink);
            }
            // A terminal or a mail has wrapped the line of flags.
            if let (true, Some(open)) = (self.in_flags, &mut self.open) {
                open.flags.wrap();
                each_name(line.text, line.number, sink, |flag| open.names.flag(flag));
            }
            return Ok(());
        };
        self.in_flags = key == b"flags";
        if key == b"processor" {
            self.finish(sink)?;
        }
        if let Some(open) = &mut self.open {
            open.flags.next_line();
        }
        let known: [&[u8]; 9] = [
            b"processor",
            b"vendor_id",
            b"cpu family",
            b"model",
            b"stepping",
            b"cpuid level",
            b"flags",
            b"vmx flags",
            b"bugs",
        ];
        if !known.contains(&key) {
            return Ok(());
        }
        let open = self.open.get_or_insert_default();
        let names = &mut open.names;
        match key {
            b"processor" => open.number = decimal(value),
            b"vendor_id" => names.vendor(&String::from_utf8_lossy(value)),
            b"cpu family" => open.family = decimal(value),
            b"model" => open.model = decimal(value),
            b"stepping" => open.stepping = decimal(value),
            b"cpuid level" => {
                if let Some(level) = decimal(value) {
                    names.register(0, Register::Eax, u32::MAX, level);
                }
            }
            b"flags" => {
                open.flags.list(value);
                each_name(value, line.number, sink, |flag| names.flag(flag));
            }
            b"vmx flags" => each_name(value, line.number, sink, |flag| names.vmx_flag(flag)),
            _ => each_name(value, line.number, sink, |flag| names.bug(flag)),
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)
    }
}
