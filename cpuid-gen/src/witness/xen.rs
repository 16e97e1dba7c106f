//! Xen's cpufeatureset.h and vmcs.h, and the dependencies of gen-cpuid.py.
//!
//! A feature is `XEN_CPUFEATURE(NAME, word*32+bit)`. The comment that opens a word names its register:
//! `CPUID level 0x00000007:1.eax, word 10`, or for an MSR's halves `MSR_ARCH_CAPS 0x10a.eax, word 16`.

use std::collections::BTreeMap;

use super::families::{self, Prefix, macros};
use super::python;
use super::reader::Reader;
use super::tree::WitnessTree;
use crate::c::declare::{closing, split_commas};
use crate::c::preprocess::Unit;
use crate::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf, WordSource};
use crate::pattern::{self, XEN_WORD};
use crate::source::Span;

const FEATURE: &str = "XEN_CPUFEATURE";

/// The capability MSR of each kind of VMX control (Intel SDM, appendix A): the control's number is the bit's, as in
/// QEMU's words. INVVPID's capabilities are the upper half of their MSR. Names are whole macros, since several kinds have a
/// control of the same name.
const CONTROLS: [Prefix; 8] = [
    ("PIN_BASED_", macros(0x48d, 0)),
    ("CPU_BASED_", macros(0x48e, 0)),
    ("SECONDARY_EXEC_", macros(0x48b, 0)),
    ("TERTIARY_EXEC_", macros(0x492, 0)),
    ("VM_EXIT_", macros(0x48f, 0)),
    ("VM_ENTRY_", macros(0x490, 0)),
    ("VMX_EPT_", macros(0x48c, 0)),
    ("VMX_VPID_", macros(0x48c, 32)),
];

pub(super) fn read(reader: &mut Reader<'_, '_>, tree: &WitnessTree) {
    let unit = reader.read(tree.header);
    let Some(words) = words(reader, &unit) else { return };
    features(reader, &unit, &words);
    if let Some(file) = tree.deps {
        python::dependencies(reader, file);
    }
    if let Some(file) = tree.vmx {
        let unit = reader.read(file);
        let roots: Vec<&str> = CONTROLS.iter().map(|(prefix, _)| *prefix).collect();
        families::read(reader, &unit, &roots, &CONTROLS);
    }
}

/// A word's register, and the number of its lowest bit in it.
type Words = BTreeMap<i128, (WordSource, u8)>;

fn words(reader: &mut Reader<'_, '_>, unit: &Unit<'_>) -> Option<Words> {
    let form = reader.diagnostics.take(pattern::compile(XEN_WORD))?;
    let mut words = Words::new();
    for comment in &unit.comments {
        let text = reader.sources.text(*comment);
        // A heading has `word` and a number after a comma; other comments are explanations.
        if !text.contains(", word ") {
            continue;
        }
        let Some(groups) = form.captures(text) else {
            let message =
                "expected the heading of a word: a leaf or an MSR, a register and the word's number";
            reader.diagnostics.error(*comment, message);
            continue;
        };
        let hex = |index: usize| groups.get(index).map(|text| u32::from_str_radix(text.as_str(), 16));
        let (leaf, number) = (hex(1), hex(3));
        let subleaf = groups.get(2).map_or(Ok(0), |text| text.as_str().parse());
        let index: Result<i128, _> = groups[5].parse();
        let register: Result<Register, _> = groups[4].parse();
        let source = match (leaf, number, subleaf, register) {
            (Some(Ok(leaf)), _, Ok(subleaf), Ok(register)) => {
                Some((WordSource::Cpuid(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register)), 0))
            }
            (None, Some(Ok(number)), _, Ok(Register::Eax)) => Some((WordSource::Msr(Msr(number)), 0)),
            (None, Some(Ok(number)), _, Ok(Register::Edx)) => Some((WordSource::Msr(Msr(number)), 32)),
            _ => None,
        };
        match (index, source) {
            (Ok(index), Some(source)) if words.insert(index, source).is_none() => {}
            _ => reader
                .diagnostics
                .error(*comment, "this heading's register or word is not valid, or is repeated"),
        }
    }
    Some(words)
}

fn features<'a>(reader: &mut Reader<'a, '_>, unit: &Unit<'a>, words: &Words) {
    for (index, token) in unit.tokens.iter().enumerate() {
        if !token.is_ident(FEATURE) {
            continue;
        }
        let open = unit.tokens.get(index + 1).filter(|open| open.is("("));
        let end = open.and_then(|_| closing(&unit.tokens, index + 1)).filter(|end| unit.tokens[*end].is(")"));
        let arguments = end.map(|end| split_commas(&unit.tokens[index + 2..end])).unwrap_or_default();
        let [[name], value] = arguments.as_slice() else {
            reader.diagnostics.error(token.span, format!("expected `{FEATURE}(NAME, NUMBER)`"));
            continue;
        };
        let value = reader.value(value, name.span);
        let Some(value) = reader.diagnostics.take(value) else { continue };
        let place = words.get(&value.div_euclid(32));
        let bit = u8::try_from(value.rem_euclid(32)).unwrap_or(0);
        match place {
            Some((source, first)) => reader.add(&name.text, *source, Bit(bit + first), name.span),
            None => no_word(reader, &name.text, value, name.span),
        }
    }
}

fn no_word(reader: &mut Reader<'_, '_>, name: &str, value: i128, at: Span) {
    let word = value.div_euclid(32);
    reader.diagnostics.error(at, format!("`{name}` is in word {word}, which no heading describes"));
}
