//! Checks of QEMU's CPU models by themselves: bits without a name, and the texts that tell versions apart.

use super::few::few;
use super::finding::Findings;
use super::key::{Key, Kind};
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuModel, QemuModelVersion};
use crate::ordered::Map;
use crate::source::Span;

/// Runs the checks.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    check_unnamed(index, findings);
    for model in &index.facts.models {
        for version in &model.versions {
            check_alias(index, model, version, findings);
        }
        check_notes(index, model, findings);
    }
}

/// The models that have a bit, each with its place.
type Models<'a> = Vec<(&'a str, Span)>;

/// Users can neither see nor clear a bit without a name. Bits of the same models are one finding.
fn check_unnamed(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let mut models: Map<(&str, u8), Models<'_>> = Map::new();
    for model in &index.facts.models {
        for word in &model.words {
            let set = (0..64).filter(|bit| word.mask >> bit & 1 == 1);
            for bit in set.filter(|bit| !index.named.contains_key(&(word.word.as_str(), *bit))) {
                models.or_default((&word.word, bit)).push((&model.name, word.at));
            }
        }
    }
    let mut together: Map<(&str, Models<'_>), u64> = Map::new();
    for ((word, bit), models) in models {
        *together.or_default((word, models)) |= 1 << bit;
    }
    for ((word, models), mask) in together {
        findings.add(Key::new(Kind::UnnamedBit, word, format!("{mask:#x}"), "-"), &[&index.release], || {
            let names: Vec<&str> = models.iter().map(|(name, _)| *name).collect();
            let message = format!("{mask:#x} of {word} is in {}, but has no name", few(&names, 3));
            Diagnostic::error(models[0].1, message)
        });
    }
}

/// For users a version with its own name is a separate model, whose model id they see in the guest.
fn check_alias(
    index: &QemuIndex<'_>,
    model: &QemuModel,
    version: &QemuModelVersion,
    findings: &mut Findings<'_>,
) {
    let Some(alias) = version.alias.as_deref().filter(|_| version.version > 1) else { return };
    if version.props.iter().any(|prop| prop.name == "model-id") {
        return;
    }
    let name = format!("{}-v{}", model.name, version.version);
    findings.add(Key::new(Kind::AliasModelId, &name, alias, "-"), &[&index.release], || {
        Diagnostic::error(version.at, format!("`{name}` is also `{alias}`, but sets no model id"))
    });
}

/// Users choose a version by its note.
fn check_notes(index: &QemuIndex<'_>, model: &QemuModel, findings: &mut Findings<'_>) {
    let mut seen: Map<&str, &QemuModelVersion> = Map::new();
    for version in &model.versions {
        let Some(note) = version.note.as_deref() else { continue };
        let Some(first) = seen.get(note) else {
            seen.insert(note, version);
            continue;
        };
        let (one, other) = (format!("v{}", first.version), format!("v{}", version.version));
        findings.add(Key::new(Kind::NoteTwice, &model.name, &one, &other), &[&index.release], || {
            let message = format!("`{}` has the same note as {one}: {note}", named(model, version));
            Diagnostic::error(version.at, message).with_label(first.at, "the other version")
        });
    }
}

fn named(model: &QemuModel, version: &QemuModelVersion) -> String {
    format!("{}-v{}", model.name, version.version)
}
