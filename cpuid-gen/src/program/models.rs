//! The models with their versions, and the machine types.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::answer::{expanded, expansion, list, text};
use super::stated::{Machine, Model, Stated, versioned};
use super::{ProgramError, Qemu, compat};
use crate::facts::DefaultVersion;
use crate::ordered::{Map, Set, sort_by};

/// CPUs that are not models.
const OTHERS: [&str; 3] = ["base", "host", "max"];

/// Expands every version of every model.
pub(super) fn models(
    qemu: &dyn Qemu,
    definitions: &[Value],
    stated: &mut Stated,
) -> Result<(), ProgramError> {
    let names: Set<&str> = definitions.iter().filter_map(|row| text(row, "name")).collect();
    let versions: Vec<(String, u32)> = names.iter().filter_map(|name| versioned(name)).collect();
    let asked = versions.iter().map(|(model, version)| format!("{model}-v{version}"));
    let asked: Vec<String> = asked.chain(["base".to_owned()]).collect();
    let commands: Vec<Value> = asked.iter().map(|name| expansion("full", name)).collect();
    let answers = qemu.run(&["-machine", "none", "-accel", "tcg"], &commands)?;
    let deprecated = |name: &str| {
        let row = definitions.iter().find(|row| text(row, "name") == Some(name));
        row.and_then(|row| row.get("deprecated")).and_then(Value::as_bool).unwrap_or(false)
    };
    for (name, answer) in asked.iter().zip(&answers.returns) {
        let properties = expanded("query-cpu-model-expansion", answer)?;
        let properties = properties.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let model = Model { properties, deprecated: deprecated(name) };
        match versioned(name) {
            Some(version) => drop(stated.models.insert(version, model)),
            None => stated.empty = model,
        }
    }
    aliases(definitions, stated);
    Ok(())
}

/// The PC machine types, and the versions that those of them select which are `asked`.
pub(super) fn machines(
    qemu: &dyn Qemu,
    rows: &[Value],
    states_compat: bool,
    asked: &dyn Fn(&Value) -> bool,
    stated: &mut Stated,
) -> Result<(), ProgramError> {
    let named = rows.iter().filter_map(|row| Some((text(row, "name")?, row)));
    let mut named: Vec<(&str, &Value)> = named.filter(|(name, _)| is_pc(name)).collect();
    sort_by(&mut named, |(one, _), (other, _)| {
        let [one, other] = [one, other].map(|name| (family(name).0, Reverse(family(name).1)));
        one.cmp(&other)
    });
    for (name, row) in named {
        let definitions = if asked(row) { Some(definitions(qemu, name)?) } else { None };
        let definitions = definitions.as_deref();
        definitions.into_iter().for_each(|all| aliases(all, stated));
        let default_version = definitions.and_then(|all| default_version(all, stated));
        let compat = match definitions {
            _ if states_compat => {
                let rows = row.get("compat-props").and_then(Value::as_array);
                Some(rows.map_or(&[][..], Vec::as_slice).iter().filter_map(of_cpus).collect())
            }
            Some(all) if !compat::is_upstream(name) => Some(compat::compat(qemu, name, all, stated)?),
            _ => None,
        };
        let max_cpus = row.get("cpu-max").and_then(Value::as_u64);
        stated.machines.push(Machine {
            name: name.to_owned(),
            default_version,
            compat,
            alias: text(row, "alias").map(str::to_owned),
            max_cpus: max_cpus.and_then(|max| u32::try_from(max).ok()),
        });
    }
    Ok(())
}

/// The CPUs under a machine type.
fn definitions(qemu: &dyn Qemu, machine: &str) -> Result<Vec<Value>, ProgramError> {
    let answers =
        qemu.run(&["-machine", machine, "-accel", "tcg"], &[json!({"execute": "query-cpu-definitions"})])?;
    let definitions = answers.returns.first().map(|answer| list("query-cpu-definitions", answer));
    Ok(definitions.transpose()?.cloned().unwrap_or_default())
}

fn is_pc(name: &str) -> bool {
    name.starts_with("pc-i440fx-") || name.starts_with("pc-q35-") || matches!(name, "isapc" | "microvm")
}

/// The order of facts: i440fx, q35, then those without a version; the newest first.
fn family(name: &str) -> (&str, Vec<u32>) {
    let Some((family, version)) = name.rsplit_once('-') else { return (name, Vec::new()) };
    // `pc-i440fx` and `pc-q35` come first here, although they are after `isapc` and `microvm` in the alphabet.
    let rank = if family == "pc-i440fx" { "0" } else { "1" };
    (rank, version.split('.').map(|part| part.parse().unwrap_or(0)).collect())
}

fn of_cpus(row: &Value) -> Option<(String, String, String)> {
    let of = text(row, "qom-type").filter(|of| of.ends_with("x86_64-cpu"))?;
    Some((of.to_owned(), text(row, "property")?.to_owned(), text(row, "value")?.to_owned()))
}

/// Names that select a version, besides `NAME` and `NAME-vN`.
fn aliases(definitions: &[Value], stated: &mut Stated) {
    let plain: Set<String> = stated.models.keys().map(|(model, _)| model.clone()).collect();
    for row in definitions {
        let (Some(name), Some(of)) = (text(row, "name"), text(row, "alias-of")) else { continue };
        let is_second = !plain.contains(name) && versioned(name).is_none() && !OTHERS.contains(&name);
        if let Some(version) = versioned(of).filter(|_| is_second) {
            stated.aliases.insert(version, name.to_owned());
        }
    }
}

/// The version that plain names select.
fn default_version(definitions: &[Value], stated: &Stated) -> Option<DefaultVersion> {
    let mut newest: Map<&str, u32> = Map::new();
    for (model, version) in stated.models.keys() {
        let last = newest.or_default(model);
        *last = (*last).max(*version);
    }
    let of = |model: &str| {
        let row = definitions.iter().find(|row| text(row, "name") == Some(model))?;
        versioned(text(row, "alias-of")?).map(|(_, version)| version)
    };
    let several: Vec<(&str, u32)> = newest.into_iter().filter(|(_, last)| *last > 1).collect();
    let asked: Vec<Option<u32>> = several.iter().map(|(model, _)| of(model)).collect();
    if asked.iter().all(Option::is_none) {
        return (!several.is_empty()).then_some(DefaultVersion::Legacy);
    }
    if several.iter().zip(&asked).all(|((_, last), version)| *version == Some(*last)) {
        return Some(DefaultVersion::Latest);
    }
    let first = asked.first().copied().flatten()?;
    asked.iter().all(|version| *version == Some(first)).then_some(DefaultVersion::Version(first))
}
