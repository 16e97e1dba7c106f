//! Checks within one QEMU release: the names in CPU models, dependencies, XSAVE areas and machine types.

use std::collections::BTreeSet;

use super::finding::Findings;
use super::key::{Key, Kind};
use super::qemu::QemuIndex;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;

/// Checks every row that names a word, a bit, a property or a machine type.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    // The models themselves are checked when they are resolved.
    let mut found = index.inconsistent.clone();
    check_words(index, &mut found);
    check_properties(index, &mut found);
    check_machines(index, &mut found);
    for diagnostic in found {
        findings.add_plain(diagnostic);
    }
    check_types(index, findings);
}

/// The suffix of CPU types, and the types that are not in `builtin_x86_defs[]`.
const CPU_TYPE: &str = "x86_64-cpu";
const OTHER_CPUS: [&str; 3] = ["base", "host", "max"];

/// Checks that each compatibility property of a CPU type is of one that the release has. QEMU ignores a row of another
/// type, so a typing error in it goes unnoticed.
fn check_types(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let facts = index.facts;
    let mut known: BTreeSet<String> = OTHER_CPUS.map(str::to_owned).into();
    for model in &facts.models {
        known.insert(model.name.clone());
        known.insert(format!("{}-v1", model.name));
        known.extend(model.versions.iter().map(|version| format!("{}-v{}", model.name, version.version)));
        known.extend(model.versions.iter().filter_map(|version| version.alias.clone()));
    }
    let mut reported = BTreeSet::new();
    for compat in &facts.compat {
        let Some(stem) = compat.of.strip_suffix(CPU_TYPE).filter(|stem| !stem.is_empty()) else { continue };
        let model = stem.strip_suffix('-');
        if model.is_some_and(|model| known.contains(model)) || !reported.insert(&compat.of) {
            continue;
        }
        let key =
            Key::new(Kind::Unresolved, format!("qemu-compat {}", compat.of), model.unwrap_or(stem), "-");
        findings.add(key, &[&index.release], || {
            let found = Diagnostic::error(compat.at, format!("`{}` is not a CPU of this release", compat.of));
            match model {
                Some(_) => found.with_help("the property has no effect"),
                None => found.with_help(format!("a CPU type is a model, a hyphen and `{CPU_TYPE}`")),
            }
        });
    }
}

fn check_words(index: &QemuIndex<'_>, found: &mut Diagnostics) {
    let mut need = |word: &str, at: Span| {
        if !index.rows.words.contains_key(word) {
            found.push(Diagnostic::error(at, format!("`{word}` is not a word of this release")));
        }
    };
    for dep in &index.facts.deps {
        need(&dep.from.0, dep.at);
        need(&dep.to.0, dep.at);
    }
    for area in &index.facts.xsave {
        need(&area.word, area.at);
    }
}

fn check_properties(index: &QemuIndex<'_>, found: &mut Diagnostics) {
    let facts = index.facts;
    let defaults = facts.kvm_defaults.iter().chain(&facts.tcg_defaults);
    let named = defaults
        .map(|default| (&default.property, default.at))
        .chain(facts.compat.iter().map(|compat| (&compat.property, compat.at)))
        .chain(facts.aliases.iter().map(|alias| (&alias.target, alias.at)));
    for (property, at) in named {
        if index.rows.properties.get(property).is_none() {
            let message = format!("`{property}` is neither a feature bit nor another property of -cpu");
            found.push(Diagnostic::error(at, message));
        }
    }
}

fn check_machines(index: &QemuIndex<'_>, found: &mut Diagnostics) {
    let mut known = BTreeSet::new();
    for machine in &index.facts.machines {
        if let Some(base) = machine.base.as_deref().filter(|base| !known.contains(base)) {
            let message = format!("the base of `{}`, `{base}`, is not defined before it", machine.name);
            found.push(Diagnostic::error(machine.at, message));
        }
        if !known.insert(machine.name.as_str()) {
            found.push(Diagnostic::error(machine.at, format!("duplicate machine type `{}`", machine.name)));
        }
    }
    for compat in index.facts.compat.iter().filter(|compat| !known.contains(compat.machine.as_str())) {
        found.push(Diagnostic::error(compat.at, format!("`{}` is not a machine type", compat.machine)));
    }
}
