//! libvirt's `<cpuid>` elements: the data of its CPU tests, and its map of features (libvirt 0.9 to 11).
//!
//! ```xml
//! <cpudata arch='x86'>
//!   <cpuid eax_in='0x00000007' ecx_in='0x00' eax='0x00000002' ebx='0x00000020' ecx='0x00000000' edx='0x00000000'/>
//! </cpudata>
//! ```
//!
//! A `cpudata` element is a CPU, and so is a `feature` with its name; `cpuid` elements in neither are a CPU together.
//! `ecx_in` may be left out, and a register, which is open then. `msr` elements are ignored.

use std::boxed::Box;
use std::io::Write;
use std::string::{String, ToString};
use std::vec::Vec;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::scan::Scan;
use super::sink::{Fault, Line, Parser, Sink};
use super::tags::{Tag, Tags};
use crate::bits::location::{Msr, Register, Registers};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "libvirt",
    about: "libvirt's <cpuid> elements",
    marks: &[Mark::MayBegin(b'<')],
    parser: || Box::new(Libvirt::default()),
    style: Some(Style { write, flags: Flags::Implied, open: false, several: Several::Yes }),
};

const EXPECTED: &str = "expected the attributes eax_in, ecx_in, eax, ebx, ecx and edx with a number of 32 bits each, \
                        such as 0x1f";
const EXPECTED_MSR: &str = "expected the attributes index, eax and edx with a number of 32 bits each";
const ELEMENT: &str = "expected an element of libvirt's CPU data or map of features: cpudata, cpus, feature, alias, \
                       cpuid or msr";
const REGISTERS: [&str; 4] = ["eax", "ebx", "ecx", "edx"];

/// The reader.
#[derive(Default)]
struct Libvirt {
    tags: Tags,
}

/// A `<cpuid>` element.
struct CpuidElement {
    leaf: u32,
    subleaf: u32,
    registers: Registers,
    known: Registers,
}

fn number(text: &str) -> Option<u32> {
    let mut text = Scan::new(text.as_bytes());
    text.number().filter(|_| text.is_empty())
}

fn element(attributes: &[(String, String)]) -> Option<CpuidElement> {
    let mut stated = CpuidElement { leaf: 0, subleaf: 0, registers: Registers::ZERO, known: Registers::ZERO };
    let mut has_leaf = false;
    for (name, value) in attributes {
        let value = number(value)?;
        match name.as_str() {
            "eax_in" => (stated.leaf, has_leaf) = (value, true),
            "ecx_in" => stated.subleaf = value,
            register => {
                let register =
                    Register::ALL.into_iter().zip(REGISTERS).find(|(_, name)| *name == register)?.0;
                (stated.registers[register], stated.known[register]) = (value, u32::MAX);
            }
        }
    }
    has_leaf.then_some(stated)
}

/// The number and value of an `<msr>` element: the halves of the value are EDX and EAX.
fn msr(attributes: &[(String, String)]) -> Option<(Msr, u64)> {
    let named = |wanted: &str| {
        let (_, value) = attributes.iter().find(|(name, _)| name == wanted)?;
        number(value)
    };
    Some((Msr(named("index")?), u64::from(named("edx")?) << 32 | u64::from(named("eax")?)))
}

fn tag(tag: Tag, line: u64, sink: &mut Sink) -> Result<(), Fault> {
    let wrong = |text: &str, why: &'static str| Fault::At { line, text: text.to_string(), why: why.into() };
    match tag {
        Tag::Begin { name, attributes } => match name.as_str() {
            "cpudata" => sink.start(None, None),
            "feature" => {
                let named = attributes.into_iter().find(|(name, _)| name == "name");
                sink.start(None, named.map(|(_, value)| value));
            }
            "cpuid" => {
                let Some(stated) = element(&attributes) else {
                    let text: Vec<String> =
                        attributes.iter().map(|(name, value)| std::format!("{name}='{value}'")).collect();
                    return Err(wrong(&text.join(" "), EXPECTED));
                };
                sink.answer(stated.leaf, stated.subleaf, stated.registers)?;
                sink.only_known(stated.known);
            }
            "msr" => {
                let Some((msr, value)) = msr(&attributes) else {
                    return Err(wrong("msr", EXPECTED_MSR));
                };
                sink.msr(msr, value);
            }
            "cpus" | "alias" => {}
            other => return Err(wrong(other, ELEMENT)),
        },
        Tag::End { name, .. } => match name.as_str() {
            "cpudata" => sink.finish(),
            // One that is about MSRs alone is not a table.
            "feature" if sink.open().is_some_and(|cpu| cpu.entries.is_empty()) => sink.abandon(),
            "feature" => sink.finish(),
            _ => {}
        },
    }
    Ok(())
}

impl Parser for Libvirt {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        self.tags.line(line, |each, began| tag(each, began, sink))
    }

    fn end(&mut self, _sink: &mut Sink) -> Result<(), Fault> {
        self.tags.end()
    }
}

/// Writes a CPU.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    writeln!(out, "<cpudata arch='x86'>")?;
    for entry in &cpu.entries {
        let (leaf, subleaf) = (entry.function.0, entry.subleaf().0);
        write!(out, "  <cpuid eax_in='{leaf:#010x}' ecx_in='{subleaf:#04x}'")?;
        for (name, value) in REGISTERS.into_iter().zip(entry.registers.to_array()) {
            write!(out, " {name}='{value:#010x}'")?;
        }
        writeln!(out, "/>")?;
    }
    writeln!(out, "</cpudata>")?;
    Ok(())
}
