//! QEMU's steps: its feature names and its CPU models.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Machine, Says, Step, Who};
use crate::bits::feature::Feature;
use crate::bits::lookup::Named;
use crate::bits::release::QemuRelease;
use crate::models::cpu_model::CpuModel;

/// The QEMU on a machine.
fn release(machine: &Machine) -> QemuRelease {
    machine.qemu.unwrap_or(QemuRelease::NEWEST)
}

pub(super) fn step(feature: Feature, machine: &Machine) -> Step {
    let (release, mut all) = (release(machine), feature.qemu_releases());
    name_step(release, feature.qemu_name(release), (all.next(), all.next_back()))
}

/// By the name in a release, and the first and the last release with a name.
fn name_step(
    newest: QemuRelease,
    name: Option<&str>,
    (first, last): (Option<QemuRelease>, Option<QemuRelease>),
) -> Step {
    let last = last.or(first);
    match (name, first) {
        (Some(name), Some(first)) => {
            let name = name.replace('|', " or ");
            let since = if first == QemuRelease::ALL[0] {
                format!("since {first} or earlier")
            } else {
                format!("since {first}, or a release after {}", before(first))
            };
            Step::new(Who::Qemu, Says::Yes, format!("{newest} calls it {name}, {since}"))
        }
        (_, Some(first)) if first > newest => Step::no(
            Who::Qemu,
            format!("{newest} has no name for it, as {first} does"),
            format!("{newest} has no name for it, so -cpu cannot request it"),
        ),
        (_, Some(_)) => {
            let last = last.map(|last| format!(" since {last}")).unwrap_or_default();
            Step::no(
                Who::Qemu,
                format!("{newest} no longer has a name for it{last}"),
                "it no longer has a name for it",
            )
        }
        (_, None) => Step::no(
            Who::Qemu,
            format!("no known release up to {} has a name for it", QemuRelease::NEWEST),
            "it has no name for it, so -cpu cannot request it",
        ),
    }
}

/// The step for a bit that shows what the guest has enabled.
pub(super) fn mirror_step() -> Step {
    Step::new(Who::Qemu, Says::Nothing, "it does not decide: KVM replaces what -cpu sets")
}

/// The known release before one.
fn before(release: QemuRelease) -> QemuRelease {
    QemuRelease::ALL.into_iter().rev().find(|other| *other < release).unwrap_or(release)
}

/// A model's name with its version.
pub(super) fn full_name(model: CpuModel) -> String {
    match model.version_number() {
        0 => String::from(model.name()),
        version => format!("{}-v{version}", model.name()),
    }
}

/// Maximum number of models listed.
const MOST: usize = 12;

pub(super) fn models(feature: Feature, machine: &Machine, model: Option<CpuModel>) -> Option<Step> {
    models_with(|model| model.has(feature), release(machine), model)
}

fn models_with(has: impl Fn(CpuModel) -> bool, newest: QemuRelease, model: Option<CpuModel>) -> Option<Step> {
    if let Some(model) = model {
        return Some(if has(model) {
            Step::new(Who::Models, Says::Yes, format!("{} has it", full_name(model)))
        } else {
            let text = format!("{} does not have it: -cpu must add it", full_name(model));
            Step::no(Who::Models, text, format!("{} does not have it", full_name(model)))
        });
    }
    let all: Vec<CpuModel> = newest.cpu_models().map(CpuModel::latest).collect();
    let with: Vec<&str> = all.iter().filter(|model| has(**model)).map(|model| model.name()).collect();
    let shown: Vec<&str> = with.iter().take(MOST).copied().collect();
    let more = if with.len() > MOST { format!(" and {} more", with.len() - MOST) } else { String::new() };
    let names = if with.is_empty() { String::new() } else { format!(": {}{more}", shown.join(", ")) };
    let text = format!(
        "{} of {} models of QEMU {newest}, in their newest versions, have it{names}",
        with.len(),
        all.len()
    );
    Some(Step::new(Who::Models, Says::Nothing, text))
}

/// The steps for an MSR's bit.
pub(super) fn of_msr(named: Named, machine: &Machine, model: Option<CpuModel>) -> Vec<Step> {
    let Named::Msr(bit) = named else { return Vec::new() };
    let (release, mut all) = (release(machine), bit.qemu_releases());
    let qemu = name_step(release, bit.qemu_name(release), (all.next(), all.next_back()));
    core::iter::once(qemu).chain(models_with(|model| model.has_msr(bit), release, model)).collect()
}
