//! libcpuid's raw dumps: what `cpuid_tool --save` and `--raw` write, and the head of its tests.
//!
//! ```text
//! version=0.5.1
//! basic_cpuid[0]=0000000d 756e6547 6c65746e 49656e69
//! ext_cpuid[0]=80000008 00000000 00000000 00000000
//! intel_fn4[0]=1c004121 01c0003f 0000003f 00000000
//! ```
//!
//! Numbers in brackets are decimal: of the leaf for `basic_cpuid` and `ext_cpuid`, else of the subleaf. libcpuid asks for a
//! fixed number of leaves and subleaves; what is all zero and beyond the maximum is left out. A subleaf that both lists
//! have is one. The form has no place for the subleaves of leaves 7, 0xD and others. A line of underscores with `Logical CPU #n` begins a CPU. Other lines are ignored.

use std::boxed::Box;
use std::collections::BTreeMap;
use std::format;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::scan::{Scan, find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Registers;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "libcpuid",
    about: "libcpuid's raw dumps",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Libcpuid::default()),
    style: None,
};

const EXPECTED: &str = "expected `LIST[N]=EAX EBX ECX EDX`, 8 hexadecimal digits each";
/// The lists of leaves, and the leaf of number 0.
const LEAVES: [(&[u8], u32); 2] = [(b"basic_cpuid[", 0), (b"ext_cpuid[", 0x8000_0000)];
/// The lists of subleaves, and their leaf.
const SUBLEAVES: [(&[u8], u32); 6] = [
    (b"intel_fn4[", 4),
    (b"intel_fn11[", 0xb),
    (b"intel_fn12h[", 0x12),
    (b"intel_fn14h[", 0x14),
    (b"amd_fn8000001dh[", 0x8000_001d),
    (b"amd_fn80000026h[", 0x8000_0026),
];

/// The reader.
#[derive(Default)]
struct Libcpuid {
    number: Option<u32>,
    answers: BTreeMap<(u32, u32), Registers>,
}

/// The leaf and subleaf of a line, and what comes after the brackets.
fn place(line: &[u8]) -> Option<(Option<(u32, u32)>, Scan<'_>)> {
    let mut rest = Scan::new(trim(line));
    let (list, of_leaves) = LEAVES
        .iter()
        .map(|list| (list, true))
        .chain(SUBLEAVES.iter().map(|list| (list, false)))
        .find(|((name, _), _)| rest.literal(name))?;
    let number = rest.decimal().filter(|_| rest.literal(b"]="));
    let place =
        number.map(|number| if of_leaves { (list.1.wrapping_add(number), 0) } else { (list.1, number) });
    Some((place, rest))
}

fn is_line(line: &[u8]) -> bool {
    matches!(place(line), Some((Some(_), _)))
}

fn registers(rest: &mut Scan<'_>) -> Option<Registers> {
    let mut registers = [0; 4];
    for register in &mut registers {
        rest.blanks();
        *register = rest.hex()?;
    }
    rest.blanks();
    rest.is_empty().then_some(registers.into())
}

/// The number in the heading of a CPU.
fn heading(line: &[u8]) -> Option<u32> {
    let mut line = Scan::new(trim(line));
    (line.literal(b"____") && line.skip_past(b"Logical CPU #")).then(|| line.decimal())?
}

/// The name of a list that libcpuid has and this reader does not know.
fn other_list(line: &[u8]) -> Option<String> {
    let line = trim(line);
    let name = &line[..find(line, b"[")?];
    let like_ours = name.starts_with(b"intel_fn") || name.starts_with(b"amd_fn");
    (like_ours && find(line, b"]=").is_some()).then(|| super::names::shown(&String::from_utf8_lossy(name)))
}

impl Libcpuid {
    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let answers = core::mem::take(&mut self.answers);
        if answers.is_empty() {
            return Ok(());
        }
        sink.start(self.number.take(), None);
        sink.beside().excerpt = true;
        let maximum = |leaf: u32| answers.get(&(leaf & 0x8000_0000, 0)).map_or(u32::MAX, |first| first.eax);
        for (&(leaf, subleaf), &registers) in &answers {
            let padding = registers == Registers::ZERO && (leaf > maximum(leaf) || subleaf > 0);
            if !padding {
                sink.answer(leaf, subleaf, registers)?;
            }
        }
        sink.finish();
        Ok(())
    }
}

impl Parser for Libcpuid {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if let Some(number) = heading(line.text) {
            self.finish(sink)?;
            self.number = Some(number);
            return Ok(());
        }
        let Some((place, mut rest)) = place(line.text) else {
            if let Some(list) = other_list(line.text) {
                sink.note(line.number, format!("the list `{list}` is ignored: its leaf is not known"));
            }
            return Ok(());
        };
        let (Some(place), Some(registers)) = (place, registers(&mut rest)) else {
            return Err(Fault::Here(EXPECTED));
        };
        if place == (0, 0) && self.answers.contains_key(&place) {
            self.finish(sink)?;
        }
        self.answers.insert(place, registers);
        if self.answers.len() > super::cpu::Cpu::MAX_ENTRIES { Err(Fault::TooManyEntries) } else { Ok(()) }
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)
    }
}
