//! The `cpuid` profiles in the configuration of propolis-standalone.
//!
//! ```toml
//! [cpuid.NAME]
//! vendor = "amd"
//! "1" = [0x830f10, 0x10800, 0xf6d83203, 0x178bfbff]
//! "7-0" = [0x0, 0x201401a9, 0x0, 0x0]
//! ```
//!
//! propolis' `cpuid-gen` prints `[cpuid]` without a name and a vendor.
//!
//! A key is the leaf, or leaf and subleaf, in hexadecimal; without a subleaf it answers for those that have no key of
//! their own. In KVM's order, where the first entry that matches answers, it therefore comes after them. The rest of the
//! configuration is ignored.

use std::boxed::Box;
use std::collections::BTreeSet;
use std::io::Write;
use std::string::String;
use std::vec::Vec;

use toml::de::{DeTable, DeValue};

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::documents::MAX_DOCUMENT;
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::{CpuidEntry, Vendor};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "propolis",
    about: "propolis' cpuid profiles",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Propolis::default()),
    style: Some(Style { write, flags: Flags::Index, open: false, several: Several::No }),
};

const KEY: &str = "expected `vendor`, `\"LEAF\"` or `\"LEAF-SUBLEAF\"` in hexadecimal";
const VALUE: &str = "expected `[eax, ebx, ecx, edx]`, each a number of 32 bits";
const VENDOR: &str = "expected `vendor = \"amd\"` or `vendor = \"intel\"`";
const PROFILES: &str = "expected `[cpuid.NAME]`, or leaves in `[cpuid]`";
/// propolis' names of vendors.
const VENDORS: [(&str, Vendor); 2] = [("amd", Vendor::AMD), ("intel", Vendor::INTEL)];

/// The reader. TOML is read as a whole.
#[derive(Default)]
struct Propolis {
    text: Vec<u8>,
    too_long: bool,
}

/// True for a line that is of this format and no other.
fn is_line(line: &[u8]) -> bool {
    trim(line).starts_with(b"[cpuid.") || trim(line) == b"[cpuid]"
}

/// A text, to find the lines of places in it.
struct Source<'a> {
    text: &'a str,
}

impl Source<'_> {
    fn fault(&self, at: usize, why: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let text = self.text.lines().nth(line).unwrap_or_default();
        Fault::At { line: line as u64 + 1, text: String::from(text), why: why.into() }
    }

    /// A profile's entries in the file's order, but for those without a subleaf, which follow the subleaves of their leaf.
    /// Without a name it needs no vendor.
    fn profile(&self, profile: &DeTable<'_>, named: Option<usize>) -> Result<Vec<CpuidEntry>, Fault> {
        let mut entries = Vec::new();
        let mut vendor = false;
        for (key, value) in profile {
            if key.get_ref() == "vendor" {
                let known = value.get_ref().as_str();
                if !VENDORS.into_iter().any(|(name, _)| Some(name) == known) {
                    return Err(self.fault(value.span().start, VENDOR));
                }
                vendor = true;
                continue;
            }
            let place = key.span().start;
            let (leaf, subleaf) = leaf(key.get_ref()).ok_or_else(|| self.fault(place, KEY))?;
            let registers =
                registers(value.get_ref()).ok_or_else(|| self.fault(value.span().start, VALUE))?;
            let entry = match subleaf {
                Some(subleaf) => CpuidEntry::indexed(Leaf(leaf), Subleaf(subleaf), registers),
                None => CpuidEntry::new(Leaf(leaf), registers),
            };
            entries.push((place, entry));
        }
        if let Some(at) = named.filter(|_| !vendor) {
            return Err(self.fault(at, VENDOR));
        }
        entries.sort_by_key(|(place, _)| *place);
        Ok(in_order(entries.into_iter().map(|(_, entry)| entry).collect()))
    }
}

/// Puts an entry for all subleaves behind those of its leaf that are for one.
fn in_order(entries: Vec<CpuidEntry>) -> Vec<CpuidEntry> {
    let last_subleaf: std::collections::BTreeMap<Leaf, usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.is_indexed())
        .map(|(at, entry)| (entry.function, at))
        .collect();
    let mut placed: Vec<(usize, bool, CpuidEntry)> = entries
        .into_iter()
        .enumerate()
        .map(|(at, entry)| {
            let last = last_subleaf.get(&entry.function).filter(|_| !entry.is_indexed());
            (last.map_or(at, |last| at.max(*last)), last.is_some_and(|last| *last > at), entry)
        })
        .collect();
    placed.sort_by_key(|(at, moved, _)| (*at, *moved));
    placed.into_iter().map(|(_, _, entry)| entry).collect()
}

