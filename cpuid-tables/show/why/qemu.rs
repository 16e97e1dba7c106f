//! QEMU's steps: its feature names and its CPU models.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Says, Step, Who};
use crate::bits::feature::Feature;
use crate::bits::lookup::Named;
use crate::bits::release::QemuRelease;
use crate::models::cpu_model::CpuModel;

pub(super) fn step(feature: Feature) -> Step {
    let newest = QemuRelease::NEWEST;
    name_step(feature.qemu_name(newest), feature.qemu_releases().next(), feature.qemu_releases().next_back())
}

fn name_step(name: Option<&str>, first: Option<QemuRelease>, last: Option<QemuRelease>) -> Step {
    let newest = QemuRelease::NEWEST;
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
            format!("no known release up to {newest} has a name for it"),
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

pub(super) fn models(feature: Feature, model: Option<CpuModel>) -> Option<Step> {
    models_with(|model| model.has(feature), model)
}

fn models_with(has: impl Fn(CpuModel) -> bool, model: Option<CpuModel>) -> Option<Step> {
    if let Some(model) = model {
        return Some(if has(model) {
            Step::new(Who::Models, Says::Yes, format!("{} has it", full_name(model)))
        } else {
            let text = format!("{} does not have it: -cpu must add it", full_name(model));
            Step::no(Who::Models, text, format!("{} does not have it", full_name(model)))
        });
    }
    let newest = QemuRelease::NEWEST;
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
pub(super) fn of_msr(named: Named, model: Option<CpuModel>) -> Vec<Step> {
    let Named::Msr(bit) = named else { return Vec::new() };
    let newest = QemuRelease::NEWEST;
    let qemu = name_step(bit.qemu_name(newest), bit.qemu_releases().next(), bit.qemu_releases().next_back());
    core::iter::once(qemu).chain(models_with(|model| model.has_msr(bit), model)).collect()
}
