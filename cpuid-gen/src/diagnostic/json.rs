//! Diagnostics as JSON.

use serde_json::{Value, json};

use super::{Diagnostic, Severity};
use crate::source::{Sources, Span};

impl Diagnostic {
    /// The message with its places and its help; a finding of `verify` also has its kind, its row and the row that it follows from,
    /// which are null in other diagnostics.
    #[must_use]
    pub fn to_json(&self, sources: &Sources) -> Value {
        let labels =
            self.labels.iter().map(|label| json!({"at": place(sources, label.at), "text": label.text}));
        json!({
            "kind": self.kind,
            "row": self.row.as_ref().map(|row| &row.columns),
            "follows": self.row.as_ref().and_then(|row| row.follows.as_ref()),
            "severity": match self.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "message": self.message,
            "at": self.at.map(|at| place(sources, at)),
            "labels": labels.collect::<Vec<_>>(),
            "help": self.help,
        })
    }
}

pub(crate) fn place(sources: &Sources, at: Span) -> Value {
    let place = sources.place(at);
    json!({"file": place.file, "line": place.line, "column": place.column})
}
