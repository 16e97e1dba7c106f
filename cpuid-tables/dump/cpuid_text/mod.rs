//! What the program `cpuid` prints without `-r` (release 20230120 and others): bits by name, and some numbers.
//!
//! ```text
//! CPU 0:
//!    vendor_id = "GenuineIntel"
//!    feature information (1/edx):
//!       x87 FPU on chip                        = true
//! ```
//!
//! A heading has the leaf, and a subleaf or register, in parentheses. Of names, those that `names.rs` has are read; the others
//! state numbers, caches or what `cpuid` concludes, and are ignored: their bits are not known. Leaves that `cpuid` does
//! not describe come as registers.

mod names;

use std::boxed::Box;
use std::string::String;

use self::names::NAMES;
use super::cpuinfo::decimal;
use super::descriptor::{Descriptor, Mark};
use super::names::Names;
use super::scan::{Scan, find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Register::{Eax, Ebx};
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "cpuid-text",
    about: "`cpuid` without -r, as far as it names bits",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(CpuidText::default()),
    style: None,
};

/// Numbers under a heading: leaf, name, register, the first bit and how many.
static NUMBERS: [(u32, &str, Register, u32, u32); 13] = [
    (1, "processor type", Eax, 12, 2),
    (1, "family", Eax, 8, 4),
    (1, "model", Eax, 4, 4),
    (1, "stepping id", Eax, 0, 4),
    (1, "extended family", Eax, 20, 8),
    (1, "extended model", Eax, 16, 4),
    (1, "process local APIC physical ID", Ebx, 24, 8),
    (1, "maximum IDs for CPUs in pkg", Ebx, 16, 8),
    (1, "CLFLUSH line size", Ebx, 8, 8),
    (1, "brand index", Ebx, 0, 8),
    (0x8000_0008, "maximum physical address bits", Eax, 0, 8),
    (0x8000_0008, "maximum linear (virtual) address bits", Eax, 8, 8),
    (0x8000_0008, "maximum guest physical address bits", Eax, 16, 8),
];

/// The reader.
#[derive(Default)]
struct CpuidText {
    open: Option<(Option<u32>, Names)>,
    /// The leaf of the heading.
    leaf: Option<u32>,
}

/// The leaf of a heading: `feature information (1/edx):`.
fn heading(line: &[u8]) -> Option<u32> {
    let text = trim(line);
    if line.starts_with(b"      ") || !text.ends_with(b"):") {
        return None;
    }
    let at = text.iter().rposition(|byte| *byte == b'(')?;
    let mut inside = Scan::new(&text[at + 1..text.len() - 2]);
    let leaf = inside.number()?;
    (inside.is_empty() || inside.literal(b"/")).then_some(leaf)
}

/// A CPU's heading.
fn cpu(line: &[u8]) -> Option<Option<u32>> {
    let text = trim(line).strip_prefix(b"CPU")?.strip_suffix(b":")?;
    if text.is_empty() { Some(None) } else { decimal(trim(text)).map(Some) }
}

fn is_line(line: &[u8]) -> bool {
    trim(line).starts_with(b"vendor_id = \"") || heading(line).is_some_and(|_| line.starts_with(b"   "))
}

/// A name, and what it is.
fn setting(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = find(line, b" = ")?;
    Some((trim(&line[..at]), trim(&line[at + 3..])))
}

/// A leaf that comes as registers.
fn raw(line: &[u8]) -> Option<(u32, u32, Registers)> {
    let mut rest = Scan::new(trim(line));
    let leaf = rest.literal(b"0x").then(|| rest.hex())??;
    rest.blanks();
    let subleaf = rest.literal(b"0x").then(|| rest.hex())??;
    rest.literal(b":").then_some(())?;
    let registers = super::keyed::registers(rest.rest(), ["eax", "ebx", "ecx", "edx"])?;
    Some((leaf, subleaf, registers))
}

impl CpuidText {
    fn names(&mut self) -> &mut Names {
        &mut self.open.get_or_insert_default().1
    }

    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.leaf = None;
        let open = self.open.take().filter(|(number, names)| number.is_some() || !names.is_empty());
        open.map_or(Ok(()), |(number, names)| names.finish(number, None, sink))
    }

    /// A line below a heading.
    fn setting(&mut self, leaf: u32, name: &[u8], value: &[u8]) {
        let name = String::from_utf8_lossy(name);
        if let Some((_, _, register, from, bits)) =
            NUMBERS.into_iter().find(|(of, known, ..)| *of == leaf && *known == name)
        {
            let mut value = Scan::new(value);
            if let Some(number) = value.number().filter(|number| number >> bits == 0) {
                let mask = ((1 << bits) - 1) << from;
                self.names().register(leaf, register, mask, number << from);
            }
            return;
        }
        let on = match value {
            b"true" => true,
            b"false" => false,
            _ => return,
        };
        let known = NAMES.iter().find(|(of, known, ..)| *of == leaf && *known == name);
        if let Some(&(_, _, subleaf, register, bit)) = known {
            let word = CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register);
            self.names().state(word, 1 << bit, u32::from(on) << bit);
        }
    }
}

impl Parser for CpuidText {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if let Some(number) = cpu(line.text) {
            self.finish(sink)?;
            self.open = Some((number, Names::default()));
        } else if let Some(leaf) = heading(line.text) {
            self.leaf = Some(leaf);
        } else if let Some((leaf, subleaf, registers)) = raw(line.text) {
            for (register, value) in registers.iter() {
                self.names().state(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), u32::MAX, value);
            }
        } else if let Some((name, value)) = setting(line.text) {
            if name == b"vendor_id" {
                let value = String::from_utf8_lossy(value);
                self.names().vendor(value.trim_matches('"'));
            } else if let Some(leaf) = self.leaf.filter(|_| line.text.starts_with(b"      ")) {
                self.setting(leaf, name, value);
            }
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)
    }
}
