//! How a command ends: with an answer, or with a reason why there is none.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use super::output::error;

/// What comes of something that may fail.
pub(crate) type Result<T> = std::result::Result<T, Failed>;

/// Yes or no, as an exit code.
pub(crate) fn answer(yes: bool) -> ExitCode {
    ExitCode::from(u8::from(!yes))
}

/// Why a command could not do what it was asked for, and what the user can do.
#[derive(Debug)]
pub(crate) struct Failed {
    message: String,
    help: Option<String>,
}

impl Failed {
    pub(crate) fn new(message: impl Display) -> Failed {
        Failed { message: message.to_string(), help: None }
    }

    /// The same, with what to do next.
    pub(crate) fn help(self, help: impl Display) -> Failed {
        Failed { help: Some(help.to_string()), ..self }
    }

    /// What went wrong, without what to do.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Tells it on standard error.
    pub(crate) fn show(&self) {
        error(&self.message, self.help.as_deref());
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::new(format!("cannot write the output: {error}"))
    }
}
