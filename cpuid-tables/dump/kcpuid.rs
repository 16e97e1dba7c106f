//! `kcpuid -r`, of Linux's `tools/arch/x86/kcpuid` (5.13 to 7.3).
//!
//! ```text
//! Standard Leafs :
//! ================
//! 0x00000000: EAX=0x00000024, EBX=0x756e6547, ECX=0x6c65746e, EDX=0x49656e69
//! 0x00000004: subleafs:
//!   0: EAX=0x04000121, EBX=0x02c0003f, ECX=0x0000003f, EDX=0x00000000
//! ```
//!
//! Subleaves are decimal. The first range is `Basic` in older releases, and begins a CPU. kcpuid leaves out what is all
//! zero, and a leaf's line with it if that is subleaf 0.

use std::boxed::Box;
use std::io::Write;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Registers;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "kcpuid",
    about: "`kcpuid -r` of Linux",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Kcpuid::default()),
    style: Some(Style { write, flags: Flags::Implied, open: false, several: Several::Yes }),
};

const EXPECTED: &str = "expected `0xLEAF: EAX=0x..., EBX=0x..., ECX=0x..., EDX=0x...`, `0xLEAF: subleafs:`, \
                        ` SUBLEAF: EAX=...` in decimal after that, or `RANGE Leafs :`";
const NO_LEAF: &str = "expected `0xLEAF: subleafs:` before it: which leaf it belongs to is unknown";
/// How the heading of a range ends.
const RANGE: &[u8] = b" Leafs :";
const REGISTERS: [&[u8]; 4] = [b"EAX=0x", b"EBX=0x", b"ECX=0x", b"EDX=0x"];

/// The reader.
#[derive(Default)]
struct Kcpuid {
    /// The leaf whose subleaves come, and the least that the next can be.
    subleaves_of: Option<(u32, u32)>,
}

/// A line of the output.
enum KcpuidLine {
    Leaf(u32, Registers),
    Subleaves(u32),
    Subleaf(u32, Registers),
}

fn registers(line: &mut Scan<'_>) -> Option<Registers> {
    let mut registers = [0; 4];
    for (at, (name, register)) in REGISTERS.into_iter().zip(&mut registers).enumerate() {
        if at > 0 && !line.literal(b",") {
            return None;
        }
        line.blanks();
        *register = line.literal(name).then(|| line.hex())??;
    }
    line.blanks();
    line.is_empty().then_some(registers.into())
}

fn parsed(line: &[u8]) -> Option<KcpuidLine> {
    let mut line = Scan::new(line);
    line.blanks();
    if !line.literal(b"0x") {
        let subleaf = line.decimal()?;
        return line
            .literal(b":")
            .then(|| registers(&mut line))?
            .map(|all| KcpuidLine::Subleaf(subleaf, all));
    }
    let leaf = line.hex()?;
    if !line.literal(b":") {
        return None;
    }
    line.blanks();
    if trim(line.rest()) == b"subleafs:" {
        return Some(KcpuidLine::Subleaves(leaf));
    }
    registers(&mut line).map(|registers| KcpuidLine::Leaf(leaf, registers))
}

/// True for a line that is of this format and no other.
fn is_line(line: &[u8]) -> bool {
    parsed(line).is_some() || trim(line).ends_with(RANGE)
}

impl Parser for Kcpuid {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = trim(line.text);
        if text.is_empty() || text.iter().all(|byte| *byte == b'=') {
            return Ok(());
        }
        if let Some(range) = text.strip_suffix(RANGE) {
            self.subleaves_of = None;
            if matches!(range, b"Standard" | b"Basic") {
                sink.start(None, None);
            }
            return Ok(());
        }
        match parsed(line.text).ok_or(Fault::Here(EXPECTED))? {
            KcpuidLine::Leaf(leaf, registers) => {
                self.subleaves_of = None;
                sink.answer(leaf, 0, registers)
            }
            KcpuidLine::Subleaves(leaf) => {
                self.subleaves_of = Some((leaf, 0));
                Ok(())
            }
            KcpuidLine::Subleaf(subleaf, registers) => match &mut self.subleaves_of {
                Some((leaf, least)) if subleaf >= *least => {
                    *least = subleaf.saturating_add(1);
                    sink.answer(*leaf, subleaf, registers)
                }
                _ => Err(Fault::Here(NO_LEAF)),
            },
        }
    }
}

/// Writes a CPU.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    writeln!(out, "Standard Leafs :\n================")?;
    let mut subleaves_of = None;
    for entry in &cpu.entries {
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let (leaf, subleaf) = (entry.function.0, entry.subleaf().0);
        if entry.is_indexed() {
            if subleaves_of.is_none_or(|(last, least)| leaf != last || subleaf < least) {
                writeln!(out, "{leaf:#010x}: subleafs:")?;
            }
            subleaves_of = Some((leaf, subleaf.saturating_add(1)));
            write!(out, " {subleaf:2}: ")?;
        } else {
            subleaves_of = None;
            write!(out, "{leaf:#010x}: ")?;
        }
        writeln!(out, "EAX={eax:#010x}, EBX={ebx:#010x}, ECX={ecx:#010x}, EDX={edx:#010x}")?;
    }
    Ok(())
}
