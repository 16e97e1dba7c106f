//! The dumps that InstLatx64 collects, and AIDA64's, which they are made with.
//!
//! ```text
//! ------[ CPUID Registers / Logical CPU #0 ]------
//!
//! CPUID 00000000: 0000000D-756E6547-6C65746E-49656E69 [GenuineIntel]
//! CPUID 00000004: 1C004122-01C0003F-0000003F-00000000 [SL 01]
//! ```
//!
//! Over the years the colon was left out, had a blank before it or a tab in its place, and blanks stood for the hyphens.
//! Without `[SL nn]`, lines of one leaf one after the other are its subleaves from 0 on; of leaf 0xD, whose empty
//! subleaves were left out, they are the components that subleaf 0 and 1 list. Some files have headings such as `CPU 0:`.
//! Between and around them is text of many kinds, such as MSRs and the CPU's name, which is ignored; a line that begins
//! with `CPUID` and a number is never.

use std::boxed::Box;
use std::io::Write;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Registers};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "instlatx64",
    about: "InstLatx64's and AIDA64's dumps",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(InstLatx64::default()),
    style: Some(Style { write, flags: Flags::Implied, open: false, several: Several::Yes }),
};

const EXPECTED: &str = "expected `CPUID LEAF: EAX-EBX-ECX-EDX`, 8 hexadecimal digits each, and `[...]` or nothing \
                        after it";

/// The reader.
#[derive(Default)]
struct InstLatx64 {
    /// The CPU at hand began with a heading; else leaf 0 begins one.
    headed: bool,
}

/// A line with a CPU's entry; `None` for what the line does not state.
struct EntryLine {
    leaf: u32,
    subleaf: Option<u32>,
    registers: Registers,
}

fn digits8(line: &mut Scan<'_>) -> Option<u32> {
    let before = line.rest().len();
    let value = line.hex()?;
    (before - line.rest().len() == 8).then_some(value)
}

/// What a line says; none where it is not about an entry.
fn parsed(line: &[u8]) -> Option<Option<EntryLine>> {
    let mut line = Scan::new(line);
    line.blanks();
    if !line.literal(b"CPUID") || !line.blanks() {
        return None;
    }
    let word = line.rest().split(|byte| matches!(byte, b' ' | b'\t' | b':')).next().unwrap_or_default();
    (word.len() > 1 && word.iter().all(u8::is_ascii_hexdigit)).then(|| entry(line))
}

/// An entry, from its leaf on.
fn entry(mut line: Scan<'_>) -> Option<EntryLine> {
    let leaf = digits8(&mut line)?;
    let blank = line.blanks();
    let colon = line.literal(b":");
    line.blanks();
    if !blank && !colon {
        return None;
    }
    let mut registers = [0; 4];
    for (at, register) in registers.iter_mut().enumerate() {
        if at > 0 && !line.literal(b"-") && !line.blanks() {
            return None;
        }
        *register = digits8(&mut line)?;
    }
    let mut subleaf = None;
    while line.blanks() && line.literal(b"[") {
        if line.literal(b"SL ") {
            subleaf = Some(line.hex()?);
        }
        // A CPU's name may hold anything, so that the last bracket counts.
        let rest = line.rest();
        let closing = if subleaf.is_some() {
            Some(rest.iter().position(|byte| *byte == b']')?)
        } else {
            rest.windows(3).position(|part| part == b"] [").or(rest.iter().rposition(|byte| *byte == b']'))
        };
        // A comment that lost its bracket goes to the end.
        line = Scan::new(closing.map_or(b"", |closing| &rest[closing + 1..]));
    }
    line.is_empty().then_some(EntryLine { leaf, subleaf, registers: registers.into() })
}

