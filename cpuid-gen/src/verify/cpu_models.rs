//! Checks within one QEMU release: the names in CPU models, dependencies, XSAVE areas and machine types.

use std::collections::BTreeSet;

use super::finding::Findings;
use super::qemu::QemuIndex;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::cpu_models::{Properties, resolve};
use crate::source::Span;

/// Checks every row that names a word, a bit, a property or a machine type.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let mut found = Diagnostics::new();
    // The models themselves are checked when they are resolved.
    let _ = resolve(index.facts, &mut found);
    check_words(index, &mut found);
    check_properties(index, &mut found);
    check_machines(index, &mut found);
    for diagnostic in found {
        findings.add_plain(diagnostic);
    }
}

fn check_words(index: &QemuIndex<'_>, found: &mut Diagnostics) {
    let mut need = |word: &str, at: Span| {
        if !index.words.contains_key(word) {
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
    let properties = Properties::new(facts);
    let defaults = facts.kvm_defaults.iter().chain(&facts.tcg_defaults);
    let named = defaults
        .map(|default| (&default.property, default.at))
        .chain(facts.compat.iter().map(|compat| (&compat.property, compat.at)))
        .chain(facts.aliases.iter().map(|alias| (&alias.target, alias.at)));
    for (property, at) in named {
        if properties.get(property).is_none() {
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
