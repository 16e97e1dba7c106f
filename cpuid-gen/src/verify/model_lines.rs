//! Compares each of QEMU's CPU models with the models before and after it in its line of processors.
//!
//! Only bits of which no public dump shows whether the processor has them: those of MSRs, and of processors without a
//! dump. The newest version of a model counts. A row of the differences without a model explains a bit in every model.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::model_places;
use super::numbers;
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuBit, QemuSource, QemuWord};
use crate::location::{Location, Word};
use crate::model::cpu_models::CpuModel;
use crate::ordered::Map;

/// Runs the checks.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    for line in &findings.differences().lines {
        let models: Vec<&CpuModel> = line.iter().filter_map(|name| model(index, name)).collect();
        if models.len() < 3 {
            continue;
        }
        check_vendors(index, &models, findings);
        let uneven = uneven(index, &models);
        for bit in &index.facts.bits {
            let known = is_among(index, &uneven, bit).then(|| place(index, bit)).flatten();
            if let Some(known) = known {
                check_bit(index, &models, (bit, &known), findings);
            }
        }
    }
}

fn model<'i>(index: &'i QemuIndex<'_>, name: &str) -> Option<&'i CpuModel> {
    index.models.iter().find(|model| model.name == name)
}

/// A line of processors is one vendor's.
fn check_vendors(index: &QemuIndex<'_>, models: &[&CpuModel], findings: &mut Findings<'_>) {
    let mut counts: Map<&str, usize> = Map::new();
    for model in models {
        *counts.or_default(&model.base.vendor) += 1;
    }
    let Some((common, _)) = counts.iter().max_by_key(|(_, count)| **count) else { return };
    for model in models.iter().filter(|model| model.base.vendor != *common) {
        let key = Key::new(Kind::ModelVendor, &model.name, &model.base.vendor, *common);
        findings.add(key, &[&index.release], || {
            let row = index.facts.models.iter().find(|row| row.name == model.name);
            let message = format!("`{}` has the vendor {}", model.name, model.base.vendor);
            Diagnostic::error(row.map_or(index.facts.at, |row| row.at), message)
                .with_help(format!("the other models of its line of processors have {common}"))
        });
    }
}

/// A bit's place: as text, and its location if it is a bit of CPUID.
struct Place {
    shown: String,
    location: Option<Location>,
}

fn place(index: &QemuIndex<'_>, bit: &QemuBit) -> Option<Place> {
    let word = index.rows.words.get(bit.word.as_str())?;
    match (word.source, word.source.cpuid_word()) {
        (QemuSource::Msr(msr), _) => Some(Place { shown: numbers::shown(msr, bit.bit), location: None }),
        (_, Some(word)) => {
            let location = word.bit(bit.bit);
            Some(Place { shown: location.to_string(), location: Some(location) })
        }
        (_, None) => None,
    }
}

/// The masks of a model's newest version.
fn masks(model: &CpuModel) -> &Map<Word, u64> {
    &model.versions.last().map_or(&model.base, |version| &version.definition).words
}

/// The bits that some of the models have and others lack.
fn uneven(index: &QemuIndex<'_>, models: &[&CpuModel]) -> Map<Word, u64> {
    let of_word = |row: &&QemuWord| {
        let held = models.iter().map(|model| masks(model).get(&row.index).copied().unwrap_or(0));
        let (any, all) = held.fold((0, u64::MAX), |(any, all), mask| (any | mask, all & mask));
        (row.index, any & !all)
    };
    index.rows.words.values().map(of_word).collect()
}

fn is_among(index: &QemuIndex<'_>, masks: &Map<Word, u64>, bit: &QemuBit) -> bool {
    let word = index.rows.words.get(bit.word.as_str());
    word.and_then(|word| masks.get(&word.index)).is_some_and(|mask| mask >> bit.bit.0 & 1 == 1)
}

fn check_bit(
    index: &QemuIndex<'_>,
    models: &[&CpuModel],
    (bit, place): (&QemuBit, &Place),
    findings: &mut Findings<'_>,
) {
    let held: Vec<bool> = models.iter().map(|model| is_among(index, masks(model), bit)).collect();
    for (at, model) in models.iter().enumerate() {
        if is_dumped(&model.name, place, findings) {
            continue;
        }
        let older = held[..at].iter().rposition(|held| *held).map(|older| models[older]);
        let newer = held[at + 1..].iter().position(|held| *held).map(|newer| models[at + 1 + newer]);
        let beside = at.checked_sub(1).map(|older| held[older]).zip(held.get(at + 1).copied());
        match (held[at], older, newer) {
            (false, Some(older), Some(newer)) => {
                let why = format!("`{}` and `{}` have it", older.name, newer.name);
                add(Kind::ModelGap, (index, model), (bit, place), &why, findings);
            }
            (true, ..) if beside == Some((false, false)) => {
                let why = format!("neither `{}` nor `{}` has it", models[at - 1].name, models[at + 1].name);
                add(Kind::ModelOdd, (index, model), (bit, place), &why, findings);
            }
            _ => {}
        }
    }
}

/// True if a dump shows whether the processor has the bit: other checks compare it.
fn is_dumped(model: &str, place: &Place, findings: &Findings<'_>) -> bool {
    let mut processors = findings.differences().processors.iter();
    let processor = processors.find(|processor| processor.model == model);
    processor.zip(place.location).is_some_and(|(processor, location)| processor.has(location).is_some())
}

fn add(
    kind: Kind,
    (index, model): (&QemuIndex<'_>, &CpuModel),
    (bit, place): (&QemuBit, &Place),
    why: &str,
    findings: &mut Findings<'_>,
) {
    let name = bit.name.split('|').next().unwrap_or_default().replace('_', "-");
    let release = &[&index.release];
    if findings.is_explained(&Key::new(kind, &place.shown, &name, "-"), release) {
        return;
    }
    findings.add(Key::new(kind, &place.shown, &name, &model.name), release, || {
        let at = index.rows.words.get(bit.word.as_str()).map_or(index.facts.at, |word| {
            model_places::of_bit(index, &model.name, (word.index, 1 << bit.bit.0))
        });
        let what = if kind == Kind::ModelGap { "is not in the model" } else { "is in the model" };
        let message = format!("`{}`: `{name}` ({}) {what}, but {why}", model.name, place.shown);
        Diagnostic::error(at, message).with_label(bit.at, "the bit's name")
    });
}
