//! The effects of a change of releases on the Rust API: constants of `cpuid-tables` that are added, deprecated, or in
//! no release any more when the tables are regenerated. Compares the models before and after, as a build would merge
//! them, with the old constants as the published ones.

use std::collections::BTreeMap;

use super::change::Changes;
use super::impact::{ApiChange, ApiItem, Impact, Level};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{LinuxFacts, QemuFacts};
use crate::model::{KernelBit, Model};
use crate::published::{Published, PublishedBit};

/// A constant of a model.
struct Constant {
    stands_for: String,
    successor: Option<String>,
    /// True if a release has its bit.
    used: bool,
}

/// By module and name.
type Constants = BTreeMap<(String, String), Constant>;

fn constants(model: &Model) -> Constants {
    let mut unused: Vec<(&str, &str)> = Vec::new();
    for feature in &model.features {
        let linux = feature.linux.iter().any(|view| view.name.is_some());
        if !linux && feature.qemu.iter().all(|view| view.name.is_none()) {
            unused.push(("feature", &feature.constant));
        }
    }
    for bit in model.msr.iter().filter(|bit| bit.qemu.iter().all(|view| view.name.is_none())) {
        unused.push(("msr", &bit.constant));
    }
    let kernel: [(&str, &[KernelBit]); 3] =
        [("software", &model.software), ("bug", &model.bugs), ("vmx", &model.vmx)];
    for (module, bits) in kernel {
        let without = bits.iter().filter(|bit| bit.linux.iter().all(Option::is_none));
        unused.extend(without.map(|bit| (module, bit.constant.as_str())));
    }
    let described = |bit: &PublishedBit| match bit {
        PublishedBit::Field(place, _) => model.fields.iter().any(|field| field.place == *place),
        _ => true,
    };
    let mut all = Constants::new();
    for constant in model.published().constants {
        let module = constant.bit.module();
        let used = described(&constant.bit) && !unused.contains(&(module.as_str(), constant.name.as_str()));
        let stands_for = match constant.bit {
            PublishedBit::Software | PublishedBit::Bug | PublishedBit::Vmx => constant.name.clone(),
            bit => bit.to_string(),
        };
        let successor = constant.successor.map(|name| format!("{module}::{name}"));
        all.insert((module, constant.name), Constant { stands_for, successor, used });
    }
    all
}

/// Compares the tables of two models.
#[must_use]
pub fn impact(how: impl Into<String>, before: &Model, after: &Model) -> Impact {
    let (old, new) = (constants(before), constants(after));
    let mut items = Vec::new();
    for ((module, name), was) in &old {
        let change = match new.get(&(module.clone(), name.clone())) {
            None => ApiChange::Removed,
            Some(now) if now.stands_for != was.stands_for => {
                ApiChange::Moved { was: was.stands_for.clone(), is: now.stands_for.clone() }
            }
            Some(Constant { successor: Some(next), .. }) if was.successor.is_none() => {
                ApiChange::Deprecated(next.clone())
            }
            Some(now) if was.used && !now.used => ApiChange::Unused(elsewhere(&new, module, name)),
            Some(_) => continue,
        };
        let constant = format!("{module}::{name}");
        items.push(ApiItem { constant, stands_for: was.stands_for.clone(), change });
    }
    for ((module, name), now) in &new {
        if !old.contains_key(&(module.clone(), name.clone())) {
            let constant = format!("{module}::{name}");
            items.push(ApiItem { constant, stands_for: now.stands_for.clone(), change: ApiChange::Added });
        }
    }
    items.sort_by(|a, b| (&a.change, &a.constant).cmp(&(&b.change, &b.constant)));
    Impact { how: how.into(), level: level(&items, before, after), items }
}

fn level(items: &[ApiItem], before: &Model, after: &Model) -> Level {
    let breaks = |item: &ApiItem| match item.change {
        ApiChange::Removed => true,
        ApiChange::Moved { .. } => !item.constant.starts_with("field::"),
        _ => false,
    };
    if items.iter().any(breaks) {
        Level::Major
    } else if !items.is_empty() {
        Level::Minor
    } else if before != after {
        Level::Patch
    } else {
        Level::Nothing
    }
}

/// A constant of the same name in another module whose bit a release has.
fn elsewhere(all: &Constants, module: &str, name: &str) -> Option<String> {
    let is = |((other, known), constant): &(&(String, String), &Constant)| {
        other != module && known == name && constant.used
    };
    all.iter().find(is).map(|((module, name), _)| format!("{module}::{name}"))
}

/// The model of these releases; merge errors are returned in `errors`.
fn model(linux: &[LinuxFacts], qemu: &[QemuFacts], published: &Published, errors: &mut Diagnostics) -> Model {
    let (model, found) = Model::merge_published(linux, qemu, published);
    // Warnings are reported by `verify`.
    let fatal = |diagnostic: &Diagnostic| diagnostic.severity == crate::diagnostic::Severity::Error;
    errors.extend(found.into_iter().filter(fatal));
    model
}

pub(super) fn add_linux(
    changes: &mut Changes,
    (old, new): (&LinuxFacts, &LinuxFacts),
    qemu: &[QemuFacts],
) -> Diagnostics {
    let (mut first, mut second, mut both) = (Diagnostics::new(), Diagnostics::new(), Diagnostics::new());
    let before = model(std::slice::from_ref(old), qemu, &Published::default(), &mut first);
    let list = before.published();
    let after = model(std::slice::from_ref(new), qemu, &list, &mut second);
    let beside = if old.release == new.release {
        None
    } else {
        Some(model(&[old.clone(), new.clone()], qemu, &list, &mut both))
    };
    ways(changes, &before, &after, beside.as_ref());
    first.append(second);
    first
}

pub(super) fn add_qemu(
    changes: &mut Changes,
    (old, new): (&QemuFacts, &QemuFacts),
    linux: &[LinuxFacts],
) -> Diagnostics {
    let (mut first, mut second, mut both) = (Diagnostics::new(), Diagnostics::new(), Diagnostics::new());
    let before = model(linux, std::slice::from_ref(old), &Published::default(), &mut first);
    let list = before.published();
    let after = model(linux, std::slice::from_ref(new), &list, &mut second);
    let beside = if old.release == new.release {
        None
    } else {
        Some(model(linux, &[old.clone(), new.clone()], &list, &mut both))
    };
    ways(changes, &before, &after, beside.as_ref());
    first.append(second);
    first
}

/// Compares the tables with the new release in place of the old one, and in addition to it.
fn ways(changes: &mut Changes, before: &Model, after: &Model, beside: Option<&Model>) {
    let (old, new) = (&changes.old, &changes.new);
    let mut api = vec![impact(format!("{new} in place of {old}"), before, after)];
    api.extend(beside.map(|both| impact(format!("{new} beside {old}"), before, both)));
    changes.api = api;
}
