//! The bits: what each release of each project states about each bit, and its dependencies.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Atlas;
use super::keys::{kernel_key, location_key, node_key, source_key, word_key};
use super::known::ByBit;
use super::per_release::{per_release, texts};
use crate::facts::{BitPlace, Witness};
use crate::location::{Bit, CpuidWord, Location, MsrBit, Subleaf, WordSource};
use crate::model::{Feature, KvmTreatment, Model};

/// The registers that are a word of a project: each with Linux's and QEMU's enumerator in each release.
pub(super) fn registers(atlas: &Atlas<'_>, known: &ByBit) -> Value {
    /// A name for each release of Linux, and for each of QEMU.
    type Names<'n> = (Vec<Option<&'n str>>, Vec<Option<&'n str>>);
    let (linux, qemu) = (atlas.model.linux.len(), atlas.model.qemu.len());
    let mut all: BTreeMap<WordSource, Names<'_>> = BTreeMap::new();
    let empty = || (vec![None; linux], vec![None; qemu]);
    for (release, facts) in atlas.linux() {
        for word in &facts.words {
            let Some(location) = word.location else { continue };
            all.entry(WordSource::Cpuid(location)).or_insert_with(empty).0[release] = Some(&word.name);
        }
    }
    for (release, facts) in atlas.qemu() {
        for word in &facts.words {
            all.entry(word.source.word_source()).or_insert_with(empty).1[release] = Some(&word.name);
        }
    }
    let rows = all.into_iter().map(|(source, (linux, qemu))| {
        let at = source_key(source);
        let known = known.get(&at).cloned().unwrap_or_default();
        json!({"at": at, "linux": texts(linux), "qemu": texts(qemu), "known": known})
    });
    rows.collect()
}

/// The bits of CPUID registers and MSRs, by location.
pub(super) fn hardware(atlas: &Atlas<'_>, known: &ByBit) -> Value {
    let mut all: BTreeMap<Key, Map<String, Value>> = BTreeMap::new();
    for feature in &atlas.model.features {
        all.insert(Key::Cpuid(feature.location), feature_row(feature));
    }
    for bit in &atlas.model.msr {
        let mut row = Map::new();
        row.insert("name".to_owned(), json!(bit.constant));
        add(&mut row, "qemu", texts(bit.qemu.iter().map(|view| view.name.as_deref())));
        all.insert(Key::Msr(bit.msr.bit(bit.bit)), row);
    }
    add_msr_names(atlas, &mut all);
    add_hyperv(atlas, &mut all);
    add_other_names(atlas, &mut all);
    let rows = all.into_iter().map(|(key, mut row)| {
        let key = key.text();
        if let Some(known) = known.get(&key) {
            row.insert("known".to_owned(), json!(known));
        }
        row.insert("at".to_owned(), json!(key));
        Value::Object(row)
    });
    rows.collect()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Cpuid(Location),
    Msr(MsrBit),
}

impl Key {
    fn text(self) -> String {
        match self {
            Key::Cpuid(location) => location_key(location),
            Key::Msr(bit) => bit.to_string(),
        }
    }
}

fn feature_row(feature: &Feature) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("name".to_owned(), json!(feature.constant));
    let (linux, qemu) = (|| feature.linux.iter(), &feature.qemu);
    add(&mut row, "linux", texts(linux().map(|view| view.name.as_deref())));
    add(&mut row, "flag", texts(linux().map(|view| view.flag.as_deref())));
    add(&mut row, "kernel", per_release(linux().map(|view| json!(view.kernel.map(|at| at.to_string())))));
    add(&mut row, "kvm", per_release(linux().map(|view| treatment(KvmTreatment::from_view(view)))));
    let caps = linux().map(|view| view.caps.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" "));
    add(&mut row, "caps", per_release(caps.map(|caps| json!((!caps.is_empty()).then_some(caps)))));
    let own = linux().map(|view| json!((view.name.is_some() && view.kernel.is_none()).then_some(true)));
    add(&mut row, "kvm_only", per_release(own));
    add(&mut row, "qemu", texts(qemu.iter().map(|view| view.name.as_deref())));
    row
}

/// The index in [`KvmTreatment::ALL`]; null if unknown.
fn treatment(treatment: KvmTreatment) -> Value {
    if treatment == KvmTreatment::Unknown { Value::Null } else { json!(treatment as u8) }
}

/// Adds a value unless no release has one.
fn add(row: &mut Map<String, Value>, key: &str, value: Value) {
    if !value.is_null() {
        row.insert(key.to_owned(), value);
    }
}

/// What Linux's msr-index.h names: the model has only QEMU's names of MSRs' bits.
fn add_msr_names(atlas: &Atlas<'_>, all: &mut BTreeMap<Key, Map<String, Value>>) {
    let mut names: BTreeMap<MsrBit, Vec<Option<&str>>> = BTreeMap::new();
    for (release, facts) in atlas.linux() {
        for row in &facts.msr_bits {
            let none = || vec![None; atlas.model.linux.len()];
            names.entry(row.msr.bit(row.bit)).or_insert_with(none)[release] = Some(&row.name);
        }
    }
    for (bit, linux) in names {
        all.entry(Key::Msr(bit)).or_default().insert("linux".to_owned(), texts(linux));
    }
}

