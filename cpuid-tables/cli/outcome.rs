//! The result of a command: an answer, or an error.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::output::error;

/// The result of a fallible step.
pub(crate) type Result<T> = std::result::Result<T, Failed>;

/// Yes or no, as an exit code.
pub(crate) fn answer(yes: bool) -> ExitCode {
    ExitCode::from(u8::from(!yes))
}

/// Why a command failed, and what the user can do.
#[derive(Debug)]
pub(crate) struct Failed {
    message: String,
    help: Option<String>,
    /// A file is not a dump.
    is_no_dump: bool,
}

impl Failed {
    pub(crate) fn new(message: impl Display) -> Failed {
        Failed { message: message.to_string(), help: None, is_no_dump: false }
    }

    /// The same with advice.
    pub(crate) fn help(self, help: impl Display) -> Failed {
        Failed { help: Some(help.to_string()), ..self }
    }

    /// The same, of a source.
    pub(crate) fn of(self, source: impl Display) -> Failed {
        Failed { message: format!("{source}: {}", self.message), ..self }
    }

    /// The same of a file that is not a dump.
    pub(crate) fn no_dump(self) -> Failed {
        Failed { is_no_dump: true, ..self }
    }

    /// True of a file that is not a dump.
    pub(crate) fn is_no_dump(&self) -> bool {
        self.is_no_dump
    }

    /// The error with the advice, in a line.
    pub(crate) fn in_a_line(&self) -> String {
        let help = self.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{}{help}", self.message)
    }

    /// The error without the advice.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// `message` and `help` (or null).
    pub(crate) fn to_json(&self) -> Value {
        json!({ "message": self.message, "help": self.help })
    }

    /// Prints it to standard error.
    pub(crate) fn show(&self) {
        error(&self.message, self.help.as_deref());
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::new(format!("cannot write the output: {error}"))
    }
}
