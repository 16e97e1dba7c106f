//! Checks within one QEMU release: the names in CPU models, dependencies, XSAVE areas and machine types.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::qemu::QemuIndex;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::QemuCompat;
use crate::ordered::Set;

/// Checks every row that names a word, a bit, a property or a machine type.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    // The models themselves are checked when they are resolved.
    let mut found = index.inconsistent.clone();
    check_words(index, &mut found);
    check_properties(index, &mut found);
    check_machines(index, &mut found);
    for diagnostic in found {
        let key = Key::new(Kind::Inconsistent, &diagnostic.message, "-", "-");
        findings.add(key, &[&index.release], || diagnostic);
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
    let mut known: Set<String> = OTHER_CPUS.map(str::to_owned).into_iter().collect();
    for model in &facts.models {
        known.insert(model.name.clone());
        known.insert(format!("{}-v1", model.name));
        known.extend(model.versions.iter().map(|version| format!("{}-v{}", model.name, version.version)));
        known.extend(model.versions.iter().filter_map(|version| version.alias.clone()));
    }
    let mut reported = Set::new();
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
    for area in &index.facts.xsave {
        if !index.rows.words.contains_key(area.word.as_str()) {
            let (component, word) = (area.component, &area.word);
            let message = format!("XSAVE component {component}: `{word}` is not a word of this release");
            found.push(Diagnostic::error(area.at, message));
        }
    }
}

fn check_properties(index: &QemuIndex<'_>, found: &mut Diagnostics) {
    let facts = index.facts;
    let of_kvm = facts.kvm_defaults.iter().map(|row| ("KVM's defaults".to_owned(), &row.property, row.at));
    let of_tcg = facts.tcg_defaults.iter().map(|row| ("TCG's defaults".to_owned(), &row.property, row.at));
    let compat =
        facts.compat.iter().map(|row| (format!("`{} {}`", row.machine, row.of), &row.property, row.at));
    let aliases = facts.aliases.iter().map(|row| (format!("alias `{}`", row.name), &row.target, row.at));
    for (of, property, at) in of_kvm.chain(of_tcg).chain(compat).chain(aliases) {
        if index.rows.properties.get(property).is_none() {
            let message = format!("{of}: `{property}` is neither a feature bit nor another property of -cpu");
            found.push(Diagnostic::error(at, message));
        }
    }
}

fn check_machines(index: &QemuIndex<'_>, found: &mut Diagnostics) {
    let mut known = Set::new();
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
        let QemuCompat { machine, of, property, .. } = compat;
        let message = format!("`{machine}`, which sets `{of} {property}`, is not a machine type");
        found.push(Diagnostic::error(compat.at, message));
    }
}