/// The bits that QEMU's Hyper-V properties set, which are not in feature words. One property may set several bits, and several
/// properties the same bit.
fn add_hyperv(atlas: &Atlas<'_>, all: &mut BTreeMap<Key, Map<String, Value>>) {
    let mut names: BTreeMap<Location, Vec<Vec<&str>>> = BTreeMap::new();
    for (release, facts) in atlas.qemu() {
        for row in &facts.hyperv {
            let word = CpuidWord::new(row.leaf, Subleaf(0), row.register);
            for bit in (0..32).filter(|bit| row.mask >> bit & 1 == 1) {
                let location = word.bit(Bit(bit));
                let none = || vec![Vec::new(); atlas.model.qemu.len()];
                names.entry(location).or_insert_with(none)[release].push(&row.property);
            }
        }
    }
    for (location, releases) in names {
        let names = releases.into_iter().map(|names| (!names.is_empty()).then(|| names.join("|")));
        let row = all.entry(Key::Cpuid(location)).or_default();
        row.entry("qemu".to_owned()).or_insert(per_release(names.map(|names| json!(names))));
    }
}

/// The witnesses' names. If a witness has several names for a bit, the last one is used.
fn add_other_names(atlas: &Atlas<'_>, all: &mut BTreeMap<Key, Map<String, Value>>) {
    for (project, title) in Witness::ALL {
        let releases: Vec<_> = atlas.releases_of(project).collect();
        let mut names: BTreeMap<Key, Vec<Option<&str>>> = BTreeMap::new();
        for (release, facts) in releases.iter().enumerate() {
            for bit in &facts.bits {
                let at = match bit.place {
                    BitPlace::Cpuid(location) => Key::Cpuid(location),
                    BitPlace::Msr(bit) => Key::Msr(bit),
                };
                names.entry(at).or_insert_with(|| vec![None; releases.len()])[release] = Some(&bit.name);
            }
        }
        for (at, names) in names {
            all.entry(at).or_default().insert(title.to_ascii_lowercase(), texts(names));
        }
    }
}

/// The fields of several bits, and the bits that only cpuid.csv describes.
pub(super) fn fields(model: &Model) -> Value {
    let rows = model.fields.iter().map(|field| {
        let place = &field.place;
        let word = CpuidWord::new(place.leaf, place.first, place.register);
        let mut row = Map::new();
        row.insert("at".to_owned(), json!(word_key(word)));
        row.insert("low".to_owned(), json!(place.low.0));
        row.insert("high".to_owned(), json!(place.high.0));
        if place.last > place.first {
            row.insert("last".to_owned(), json!(place.last.0));
        }
        row.insert("name".to_owned(), json!(field.name));
        row.insert("linux".to_owned(), texts(field.linux.iter().map(Option::as_deref)));
        Value::Object(row)
    });
    rows.collect()
}

/// The bits that only Linux numbers, each with its place in each release.
pub(super) fn kernel(atlas: &Atlas<'_>, known: &ByBit) -> Value {
    let model = atlas.model;
    let kinds = [("linux", &model.software), ("bug", &model.bugs), ("vmx", &model.vmx)];
    let rows = kinds.into_iter().flat_map(|(kind, bits)| {
        bits.iter().map(move |bit| {
            let views = || bit.linux.iter().map(Option::as_ref);
            let key = kernel_key(kind, bit);
            let mut row = Map::new();
            row.insert("name".to_owned(), json!(bit.name));
            add(&mut row, "kernel", per_release(views().map(|v| json!(v.map(|v| v.place.to_string())))));
            add(&mut row, "flag", texts(views().map(|view| view.and_then(|view| view.flag.as_deref()))));
            if let Some(known) = known.get(&key) {
                row.insert("known".to_owned(), json!(known));
            }
            row.insert("at".to_owned(), json!(key));
            Value::Object(row)
        })
    });
    rows.collect()
}

/// The stated dependencies: the bit, the bits of which it needs one, the releases that state this.
pub(super) fn needs(model: &Model) -> Value {
    let stated = |releases: &[bool], names: Vec<&str>| -> Vec<String> {
        let all = releases.iter().zip(names).filter(|(states, _)| **states);
        all.map(|(_, name)| name.to_owned()).collect()
    };
    let rows = model.dependencies.stated.iter().map(|one| {
        let linux = stated(&one.linux, model.linux.iter().map(|release| release.name.as_str()).collect());
        let qemu = stated(&one.qemu, model.qemu.iter().map(|release| release.name.as_str()).collect());
        let needs: Vec<String> = one.needs.iter().map(|node| node_key(model, *node)).collect();
        let mut row = Map::new();
        row.insert("at".to_owned(), json!(node_key(model, one.node)));
        row.insert("needs".to_owned(), json!(needs));
        row.insert("linux".to_owned(), json!(linux));
        row.insert("qemu".to_owned(), json!(qemu));
        if one.withdrawn {
            row.insert("withdrawn".to_owned(), json!(true));
        }
        Value::Object(row)
    });
    rows.collect()
}
