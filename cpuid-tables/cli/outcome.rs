//! The result of a command: an answer, or an error.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

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
}

impl Failed {
    pub(crate) fn new(message: impl Display) -> Failed {
        Failed { message: message.to_string(), help: None }
    }

    /// The same with advice.
    pub(crate) fn help(self, help: impl Display) -> Failed {
        Failed { help: Some(help.to_string()), ..self }
    }

    /// The error without the advice.
    pub(crate) fn message(&self) -> &str {
        &self.message
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
