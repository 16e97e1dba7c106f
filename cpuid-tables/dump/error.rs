//! What can go wrong with a dump.

use core::fmt;
use std::borrow::Cow;
use std::io;
use std::string::String;

use super::cpu::Cpu;
use super::descriptor::Unwritable;
use super::format::Format;

/// An input that can't be read as a dump.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The input itself can't be read.
    Io(io::Error),
    /// It has nothing but white space.
    Blank,
    /// Its head is in no format that is known.
    Unrecognised {
        /// Its first line that isn't empty, shortened.
        text: String,
        /// What it looks like, in a few words, where that is known: `C source code`.
        looks_like: Option<&'static str>,
        /// What to do with such an input, where that is known.
        instead: Option<&'static str>,
    },
    /// Something that makes no sense in the format.
    Malformed {
        /// The format.
        format: Format,
        /// The line, from 1.
        line: u64,
        /// The text there, shortened.
        text: String,
        /// What is wrong: what was expected, or what a parser says.
        why: Cow<'static, str>,
    },
    /// A line, or a document that is read as a whole, is longer than any dump's.
    TooLong {
        /// The line, from 1; a document's first one.
        line: u64,
        /// How many bytes there may be.
        limit: usize,
    },
    /// A CPU with more entries than [`Cpu::MAX_ENTRIES`].
    TooManyEntries {
        /// The line, from 1.
        line: u64,
    },
    /// CPUs that take turns in the input, and more of them than any machine has.
    TooManyCpus {
        /// The line, from 1.
        line: u64,
    },
    /// The input holds no entry, and says why.
    Nothing {
        /// What it says, with the line.
        text: String,
    },
    /// The input holds no entry at all.
    Empty {
        /// The format as which it was read.
        format: Format,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => write!(f, "cannot read: {error}"),
            ReadError::Blank => f.write_str("it is empty"),
            ReadError::Unrecognised { text, looks_like, .. } => {
                f.write_str("not recognised as a dump of CPUID: it ")?;
                match looks_like {
                    Some(what) if text.is_empty() => write!(f, "looks like {what}"),
                    Some(what) => write!(f, "looks like {what}, and begins with `{text}`"),
                    None => write!(f, "begins with `{text}`"),
                }
            }
            ReadError::Malformed { format: Format::Json, line, text, why } => {
                write!(f, "line {line}: `{text}` is not a table in JSON: {why}")
            }
            ReadError::Malformed { format, line, text, why } => {
                write!(f, "line {line}: `{text}` is not {}: {why}", format.name())
            }
            ReadError::TooLong { line, limit } => {
                write!(f, "line {line}: longer than {limit} bytes, which no dump of CPUID is")
            }
            ReadError::TooManyEntries { line } => {
                write!(f, "line {line}: more than {} entries of one CPU", Cpu::MAX_ENTRIES)
            }
            ReadError::TooManyCpus { line } => {
                write!(f, "line {line}: more than {} CPUs that take turns", Cpu::MAX_TURNS)
            }
            ReadError::Nothing { text } => f.write_str(text),
            ReadError::Empty { format } => write!(f, "no CPUID entry in it, read as {}", format.name()),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReadError::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// A table that can't be written in a format.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The output can't be written.
    Io(io::Error),
    /// The format is read, not written.
    OnlyRead {
        /// The format.
        format: Format,
    },
    /// The format has no flags, or not all, and an entry's are not those that a reader would give it.
    Flags {
        /// The format.
        format: Format,
        /// Which entry of its CPU, from 0.
        entry: usize,
        /// Its flags.
        flags: u32,
        /// Those that a reader of the format would give it.
        implied: u32,
    },
    /// The format tells every bit, and some of an entry's are open.
    Open {
        /// The format.
        format: Format,
        /// Which entry of its CPU, from 0.
        entry: usize,
    },
    /// The format holds one CPU, and there are several.
    SeveralCpus {
        /// The format.
        format: Format,
    },
    /// The format tells CPUs apart by their number or name, and two in a row have the same.
    NotApart {
        /// The format.
        format: Format,
    },
    /// The format has one place for each leaf and subleaf, and an entry has that of an earlier one.
    Twice {
        /// The format.
        format: Format,
        /// Which entry of its CPU, from 0.
        entry: usize,
    },
    /// The format looks up entries of one subleaf first, and an entry for all subleaves precedes one of those.
    Order {
        /// The format.
        format: Format,
        /// Which entry of its CPU, from 0.
        entry: usize,
    },
    /// The format names the vendor, and leaf 0 is of none that it has.
    Vendor {
        /// The format.
        format: Format,
    },
}

impl WriteError {
    /// What a format's writer found, with the format.
    pub(super) fn new(format: Format, why: Unwritable) -> WriteError {
        match why {
            Unwritable::Io(error) => WriteError::Io(error),
            Unwritable::Vendor => WriteError::Vendor { format },
            Unwritable::Twice(entry) => WriteError::Twice { format, entry },
            Unwritable::Order(entry) => WriteError::Order { format, entry },
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Io(error) => write!(f, "cannot write: {error}"),
            WriteError::OnlyRead { format } => write!(f, "{} is read, not written", format.name()),
            WriteError::Flags { format, entry, flags, implied } => write!(
                f,
                "{} cannot hold the flags of entry {entry}: {flags:#x} would be read back as {implied:#x}",
                format.name()
            ),
            WriteError::Open { format, entry } => write!(
                f,
                "{} tells every bit of a register, and entry {entry} leaves some open",
                format.name()
            ),
            WriteError::SeveralCpus { format } => {
                write!(f, "{} holds one CPU, and there are several", format.name())
            }
            WriteError::NotApart { format } => {
                write!(
                    f,
                    "{} tells CPUs apart by number, and two in a row have the same or none",
                    format.name()
                )
            }
            WriteError::Twice { format, entry } => write!(
                f,
                "{} has one place for a leaf and subleaf, and entry {entry} has that of an earlier one",
                format.name()
            ),
            WriteError::Order { format, entry } => write!(
                f,
                "{} looks up a subleaf's own entry first, and entry {entry} for all subleaves hides one after it",
                format.name()
            ),
            WriteError::Vendor { format } => {
                write!(f, "{} names the vendor, amd or intel, and leaf 0 tells neither", format.name())
            }
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            WriteError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> WriteError {
        WriteError::Io(error)
    }
}
