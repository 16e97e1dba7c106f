//! The questions, and what a program states.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Answers, ProgramError, Qemu, bits, models};
use crate::facts::DefaultVersion;
use crate::location::{Bit, WordSource};

/// A named bit of a feature word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedBit {
    /// The property.
    pub name: String,
    /// The word that it is a bit of.
    pub source: WordSource,
    /// The bit.
    pub bit: Bit,
}

/// A version of a CPU model, or `base`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Every property with its value, by its canonical and other names; VMX, SVM and the PMU are on.
    pub properties: BTreeMap<String, Value>,
    /// It should not be used.
    pub deprecated: bool,
}

/// A machine type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// `pc-q35-11.1`.
    pub name: String,
    /// The version of models that it selects.
    pub default_version: Option<DefaultVersion>,
    /// Its compatibility properties of CPUs, in QEMU's order: QOM type, property, value. `None` if this program does not
    /// state them and the machine type is upstream's; of a distribution's, their effect by CPU.
    pub compat: Option<Vec<(String, String, String)>>,
    /// Its second name, such as `q35`.
    pub alias: Option<String>,
    /// The maximum number of vCPUs.
    pub max_cpus: Option<u32>,
}

/// What a program states.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// `11.1.3`.
    pub release: String,
    /// What its distribution calls the package: `Debian 1:11.1.3+ds-1`, `pve-qemu-kvm_9.0.2-4`; empty for none.
    pub package: String,
    /// Every name of a bit.
    pub names: BTreeSet<String>,
    /// The places of those that it shows, by name.
    pub bits: Vec<NamedBit>,
    /// By model and version.
    pub models: BTreeMap<(String, u32), Model>,
    /// The CPU without features.
    pub empty: Model,
    /// Second names of versions.
    pub aliases: BTreeMap<(String, u32), String>,
    /// Machine types of PCs.
    pub machines: Vec<Machine>,
    /// Properties of CPUs with their kinds.
    pub properties: BTreeMap<String, String>,
    /// What was not asked, and why.
    pub not_asked: Vec<String>,
}

/// Asks everything. Starts the program about fifty times.
///
/// # Errors
///
/// A [`ProgramError`] if it fails, or does not answer as a QEMU does.
pub fn ask(qemu: &dyn Qemu) -> Result<Stated, ProgramError> {
    ask_of(qemu, &|_| true)
}

/// Asks everything but the versions of models that a machine type selects: these only for the machine type with this
/// name or alias. Starts the program about fifteen times.
///
/// # Errors
///
/// A [`ProgramError`] if it fails, or does not answer as a QEMU does.
pub fn ask_for(qemu: &dyn Qemu, machine: &str) -> Result<Stated, ProgramError> {
    ask_of(qemu, &|row| [text(row, "name"), text(row, "alias")].contains(&Some(machine)))
}

/// Asks everything, and of the machine types that are `asked` the versions that they select.
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

/// A command that expands a model.
pub(super) fn expansion(kind: &str, model: &str) -> Value {
    // VMX's and SVM's features depend on these, and PDCM on the PMU: without, an expansion would lack them.
    let props = if kind == "static" { json!({}) } else { json!({"vmx": true, "svm": true, "pmu": true}) };
    json!({"execute": "query-cpu-model-expansion",
        "arguments": {"type": kind, "model": {"name": model, "props": props}}})
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
    let names: BTreeSet<String> = names.map(|(name, _)| name.clone()).collect();
    Ok(names.into_iter().collect())
}

/// The properties in the answer to an expansion.
pub(super) fn expanded<'a>(
    command: &str,
    answer: &'a Result<Value, String>,
) -> Result<&'a Map<String, Value>, ProgramError> {
    let properties = returned(command, answer)?["model"]["props"].as_object();
    properties.ok_or(ProgramError::Answer { command: command.to_owned(), missing: "model.props" })
}

pub(super) fn returned<'a>(
    command: &str,
    answer: &'a Result<Value, String>,
) -> Result<&'a Value, ProgramError> {
    let failed = |error: &String| ProgramError::Command { command: command.to_owned(), error: error.clone() };
    answer.as_ref().map_err(failed)
}

pub(super) fn list<'a>(
    command: &str,
    answer: &'a Result<Value, String>,
) -> Result<&'a Vec<Value>, ProgramError> {
    let list = returned(command, answer)?.as_array();
    list.ok_or(ProgramError::Answer { command: command.to_owned(), missing: "list" })
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
