//! Compatibility properties of machine types that are in no facts and that the program does not state: a distribution's, before
//! 9.1. They are the properties that CPUs have under the machine type but not without one.

use crate::ordered::Map;
use serde_json::Value;

use super::answer::{expanded, expansion, text};
use super::stated::{Model, Stated, versioned, written};
use super::{ProgramError, Qemu};

/// A CPU's name with the suffix of its QOM type.
const SUFFIX: &str = "-x86_64-cpu";
/// The QOM type of every CPU.
const EVERY_CPU: &str = "x86_64-cpu";
/// Highest leaves, which follow from the features unless they are set; and the property that says from which.
const LEVELS: [&str; 3] = ["level", "xlevel", "xlevel2"];
const RAISED_BY: &str = "full-cpuid-auto-level";

/// True for an upstream machine type, whose properties are in the facts: its version consists of numbers only.
pub(super) fn is_upstream(machine: &str) -> bool {
    let version = machine.rsplit_once('-').map_or("", |(_, version)| version);
    version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The properties by QOM type, of a machine type under which the program lists these CPUs.
pub(super) fn compat(
    qemu: &dyn Qemu,
    machine: &str,
    definitions: &[Value],
    stated: &Stated,
) -> Result<Vec<(String, String, String)>, ProgramError> {
    // `host` needs KVM. For the others: a name, and the version that it selects under this machine type.
    let asked: Vec<(&str, &str)> = definitions
        .iter()
        .filter_map(|row| text(row, "name").map(|name| (name, text(row, "alias-of").unwrap_or(name))))
        .filter(|(name, of)| !matches!(*name, "host" | "max") && plain(of, stated).is_some())
        .collect();
    let commands: Vec<Value> = asked.iter().map(|(name, _)| expansion("full", name)).collect();
    let answers = qemu.run(&["-machine", machine, "-accel", "tcg"], &commands)?;
    let mut changes: Vec<(&str, Map<String, String>)> = Vec::new();
    for ((name, of), answer) in asked.iter().zip(&answers.returns) {
        let under = expanded("query-cpu-model-expansion", answer)?;
        let Some(without) = plain(of, stated) else { continue };
        let differs = |property: &str| {
            without.properties.get(property).is_some_and(|other| under.get(property) != Some(other))
        };
        let raised_otherwise = differs(RAISED_BY);
        let changed = under.iter().filter(|(property, _)| {
            differs(property) && !(raised_otherwise && LEVELS.contains(&property.as_str()))
        });
        let changed = changed.map(|(property, value)| (property.clone(), written(value))).collect();
        changes.push((name, changed));
    }
    Ok(rows(&changes))
}

/// A CPU without a machine type. On machine types before 4.1 a model's name selects no version; the first version is closest
/// to the model's base.
fn plain<'s>(name: &str, stated: &'s Stated) -> Option<&'s Model> {
    if name == "base" {
        return Some(&stated.empty);
    }
    let alias =
        || stated.aliases.iter().find(|(_, alias)| *alias == name).map(|(version, _)| version.clone());
    let version = versioned(name).or_else(alias);
    stated.models.get(&version.unwrap_or_else(|| (name.to_owned(), 1)))
}

/// First the properties that all CPUs have in common, then the others of each.
fn rows(changes: &[(&str, Map<String, String>)]) -> Vec<(String, String, String)> {
    let Some((_, first)) = changes.first() else { return Vec::new() };
    let is_common = |property: &String, value: &String| {
        changes.iter().all(|(_, changed)| changed.get(property) == Some(value))
    };
    let row = |of: String, property: &String, value: &String| (of, property.clone(), value.clone());
    let common = first.iter().filter(|(property, value)| is_common(property, value));
    let mut all: Vec<_> =
        common.map(|(property, value)| row(EVERY_CPU.to_owned(), property, value)).collect();
    for (name, changed) in changes {
        let own = changed.iter().filter(|(property, value)| !is_common(property, value));
        all.extend(own.map(|(property, value)| row(format!("{name}{SUFFIX}"), property, value)));
    }
    all
}
