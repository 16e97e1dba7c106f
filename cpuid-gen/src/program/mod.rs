//! Facts from a QEMU program: its own statements over QMP, under TCG and without a guest.
//!
//! ```text
//! Qemu (a program, or a test's answers) --ask--> Stated --overlay on facts of the nearest release--> facts + origin of each row
//! ```
//!
//! A program states its machine types with their compatibility properties (since 9.1; before, `compat` finds those of a
//! distribution's machine types), its CPU models and versions, the value of each property of each model, the word and bit of each
//! property, and deprecations. It does not state
//! what only its sources have: dependencies, masks, XSAVE components, caches, KVM's defaults, constants and notes. These
//! rows come from the base facts and are marked as such.

mod answer;
mod ask;
mod bits;
mod compat;
mod models;
mod models_of;
mod overlay;
mod run;
mod stated;
mod unstated;
mod words;

use std::fmt;

use serde_json::Value;

pub use ask::{ask, ask_for, release_of};
pub use overlay::{Overlaid, nearest, overlay};
pub use run::{Program, Replies};
pub use stated::{Machine, Model, NamedBit, Stated};

/// The answers of one run.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// The greeting, which has the version.
    pub greeting: Value,
    /// Each command's answer, in order: its `return`, or the description of its `error`.
    pub returns: Vec<Result<Value, String>>,
    /// Warnings.
    pub stderr: String,
}

/// Runs QEMU.
pub trait Qemu {
    /// Starts it with these arguments, executes the QMP commands, and ends it.
    ///
    /// # Errors
    ///
    /// A [`ProgramError`] if it does not start or stops early. A command that fails is an answer.
    fn run(&self, arguments: &[&str], commands: &[Value]) -> Result<Answers, ProgramError>;
}

/// Why a program's facts cannot be obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgramError {
    /// It cannot be started, or its output cannot be read.
    Io(String),
    /// It did not answer in time.
    Timeout,
    /// It ended before it had answered; its last line of output.
    Ended(String),
    /// It does not answer as QMP does.
    NotQmp(String),
    /// It failed a command that every QEMU has.
    Command {
        /// The command.
        command: String,
        /// Its error.
        error: String,
    },
    /// An answer lacks a member.
    Answer {
        /// The command.
        command: String,
        /// What is missing.
        missing: &'static str,
    },
    /// A name or a number that facts cannot contain.
    Facts(String),
    /// A bit in a word that the base facts do not have.
    UnknownWord {
        /// The property.
        property: String,
        /// Its place.
        place: String,
    },
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProgramError::Io(error) => write!(f, "cannot run the program: {error}"),
            ProgramError::Timeout => f.write_str("the program did not answer in two minutes"),
            ProgramError::Ended(last) => write!(f, "the program ended early: {last}"),
            ProgramError::NotQmp(line) => write!(f, "expected a QMP answer, got `{line}`: is this QEMU?"),
            ProgramError::Command { command, error } => write!(f, "`{command}` failed: {error}"),
            ProgramError::Answer { command, missing } => {
                write!(f, "the answer to `{command}` has no `{missing}`")
            }
            ProgramError::Facts(what) => {
                write!(f, "the program states something that facts cannot contain: {what}")
            }
            ProgramError::UnknownWord { property, place } => write!(
                f,
                "`{property}` is a bit of {place}, which is not a word of the base facts: name the facts of a newer release"
            ),
        }
    }
}

impl std::error::Error for ProgramError {}
