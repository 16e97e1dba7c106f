//! The property `feature-words` of a CPU in QEMU (2.x to 10.2), which tells the registers that hold features:
//! `qom-get /machine/unattached/device[0] feature-words` at the human monitor, or the same through QMP.
//!
//! ```json
//! [{"cpuid-register": "EBX", "cpuid-input-ecx": 0, "cpuid-input-eax": 7, "features": 32}]
//! ```
//!
//! A list is a CPU. Registers that it does not name are open. Other lines and answers of the monitor are ignored.

use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

use serde::Deserialize;
use serde_json::Value;

use super::descriptor::{Descriptor, Mark};
use super::documents::{Document, Documents};
use super::sink::{Fault, Line, Parser, Sink};
use super::stated_bits::{StatedBits, entries};
use crate::bits::location::Register;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "qemu-monitor",
    about: "`feature-words` from QEMU's monitor",
    marks: &[Mark::Text(b"cpuid-input-eax")],
    parser: || Box::new(QemuMonitor::default()),
    style: None,
};

const TWICE: &str = "expected each register of a leaf once in a list";

/// The reader.
#[derive(Default)]
struct QemuMonitor {
    documents: Documents,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    #[serde(rename = "cpuid-input-eax")]
    eax: u32,
    #[serde(rename = "cpuid-input-ecx", default)]
    ecx: u32,
    #[serde(rename = "cpuid-register")]
    register: RegisterName,
    features: u32,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum RegisterName {
    Eax,
    Ebx,
    Ecx,
    Edx,
    Esp,
    Ebp,
    Esi,
    Edi,
}

fn words(document: &Document<'_>, words: Vec<Word>, sink: &mut Sink) -> Result<(), Fault> {
    let mut stated = StatedBits::new();
    for word in words {
        let register = match word.register {
            RegisterName::Eax => Register::Eax,
            RegisterName::Ebx => Register::Ebx,
            RegisterName::Ecx => Register::Ecx,
            RegisterName::Edx => Register::Edx,
            // QEMU's type has them; CPUID does not answer in them.
            _ => return Err(document.fault("cpuid-register", "expected EAX, EBX, ECX or EDX")),
        };
        let (registers, known) = stated.entry((word.eax, word.ecx)).or_default();
        if core::mem::replace(&mut known[register], u32::MAX) != 0 {
            return Err(document.fault("cpuid-register", TWICE));
        }
        registers[register] = word.features;
    }
    sink.start(None, None);
    entries(stated, sink)
}

/// The list of words in an answer, if it has one. The human monitor's, asked through QMP, comes as a text.
fn list(value: Value) -> Option<Value> {
    match value {
        Value::Array(ref items)
            if items.first().is_some_and(|word| word.get("cpuid-input-eax").is_some()) =>
        {
            Some(value)
        }
        Value::Object(mut answer) => list(answer.remove("return")?),
        Value::String(text) => serde_json::from_str(&text).ok().and_then(list_in_text),
        _ => None,
    }
}

/// A text holds a list and no further answer.
fn list_in_text(value: Value) -> Option<Value> {
    value.is_array().then(|| list(value))?
}

fn answer(document: &Document<'_>, sink: &mut Sink) -> Result<(), Fault> {
    // What was typed may hold brackets.
    if document.text.starts_with(b"[") {
        if !super::lines::contains(document.text, b"cpuid-input-eax") {
            return Ok(());
        }
        return words(document, document.parse()?, sink);
    }
    let Some(list) = list(document.parse()?) else { return Ok(()) };
    let all = serde_json::from_value(list).map_err(|error| Fault::At {
        line: document.began,
        text: String::from("feature-words"),
        why: std::string::ToString::to_string(&error).into(),
    })?;
    words(document, all, sink)
}

impl Parser for QemuMonitor {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        self.documents.line(line, true, |document| answer(&document, sink))
    }

    fn end(&mut self, _sink: &mut Sink) -> Result<(), Fault> {
        self.documents.end()
    }
}
