//! What a change of releases means for the Rust API: which constants of `cpuid-tables` come, go, or are called
//! otherwise when the tables are made anew. The models before and after are built and compared, as a build would.

use std::collections::BTreeMap;

use super::change::Changes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{LinuxFacts, QemuFacts};
use crate::model::{KernelBit, Model};

/// The part of a version number that has to grow, by Semantic Versioning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The tables are the same.
    Nothing,
    /// The tables hold something else behind the same constants.
    Patch,
    /// There are new constants.
    Minor,
    /// A constant is gone, is called otherwise, or means another bit.
    Major,
}

impl Level {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Nothing => "nothing",
            Level::Patch => "patch",
            Level::Minor => "minor",
            Level::Major => "major",
        }
    }
}

/// What becomes of a constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiChange {
    /// Gone, and nothing else stands for its bit; `Some` is a constant of the same name in another module.
    Removed(Option<String>),
    /// Its bit has this constant now.
    Renamed(String),
    /// The name is now that of another bit.
    Reused {
        /// What it stood for.
        was: String,
        /// What it stands for.
        is: String,
    },
    /// New.
    Added,
}

/// A constant that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiItem {
    /// `feature::AVX2`.
    pub constant: String,
    /// What it stands for: a location, a place in an MSR, or the kernel's macro.
    pub stands_for: String,
    /// What becomes of it.
    pub change: ApiChange,
}

/// The difference between two sets of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// How the new release is taken in: `7.3.4 in place of 6.12.117`.
    pub how: String,
    /// The part of the version number that has to grow.
    pub level: Level,
    /// The constants that change: what breaks users first.
    pub items: Vec<ApiItem>,
}

/// Module and what a constant stands for, to its name; or module and name, to what it stands for.
type Constants = BTreeMap<(String, String), String>;

fn constants(model: &Model) -> Constants {
    let mut all = Constants::new();
    for feature in &model.features {
        all.insert(("feature".to_owned(), feature.location.to_string()), feature.constant.clone());
    }
    let sorts: [(&str, &[KernelBit]); 3] =
        [("software", &model.software), ("bug", &model.bugs), ("vmx", &model.vmx)];
    for (module, bits) in sorts {
        all.extend(bits.iter().map(|bit| ((module.to_owned(), bit.name.clone()), bit.constant.clone())));
    }
    for bit in &model.msr {
        let place = format!("MSR {:#x}[{}]", bit.msr.0, bit.bit.0);
        all.insert(("msr".to_owned(), place), bit.constant.clone());
    }
    for field in &model.fields {
        let module = format!("field::leaf_{:x}", field.leaf.0);
        all.insert((module, field.to_string()), field.constant.clone());
    }
    all
}

/// Compares tables made from one model with those made from another.
#[must_use]
pub fn impact(how: impl Into<String>, before: &Model, after: &Model) -> Impact {
    let (old, new) = (constants(before), constants(after));
    let names = |all: &Constants| -> Constants {
        all.iter().map(|((module, what), name)| ((module.clone(), name.clone()), what.clone())).collect()
    };
    let (old_names, new_names) = (names(&old), names(&new));
    let mut items = Vec::new();
    for ((module, name), was) in &old_names {
        let item =
            |change| ApiItem { constant: format!("{module}::{name}"), stands_for: was.clone(), change };
        let now = new.get(&(module.clone(), was.clone()));
        let taken = new_names.get(&(module.clone(), name.clone()));
        match (now, taken) {
            (Some(now), _) if now == name => {}
            (Some(now), None) => items.push(item(ApiChange::Renamed(format!("{module}::{now}")))),
            (None, None) => items.push(item(ApiChange::Removed(elsewhere(&new_names, name)))),
            (_, Some(is)) => items.push(item(ApiChange::Reused { was: was.clone(), is: is.clone() })),
        }
    }
    for ((module, name), what) in &new_names {
        let renamed = old.contains_key(&(module.clone(), what.clone()));
        if !renamed && !old_names.contains_key(&(module.clone(), name.clone())) {
            let constant = format!("{module}::{name}");
            items.push(ApiItem { constant, stands_for: what.clone(), change: ApiChange::Added });
        }
    }
    items.sort_by(|a, b| (&a.change, &a.constant).cmp(&(&b.change, &b.constant)));
    Impact { how: how.into(), level: level(&items, before, after), items }
}

fn level(items: &[ApiItem], before: &Model, after: &Model) -> Level {
    if items.iter().any(|item| item.change != ApiChange::Added) {
        Level::Major
    } else if !items.is_empty() {
        Level::Minor
    } else if before != after {
        Level::Patch
    } else {
        Level::Nothing
    }
}

/// A constant of the same name in another module.
fn elsewhere(names: &Constants, name: &str) -> Option<String> {
    let found = names.keys().find(|(_, known)| known == name);
    found.map(|(module, name)| format!("{module}::{name}"))
}

/// Tables made from these releases; what cannot be merged is for the caller to say.
fn model(linux: &[LinuxFacts], qemu: &[QemuFacts], errors: &mut Diagnostics) -> Model {
    let (model, found) = Model::merge(linux, qemu);
    // Doubts are for `verify` to judge.
    let fatal = |diagnostic: &Diagnostic| diagnostic.severity == crate::diagnostic::Severity::Error;
    errors.extend(found.into_iter().filter(fatal));
    model
}

pub(super) fn of_linux(
    changes: &mut Changes,
    (old, new): (&LinuxFacts, &LinuxFacts),
    qemu: &[QemuFacts],
) -> Diagnostics {
    let (mut first, mut second, mut both) = (Diagnostics::new(), Diagnostics::new(), Diagnostics::new());
    let before = model(std::slice::from_ref(old), qemu, &mut first);
    let after = model(std::slice::from_ref(new), qemu, &mut second);
    let beside = if old.release == new.release {
        None
    } else {
        Some(model(&[old.clone(), new.clone()], qemu, &mut both))
    };
    ways(changes, &before, &after, beside.as_ref());
    first.append(second);
    first
}

pub(super) fn of_qemu(
    changes: &mut Changes,
    (old, new): (&QemuFacts, &QemuFacts),
    linux: &[LinuxFacts],
) -> Diagnostics {
    let (mut first, mut second, mut both) = (Diagnostics::new(), Diagnostics::new(), Diagnostics::new());
    let before = model(linux, std::slice::from_ref(old), &mut first);
    let after = model(linux, std::slice::from_ref(new), &mut second);
    let beside = if old.release == new.release {
        None
    } else {
        Some(model(linux, &[old.clone(), new.clone()], &mut both))
    };
    ways(changes, &before, &after, beside.as_ref());
    first.append(second);
    first
}

/// The new release in the old one's place, and beside it.
fn ways(changes: &mut Changes, before: &Model, after: &Model, beside: Option<&Model>) {
    let (old, new) = (&changes.old, &changes.new);
    let mut api = vec![impact(format!("{new} in place of {old}"), before, after)];
    api.extend(beside.map(|both| impact(format!("{new} beside {old}"), before, both)));
    changes.api = api;
}
