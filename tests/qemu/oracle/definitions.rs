//! `query-cpu-definitions`: which features of each model a host lacks.

use super::Outcome;
use super::case::Case;
use super::corpus::Definitions;
use super::recording::Recording;

/// The case with that command.
pub fn case(host: &str) -> Case {
    Case { more: vec!["qmp query-cpu-definitions".to_owned()], ..Case::new(host, "", "", "q35") }
}

/// The answer: models and features in QEMU's order.
pub fn read(recording: &Recording) -> Outcome<Definitions> {
    let answer = recording.qmp.iter().find(|line| line.contains("\"unavailable-features\""));
    let answer = answer.ok_or("QEMU did not answer query-cpu-definitions")?;
    let objects = answer.split("{\"name\": \"").skip(1);
    objects
        .map(|object| {
            let (name, rest) = object.split_once('"').ok_or("a model's name has no end")?;
            let (_, rest) = rest.split_once("\"unavailable-features\": [").ok_or("no list of features")?;
            let (list, _) = rest.split_once(']').ok_or("a list of features has no end")?;
            let features = list.split(", ").filter(|item| !item.is_empty());
            Ok((name.to_owned(), features.map(|item| item.trim_matches('"').to_owned()).collect()))
        })
        .collect()
}
