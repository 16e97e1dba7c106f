//! `lscpu` of util-linux: flags, vendor, family, model and stepping.
//!
//! ```text
//! Architecture:                    x86_64
//! Vendor ID:                       GenuineIntel
//! Flags:                           fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat
//! ```
//!
//! As in `/proc/cpuinfo`, from which `lscpu` has them, a flag that a complete list lacks is off. A line without a
//! name that follows the flags has more of them. Other lines are passed over. `lscpu -J` has the same in JSON. In another
//! language than English the line of flags is known by its first flags, and
//! the vendor by its value; family, model and stepping are not known there.

use std::boxed::Box;
use std::string::String;

use super::cpuinfo::{decimal, each_name, key};
use super::descriptor::{Descriptor, Mark};
use super::linux_flags::LinuxFlags;
use super::names::Names;
use super::scan::{Scan, find, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "lscpu",
    about: "lscpu",
    marks: &[Mark::Line(is_line), Mark::Text(JSON)],
    parser: || Box::new(Lscpu::default()),
    style: None,
};

/// How `lscpu -J` begins.
const JSON: &[u8] = b"\"lscpu\"";

/// The reader.
#[derive(Default)]
struct Lscpu {
    open: Option<Names>,
    family: Option<u32>,
    model: Option<u32>,
    stepping: Option<u32>,
    flags: LinuxFlags,
    /// The line before was that of the flags.
    in_flags: bool,
    /// Under `-J`: the field whose data comes.
    field: String,
}

fn is_line(line: &[u8]) -> bool {
    let known: [&[u8]; 4] = [b"Architecture:", b"CPU op-mode(s):", b"Vendor ID:", b"Flags:"];
    // `/proc/cpuinfo` has this line, too.
    let translated = |(key, value): (&[u8], &[u8])| !key.eq_ignore_ascii_case(b"flags") && are_flags(value);
    if key(line).is_some_and(translated) {
        return true;
    }
    let mut rest = Scan::new(trim(line));
    known.into_iter().any(|key| rest.literal(key)) && rest.blanks() && !rest.is_empty()
}

/// True for flags, in whichever language the line's name is: Linux has them in this order.
fn are_flags(value: &[u8]) -> bool {
    value.starts_with(b"fpu ") && value.split(|byte| *byte == b' ').count() > 8
}

/// True for a vendor's twelve characters.
fn is_vendor(value: &[u8]) -> bool {
    let known: [&[u8]; 5] =
        [b"GenuineIntel", b"AuthenticAMD", b"HygonGenuine", b"CentaurHauls", b"GenuineTMx86"];
    known.contains(&value)
}

/// The text after a member's name in a line of JSON.
fn member<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let after = line.split_once(name)?.1.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    after.split_once('"').map(|(text, _)| text)
}

impl Lscpu {
    fn field(&mut self, key: &[u8], value: &[u8], line: u64, sink: &mut Sink) -> Result<(), Fault> {
        // A further list begins.
        if key == b"Architecture" || matches!(value, b"x86_64" | b"i686") {
            self.finish(sink)?;
        }
        self.flags.next_line();
        match key {
            b"CPU family" => self.family = decimal(value),
            b"Model" => self.model = decimal(value),
            b"Stepping" => self.stepping = decimal(value),
            _ if key == b"Vendor ID" || is_vendor(value) => {
                self.open.get_or_insert_default().vendor(&String::from_utf8_lossy(value))
            }
            _ if key == b"Flags" || are_flags(value) => {
                self.flags.list(value);
                let names = self.open.get_or_insert_default();
                each_name(value, line, sink, |flag| names.flag(flag));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let (family, model, stepping) = (self.family.take(), self.model.take(), self.stepping.take());
        let flags = core::mem::take(&mut self.flags);
        let Some(mut names) = self.open.take() else { return Ok(()) };
        flags.finish(&mut names, family);
        names.signature(family, model, stepping);
        names.finish(None, None, sink)
    }
}

impl Parser for Lscpu {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if find(line.text, b"\"field\"").is_some() || find(line.text, b"\"data\"").is_some() {
            let text = String::from_utf8_lossy(line.text).into_owned();
            if let Some(field) = member(&text, "\"field\"") {
                self.field = String::from(field.trim_end_matches(':'));
            }
            if let Some(data) = member(&text, "\"data\"") {
                let field = core::mem::take(&mut self.field);
                return self.field(field.as_bytes(), data.as_bytes(), line.number, sink);
            }
            return Ok(());
        }
        let Some((key, value)) = key(line.text) else {
            // A terminal or a mail has wrapped the line of flags.
            if let (true, Some(names)) = (self.in_flags, &mut self.open) {
                self.flags.wrap();
                each_name(line.text, line.number, sink, |flag| names.flag(flag));
            }
            return Ok(());
        };
        self.in_flags = key == b"Flags";
        self.field(key, value, line.number, sink)
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)
    }
}
