//! What the page holds.

use std::collections::BTreeMap;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::records::BitPlace;
use cpuid_gen::input;
use cpuid_gen::location::{CpuidWord, Location, WordSource};
use cpuid_gen::source::Sources;
use serde_json::Value;

use super::{make, pinned};

/// Of the page, what a browser would load from a network.
const LOADS: [&str; 8] =
    ["http:", "https:", "src=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("];

fn facts(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"<script id="facts" type="application/json">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// The rows of a list by their key.
fn by_key(facts: &Value, list: &str) -> BTreeMap<String, Value> {
    let rows = facts[list].as_array().unwrap();
    let all: BTreeMap<String, Value> =
        rows.iter().map(|row| (row["at"].as_str().unwrap().to_owned(), row.clone())).collect();
    assert_eq!(all.len(), rows.len(), "a key of `{list}` is there twice");
    all
}

/// A release's value: of one for all releases or of an array.
fn value(row: &Value, column: &str, release: usize) -> Option<String> {
    let value = &row[column];
    let own = value.as_array().map_or(value, |all| &all[release]);
    own.as_str().map(str::to_owned)
}

fn key(source: WordSource, bit: u8) -> String {
    match source {
        WordSource::Cpuid(CpuidWord { leaf, subleaf, register }) => {
            let leaf = if leaf.0 < 10 { leaf.0.to_string() } else { format!("{:#x}", leaf.0) };
            format!("{leaf}.{}.{}[{bit}]", subleaf.0, register.name().to_lowercase())
        }
        WordSource::Msr(msr) => format!("MSR {:#x}[{bit}]", msr.0),
    }
}

fn location_key(location: Location) -> String {
    key(WordSource::Cpuid(location.word), location.bit.0)
}

#[test]
fn page_is_small_loads_nothing_and_is_reproducible() {
    let page = &pinned().page;
    assert!(page.len() < 1_000_000, "the page has {} bytes", page.len());
    for loads in LOADS {
        assert!(!page.contains(loads), "the page has `{loads}`");
    }
    assert!(page.contains("default-src 'none'"));
    for marker in ["/*STYLE*/", "/*DATA*/", "/*SCRIPT*/"] {
        assert!(!page.contains(marker), "{marker} was not replaced");
    }
    assert_eq!(*page, make().page);
}

#[test]
fn page_has_every_bit_of_linux() {
    let facts = facts(&pinned().page);
    let (bits, kernel) = (by_key(&facts, "bits"), by_key(&facts, "kernel"));
    let mut checked = 0;
    for (release, linux) in pinned().linux.iter().enumerate() {
        for row in &linux.features {
            let place = format!("{}*32+{}", row.word.0, row.bit.0);
            let of_name = |kept: &Value| value(kept, "linux", release).as_deref() == Some(&row.name);
            let is = |kept: &&Value| value(kept, "kernel", release).as_deref() == Some(&place);
            let software = kernel.get(&format!("linux:{}", row.name)).filter(is);
            let hardware = bits.values().filter(|kept| of_name(kept)).find(is);
            let found =
                software.or(hardware).unwrap_or_else(|| panic!("{} {}: no {place}", linux.release, row.name));
            assert_eq!(value(found, "flag", release), row.flag, "{} {}", linux.release, row.name);
            checked += 1;
        }
        for (kind, rows) in [("bug", &linux.bugs), ("vmx", &linux.vmx)] {
            for row in rows {
                let found = &kernel[&format!("{kind}:{}", row.name)];
                let place = format!("{}*32+{}", row.word.0, row.bit.0);
                assert_eq!(value(found, "kernel", release), Some(place), "{kind} {}", row.name);
                checked += 1;
            }
        }
        for row in &linux.kvm_para {
            let found = value(&bits[&location_key(row.location)], "linux", release);
            assert_eq!(found, Some(row.macro_name()));
            checked += 1;
        }
        for row in &linux.msr_bits {
            let found = &bits[&key(WordSource::Msr(row.msr), row.bit.0)];
            assert_eq!(value(found, "linux", release).as_ref(), Some(&row.name));
            checked += 1;
        }
    }
    assert!(checked > 1000, "{checked}");
}

#[test]
fn page_has_every_field_of_the_newest_cpuid_csv() {
    let facts = facts(&pinned().page);
    let bits = by_key(&facts, "bits");
    let fields = facts["fields"].as_array().unwrap();
    let newest = pinned().linux.last().unwrap();
    for row in &newest.cpuid_fields {
        let first = key(WordSource::Cpuid(CpuidWord::new(row.leaf, row.first, row.register)), row.low.0);
        let is = |field: &&Value| {
            let at = format!("{}[{}]", field["at"].as_str().unwrap(), field["low"]);
            at == first && field["high"] == row.high.0
        };
        assert!(
            bits.contains_key(&first) || fields.iter().any(|field| is(&field)),
            "{} at {first}",
            row.name
        );
    }
}

#[test]
fn page_has_every_bit_and_model_of_qemu() {
    let facts = facts(&pinned().page);
    let bits = by_key(&facts, "bits");
    let models = facts["models"].as_array().unwrap();
    let mut checked = 0;
    for (release, qemu) in pinned().qemu.iter().enumerate() {
        let words: BTreeMap<&str, WordSource> =
            qemu.words.iter().map(|word| (word.name.as_str(), word.source.word_source())).collect();
        for row in &qemu.bits {
            let found = &bits[&key(words[row.word.as_str()], row.bit.0)];
            let kept = value(found, "qemu", release).unwrap();
            assert!(kept.split('|').any(|name| row.names().any(|own| own == name)), "{} is {kept}", row.name);
            checked += 1;
        }
        for model in &qemu.models {
            for version in 1..=model.versions.len().max(1) {
                let name = format!("{}-v{version}", model.name);
                let found = models.iter().find(|kept| kept["name"] == *name).unwrap();
                let definitions = found["definitions"].as_array().unwrap();
                let of_release = definitions
                    .iter()
                    .filter(|one| one["qemu"].as_array().unwrap().contains(&release.into()));
                assert_eq!(of_release.count(), 1, "{name} of {}", qemu.release);
                checked += 1;
            }
        }
        for row in &qemu.hyperv {
            for bit in (0..32).filter(|bit| row.mask >> bit & 1 == 1) {
                let word = CpuidWord::new(row.leaf, cpuid_gen::location::Subleaf(0), row.register);
                let found = &bits[&key(WordSource::Cpuid(word), bit)];
                assert!(value(found, "qemu", release).unwrap().split('|').any(|name| name == row.property));
                checked += 1;
            }
        }
    }
    assert!(checked > 1000, "{checked}");
}

#[test]
fn page_has_every_name_of_the_witnesses() {
    let bits = by_key(&facts(&pinned().page), "bits");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let witnesses = input::pinned_witnesses(&mut sources, &mut diagnostics);
    assert_eq!(witnesses.len(), 5);
    for facts in witnesses {
        let project = facts.project.name().to_lowercase();
        for bit in &facts.bits {
            // `7.0.ebx[5]` and `MSR 0x10a[8]`.
            let key = match bit.place {
                BitPlace::Msr(at) => at.to_string(),
                BitPlace::Cpuid(at) => {
                    let (leaf, register) = (at.word.leaf.0, at.word.register.name().to_lowercase());
                    let leaf = if leaf < 10 { leaf.to_string() } else { format!("{leaf:#x}") };
                    format!("{leaf}.{}.{register}[{}]", at.word.subleaf.0, at.bit.0)
                }
            };
            // A project may have several names for a bit: the last one is shown.
            let same = facts.bits.iter().filter(|other| other.place == bit.place);
            let shown = &bits[&key][&project];
            assert!(same.map(|other| &other.name).any(|name| shown == name), "{key} {}: {shown}", bit.name);
        }
    }
}

#[test]
fn page_has_every_known_difference() {
    let facts = facts(&pinned().page);
    let known = facts["known"].as_array().unwrap();
    assert_eq!(pinned().known, known.len());
    assert!(known.len() > 400);
    assert_eq!(facts["findings"], Value::Array(Vec::new()));
    // PSFD was renamed: both the location and its old name lead to it.
    let about = |key: &str| by_key(&facts, "bits")[key]["known"].as_array().map_or(0, Vec::len);
    assert!(about("0x80000008.0.ebx[28]") > 0);
}
