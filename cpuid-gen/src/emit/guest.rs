//! `guest.rs`: the data that QEMU's code uses to turn a CPU model into a guest. The runtime crate's `guest::tables`
//! documents the rows.

use super::error::GenerateError;
use super::layout::fits;
use super::rust::{Rust, slice_of_rows};
use super::strings::Strings;
use super::tables::word;
use super::texts::texts;
use crate::location::{CpuidWord, Subleaf, WordSource};
use crate::model::guest::{Guest, Target, WordMask};
use crate::model::{Model, QemuRelease};

/// Everything in `guest.rs`.
pub(super) fn tables(model: &Model) -> Result<Rust, GenerateError> {
    let (mut out, mut names, mut masks) = (Rust::new(), Strings::new(), Vec::new());
    let mut guests = Vec::new();
    for release in &model.qemu {
        guests.push(guest(release, &mut names, &mut masks)?);
    }
    out.rows("GUESTS", "GuestTables", &guests);
    texts(&mut out, ["NAMES", "NAME_STARTS"], &names.finish()?)?;
    let masks: Vec<String> = masks.iter().map(|mask| format!("{mask:#x}")).collect();
    out.rows("MASKS", "u64", &masks);
    Ok(out)
}

fn guest<'m>(
    release: &'m QemuRelease,
    names: &mut Strings<'m>,
    masks: &mut Vec<u64>,
) -> Result<String, GenerateError> {
    let guest = &release.guest;
    let deps = guest
        .deps
        .iter()
        .map(|[from, to]| format!("Dependency {{ needed: {}, needing: {} }}", mask(*from), mask(*to)));
    let mut properties = Vec::new();
    for (name, target) in &guest.properties {
        let (name, target) = (names.id(name), packed(*target, masks)?);
        properties.push(format!("Property {{ name: {name}, target: {target} }}"));
    }
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
        ("properties", properties),
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
    Ok(out.text)
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

/// What a property sets, as an expression of four bytes: several bits are the number of a mask.
fn packed(target: Target, masks: &mut Vec<u64>) -> Result<String, GenerateError> {
    let WordMask { word, mask } = match target {
        Target::Bits(bits) => bits,
        Target::Other(index) => return Ok(format!("Packed::Other({index})")),
    };
    fits("words of one release", usize::from(word.0), usize::from(u8::MAX))?;
    if mask.is_power_of_two() {
        return Ok(format!("Packed::Bit({}, {})", word.0, mask.trailing_zeros()));
    }
    let known = masks.iter().position(|known| *known == mask);
    let at = known.unwrap_or_else(|| {
        masks.push(mask);
        masks.len() - 1
    });
    fits("masks of properties", at, usize::from(u8::MAX))?;
    Ok(format!("Packed::Bits({}, {at})", word.0))
}
