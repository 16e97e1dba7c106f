//! Reading, one CPU at a time.

use core::fmt;
use std::boxed::Box;
use std::io::Read;
use std::string::{String, ToString};
use std::vec::Vec;

use super::cpu::Cpu;
use super::error::ReadError;
use super::format::Format;
use super::lines::{self, Lines, MAX_LINE, NoLine};
use super::other;
use super::scan::trim;
use super::sink::{Fault, Line, Note, Parser, Sink};

/// How to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The format; none: it is recognised by the input's head.
    pub format: Option<Format>,
    /// What makes no sense becomes a warning, and reading goes on after it.
    pub lenient: bool,
}

impl Options {
    /// How many warnings are kept; those beyond are counted.
    pub const MAX_WARNINGS: usize = 100;
}

/// The CPUs of an input, one after the other.
///
/// At most one CPU, one line and the warnings are in memory; of JSON and TOML one document. It reads in large pieces
/// itself. After an error there is nothing more.
pub struct Reader<R> {
    lines: Lines<R>,
    format: Format,
    parser: Box<dyn Parser>,
    sink: Sink,
    lenient: bool,
    warnings: Vec<ReadError>,
    more_warnings: u64,
    ended: bool,
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("format", &self.format)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Reader<R> {
    /// Begins to read.
    ///
    /// # Errors
    ///
    /// The input can't be read, or is in no format that is known.
    pub fn new(input: R, options: &Options) -> Result<Reader<R>, ReadError> {
        let lines = Lines::new(input).map_err(ReadError::Io)?;
        let head = lines.head();
        let format = options.format.or_else(|| Format::recognise(head)).ok_or_else(|| {
            let first = lines::split(head).find(|line| !trim(line).is_empty());
            first.map_or(ReadError::Blank, |first| unrecognised(head, first))
        })?;
        Ok(Reader {
            lines,
            format,
            parser: (format.descriptor().parser)(),
            sink: Sink::default(),
            lenient: options.lenient,
            warnings: Vec::new(),
            more_warnings: 0,
            ended: false,
        })
    }

    /// The format that is read.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// What was wrong so far, when reading leniently, and how many warnings there were beyond.
    #[must_use]
    pub fn warnings(&self) -> (&[ReadError], u64) {
        (&self.warnings, self.more_warnings)
    }

    /// What was wrong, when reading leniently, and how many warnings there were beyond.
    #[must_use]
    pub fn into_warnings(self) -> (Vec<ReadError>, u64) {
        (self.warnings, self.more_warnings)
    }

    /// What a user has to know of what was read so far, and how many notes there were beyond: names that are not known,
    /// calls that failed.
    #[must_use]
    pub fn notes(&self) -> (&[Note], u64) {
        self.sink.notes()
    }

    /// Reads a line; false at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        let done = match self.lines.advance() {
            Ok(()) => {
                let line = Line { number: self.lines.number(), text: self.lines.line() };
                self.parser.line(line, &mut self.sink)
            }
            Err(NoLine::TooLong) => Err(Fault::TooLong { line: self.lines.number(), limit: MAX_LINE }),
            Err(NoLine::Io(error)) => return Err(ReadError::Io(error)),
            Err(NoLine::End) => {
                self.ended = true;
                let ended = self.parser.end(&mut self.sink);
                self.sink.finish();
                ended
            }
        };
        if let Err(fault) = done {
            self.fault(fault)?;
        }
        Ok(!self.ended)
    }

    /// What makes no sense is an error, or a warning and reading goes on.
    fn fault(&mut self, fault: Fault) -> Result<(), ReadError> {
        let (here, format) = (self.lines.number(), self.format);
        let error = match fault {
            Fault::TooManyEntries => return Err(ReadError::TooManyEntries { line: here }),
            Fault::TooManyCpus => return Err(ReadError::TooManyCpus { line: here }),
            Fault::TooLong { line, limit } => ReadError::TooLong { line, limit },
            Fault::Here(why) => ReadError::Malformed {
                format,
                line: here,
                text: shortened(self.lines.line()),
                why: why.into(),
            },
            Fault::At { line, text, why } => {
                ReadError::Malformed { format, line, text: shortened(text.as_bytes()), why }
            }
        };
        if !self.lenient {
            return Err(error);
        }
        if self.warnings.len() < Options::MAX_WARNINGS {
            self.warnings.push(error);
        } else {
            self.more_warnings += 1;
        }
        Ok(())
    }

    fn next_cpu(&mut self) -> Result<Option<Cpu>, ReadError> {
        loop {
            if let Some(cpu) = self.sink.take() {
                return Ok(Some(cpu));
            }
            if self.ended {
                return Ok(None);
            }
            if !self.advance()? && !self.sink.read_any() {
                let reason = self.sink.notes().0.last().map(ToString::to_string);
                return Err(match reason {
                    Some(text) => ReadError::Nothing { text },
                    None => ReadError::Empty { format: self.format },
                });
            }
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Cpu, ReadError>;

    fn next(&mut self) -> Option<Result<Cpu, ReadError>> {
        let next = self.next_cpu();
        if next.is_err() {
            self.ended = true;
            while self.sink.take().is_some() {}
        }
        next.transpose()
    }
}

/// The error for an input that begins with a line, in no format that is known.
fn unrecognised(head: &[u8], first: &[u8]) -> ReadError {
    let other = other::looks_like(head);
    ReadError::Unrecognised {
        text: shortened(first),
        looks_like: other.map(|other| other.what),
        instead: other.and_then(|other| other.instead),
    }
}

/// A text as a message quotes it: without what is around it, control characters escaped, at most 80 characters.
fn shortened(text: &[u8]) -> String {
    const MAX: usize = 80;
    // What follows a zero byte is not text.
    let text = trim(text.split(|byte| *byte == 0).next().unwrap_or_default());
    let head = String::from_utf8_lossy(text.get(..MAX * 4).unwrap_or(text));
    let mut short: String = head.chars().take(MAX).collect();
    if short.len() < text.len() && head.chars().count() > MAX {
        short.push_str("...");
    }
    if short.chars().any(char::is_control) { short.escape_debug().to_string() } else { short }
}
