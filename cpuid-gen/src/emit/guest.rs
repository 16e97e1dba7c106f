//! `guest.rs`: the data that QEMU's code uses to turn a CPU model into a guest. The runtime crate's `guest::tables`
//! documents the rows.

use super::error::GenerateError;
use super::rust::{Rust, names as cells, slice_of_rows};
use super::strings::Strings;
use super::tables::word;
use crate::location::{CpuidWord, Subleaf, WordSource};
use crate::model::guest::{Guest, Target, WordMask};
use crate::model::{Model, QemuRelease};

/// Everything in `guest.rs`.
pub(super) fn tables(model: &Model) -> Result<Rust, GenerateError> {
    let (mut out, mut names) = (Rust::new(), Strings::new());
    let mut guests = Vec::new();
    for release in &model.qemu {
        guests.push(guest(release, &mut names));
    }
    out.rows("GUESTS", "GuestTables", &guests);
    let names: Vec<String> = names.finish()?.into_iter().map(|name| format!("{name:?}")).collect();
    let names = cells(&names);
    out.put(format_args!("pub(crate) static NAMES: [&str; {}] = [{}];\n", names.len, names.text));
    Ok(out)
}

fn guest<'m>(release: &'m QemuRelease, names: &mut Strings<'m>) -> String {
    let guest = &release.guest;
    let deps = guest
        .deps
        .iter()
        .map(|[from, to]| format!("Dependency {{ needed: {}, needing: {} }}", mask(*from), mask(*to)));
    let properties = guest.properties.iter().map(|(name, target)| {
        format!("Property {{ name: {}, target: {} }}", names.id(name), self::target(*target))
    });
    let hyperv = guest.hyperv.iter().map(|bits| {
        let register = CpuidWord { leaf: bits.leaf, subleaf: Subleaf(0), register: bits.register };
        let (feature, register, mask) = (bits.feature, word(&register), bits.mask);
        format!("HypervBits {{ feature: {feature}, register: {register}, mask: {mask:#x} }}")
    });
    let hyperv_deps = guest
        .hyperv_deps
        .iter()
        .map(|[feature, needs]| format!("HypervDependency {{ feature: {feature}, needs: {needs} }}"));
    let xsave = guest.xsave.iter().map(|part| {
        let (number, feature, size) = (part.number, mask(part.feature), part.size);
        format!("Component {{ number: {number}, feature: {feature}, size: {size} }}")
    });
    let columns: [(&str, Vec<String>); 6] = [
        ("words", words(guest)),
        ("deps", deps.collect()),
        ("properties", properties.collect()),
        ("hyperv", hyperv.collect()),
        ("hyperv_deps", hyperv_deps.collect()),
        ("xsave", xsave.collect()),
    ];
    let mut out = Rust::new();
    out.put(format_args!("GuestTables {{\n"));
    for (name, rows) in columns {
        out.put(format_args!("{name}: {},\n", slice_of_rows(&rows)));
    }
    out.put(format_args!("}}"));
    out.text
}

/// Words by index.
fn words(guest: &Guest) -> Vec<String> {
    let count = guest.words.last_key_value().map_or(0, |(word, _)| usize::from(word.0) + 1);
    let none = "GuestWord { source: None, has_subleaf: false, migratable: 0, no_autoenable: 0 }";
    let mut rows = vec![none.to_owned(); count];
    for (index, word) in &guest.words {
        let (source, migratable, off) = (source(word.source), word.migratable, word.no_autoenable);
        let has_subleaf = word.has_subleaf;
        rows[usize::from(index.0)] = format!(
            "GuestWord {{ source: Some({source}), has_subleaf: {has_subleaf}, migratable: {migratable:#x}, \
             no_autoenable: {off:#x} }}"
        );
    }
    rows
}

/// The register of a word, as an expression.
pub(super) fn source(source: WordSource) -> String {
    match source {
        WordSource::Cpuid(at) => format!("WordSource::Cpuid({})", word(&at)),
        WordSource::Msr(msr) => format!("WordSource::Msr(Msr({:#x}))", msr.0),
    }
}

fn mask(bits: WordMask) -> String {
    format!("WordMask {{ word: {}, mask: {:#x} }}", bits.word.0, bits.mask)
}

fn target(target: Target) -> String {
    match target {
        Target::Bits(bits) => format!("Target::Bits({})", mask(bits)),
        Target::Other(index) => format!("Target::Other({index})"),
    }
}