/// The number in a CPU's heading; none where it has none.
fn heading(line: &[u8]) -> Option<Option<u32>> {
    let mut line = Scan::new(trim(line));
    if line.literal(b"------[ CPUID Registers ]") {
        return Some(None);
    }
    if line.literal(b"Group: 0x") {
        return line.skip_past(b"Affinity mask: 0x").then_some(None);
    }
    let starts: [&[u8]; 5] = [
        b"------[ CPUID Registers / Logical CPU #",
        b"------[ Logical CPU #",
        b"CPUID Registers (CPU #",
        b"CPU#",
        b"CPU ",
    ];
    let start = starts.into_iter().find(|start| line.literal(start))?;
    let number = line.decimal()?;
    if start == b"CPU#" && !(line.blanks() && line.literal(b"AffMask: 0x")) {
        return None;
    }
    if start == b"CPU " && !(line.literal(b":") && line.is_empty()) {
        return None;
    }
    Some(Some(number))
}

/// True for a line that is of this format and no other.
fn is_line(line: &[u8]) -> bool {
    // `CPU 0:` is a heading of other dumps too.
    matches!(parsed(line), Some(Some(_))) || !trim(line).starts_with(b"CPU ") && heading(line).is_some()
}

/// The subleaf of a line that does not state it.
fn next_subleaf(cpu: &Cpu, entry: &EntryLine) -> u32 {
    let Some(last) = cpu.entries.last().filter(|last| last.function == Leaf(entry.leaf)) else { return 0 };
    let next = last.index.0.saturating_add(1);
    if entry.leaf == 0xd { next_component(cpu, last.index.0, &entry.registers).unwrap_or(next) } else { next }
}

/// The component of XSAVE of a line of leaf 0xD: the first that subleaves 0 and 1 list above the last one. None if the line
/// is subleaf 1, which has flags in EAX, or empty, or no component is left.
fn next_component(cpu: &Cpu, last: u32, registers: &Registers) -> Option<u32> {
    /// Above what subleaf 1 has in EAX; no component in its place is so small.
    const LEAST_SIZE: u32 = 0x40;
    /// Where the components begin that have a subleaf.
    const EXTENDED_REGION: u32 = 576;
    let Registers { eax: size, ebx: offset, .. } = *registers;
    let after_main = last == 0 && (size < LEAST_SIZE || offset < EXTENDED_REGION);
    if after_main || size == 0 {
        return None;
    }
    let of = |subleaf: u32| {
        let entry = cpu.entries.iter().find(|entry| entry.function == Leaf(0xd) && entry.index.0 == subleaf);
        entry.map(|entry| entry.registers)
    };
    let user = of(0).map_or(0, |all| u64::from(all.edx) << 32 | u64::from(all.eax));
    let supervisor = of(1).map_or(0, |all| u64::from(all.edx) << 32 | u64::from(all.ecx));
    (last.max(1) + 1..64).find(|component| (user | supervisor) >> component & 1 != 0)
}

impl InstLatx64 {
    fn entry(&mut self, entry: &EntryLine, sink: &mut Sink) -> Result<(), Fault> {
        let again = |cpu: &Cpu| entry.leaf == 0 && cpu.entries.iter().any(|entry| entry.function == Leaf(0));
        if !self.headed && sink.open().is_some_and(again) {
            sink.start(None, None);
        }
        let subleaf = entry.subleaf.unwrap_or_else(|| sink.open().map_or(0, |cpu| next_subleaf(cpu, entry)));
        sink.answer(entry.leaf, subleaf, entry.registers)
    }
}

impl Parser for InstLatx64 {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if let Some(entry) = parsed(line.text) {
            return self.entry(&entry.ok_or(Fault::Here(EXPECTED))?, sink);
        }
        if let Some(number) = heading(line.text) {
            self.headed = true;
            sink.start(number, None);
        }
        Ok(())
    }
}

/// Writes a CPU.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    match cpu.number {
        Some(number) => writeln!(out, "------[ CPUID Registers / Logical CPU #{number} ]------\n")?,
        None => writeln!(out, "------[ CPUID Registers ]------\n")?,
    }
    let mut last = None;
    for entry in &cpu.entries {
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let leaf = entry.function;
        write!(out, "CPUID {:08X}: {eax:08X}-{ebx:08X}-{ecx:08X}-{edx:08X}", leaf.0)?;
        if entry.is_indexed() || last == Some(leaf) {
            write!(out, " [SL {:02X}]", entry.subleaf().0)?;
        }
        last = Some(leaf);
        writeln!(out)?;
    }
    writeln!(out)?;
    Ok(())
}
