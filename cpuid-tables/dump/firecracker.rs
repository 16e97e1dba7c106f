//! Firecracker's CPU templates, and the dumps of its `cpu-template-helper` (Firecracker 1.3 to 1.16).
//!
//! ```json
//! {"cpuid_modifiers": [{"leaf": "0x7", "subleaf": "0x0", "flags": 1,
//!   "modifiers": [{"register": "ebx", "bitmap": "0bxxxxxxxxxxxxxxxxxxxxxxxxxx1xxxxx"}]}]}
//! ```
//!
//! A bitmap has the most significant bit first; `x` leaves a bit as the host has it, `_` says nothing. `template dump`
//! tells every bit, and `fingerprint dump` has such a template as `guest_cpu_config`. MSRs, capabilities and whatever
//! else there is besides `cpuid_modifiers` are ignored.

use core::fmt::{self, Write as _};
use std::boxed::Box;
use std::format;
use std::io::Write;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde_json::{Value, json};

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::documents::{Document, Documents, Number};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::table::CpuidEntry;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "firecracker",
    about: "Firecracker's CPU templates and dumps",
    marks: &[Mark::Text(b"\"cpuid_modifiers\""), Mark::Text(b"\"guest_cpu_config\"")],
    parser: || Box::new(Firecracker::default()),
    style: Some(Style { write, flags: Flags::All, open: true, several: Several::No }),
};

const NO_TEMPLATE: &str =
    "expected an object with `cpuid_modifiers`, or with `guest_cpu_config` that has them";
const TWICE: &str = "expected each register once in the modifiers of a leaf";

/// The reader.
#[derive(Default)]
struct Firecracker {
    documents: Documents,
}

#[derive(Deserialize)]
struct Template {
    guest_cpu_config: Option<Modifiers>,
    cpuid_modifiers: Option<Vec<LeafModifier>>,
}

#[derive(Deserialize)]
struct Modifiers {
    cpuid_modifiers: Vec<LeafModifier>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeafModifier {
    leaf: Number,
    subleaf: Number,
    flags: Number,
    modifiers: Vec<RegisterModifier>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterModifier {
    register: RegisterName,
    bitmap: Bitmap,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RegisterName {
    Eax,
    Ebx,
    Ecx,
    Edx,
}

impl RegisterName {
    fn register(self) -> Register {
        match self {
            RegisterName::Eax => Register::Eax,
            RegisterName::Ebx => Register::Ebx,
            RegisterName::Ecx => Register::Ecx,
            RegisterName::Edx => Register::Edx,
        }
    }
}

/// Bits that a template states, and their values.
struct Bitmap {
    known: u32,
    value: u32,
}

/// A bitmap's digits.
fn bitmap(text: &str) -> Option<Bitmap> {
    let mut bitmap = Bitmap { known: 0, value: 0 };
    let mut digits = 0;
    for digit in text.strip_prefix("0b")?.bytes().filter(|byte| *byte != b'_') {
        digits += 1;
        let (known, value) = match digit {
            b'0' => (1, 0),
            b'1' => (1, 1),
            b'x' => (0, 0),
            _ => return None,
        };
        bitmap = Bitmap { known: bitmap.known << 1 | known, value: bitmap.value << 1 | value };
    }
    (digits == 32).then_some(bitmap)
}

impl fmt::Display for Bitmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0b")?;
        (0..32).rev().try_for_each(|bit| {
            f.write_char(match (self.known >> bit & 1, self.value >> bit & 1) {
                (0, _) => 'x',
                (_, 0) => '0',
                _ => '1',
            })
        })
    }
}

impl<'de> Deserialize<'de> for Bitmap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bitmap, D::Error> {
        struct Bitmaps;
        impl Visitor<'_> for Bitmaps {
            type Value = Bitmap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`0b` and 32 of `0`, `1` and `x`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bitmap, E> {
                bitmap(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Bitmaps)
    }
}

fn template(document: &Document<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let template: Template = document.parse()?;
    let whole = template.cpuid_modifiers.or(template.guest_cpu_config.map(|config| config.cpuid_modifiers));
    let modifiers = whole.ok_or_else(|| document.fault("{", NO_TEMPLATE))?;
    sink.start(None, None);
    for leaf in modifiers {
        let (mut registers, mut known) = (Registers::ZERO, Registers::ZERO);
        let mut seen = [false; 4];
        for RegisterModifier { register, bitmap } in leaf.modifiers {
            let register = register.register();
            if core::mem::replace(&mut seen[register as usize], true) {
                sink.abandon();
                return Err(document.fault(&format!("\"leaf\": \"{:#x}\"", leaf.leaf.0), TWICE));
            }
            registers[register] = bitmap.value;
            known[register] = bitmap.known;
        }
        let (function, index) = (Leaf(leaf.leaf.0), Subleaf(leaf.subleaf.0));
        sink.entry(CpuidEntry { function, index, flags: leaf.flags.0, registers })?;
        sink.only_known(known);
    }
    sink.beside().template = sink.open().is_some_and(|cpu| cpu.known.is_some());
    sink.finish();
    Ok(())
}

impl Parser for Firecracker {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        self.documents.line(line, false, |document| template(&document, sink))
    }

    fn end(&mut self, _sink: &mut Sink) -> Result<(), Fault> {
        self.documents.end()
    }
}

/// The registers of an entry that have a stated bit, by Firecracker's names.
fn stated(cpu: &Cpu, entry: usize) -> impl Iterator<Item = (String, Bitmap)> {
    let (known, value) = (cpu.known(entry), cpu.entries[entry].registers);
    let stated = Register::ALL.into_iter().filter(move |register| known[*register] != 0);
    stated.map(move |register| {
        let bitmap = Bitmap { known: known[register], value: value[register] };
        (register.name().to_ascii_lowercase(), bitmap)
    })
}

/// Writes a CPU as a template. Registers without a stated bit are left out.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    writeln!(out, "{{\n  \"cpuid_modifiers\": [")?;
    for (at, entry) in cpu.entries.iter().enumerate() {
        writeln!(out, "    {{\n      \"leaf\": \"{:#x}\",", entry.function.0)?;
        writeln!(out, "      \"subleaf\": \"{:#x}\",\n      \"flags\": {},", entry.index.0, entry.flags)?;
        write!(out, "      \"modifiers\": [")?;
        for (number, (name, bitmap)) in stated(cpu, at).enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(out, "{comma}\n        {{ \"register\": \"{name}\", \"bitmap\": \"{bitmap}\" }}")?;
        }
        let more = if at + 1 < cpu.entries.len() { "," } else { "" };
        writeln!(out, "\n      ]\n    }}{more}")?;
    }
    writeln!(out, "  ]\n}}")?;
    Ok(())
}

/// A CPU as a template of Firecracker: what [`Format::Firecracker`](super::Format::Firecracker) writes, as a value, to
/// which other members can be added.
#[must_use]
pub fn firecracker_template(cpu: &Cpu) -> Value {
    let leaf = |(at, entry): (usize, &CpuidEntry)| {
        let modifiers =
            stated(cpu, at).map(|(name, bitmap)| json!({ "register": name, "bitmap": bitmap.to_string() }));
        json!({
            "leaf": format!("{:#x}", entry.function.0),
            "subleaf": format!("{:#x}", entry.index.0),
            "flags": entry.flags,
            "modifiers": modifiers.collect::<Vec<Value>>(),
        })
    };
    let leaves: Vec<Value> = cpu.entries.iter().enumerate().map(leaf).collect();
    json!({ "cpuid_modifiers": leaves })
}
