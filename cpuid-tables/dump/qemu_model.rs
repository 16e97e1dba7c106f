//! The answer of QEMU's `query-cpu-model-expansion` (QEMU 2.8 to 10.2): a CPU model's properties.
//!
//! ```json
//! {"return": {"model": {"name": "base", "props": {"avx2": true, "family": 6, "vendor": "GenuineIntel"}}}}
//! ```
//!
//! A property is a feature's bit by QEMU's name, true or false, or one of the numbers and texts that stand in CPUID: the
//! levels, vendor, family, model, stepping, model id and the width of addresses. Those of VMX and others that are bits of
//! MSRs are kept beside the table. A full expansion lists every property that this QEMU has: a feature that is not listed
//! can not be given to a guest, and is known to be 0. It keeps the model's name; a static one is called `base` and lists
//! only what differs from that, so that the rest is open. Other answers are ignored.

use std::boxed::Box;
use std::string::String;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::descriptor::{Descriptor, Mark};
use super::documents::{Document, Documents};
use super::sink::{Fault, Line, Parser, Sink};
use super::stated_bits::{StatedBits, entries};
use crate::bits::feature::Feature;
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::bits::lookup::{LookupError, Named};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::QemuRelease;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "qemu-model",
    about: "QEMU's query-cpu-model-expansion",
    marks: &[Mark::Text(b"\"props\"")],
    parser: || Box::new(QemuModel::default()),
    style: None,
};

/// The reader.
#[derive(Default)]
struct QemuModel {
    documents: Documents,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "return")]
    returned: Option<Value>,
    model: Option<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    props: Map<String, Value>,
}

/// Numbers that are a register or a part of one: the property, its place and its bits.
static NUMBERS: [(&str, u32, Register, u32); 6] = [
    ("level", 0, Register::Eax, u32::MAX),
    ("xlevel", 0x8000_0000, Register::Eax, u32::MAX),
    ("xlevel2", 0xc000_0000, Register::Eax, u32::MAX),
    ("level-func7", 7, Register::Eax, u32::MAX),
    ("phys-bits", 0x8000_0008, Register::Eax, 0xff),
    ("avx10-version", 0x24, Register::Ebx, 0xff),
];

fn state(stated: &mut StatedBits, word: CpuidWord, bits: u32, value: u32) {
    let (registers, known) = stated.entry((word.leaf.0, word.subleaf.0)).or_default();
    let register = &mut registers[word.register];
    *register = *register & !bits | value & bits;
    known[word.register] |= bits;
}

/// What a true or false property tells: a bit, or several that have one name.
fn feature(stated: &mut StatedBits, name: &str, on: bool) {
    let mut bit = |feature: Feature| {
        let value = if on { feature.mask() } else { 0 };
        state(stated, feature.location().word, feature.mask(), value);
    };
    match Feature::from_qemu_name(name) {
        Ok(feature) => bit(feature),
        Err(LookupError::Ambiguous(several)) => several.iter().for_each(|named| {
            if let Named::Feature(feature) = named {
                bit(feature);
            }
        }),
        Err(_) => {}
    }
}

/// The property's number, where it has one that CPUID shows: QEMU's "not set" is all ones, or 0 of a width.
fn number(props: &Map<String, Value>, name: &str) -> Option<u32> {
    props
        .get(name)?
        .as_u64()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number != u32::MAX)
}

/// Leaf 1's EAX: family, model and stepping as QEMU's properties set them.
fn signature(props: &Map<String, Value>) -> Option<u32> {
    let [family, model, stepping] = ["family", "model", "stepping"].map(|name| number(props, name));
    let (family, model, stepping) = (family?, model?, stepping?);
    let family =
        if family > 0xf { 0xf00 | family.checked_sub(0xf)?.checked_mul(1 << 20)? } else { family << 8 };
    Some(family | (model & 0xf) << 4 | (model >> 4 & 0xf) << 16 | stepping & 0xf)
}

/// Four bytes of a text, zeros after its end.
fn four(text: &str, at: usize) -> u32 {
    let byte = |at| text.as_bytes().get(at).copied().unwrap_or(0);
    u32::from_le_bytes([byte(at), byte(at + 1), byte(at + 2), byte(at + 3)])
}

