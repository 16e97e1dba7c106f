//! The output of `verify`: the reviewed differences and the findings, each with the bits that it is about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Atlas;
use super::keys::{keys, location_key, source_key};
use crate::location::{Bit, Place, WordSource};
use crate::verify::Key;

/// For the key of a bit or a register, the indices of the differences about it.
pub(super) type ByBit = BTreeMap<String, Vec<usize>>;

/// The known differences that occurred, and the bits that each is about.
pub(super) fn known(atlas: &Atlas<'_>) -> (Value, ByBit) {
    let index = Index::new(atlas);
    let mut by_bit = ByBit::new();
    let mut rows = Vec::new();
    for (at, one) in atlas.report.explained.iter().enumerate() {
        for bit in index.bits_of(&one.key) {
            by_bit.entry(bit).or_default().push(at);
        }
        rows.push(json!([
            one.key.kind.name(),
            one.key.subject,
            one.key.left,
            one.key.right,
            one.verdict.name(),
            one.reason
        ]));
    }
    (Value::Array(rows), by_bit)
}

/// The findings that no difference explains: message, place, help.
pub(super) fn findings(atlas: &Atlas<'_>) -> Value {
    let rows = atlas.report.findings.iter().map(|found| {
        let place = found.at.map(|at| atlas.sources.place(at));
        let place = place.map(|at| format!("{}:{}:{}", at.file, at.line, at.column));
        json!([found.message, place, found.help])
    });
    rows.collect()
}

/// Bits by the forms in which a difference's columns name them.
struct Index {
    keys: BTreeSet<String>,
    /// Linux's macros and QEMU's names.
    names: BTreeMap<String, BTreeSet<String>>,
    /// Linux's and QEMU's enumerators of words.
    words: BTreeMap<String, WordSource>,
}

impl Index {
    fn new(atlas: &Atlas<'_>) -> Index {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut add = |name: &str, key: &str| {
            for name in name.split('|') {
                names.entry(name.to_owned()).or_default().insert(key.to_owned());
            }
        };
        for feature in &atlas.model.features {
            let key = location_key(feature.location);
            feature.linux.iter().filter_map(|view| view.name.as_deref()).for_each(|name| add(name, &key));
            feature.qemu.iter().filter_map(|view| view.name.as_deref()).for_each(|name| add(name, &key));
        }
        for bit in &atlas.model.msr {
            let key = bit.msr.bit(bit.bit).to_string();
            bit.qemu.iter().filter_map(|view| view.name.as_deref()).for_each(|name| add(name, &key));
        }
        for bit in &atlas.model.software {
            add(&bit.name, &format!("linux:{}", bit.name));
        }
        Index { keys: keys(atlas.model), names, words: words(atlas) }
    }

    /// The bits or registers that a difference is about: those whose place one of its columns states, else those with its name.
    fn bits_of(&self, key: &Key) -> BTreeSet<String> {
        let columns = [&key.subject, &key.left, &key.right];
        let stated: BTreeSet<String> = columns.into_iter().filter_map(|text| self.place(text)).collect();
        if !stated.is_empty() {
            return stated;
        }
        // `linux-feature PSFD`, `kvm-cap CPUID_7_EDX SPEC_CTRL`, `qemu-bit avx2`, `linux-dep XMM3 XMM2`
        let mut words = key.subject.split(' ');
        let sort = words.next().unwrap_or_default();
        let named = sort.starts_with("linux-") || sort.starts_with("kvm-") || sort.starts_with("qemu-");
        let names = words.filter(|_| named).filter_map(|name| self.names.get(name));
        names.flatten().cloned().collect()
    }

    /// `CPUID.(EAX=7,ECX=0):EBX[5]`, `CPUID.(EAX=7,ECX=0):EBX`, `MSR 0x10a[0]`, `FEAT_7_0_EBX[5]`
    fn place(&self, text: &str) -> Option<String> {
        let bit = match text.parse() {
            Ok(Place::Bits(word, low, high)) if low == high => location_key(word.bit(low)),
            Ok(Place::MsrBit(bit)) => bit.to_string(),
            Ok(Place::Register(word)) => return Some(source_key(WordSource::Cpuid(word))),
            _ => {
                let (word, bit) = text.strip_suffix(']')?.split_once('[')?;
                format!("{}[{}]", source_key(*self.words.get(word)?), bit.parse::<u8>().map(Bit).ok()?.0)
            }
        };
        self.keys.contains(&bit).then_some(bit)
    }
}

fn words(atlas: &Atlas<'_>) -> BTreeMap<String, WordSource> {
    let linux = atlas.linux.iter().flat_map(|facts| &facts.words);
    let linux = linux.filter_map(|word| Some((word.name.clone(), WordSource::Cpuid(word.location?))));
    let qemu = atlas.qemu.iter().flat_map(|facts| &facts.words);
    linux.chain(qemu.map(|word| (word.name.clone(), word.source.word_source()))).collect()
}
