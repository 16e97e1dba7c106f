//! Errors of generating Rust, and the check of a name.

use std::fmt;

/// The reason why a model cannot be emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenerateError {
    /// The model has no release of this project; the tables need one.
    NoRelease(&'static str),
    /// There are more of these than their numbers can represent.
    TooMany {
        /// The kind of item.
        what: &'static str,
        /// The number of items.
        count: usize,
        /// The maximum number.
        max: usize,
    },
    /// A name with a control character, escaped.
    Name(String),
    /// A name whose hash collides with another name's.
    Hash(String),
    /// The generated code is not valid Rust, which is a bug in this library.
    Syntax(String),
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GenerateError::NoRelease(project) => {
                write!(f, "no release of {project}: the tables need at least one")
            }
            GenerateError::TooMany { what, count, max } => {
                write!(f, "{count} {what}: the tables can number at most {max}")
            }
            GenerateError::Name(name) => write!(f, "the name `{name}` contains a control character"),
            GenerateError::Hash(name) => write!(f, "`{name}` collides with another name in the hash table"),
            GenerateError::Syntax(why) => write!(f, "the generated code is not valid Rust: {why}"),
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
