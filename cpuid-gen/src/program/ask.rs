//! The queries.

use crate::ordered::Set;
use serde_json::{Value, json};

use super::answer::{expanded, expansion, list, text};
use super::stated::Stated;
use super::{Answers, ProgramError, Qemu, bits, models};

/// Runs all queries. Starts the program about fifty times.
///
/// # Errors
///
/// A [`ProgramError`] if it fails, or does not answer as QEMU does.
pub fn ask(qemu: &dyn Qemu) -> Result<Stated, ProgramError> {
    ask_of(qemu, &|_| true)
}

/// Runs all queries, but those of the model versions that a machine type selects only for the machine type with this name or
/// alias. Starts the program about fifteen times.
///
/// # Errors
///
/// A [`ProgramError`] if it fails, or does not answer as QEMU does.
pub fn ask_for(qemu: &dyn Qemu, machine: &str) -> Result<Stated, ProgramError> {
    ask_of(qemu, &|row| [text(row, "name"), text(row, "alias")].contains(&Some(machine)))
}

/// Runs all queries; the versions that a machine type selects only for the machine types that are `asked`.
fn ask_of(qemu: &dyn Qemu, asked: &dyn Fn(&Value) -> bool) -> Result<Stated, ProgramError> {
    let mut stated = Stated::default();
    let commands = [
        json!({"execute": "query-machines"}),
        json!({"execute": "query-machines", "arguments": {"compat-props": true}}),
        json!({"execute": "query-cpu-definitions"}),
        expansion("static", "base"),
        json!({"execute": "qom-list-properties", "arguments": {"typename": "max-x86_64-cpu"}}),
    ];
    let answers = qemu.run(&["-machine", "none", "-accel", "tcg"], &commands)?;
    stated.release = release(&answers)?;
    stated.package = text(&answers.greeting["version"], "package").unwrap_or_default().to_owned();
    let [plain, compat, definitions, empty, properties] = answers.returns.as_slice() else {
        return Err(ProgramError::NotQmp("fewer answers than questions".to_owned()));
    };
    let definitions = list("query-cpu-definitions", definitions)?;
    let machines = list("query-machines", if compat.is_ok() { compat } else { plain })?;
    if compat.is_err() {
        stated.not_asked.push(
            "compatibility properties of upstream's machine types: this program does not list them"
                .to_owned(),
        );
    }
    stated.properties = list("qom-list-properties", properties)?
        .iter()
        .filter_map(|row| Some((text(row, "name")?.to_owned(), text(row, "type")?.to_owned())))
        .collect();
    let names = feature_names(empty)?;
    stated.bits = bits::locate(qemu, &names)?;
    let hidden = names.iter().filter(|name| !stated.bits.iter().any(|bit| bit.name == **name)).count();
    if hidden != 0 {
        stated
            .not_asked
            .push(format!("the places of {hidden} bits, KVM's own among them: TCG does not show them"));
    }
    stated.names = names.into_iter().collect();
    models::models(qemu, definitions, &mut stated)?;
    models::machines(qemu, machines, compat.is_ok(), asked, &mut stated)?;
    Ok(stated)
}

/// The release that it states.
///
/// # Errors
///
/// A [`ProgramError`] if it does not start.
pub fn release_of(qemu: &dyn Qemu) -> Result<String, ProgramError> {
    release(&qemu.run(&["-machine", "none", "-accel", "tcg"], &[])?)
}

/// The version in the greeting.
fn release(answers: &Answers) -> Result<String, ProgramError> {
    let version = &answers.greeting["version"]["qemu"];
    let number = |name: &str| version.get(name).and_then(Value::as_u64);
    match (number("major"), number("minor"), number("micro")) {
        (Some(major), Some(minor), Some(micro)) => Ok(format!("{major}.{minor}.{micro}")),
        _ => Err(ProgramError::NotQmp(answers.greeting.to_string().chars().take(60).collect())),
    }
}

/// The boolean properties of a static expansion: the names of `feat_names`, and `lmce`.
fn feature_names(answer: &Result<Value, String>) -> Result<Vec<String>, ProgramError> {
    let properties = expanded("query-cpu-model-expansion", answer)?;
    let names = properties.iter().filter(|(name, value)| value.is_boolean() && *name != "lmce");
    let names: Set<String> = names.map(|(name, _)| name.clone()).collect();
    Ok(names.into_iter().collect())
}
