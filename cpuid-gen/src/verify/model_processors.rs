//! Compares QEMU's CPU models with the processors that they are named after.
//!
//! The newest version of a model counts, since a released version never changes. A missing feature counts if the newest
//! KVM advertises it and QEMU would not turn it off in the model, for lack of a feature that it needs. A row of the differences
//! without a model explains a feature in every model.

use super::dep_edges::Node;
use super::deps::qemu_edges;
use super::finding::Findings;
use super::key::{Key, Kind};
use super::kvm_support::Support;
use super::linux::LinuxIndex;
use super::model_places::place_in;
use super::processors::{Processor, Signature};
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::QemuModel;
use crate::location::{Bit, Location};
use crate::model::cpu_models::CpuDefinition;

/// Runs the checks.
pub(super) fn check(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    support: &[Support<'_, '_>],
    findings: &mut Findings<'_>,
) {
    for index in qemu {
        check_release(index, (linux, support), findings);
    }
}

fn check_release(
    index: &QemuIndex<'_>,
    (linux, support): (&[LinuxIndex<'_>], &[Support<'_, '_>]),
    findings: &mut Findings<'_>,
) {
    for processor in &findings.differences().processors {
        let Some(model) = index.models.iter().find(|model| model.name == processor.model) else { continue };
        let newest = model.versions.last().map_or(&model.base, |version| &version.definition);
        let row = index.facts.models.iter().find(|row| row.name == model.name);
        check_number(index, (processor, newest, row), findings);
        for (&location, name) in &index.bits {
            let has = held(index, newest, location);
            let Some(real) = processor.has(location).filter(|real| *real != has) else { continue };
            let (name, of) = (spelled(&name.bit.name), (index, processor));
            if !real {
                add(Kind::ModelExtra, (location, name.as_str()), of, || true, findings);
            } else if support.last().is_some_and(|kvm| kvm.advertises(location)) {
                let could = || !is_turned_off(index, newest, location, linux);
                add(Kind::ModelLacks, (location, name.as_str()), of, could, findings);
            }
        }
    }
}

/// The name as QEMU 2.8 and later spell it: with hyphens, without alternatives.
fn spelled(name: &str) -> String {
    name.split('|').next().unwrap_or_default().replace('_', "-")
}

fn held(index: &QemuIndex<'_>, model: &CpuDefinition, Location { word, bit: Bit(bit) }: Location) -> bool {
    let own = index.rows.registers.get(&word).and_then(|row| model.words.get(&row.index));
    own.is_some_and(|mask| mask >> bit & 1 == 1)
}

/// True if QEMU would turn the feature off in the model, which lacks one that it needs: that one is to be added first.
fn is_turned_off(
    index: &QemuIndex<'_>,
    model: &CpuDefinition,
    location: Location,
    linux: &[LinuxIndex<'_>],
) -> bool {
    qemu_edges(index, linux).iter().any(|((bit, needs), _)| match needs {
        Node::Feature(needs) => *bit == Node::Feature(location) && !held(index, model, *needs),
        Node::Msr(..) | Node::Software(_) => false,
    })
}

/// Adds a finding that no row explains, if `holds`, which takes longer.
fn add(
    kind: Kind,
    (location, name): (Location, &str),
    (index, processor): (&QemuIndex<'_>, &Processor),
    holds: impl FnOnce() -> bool,
    findings: &mut Findings<'_>,
) {
    let key = |model: &str| Key::new(kind, location.to_string(), name, model);
    let (own, model) = (&[&index.release], &processor.model);
    if findings.is_explained(&key("-"), own) || findings.is_explained(&key(model), own) || !holds() {
        return;
    }
    findings.add(key(model), own, || {
        let what = match kind {
            Kind::ModelLacks => "is not in the model, though the processor has it and KVM advertises it",
            _ => "is in the model, though no dump of the processor has it",
        };
        let at = place_in(index, model, location);
        Diagnostic::error(at, format!("`{model}`: `{name}` ({location}) {what}"))
            .with_label(processor.at, format!("dumps of {}", processor.source))
            .with_help("microcode can add and remove features")
    });
}

fn check_number(
    index: &QemuIndex<'_>,
    (processor, model, row): (&Processor, &CpuDefinition, Option<&QemuModel>),
    findings: &mut Findings<'_>,
) {
    let is_own = |signature: &Signature| {
        (signature.family, signature.model) == (model.family, model.model)
            && signature.stepping.is_none_or(|stepping| stepping == model.stepping)
    };
    if processor.signatures.iter().any(is_own) {
        return;
    }
    let own = format!("{}/{}/{}", model.family, model.model, model.stepping);
    findings.add(
        Key::new(Kind::ModelNumber, &processor.model, &own, &processor.shown),
        &[&index.release],
        || {
            let message = format!("`{}` is {own}, its processors are {}", processor.model, processor.shown);
            let families: Vec<u32> = processor.signatures.iter().map(|signature| signature.family).collect();
            let field = if families.contains(&model.family) { "model" } else { "family" };
            let at = row.map_or(index.facts.at, |row| row.place_of(field));
            Diagnostic::error(at, message).with_help("family/model/stepping")
        },
    );
}
