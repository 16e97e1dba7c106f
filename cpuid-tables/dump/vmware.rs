//! VMware's `.vmx`: masks of CPUID registers, masks by feature, and the tables that it keeps there; and `vmware.log`.
//!
//! ```text
//! cpuid.1.ecx = "----:----:----:----:----:----:--0-:----"
//! cpuid.80000001.edx.amd = "---0:----:----:----:----:----:----:----"
//! featMask.vm.cpuid.PCID = "Max:0"
//! guestCPUID.1 = "000506e30001080096982203078bfbff"
//! hostCPUID level 00000001, 0: 0x000506e3 0x00100800 0x7ffafbbf 0xbfebfbff
//! ```
//!
//! A mask has the most significant bit first. `0` and `1` are what the guest gets; `-`, `x`, `R`, `H` and `T` leave a bit to
//! the host (VMware's knowledge base, 1003718). Masks are a CPU called `mask`, the tables ones called `guest`,
//! `host` and `user`. The rest of the file is ignored.

use std::boxed::Box;
use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec::Vec;

use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{Scan, find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "vmware",
    about: "the masks and tables of a .vmx",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Vmware::default()),
    style: None,
};

const MASK: &str = "expected `cpuid.LEAF.REGISTER = \"...\"` with 32 of 0, 1, -, x, R, H and T";
const TABLE: &str = "expected 32 hexadecimal digits: EAX, EBX, ECX and EDX";
const FEATURE: &str = "expected `Min:`, `Max:` or `Val:` and a number";
const FEATURES: &[u8] = b"featMask.vm.cpuid.";
const TABLES: [(&str, &[u8]); 3] = [("guest", b"guestCPUID"), ("host", b"hostCPUID"), ("user", b"userCPUID")];

/// Leaf, subleaf and registers.
type Answer = (u32, u32, Registers);

/// The reader.
#[derive(Default)]
struct Vmware {
    masks: Option<Names>,
    tables: BTreeMap<&'static str, Vec<Answer>>,
}

/// A name, and the text in quotes after it.
fn setting(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = trim(line);
    let at = find(line, b"=")?;
    let value = trim(&line[at + 1..]);
    let value = value.strip_prefix(b"\"")?;
    Some((trim(&line[..at]), value.strip_suffix(b"\"")?))
}

fn is_line(line: &[u8]) -> bool {
    if of_log(line).is_some() {
        return true;
    }
    setting(line).is_some_and(|(name, _)| {
        let tables = TABLES.into_iter().any(|(_, table)| name.starts_with(table));
        tables || name.starts_with(b"cpuid.") || name.starts_with(FEATURES)
    })
}

/// A leaf of `vmware.log`.
fn of_log(line: &[u8]) -> Option<(&'static str, Answer)> {
    let (name, mut rest) = TABLES.into_iter().find_map(|(name, table)| {
        let mut rest = Scan::new(line);
        (rest.skip_past(table) && rest.literal(b" level ")).then_some((name, rest))
    })?;
    let leaf = rest.hex()?;
    rest.literal(b",").then_some(())?;
    rest.blanks();
    let subleaf = rest.hex()?;
    rest.literal(b":").then_some(())?;
    let mut registers = [0; 4];
    for register in &mut registers {
        rest.blanks();
        *register = rest.literal(b"0x").then(|| rest.hex())??;
    }
    Some((name, (leaf, subleaf, registers.into())))
}

/// A leaf in hexadecimal, which ends at a dot or the end.
fn leaf(name: &mut Scan<'_>) -> Option<u32> {
    name.hex().filter(|_| name.is_empty() || name.rest().starts_with(b"."))
}

/// The register of `LEAF.REGISTER[.VENDOR]` or `LEAF.SUBLEAF.REGISTER`.
fn word(name: &[u8]) -> Option<CpuidWord> {
    let mut name = Scan::new(name);
    let leaf = leaf(&mut name)?;
    name.literal(b".").then_some(())?;
    let register = |name: &mut Scan<'_>| {
        Register::ALL
            .into_iter()
            .find(|register| name.literal(register.name().to_ascii_lowercase().as_bytes()))
    };
    let (subleaf, register) = match register(&mut name) {
        Some(register) => (0, register),
        None => (name.hex()?, name.literal(b".").then(|| register(&mut name))??),
    };
    let ends = name.is_empty() || name.literal(b".");
    ends.then_some(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register))
}

