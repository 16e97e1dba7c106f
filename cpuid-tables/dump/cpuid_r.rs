//! `cpuid -r`, of the program `cpuid` by Todd Allen that Linux distributions have (release 20230120 and others).
//!
//! ```text
//! CPU 0:
//!    0x00000000 0x00: eax=0x00000014 ebx=0x756e6547 ecx=0x6c65746e edx=0x49656e69
//! ```
//!
//! `cpuid -1` says `CPU:`. A line that begins with `Disclaimer` may stand before all.

use std::boxed::Box;
use std::io::Write;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Registers;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "cpuid-r",
    about: "`cpuid -r` of Linux distributions",
    // Other dumps have such headings too.
    marks: &[Mark::Line(is_line), Mark::SharedLine(is_heading)],
    parser: || Box::new(CpuidR),
    style: Some(Style { write, flags: Flags::Implied, open: false, several: Several::Yes }),
};

const EXPECTED: &str =
    "expected `CPU:`, `CPU n:` or `0xLEAF 0xSUBLEAF: eax=0x... ebx=0x... ecx=0x... edx=0x...`";
const REGISTERS: [&[u8]; 4] = [b"eax=0x", b"ebx=0x", b"ecx=0x", b"edx=0x"];

/// The reader.
struct CpuidR;

fn entry(line: &[u8]) -> Option<(u32, u32, Registers)> {
    let mut line = Scan::new(line);
    line.blanks();
    let leaf = line.literal(b"0x").then(|| line.hex())??;
    let subleaf = (line.blanks() && line.literal(b"0x")).then(|| line.hex())??;
    let mut registers = [0; 4];
    if !line.literal(b":") {
        return None;
    }
    for (name, register) in REGISTERS.into_iter().zip(&mut registers) {
        *register = (line.blanks() && line.literal(name)).then(|| line.hex())??;
    }
    line.blanks();
    line.is_empty().then_some((leaf, subleaf, registers.into()))
}

/// The number of a CPU's heading; none of a single one.
fn heading(line: &[u8]) -> Option<Option<u32>> {
    let mut line = Scan::new(trim(line));
    if !line.literal(b"CPU") {
        return None;
    }
    let number = if line.blanks() { Some(line.decimal()?) } else { None };
    (line.literal(b":") && line.is_empty()).then_some(number)
}

/// True for a line that is of this format and no other.
fn is_line(line: &[u8]) -> bool {
    entry(line).is_some()
}

fn is_heading(line: &[u8]) -> bool {
    heading(line).is_some()
}

impl Parser for CpuidR {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if let Some((leaf, subleaf, registers)) = entry(line.text) {
            return sink.answer(leaf, subleaf, registers);
        }
        if let Some(number) = heading(line.text) {
            sink.start(number, None);
            return Ok(());
        }
        let text = trim(line.text);
        if text.is_empty() || text.starts_with(b"Disclaimer") { Ok(()) } else { Err(Fault::Here(EXPECTED)) }
    }
}

/// Writes a CPU.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    match cpu.number {
        Some(number) => writeln!(out, "CPU {number}:")?,
        None => writeln!(out, "CPU:")?,
    }
    for entry in &cpu.entries {
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let (leaf, subleaf) = (entry.function.0, entry.subleaf().0);
        writeln!(
            out,
            "   {leaf:#010x} {subleaf:#04x}: eax={eax:#010x} ebx={ebx:#010x} ecx={ecx:#010x} edx={edx:#010x}"
        )?;
    }
    Ok(())
}
