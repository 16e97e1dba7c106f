//! VirtualBox: `VBoxManage list hostcpuids`, `--cpuidset` of `VBoxManage modifyvm`, what that writes into the VM's `.vbox`, and
//! the CPUID leaves in VBox.log.
//!
//! ```text
//! Leaf no.  EAX      EBX      ECX      EDX
//! 00000001  000506e3 00100800 7ffafbbf bfebfbff
//! VBoxManage modifyvm "VM" --cpuidset 00000001 000106e5 00100800 0098e3fd bfebfbff
//! Gst: 00000001/0000  000506e3 00100800 7ffafbbf bfebfbff
//! Hst:                000506e3 00100800 7ffafbbf bfebfbff
//! ```
//!
//! In a `.vbox` such a leaf is `<CpuIdLeaf id="1" eax="329443" ebx="1050624" ecx="2147154879" edx="3219913727"/>`, in decimal or
//! with 0x, and has a `subleaf` where that is not 0. Elsewhere numbers are hexadecimal; a subleaf may follow the leaf after `/` or `:`. In VBox.log `Gst:` is the guest's leaf and `Hst:`
//! the host's; they are CPUs called `guest` and `host`. Other lines are ignored.

use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

use super::descriptor::{Descriptor, Mark};
use super::lines::contains;
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Registers;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "virtualbox",
    about: "VBoxManage's host CPUIDs and --cpuidset, .vbox, and VBox.log",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(VirtualBox::default()),
    style: None,
};

const EXPECTED: &str = "expected LEAF EAX EBX ECX EDX, each of 8 hexadecimal digits";
const SET: [&[u8]; 2] = [b"--cpuidset", b"--cpuid-set"];
const ELEMENT: &[u8] = b"<CpuIdLeaf ";
const EXPECTED_ELEMENT: &str = "expected `id`, `eax`, `ebx`, `ecx` and `edx`, each a number in quotes";
const HOST: &[u8] = b"Hst:";
const GUEST: &[u8] = b"Gst:";

/// The reader.
#[derive(Default)]
struct VirtualBox {
    /// Below the heading of a table.
    in_table: bool,
    /// The leaf of a line `Gst:`, to which `Hst:` belongs.
    last: Option<(u32, u32)>,
    guest: Vec<Answer>,
    host: Vec<Answer>,
}

/// Leaf, subleaf and registers.
type Answer = (u32, u32, Registers);

fn is_line(line: &[u8]) -> bool {
    let set = SET.iter().any(|option| contains(line, option));
    set || is_heading(line)
        || contains(line, ELEMENT)
        || trim(line) == b"Host CPUIDs:"
        || of_log(line).is_some_and(|(_, _, found)| found.is_some())
}

fn is_heading(line: &[u8]) -> bool {
    trim(line).starts_with(b"Leaf no.")
}

fn eight(line: &mut Scan<'_>) -> Option<u32> {
    let before = line.rest().len();
    line.hex().filter(|_| before - line.rest().len() == 8)
}

fn place(line: &mut Scan<'_>) -> Option<(u32, u32)> {
    let leaf = eight(line)?;
    let subleaf = if line.literal(b"/") || line.literal(b":") { line.hex()? } else { 0 };
    line.blanks().then_some((leaf, subleaf))
}

fn registers(line: &mut Scan<'_>) -> Option<Registers> {
    let mut registers = [0; 4];
    for register in &mut registers {
        line.blanks();
        *register = eight(line)?;
    }
    Some(registers.into())
}

fn answer(line: &mut Scan<'_>) -> Option<Answer> {
    line.blanks();
    let (leaf, subleaf) = place(line)?;
    Some((leaf, subleaf, registers(line)?))
}

/// An attribute's number.
fn attribute(element: &[u8], name: &[u8]) -> Option<u32> {
    let at = element.windows(name.len() + 3).position(|part| {
        part[0] == b' ' && part[1..].starts_with(name) && part[name.len() + 1..] == *b"=\""
    })?;
    let mut value = Scan::new(&element[at + name.len() + 3..]);
    let number = value.number()?;
    value.literal(b"\"").then_some(number)
}

/// The leaf of `<CpuIdLeaf .../>`.
fn of_element(element: &[u8]) -> Option<Answer> {
    let of = |name: &[u8]| attribute(element, name);
    let subleaf = if contains(element, b" subleaf=") { of(b"subleaf")? } else { 0 };
    Some((of(b"id")?, subleaf, Registers::new(of(b"eax")?, of(b"ebx")?, of(b"ecx")?, of(b"edx")?)))
}

/// Of a line of VBox.log: whether it is the host's, its leaf if it has one, and the registers.
type OfLog = (bool, Option<(u32, u32)>, Option<Registers>);

fn of_log(line: &[u8]) -> Option<OfLog> {
    let mut rest = Scan::new(line);
    let host = rest.skip_past(HOST);
    if !host && !rest.skip_past(GUEST) {
        return None;
    }
    rest.blanks();
    let mut with_leaf = rest;
    let of_leaf = place(&mut with_leaf).and_then(|place| Some((place, registers(&mut with_leaf)?)));
    match of_leaf {
        Some((place, registers)) => Some((host, Some(place), Some(registers))),
        None => Some((host, None, registers(&mut rest))),
    }
}

impl Parser for VirtualBox {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if is_heading(line.text) {
            self.in_table = true;
            sink.start(None, None);
            return Ok(());
        }
        if let Some((host, place, registers)) = of_log(line.text) {
            self.last = place.or(self.last);
            // Lines of a leaf that VBox.log explains have the same beginning.
            let (Some((leaf, subleaf)), Some(registers)) = (self.last, registers) else { return Ok(()) };
            let table = if host { &mut self.host } else { &mut self.guest };
            if table.len() >= super::cpu::Cpu::MAX_ENTRIES {
                return Err(Fault::TooManyEntries);
            }
            table.push((leaf, subleaf, registers));
            return Ok(());
        }
        let mut rest = Scan::new(line.text);
        let mut any = false;
        while rest.skip_past(ELEMENT) {
            any = true;
            let element = rest.while_is(|byte| byte != b'>');
            let element = [b" ", element].concat();
            let (leaf, subleaf, registers) = of_element(&element).ok_or(Fault::Here(EXPECTED_ELEMENT))?;
            sink.answer(leaf, subleaf, registers)?;
        }
        while SET.iter().any(|option| rest.skip_past(option)) {
            any = true;
            let (leaf, subleaf, registers) = answer(&mut rest).ok_or(Fault::Here(EXPECTED))?;
            sink.answer(leaf, subleaf, registers)?;
        }
        if any || !self.in_table || trim(line.text).is_empty() {
            return Ok(());
        }
        match answer(&mut rest) {
            Some((leaf, subleaf, registers)) => sink.answer(leaf, subleaf, registers),
            None if rest.rest().first().is_some_and(u8::is_ascii_hexdigit) => Err(Fault::Here(EXPECTED)),
            None => {
                self.in_table = false;
                Ok(())
            }
        }
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        for (name, table) in [("guest", &mut self.guest), ("host", &mut self.host)] {
            if table.is_empty() {
                continue;
            }
            sink.start(None, Some(String::from(name)));
            for (leaf, subleaf, registers) in core::mem::take(table) {
                sink.answer(leaf, subleaf, registers)?;
            }
            sink.finish();
        }
        Ok(())
    }
}