/// Known bits and their values.
fn bits(mask: &[u8]) -> Option<(u32, u32)> {
    let (mut known, mut value, mut digits) = (0u32, 0u32, 0);
    for digit in mask.iter().filter(|byte| **byte != b':') {
        digits += 1;
        let (is_known, is) = match digit.to_ascii_lowercase() {
            b'0' => (1, 0),
            b'1' => (1, 1),
            b'-' | b'x' | b'r' | b'h' | b't' => (0, 0),
            _ => return None,
        };
        (known, value) = (known << 1 | is_known, value << 1 | is);
    }
    (digits == 32).then_some((known, value))
}

fn table(digits: &[u8]) -> Option<Registers> {
    let mut registers = [0; 4];
    if digits.len() != 32 {
        return None;
    }
    for (register, digits) in registers.iter_mut().zip(digits.chunks(8)) {
        let mut digits = Scan::new(digits);
        *register = digits.hex().filter(|_| digits.is_empty())?;
    }
    Some(registers.into())
}

impl Vmware {
    fn keep(&mut self, name: &'static str, answer: Answer) -> Result<(), Fault> {
        let table = self.tables.entry(name).or_default();
        if table.len() >= super::cpu::Cpu::MAX_ENTRIES {
            return Err(Fault::TooManyEntries);
        }
        table.push(answer);
        Ok(())
    }

    fn feature(&mut self, name: &[u8], value: &[u8], line: u64, sink: &mut Sink) -> Result<(), Fault> {
        let mut value = Scan::new(value);
        let least = value.literal(b"Min:");
        let most = !least && value.literal(b"Max:");
        let known = least || most || value.literal(b"Val:");
        let number = known.then(|| value.number()).flatten().ok_or(Fault::Here(FEATURE))?;
        let masks = self.masks.get_or_insert_default();
        // `Min:0` asks for nothing, and `Max:1` allows.
        let states = if number == 0 { !least } else { !most };
        let name = String::from_utf8_lossy(name);
        if states && masks.feature(&name, number != 0).is_err() {
            sink.note(line, Unknown::note(&name));
        }
        Ok(())
    }
}

impl Parser for Vmware {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if let Some((name, answer)) = of_log(line.text) {
            return self.keep(name, answer);
        }
        let Some((name, value)) = setting(line.text) else { return Ok(()) };
        if let Some(feature) = name.strip_prefix(FEATURES) {
            return self.feature(feature, value, line.number, sink);
        }
        if let Some(place) = name.strip_prefix(b"cpuid.") {
            // Settings such as cpuid.coresPerSocket are about something else.
            let about_leaf = place.split(|byte| *byte == b'.').count() > 1;
            let Some(word) = word(place) else {
                return if about_leaf { Err(Fault::Here(MASK)) } else { Ok(()) };
            };
            let (known, value) = bits(value).ok_or(Fault::Here(MASK))?;
            self.masks.get_or_insert_default().state(word, known, value);
            return Ok(());
        }
        for (table_name, prefix) in TABLES {
            let Some(leaf_name) = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(b".")) else {
                continue;
            };
            let mut leaf_name = Scan::new(leaf_name);
            let place = leaf(&mut leaf_name).and_then(|leaf| {
                let subleaf = if leaf_name.literal(b".") { leaf_name.hex()? } else { 0 };
                leaf_name.is_empty().then_some((leaf, subleaf))
            });
            let (Some((leaf, subleaf)), Some(registers)) = (place, table(value)) else {
                return Err(Fault::Here(TABLE));
            };
            return self.keep(table_name, (leaf, subleaf, registers));
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        if let Some(masks) = self.masks.take() {
            let name = (!self.tables.is_empty()).then(|| "mask".to_string());
            masks.finish(None, name, sink)?;
        }
        for (name, table) in core::mem::take(&mut self.tables) {
            sink.start(None, Some(String::from(name)));
            for (leaf, subleaf, registers) in table {
                sink.answer(leaf, subleaf, registers)?;
            }
            sink.finish();
        }
        Ok(())
    }
}
