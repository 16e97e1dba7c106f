//! Errors of generating Rust, and the check of a name.

use std::fmt;

/// Why a model cannot be emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GenerateError {
    /// The model has no release of this project; the tables need one.
    NoRelease(&'static str),
    /// More of something than its number has room for.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// A name with a control character, escaped.
    Name(String),
    /// Two names that cannot be told apart by their hashes; one of them is here.
    Hash(String),
    /// What was built is not Rust: a fault of this library.
    Syntax(String),
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GenerateError::NoRelease(project) => {
                write!(f, "no release of {project}: the tables need at least one")
            }
            GenerateError::TooMany { what, count, max } => {
                write!(f, "{count} {what}, more than the {max} that the tables can number")
            }
            GenerateError::Name(name) => write!(f, "the name `{name}` holds a control character"),
            GenerateError::Hash(name) => write!(f, "`{name}` collides with another name in the hash table"),
            GenerateError::Syntax(why) => write!(f, "the generated code is not Rust: {why}"),
        }
    }
}

impl std::error::Error for GenerateError {}

/// Rejects a name that would not fit on one line of a generated file.
pub(super) fn check_name(name: &str) -> Result<(), GenerateError> {
    if name.contains(char::is_control) {
        return Err(GenerateError::Name(name.escape_debug().to_string()));
    }
    Ok(())
}
