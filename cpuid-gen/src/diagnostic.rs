//! Errors and warnings about an input, with their places.
//!
//! Readers and checks collect diagnostics and continue; the caller decides how to proceed. [`Diagnostics::sort`]
//! orders them by place, so that the same input gives the same report.
//!
//! ```
//! use cpuid_gen::{diagnostic::Diagnostics, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let file = sources.add("a.tsv", "one\n");
//! diagnostics.error(sources.span(file, 0, 3), "expected `two`, found `one`");
//! assert!(diagnostics.has_errors());
//! assert!(diagnostics.render(&sources).starts_with("a.tsv:1:1: error: expected `two`, found `one`"));
//! ```

#[cfg(feature = "json")]
pub(crate) mod json;

use std::fmt;
use std::path::Path;

use crate::ordered::sort_by;
use crate::source::{ReadError, Sources, Span};

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The input could not be parsed, or is inconsistent.
    Error,
    /// The input was parsed, but is suspicious.
    Warning,
}

/// An additional place of a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Label {
    /// The place.
    pub at: Span,
    /// The text for this place.
    pub text: String,
}

/// One error or warning about an input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The severity.
    pub severity: Severity,
    /// The place; `None` if it concerns a whole file or tree, which `message` then names.
    pub at: Option<Span>,
    /// The problem: quotes the offender and states what was expected.
    pub message: String,
    /// Other places, such as the second side of a conflict.
    pub labels: Vec<Label>,
    /// The suggested next step.
    pub help: Option<String>,
    /// The kind of finding, as `differences.tsv` names it; `None` if it is not a finding that a row can explain.
    pub kind: Option<&'static str>,
    /// The row that explains or accepts a finding; `None` if no row can.
    pub row: Option<Box<FindingRow>>,
}

/// The row of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FindingRow {
    /// The first four columns of the row that explains or accepts it: kind, subject, left and right.
    pub columns: [String; 4],
    /// Those of the changed statement from which the finding follows.
    pub follows: Option<[String; 4]>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(at: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { at: Some(at), ..Diagnostic::general(message) }
    }

    /// A warning at a place.
    pub fn warning(at: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(at, message) }
    }

    /// An error about an input as a whole.
    pub fn general(message: impl Into<String>) -> Diagnostic {
        let message = message.into();
        Diagnostic {
            severity: Severity::Error,
            at: None,
            message,
            labels: Vec::new(),
            help: None,
            kind: None,
            row: None,
        }
    }

    /// An error about a file that could not be read.
    pub fn file(path: &Path, why: impl fmt::Display) -> Diagnostic {
        Diagnostic::general(format!("{}: {why}", path.display()))
    }

    /// Adds an additional place.
    #[must_use]
    pub fn with_label(mut self, at: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { at, text: text.into() });
        self
    }

    /// Sets the suggested next step.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The plain form, `file:line:column: error: message`, with a line for each additional place and for the help.
    #[must_use]
    pub fn render(&self, sources: &Sources) -> String {
        let kind = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut out = match self.at {
            Some(at) => format!("{}: {kind}: {}", sources.place(at), self.message),
            None => format!("{kind}: {}", self.message),
        };
        for label in &self.labels {
            out.push_str(&format!("\n{}: note: {}", sources.place(label.at), label.text));
        }
        if let Some(help) = &self.help {
            out.push_str(&format!("\n  help: {help}"));
        }
        out
    }
}

impl From<ReadError> for Diagnostic {
    fn from(error: ReadError) -> Diagnostic {
        match error {
            ReadError::File { path, why } => Diagnostic::file(&path, why),
            ReadError::Text { at, why, help } => {
                Diagnostic { help: help.map(str::to_owned), ..Diagnostic::error(at, why) }
            }
        }
    }
}

/// A region that a conditional leaves out. This is not an error, only recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The directive that decides.
    pub condition: Span,
    /// From after the directive to the next branch, or to the end of the conditional.
    pub region: Span,
}

/// The diagnostics so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
    /// The regions that conditionals left out of the files read so far, in the order of reading.
    pub left_out: Vec<LeftOut>,
}

impl Diagnostics {
    /// No diagnostics yet.
    #[must_use]
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.all.push(diagnostic);
    }

    /// Adds an error at a place.
    pub fn error(&mut self, at: Span, message: impl Into<String>) {
        self.push(Diagnostic::error(at, message));
    }

    /// Adds a warning at a place.
    pub fn warning(&mut self, at: Span, message: impl Into<String>) {
        self.push(Diagnostic::warning(at, message));
    }

    /// Returns the value, or adds the error.
    pub fn take<T>(&mut self, result: Result<T, impl Into<Diagnostic>>) -> Option<T> {
        result.map_err(|error| self.push(error.into())).ok()
    }

    /// True if at least one is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.all.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Adds the diagnostics of another list.
    pub fn append(&mut self, mut other: Diagnostics) {
        self.all.append(&mut other.all);
        self.left_out.append(&mut other.left_out);
    }

    /// Sorts by place (general ones first), then severity and message, and removes duplicates.
    pub fn sort(&mut self) {
        sort_by(&mut self.all, |a, b| (a.at, a.severity, &a.message).cmp(&(b.at, b.severity, &b.message)));
        self.all.dedup();
    }

    /// All diagnostics, in their current order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }

    /// The number of diagnostics.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The plain form of all, with a line feed after each.
    #[must_use]
    pub fn render(&self, sources: &Sources) -> String {
        self.all.iter().map(|diagnostic| diagnostic.render(sources) + "\n").collect()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, iter: I) {
        self.all.extend(iter);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}
