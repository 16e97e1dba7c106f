//! Lines of an input of any size, none longer than a limit.

use std::io::{self, Read};
use std::vec::Vec;

use super::scan::{each, find};

/// How long a line may be. The longest real ones, a table printed on one, have some 40 KiB.
pub(super) const MAX_LINE: usize = 1 << 20;
/// How much of an input tells its format, and how much is read at once.
const HEAD: usize = 1 << 16;

/// The lines of an input.
pub(super) struct Lines<R> {
    input: R,
    /// What was read and not given yet is `start..end`; the rest is space.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where the line that was read last lies.
    line: core::ops::Range<usize>,
    number: u64,
    /// The input is at its end.
    ended: bool,
}

/// What there was instead of a line.
pub(super) enum NoLine {
    End,
    TooLong,
    Io(io::Error),
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> io::Result<Lines<R>> {
        let buffer = std::vec![0; HEAD];
        let mut lines = Lines { input, buffer, start: 0, end: 0, line: 0..0, number: 0, ended: false };
        while lines.end < HEAD && !lines.ended {
            lines.fill()?;
        }
        if lines.buffer[..lines.end].starts_with(b"\xef\xbb\xbf") {
            lines.start = 3;
        }
        Ok(lines)
    }

    /// The head of the input, before the first line is read.
    pub(super) fn head(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The line that was read last.
    pub(super) fn line(&self) -> &[u8] {
        &self.buffer[self.line.clone()]
    }

    /// Reads the next line. Of a line that is too long, nothing is kept.
    pub(super) fn advance(&mut self) -> Result<(), NoLine> {
        let mut too_long = false;
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.start..self.end];
            if let Some(at) = newline(&rest[searched..]).map(|at| searched + at) {
                return self.found(self.start + at, 1, too_long);
            }
            searched = rest.len();
            if self.ended && rest.is_empty() && !too_long {
                self.line = 0..0;
                return Err(NoLine::End);
            }
            if self.ended {
                return self.found(self.end, 0, too_long);
            }
            // The line's end of two bytes is none of its own.
            if searched > MAX_LINE + 1 {
                too_long = true;
                (self.start, self.end, searched) = (0, 0, 0);
            }
            self.fill().map_err(NoLine::Io)?;
        }
    }

    /// The line ends at a place, and what ends it is so long.
    fn found(&mut self, end: usize, ending: usize, too_long: bool) -> Result<(), NoLine> {
        self.line = self.start..end;
        self.start = end + ending;
        self.number += 1;
        if self.buffer[self.line.clone()].ends_with(b"\r") {
            self.line.end -= 1;
        }
        if too_long || self.line.len() > MAX_LINE {
            self.line = 0..0;
            return Err(NoLine::TooLong);
        }
        Ok(())
    }

    /// Reads more, behind what is there.
    fn fill(&mut self) -> io::Result<()> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.end > self.buffer.len() / 2 {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    self.ended = read == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Where a line ends; eight bytes at once.
fn newline(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let differs = u64::from_le_bytes(*eight) ^ each(b'\n');
        // The lowest bit set is that of the first byte that is zero.
        let same = differs.wrapping_sub(each(1)) & !differs & each(0x80);
        if same != 0 {
            return Some(at + (same.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    text[at..].iter().position(|byte| *byte == b'\n').map(|after| at + after)
}

/// True when a text stands in a line.
pub(super) fn contains(line: &[u8], text: &[u8]) -> bool {
    find(line, text).is_some()
}

/// The lines of a text that is there.
pub(super) fn of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::newline;

    #[test]
    fn a_newline_anywhere() {
        for length in 0..40 {
            // Bytes that differ from a newline by little.
            for other in [0, 0x0b, 0x09, 0x8a, 0xff, b' '] {
                let mut text = vec![other; length];
                assert_eq!(newline(&text), None);
                for at in (0..length).rev() {
                    text[at] = b'\n';
                    assert_eq!(newline(&text), Some(at));
                }
            }
        }
    }
}
