//! libvirt's CPU map: src/cpu_map/x86_features.xml and the CPU models in the same folder.
//!
//! A feature has masks of a leaf's registers or of an MSR; each bit of a mask has the feature's name. A VMX control is
//! at the bit of its number, as in QEMU's words. `<alias>` repeats a QEMU name, which QEMU's own facts contain.

use super::reader::Reader;
use super::tree::WitnessTree;
use super::xml::{Element, elements};
use crate::diagnostic::Diagnostic;
use crate::facts::{WitnessFacts, WitnessModel};
use crate::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf, WordSource};
use crate::source::Span;

/// What a model may contain.
const OF_MODEL: [&str; 6] = ["check", "decode", "feature", "model", "signature", "vendor"];

pub(super) fn read(reader: &mut Reader<'_, '_>, tree: &WitnessTree) {
    let found = elements(reader.sources, tree.header).and_then(|all| features(reader, &all));
    reader.diagnostics.take(found);
    for file in &tree.models {
        let found = elements(reader.sources, *file).and_then(|all| models(&mut reader.facts, &all));
        reader.diagnostics.take(found);
    }
}

fn features(reader: &mut Reader<'_, '_>, all: &[Element]) -> Result<(), Diagnostic> {
    let mut name = "";
    for element in all {
        match (element.depth, element.name.as_str()) {
            (0, "cpus") => element.only(&[])?,
            (1, "feature") => {
                element.only(&["name", "migratable"])?;
                name = element.text("name")?;
            }
            (2, "cpuid") => cpuid(reader, name, element)?,
            (2, "msr") => msr(reader, name, element)?,
            (2, "alias") => element.only(&["name", "source"])?,
            _ => return Err(unexpected(element, "a <feature> with <cpuid>, <msr> and <alias>")),
        }
    }
    Ok(())
}

fn unexpected(element: &Element, wanted: &str) -> Diagnostic {
    element.error(format!("unexpected <{}>: expected {wanted}", element.name))
}

fn cpuid(reader: &mut Reader<'_, '_>, name: &str, element: &Element) -> Result<(), Diagnostic> {
    element.only(&["eax_in", "ecx_in", "eax", "ebx", "ecx", "edx"])?;
    let leaf = Leaf(element.number("eax_in")?);
    let subleaf = Subleaf(element.optional("ecx_in").map_or(Ok(0), |_| element.number("ecx_in"))?);
    for register in Register::ALL {
        let key = register.name().to_ascii_lowercase();
        if element.optional(&key).is_none() {
            continue;
        }
        let mask = element.number(&key)?;
        let word = WordSource::Cpuid(CpuidWord::new(leaf, subleaf, register));
        add_all(reader, name, (word, mask.into()), element.at);
    }
    Ok(())
}

fn msr(reader: &mut Reader<'_, '_>, name: &str, element: &Element) -> Result<(), Diagnostic> {
    element.only(&["index", "eax", "edx"])?;
    let index = element.number("index")?;
    let (low, high) = (element.number("eax")?, element.number("edx")?);
    let mask = u64::from(high) << 32 | u64::from(low);
    add_all(reader, name, (WordSource::Msr(Msr(index)), mask), element.at);
    Ok(())
}

fn add_all(reader: &mut Reader<'_, '_>, name: &str, (source, mask): (WordSource, u64), at: Span) {
    for bit in (0..64).filter(|bit| mask >> bit & 1 == 1) {
        reader.add(name, source, Bit(bit), at);
    }
}

fn models(facts: &mut WitnessFacts, all: &[Element]) -> Result<(), Diagnostic> {
    let mut model: Option<WitnessModel> = None;
    for element in all {
        match (element.depth, element.name.as_str()) {
            (0, "cpus") => element.only(&[])?,
            (1, "model") => {
                facts.models.extend(model.take().filter(|model| !model.signatures.is_empty()));
                let name = element.text("name")?.to_owned();
                model = Some(WitnessModel { name, signatures: Vec::new(), at: element.at });
            }
            (2, "signature") => {
                element.only(&["family", "model", "stepping"])?;
                let signature = (element.number("family")?, element.number("model")?);
                if let Some(own) = model.as_mut().filter(|own| !own.signatures.contains(&signature)) {
                    own.signatures.push(signature);
                }
            }
            (2, name) if OF_MODEL.contains(&name) => {}
            _ => return Err(unexpected(element, "a <model> with features and signatures")),
        }
    }
    facts.models.extend(model.filter(|model| !model.signatures.is_empty()));
    Ok(())
}
