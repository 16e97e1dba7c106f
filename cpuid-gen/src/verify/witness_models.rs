//! Compares the family and model of QEMU's CPU models with those of the processors that a witness has for the same name.
//!
//! The newest version of a model counts, since a released version never changes. A model that `processors.tsv` has is
//! compared with real processors instead.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::qemu::QemuIndex;
use super::witnesses::WitnessIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::WitnessModel;

/// Runs the check.
pub(super) fn check(qemu: &[QemuIndex<'_>], witnesses: &[WitnessIndex<'_>], findings: &mut Findings<'_>) {
    let processors = &findings.differences().processors;
    for witness in witnesses {
        for index in qemu {
            let known = |name: &str| processors.iter().any(|processor| processor.model == name);
            for model in witness.facts.models.iter().filter(|model| !known(&model.name)) {
                check_model(index, (witness, model), findings);
            }
        }
    }
}

fn check_model(
    index: &QemuIndex<'_>,
    (witness, theirs): (&WitnessIndex<'_>, &WitnessModel),
    findings: &mut Findings<'_>,
) {
    let own = |model: &&crate::model::cpu_models::CpuModel| model.name == theirs.name;
    let Some(model) = index.models.iter().find(own) else { return };
    let newest = model.versions.last().map_or(&model.base, |version| &version.definition);
    let number = (newest.family, newest.model);
    if theirs.signatures.contains(&number) {
        return;
    }
    let shown: Vec<String> =
        theirs.signatures.iter().map(|(family, model)| format!("{family}/{model}")).collect();
    let (own, shown) = (format!("{}/{}", number.0, number.1), shown.join(","));
    findings.add(Key::new(Kind::ModelNumber, &model.name, &own, &shown), &[&index.release], || {
        let row = index.facts.models.iter().find(|row| row.name == model.name);
        let message = format!("`{}` is {own}", model.name);
        Diagnostic::error(row.map_or(index.facts.at, |row| row.at), message)
            .with_label(theirs.at, format!("its processors are {shown} in {}", witness.release.project))
            .with_help("family/model")
    });
}