fn properties(props: &Map<String, Value>) -> StatedBits {
    let mut stated = StatedBits::new();
    for (name, value) in props {
        if let Some(on) = value.as_bool() {
            feature(&mut stated, name, on);
        }
    }
    for (name, leaf, register, bits) in NUMBERS {
        let is_set = |number: &u32| leaf == 0 || bits == u32::MAX && leaf != 0xc000_0000 || *number != 0;
        if let Some(number) = number(props, name).filter(is_set) {
            state(&mut stated, CpuidWord::new(Leaf(leaf), Subleaf(0), register), bits, number);
        }
    }
    if let Some(signature) = signature(props) {
        state(&mut stated, CpuidWord::new(Leaf(1), Subleaf(0), Register::Eax), u32::MAX, signature);
    }
    if let Some(vendor) = props.get("vendor").and_then(Value::as_str).filter(|vendor| vendor.len() == 12) {
        for (register, at) in [(Register::Ebx, 0), (Register::Edx, 4), (Register::Ecx, 8)] {
            state(&mut stated, CpuidWord::new(Leaf(0), Subleaf(0), register), u32::MAX, four(vendor, at));
        }
    }
    if let Some(id) = props.get("model-id").and_then(Value::as_str) {
        for ((leaf, register), at) in brand_registers().zip((0..48).step_by(4)) {
            state(&mut stated, CpuidWord::new(Leaf(leaf), Subleaf(0), register), u32::MAX, four(id, at));
        }
    }
    stated
}

/// The registers of the model id, in order.
fn brand_registers() -> impl Iterator<Item = (u32, Register)> {
    (0x8000_0002..0x8000_0005).flat_map(|leaf| Register::ALL.map(|register| (leaf, register)))
}

/// What a full expansion does not list is off.
fn complete(stated: &mut StatedBits) {
    let named = |feature: &Feature| {
        QemuRelease::ALL.into_iter().any(|release| feature.qemu_names(release).next().is_some())
    };
    for feature in Feature::all().filter(named) {
        let location = feature.location();
        let known = stated.get(&(location.word.leaf.0, location.word.subleaf.0));
        if known.is_none_or(|(_, known)| known[location.word.register] & feature.mask() == 0) {
            state(stated, location.word, feature.mask(), 0);
        }
    }
}

/// Features that are bits of MSRs.
fn msr_bits(props: &Map<String, Value>, full: bool) -> impl Iterator<Item = (Named, bool)> {
    let listed = |bit: MsrFeature| {
        let mut names = QemuRelease::ALL.into_iter().flat_map(move |release| bit.qemu_names(release));
        names.find_map(|name| props.get(name)?.as_bool())
    };
    MsrFeature::all().filter_map(move |bit| Some((Named::Msr(bit), listed(bit).or(full.then_some(false))?)))
}

fn answer(document: &Document<'_>, sink: &mut Sink) -> Result<(), Fault> {
    if !document.text.starts_with(b"{") || !super::lines::contains(document.text, b"\"props\"") {
        return Ok(());
    }
    let answer: Answer = document.parse()?;
    let inner = answer.returned.and_then(|returned| returned.get("model").cloned());
    let inner = inner.map(Model::deserialize).transpose().map_err(|error| Fault::At {
        line: document.began,
        text: String::from("\"model\""),
        why: std::string::ToString::to_string(&error).into(),
    })?;
    if let Some(model) = inner.or(answer.model) {
        let full = model.name != "base";
        let mut stated = properties(&model.props);
        if full {
            complete(&mut stated);
        }
        sink.start(None, Some(model.name));
        sink.beside().bits = msr_bits(&model.props, full).collect();
        sink.beside().complete = full;
        entries(stated, sink)?;
    }
    Ok(())
}

impl Parser for QemuModel {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        self.documents.line(line, true, |document| answer(&document, sink))
    }

    fn end(&mut self, _sink: &mut Sink) -> Result<(), Fault> {
        self.documents.end()
    }
}