fn leaf(key: &str) -> Option<(u32, Option<u32>)> {
    let mut key = Scan::new(key.as_bytes());
    let leaf = key.hex()?;
    let subleaf = if key.literal(b"-") { Some(key.hex()?) } else { None };
    key.is_empty().then_some((leaf, subleaf))
}

fn registers(value: &DeValue<'_>) -> Option<Registers> {
    let values = value.as_array()?;
    let mut registers = [0; 4];
    if values.len() != registers.len() {
        return None;
    }
    for (register, value) in registers.iter_mut().zip(values.iter()) {
        let number = value.get_ref().as_integer()?;
        *register = u32::from_str_radix(number.as_str(), number.radix()).ok()?;
    }
    Some(registers.into())
}

impl Parser for Propolis {
    fn line(&mut self, line: Line<'_>, _sink: &mut Sink) -> Result<(), Fault> {
        if self.too_long {
            return Ok(());
        }
        if self.text.len() + line.text.len() > MAX_DOCUMENT {
            self.too_long = true;
            self.text = Vec::new();
            return Err(Fault::TooLong { line: 1, limit: MAX_DOCUMENT });
        }
        self.text.extend_from_slice(line.text);
        self.text.push(b'\n');
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let text = core::mem::take(&mut self.text);
        let text = core::str::from_utf8(&text).map_err(|error| {
            let source =
                Source { text: core::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default() };
            source.fault(error.valid_up_to(), "this is not UTF-8")
        })?;
        let source = Source { text };
        let document = DeTable::parse(text).map_err(|error| {
            source.fault(error.span().map_or(0, |span| span.start), String::from(error.message()))
        })?;
        let Some(profiles) = document.get_ref().get("cpuid") else { return Ok(()) };
        let wrong = |at| source.fault(at, PROFILES);
        let named = profiles.get_ref().as_table().ok_or_else(|| wrong(profiles.span().start))?;
        if !named.is_empty() && named.values().all(|value| value.get_ref().as_table().is_none()) {
            sink.start(None, None);
            source.profile(named, None)?.into_iter().try_for_each(|entry| sink.entry(entry))?;
            sink.finish();
            return Ok(());
        }
        let mut named: Vec<_> = named.iter().collect();
        named.sort_by_key(|(name, _)| name.span().start);
        for (name, profile) in named {
            let at = name.span().start;
            let entries = source.profile(profile.get_ref().as_table().ok_or_else(|| wrong(at))?, Some(at))?;
            sink.start(None, Some(String::from(name.get_ref().as_ref())));
            for entry in entries {
                sink.entry(entry)?;
            }
            sink.finish();
        }
        Ok(())
    }
}

/// Writes a CPU as a profile, `[cpuid.guest]` where it has no name.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    let zero = cpu.entries.iter().find(|entry| entry.answers(Leaf(0), Subleaf(0)));
    let vendor = zero.and_then(|zero| {
        let there = Vendor::from_registers(zero.registers);
        VENDORS.into_iter().find(|(_, vendor)| *vendor == there)
    });
    let (vendor, _) = vendor.ok_or(Unwritable::Vendor)?;
    check_places(&cpu.entries)?;
    let name = cpu.name.as_deref().unwrap_or("guest");
    writeln!(out, "[cpuid.{}]\nvendor = \"{vendor}\"", key(name))?;
    for entry in &cpu.entries {
        let leaf = entry.function.0;
        match entry.is_indexed() {
            true => write!(out, "\"{leaf:x}-{:x}\"", entry.index.0)?,
            false => write!(out, "\"{leaf:x}\"")?,
        }
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        writeln!(out, " = [{eax:#x}, {ebx:#x}, {ecx:#x}, {edx:#x}]")?;
    }
    Ok(())
}

/// A key as TOML has it: in quotes where it must be.
fn key(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return String::from(text);
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                quoted.push_str(&std::format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Every entry has a key of its own, and none is hidden by one for all subleaves.
fn check_places(entries: &[CpuidEntry]) -> Result<(), Unwritable> {
    let mut keys = BTreeSet::new();
    for (at, entry) in entries.iter().enumerate() {
        if !keys.insert((entry.function, entry.is_indexed(), entry.subleaf())) {
            return Err(Unwritable::Twice(at));
        }
        if entry.is_indexed() && keys.contains(&(entry.function, false, Subleaf(0))) {
            return Err(Unwritable::Order(at));
        }
    }
    Ok(())
}
