//! Our own text: `function index flags eax ebx ecx edx` in hexadecimal without a prefix, a line each.
//!
//! A word before the numbers tells the CPU: `vcpu3` is that of APIC id 3, in decimal; `supported`, `emulated` and `hv` are
//! what recorded hosts have (see [`HostFile`](crate::host::HostFile)). The CPU is a new one where the word changes.
//! Empty lines and lines that begin with `#` say nothing.

use std::boxed::Box;
use std::io::Write;
use std::string::String;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::CpuidEntry;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "entries",
    about: "`function index flags eax ebx ecx edx` in hexadecimal, a line each",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Entries),
    style: Some(Style { write, flags: Flags::All, open: false, several: Several::ByNumber }),
};

const EXPECTED: &str = "expected `function index flags eax ebx ecx edx` in hexadecimal, after `vcpuID`, `supported`, \
                        `emulated`, `hv` or nothing";
/// What a recorded host's lines may begin with.
const NAMES: [&str; 3] = ["supported", "emulated", "hv"];

/// The reader.
struct Entries;

/// Whose entry it is.
#[derive(Clone, Copy)]
enum Owner {
    Unnamed,
    Number(u32),
    Name(&'static str),
}

impl Owner {
    /// True when the entry belongs to that CPU.
    fn is(self, cpu: &Cpu) -> bool {
        match self {
            Owner::Unnamed => cpu.number.is_none() && cpu.name.is_none(),
            Owner::Number(number) => cpu.number == Some(number),
            Owner::Name(name) => cpu.name.as_deref() == Some(name),
        }
    }
}

/// The word before the numbers.
fn owner(line: &mut Scan<'_>) -> Option<Owner> {
    let found = if line.literal(b"vcpu") {
        Owner::Number(line.decimal()?)
    } else if let Some(name) = NAMES.into_iter().find(|name| line.literal(name.as_bytes())) {
        Owner::Name(name)
    } else {
        return Some(Owner::Unnamed);
    };
    line.blanks().then_some(found)
}

fn entry(line: &[u8]) -> Option<(Owner, CpuidEntry)> {
    let mut line = Scan::new(line);
    line.blanks();
    let owner = owner(&mut line)?;
    let mut numbers = [0; 7];
    for (at, number) in numbers.iter_mut().enumerate() {
        if at > 0 && !line.blanks() {
            return None;
        }
        *number = line.hex()?;
    }
    line.blanks();
    let [function, index, flags, registers @ ..] = numbers;
    let registers = Registers::from_array(registers);
    line.is_empty()
        .then_some((owner, CpuidEntry { function: Leaf(function), index: Subleaf(index), flags, registers }))
}

/// True for a line that is of this format and no other.
fn is_line(line: &[u8]) -> bool {
    entry(line).is_some()
}

impl Parser for Entries {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let Some((owner, entry)) = entry(line.text) else {
            let says_nothing = matches!(trim(line.text), [] | [b'#', ..]);
            return if says_nothing { Ok(()) } else { Err(Fault::Here(EXPECTED)) };
        };
        if !sink.open().is_some_and(|cpu| owner.is(cpu)) {
            match owner {
                Owner::Unnamed => sink.start(None, None),
                Owner::Number(number) => sink.start(Some(number), None),
                Owner::Name(name) => sink.start(None, Some(String::from(name))),
            }
        }
        sink.entry(entry)
    }
}

/// Writes a CPU; a name is written where a reader would know it.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    for entry in &cpu.entries {
        match (cpu.number, cpu.name.as_deref()) {
            (Some(number), _) => write!(out, "vcpu{number} ")?,
            (None, Some(name)) if NAMES.contains(&name) => write!(out, "{name} ")?,
            _ => {}
        }
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let (function, index, flags) = (entry.function.0, entry.index.0, entry.flags);
        writeln!(out, "{function:x} {index:x} {flags:x} {eax:x} {ebx:x} {ecx:x} {edx:x}")?;
    }
    Ok(())
}
