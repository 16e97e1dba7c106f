//! A QMP command and the contents of its answer.

use serde_json::{Map, Value, json};

use super::ProgramError;

/// A command that expands a model.
pub(super) fn expansion(kind: &str, model: &str) -> Value {
    // VMX's and SVM's features depend on these, and PDCM on the PMU: without them, an expansion would lack these features.
    let props = if kind == "static" { json!({}) } else { json!({"vmx": true, "svm": true, "pmu": true}) };
    json!({"execute": "query-cpu-model-expansion",
        "arguments": {"type": kind, "model": {"name": model, "props": props}}})
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
