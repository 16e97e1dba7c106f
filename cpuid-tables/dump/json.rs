//! Our own JSON: an object for each CPU, one after the other, on a line each when written.
//!
//! ```json
//! {"number":0,"name":"host7","entries":[{"function":"0x7","index":"0x0","flags":1,"eax":"0x0","ebx":"0x20","ecx":"0x0","edx":"0x0"}]}
//! ```
//!
//! `number` and `name` may be left out, of an entry `index` and `flags`, which are 0 then. Numbers may be such or texts, in
//! decimal or after `0x`. `known` of an entry has the bits that are told of eax, ebx, ecx and edx where it is not all.

use std::boxed::Box;
use std::format;
use std::io::Write;
use std::string::String;
use std::vec::Vec;

use serde::Deserialize;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::documents::{Document, Documents, Number};
use super::sink::{ALL, Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::CpuidEntry;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "json",
    about: "an object with `entries` for each CPU",
    marks: &[Mark::SharedText(b"\"entries\""), Mark::MayBegin(b'{'), Mark::MayBegin(b'[')],
    parser: || Box::new(Json::default()),
    style: Some(Style { write, flags: Flags::All, open: true, several: Several::Yes }),
};

/// The reader.
#[derive(Default)]
struct Json {
    documents: Documents,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneCpu {
    number: Option<u32>,
    name: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    function: Number,
    #[serde(default)]
    index: Number,
    #[serde(default)]
    flags: Number,
    eax: Number,
    ebx: Number,
    ecx: Number,
    edx: Number,
    known: Option<[Number; 4]>,
}

fn cpu(document: &Document<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let cpu: OneCpu = document.parse()?;
    sink.start(cpu.number, cpu.name);
    for entry in cpu.entries {
        sink.entry(CpuidEntry {
            function: Leaf(entry.function.0),
            index: Subleaf(entry.index.0),
            flags: entry.flags.0,
            registers: Registers::new(entry.eax.0, entry.ebx.0, entry.ecx.0, entry.edx.0),
        })?;
        sink.only_known(entry.known.map_or(ALL, |known| known.map(|register| register.0).into()));
    }
    sink.finish();
    Ok(())
}

impl Parser for Json {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        self.documents.line(line, false, |document| cpu(&document, sink))
    }

    fn end(&mut self, _sink: &mut Sink) -> Result<(), Fault> {
        self.documents.end()
    }
}

/// Writes a CPU.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    write!(out, "{{")?;
    if let Some(number) = cpu.number {
        write!(out, "\"number\":{number},")?;
    }
    if let Some(name) = &cpu.name {
        write!(out, "\"name\":{},", serde_json::Value::from(name.as_str()))?;
    }
    write!(out, "\"entries\":[")?;
    for (at, entry) in cpu.entries.iter().enumerate() {
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let (function, index, flags) = (entry.function.0, entry.index.0, entry.flags);
        let known = cpu.known(at);
        let known = if known == ALL {
            String::new()
        } else {
            let Registers { eax, ebx, ecx, edx } = known;
            format!(",\"known\":[\"{eax:#x}\",\"{ebx:#x}\",\"{ecx:#x}\",\"{edx:#x}\"]")
        };
        write!(
            out,
            "{}{{\"function\":\"{function:#x}\",\"index\":\"{index:#x}\",\"flags\":{flags},\"eax\":\"{eax:#x}\",\
             \"ebx\":\"{ebx:#x}\",\"ecx\":\"{ecx:#x}\",\"edx\":\"{edx:#x}\"{known}}}",
            if at > 0 { "," } else { "" }
        )?;
    }
    writeln!(out, "]}}")?;
    Ok(())
}
