//! Lines of an input of any size, none longer than a limit.

use std::io::{self, BufRead, Read};
use std::vec::Vec;

use super::scan::find;

/// How long a line may be. The longest real ones, a table printed on one, have some 40 KiB.
pub(super) const MAX_LINE: usize = 1 << 20;
/// How much of an input tells its format.
const HEAD: u64 = 1 << 16;

/// The lines of an input.
pub(super) struct Lines<R> {
    input: io::Chain<io::Cursor<Vec<u8>>, R>,
    line: Vec<u8>,
    number: u64,
}

/// What there was instead of a line.
pub(super) enum NoLine {
    End,
    TooLong,
    Io(io::Error),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(mut input: R) -> io::Result<Lines<R>> {
        let mut head = Vec::new();
        input.by_ref().take(HEAD).read_to_end(&mut head)?;
        if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        Ok(Lines { input: io::Cursor::new(head).chain(input), line: Vec::new(), number: 0 })
    }

    /// The head of the input; empty after the first line was read.
    pub(super) fn head(&self) -> &[u8] {
        if self.number == 0 { self.input.get_ref().0.get_ref() } else { &[] }
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The line that was read last.
    pub(super) fn line(&self) -> &[u8] {
        trim_end(&self.line)
    }

    /// Reads the next line. Of a line that is too long, nothing is kept.
    pub(super) fn advance(&mut self) -> Result<(), NoLine> {
        self.line.clear();
        let limit = MAX_LINE as u64 + 2;
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.line);
        match read.map_err(NoLine::Io)? {
            0 => return Err(NoLine::End),
            _ => self.number += 1,
        }
        if self.line().len() > MAX_LINE {
            while self.line.last().is_some_and(|last| *last != b'\n') {
                self.line.clear();
                self.input.by_ref().take(limit).read_until(b'\n', &mut self.line).map_err(NoLine::Io)?;
            }
            self.line.clear();
            return Err(NoLine::TooLong);
        }
        Ok(())
    }
}

/// Without the line's end, of either kind.
fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// True when a text stands in a line.
pub(super) fn contains(line: &[u8], text: &[u8]) -> bool {
    find(line, text).is_some()
}

/// The lines of a text that is there.
pub(super) fn of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(trim_end)
}
