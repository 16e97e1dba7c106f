//! Our own JSON: an object for each CPU, one after the other, on a line each when written.
//!
//! ```json
//! {"version":1,"number":0,"name":"host7","entries":[{"function":"0x7","index":"0x0","flags":"0x1","eax":"0x0","ebx":"0x20","ecx":"0x0","edx":"0x0"}]}
//! ```
//!
//! `version`, `number` and `name` may be left out, of an entry `index` and `flags`, which are 0 then. Numbers may be such or
//! texts, in decimal or after `0x`. `known` of an entry has the bits of eax, ebx, ecx and edx where it is not all. `cpuid` in place
//! of `entries` is how VMMs' states call the list. `msrs` has feature MSRs by number; `excerpt` is true where nothing is known of leaves that the entries lack. An object with `cpus` holds several, as
//! commands print them; one with `supported`
//! is a recorded host, of which this is the table of what its KVM supports. The forms are in `serialized/`.

use std::boxed::Box;
use std::io::Write;
use std::string::String;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::documents::{self, Documents};
use super::sink::{Fault, Line, Parser, Sink};
use crate::naming::bits_outside;
use crate::serialized::{Document, KnownEntry, WrittenCpu};

const NOT_OUTSIDE: &str = "no bit outside CPUID has that name";

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "json",
    about: "an object with `entries` for each CPU",
    marks: &[
        Mark::SharedText(b"\"entries\""),
        Mark::SharedText(b"\"cpuid\""),
        Mark::SharedText(b"\"supported\""),
        Mark::MayBegin(b'{'),
        Mark::MayBegin(b'['),
    ],
    parser: || Box::new(Json::default()),
    style: Some(Style { write, flags: Flags::All, open: true, several: Several::Yes }),
};

/// The reader.
#[derive(Default)]
struct Json {
    documents: Documents,
}

fn document(document: &documents::Document<'_>, sink: &mut Sink) -> Result<(), Fault> {
    cpus(document.parse()?, document, sink)
}

fn cpus(document: Document, whole: &documents::Document<'_>, sink: &mut Sink) -> Result<(), Fault> {
    if let Some(all) = document.cpus {
        return all.into_iter().try_for_each(|one| cpus(one, whole, sink));
    }
    let is_host = document.supported.is_some();
    let (name, entries) = match document.supported {
        Some(supported) => (Some(String::from("supported")), supported),
        None => (document.name, document.entries.unwrap_or_default()),
    };
    sink.start(document.number, name);
    let beside = sink.beside();
    for (name, on) in document.outside {
        let bits = bits_outside(&name);
        if bits.is_empty() {
            return Err(whole.fault(&name, NOT_OUTSIDE));
        }
        beside.bits.extend(bits.into_iter().map(|bit| (bit, on)));
    }
    beside.excerpt = document.excerpt;
    beside.hyperv = document.hyperv.map(|entries| entries.iter().map(KnownEntry::entry).collect());
    beside.all_msrs = is_host && document.msrs.as_ref().is_some_and(|msrs| !msrs.is_empty());
    for entry in entries {
        sink.entry(entry.entry())?;
        sink.only_known(entry.known());
    }
    for (msr, value) in document.msrs.unwrap_or_default() {
        sink.msr(msr, value);
    }
    sink.finish();
    Ok(())
}

impl Parser for Json {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        self.documents.line(line, false, |one| document(&one, sink))
    }

    fn end(&mut self, _sink: &mut Sink) -> Result<(), Fault> {
        self.documents.end()
    }
}

/// Writes a CPU.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    let text = serde_json::to_string(&WrittenCpu::new(cpu)).map_err(std::io::Error::from)?;
    writeln!(out, "{text}")?;
    Ok(())
}

impl Cpu {
    /// Its table in our JSON form: `version`, `number`, `name`, `entries` and `msrs`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        // Serializing to a value cannot fail: every key is a text.
        serde_json::to_value(WrittenCpu::new(self)).unwrap_or_default()
    }
}
