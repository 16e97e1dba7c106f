//! Lines of an input of any size, none longer than a limit.
//!
//! An input that begins with UTF-16's byte order mark, as Windows' shell writes it, is made bytes of: whatever is not
//! ASCII becomes `?`.

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
    utf16: Option<Utf16>,
}

/// An input in UTF-16.
struct Utf16 {
    /// Which of a unit's two bytes is the low one.
    low: usize,
    /// The first byte of a unit whose second was not read yet.
    half: Option<u8>,
}

impl Utf16 {
    /// Makes bytes of the units in a text, in its place; tells how many.
    fn narrow(&mut self, text: &mut [u8]) -> usize {
        let mut units = 0;
        for at in 0..text.len() {
            let Some(first) = self.half.take() else {
                self.half = Some(text[at]);
                continue;
            };
            let unit = [first, text[at]];
            let is_ascii = unit[1 - self.low] == 0 && unit[self.low].is_ascii();
            text[units] = if is_ascii { unit[self.low] } else { b'?' };
            units += 1;
        }
        units
    }
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
        let mut lines =
            Lines { input, buffer, start: 0, end: 0, line: 0..0, number: 0, ended: false, utf16: None };
        while lines.end < HEAD && !lines.ended {
            lines.fill()?;
        }
        let low = match &lines.buffer[..lines.end] {
            [0xff, 0xfe, ..] => 0,
            [0xfe, 0xff, ..] => 1,
            [0xef, 0xbb, 0xbf, ..] => {
                lines.start = 3;
                return Ok(lines);
            }
            _ => return Ok(lines),
        };
        let mut utf16 = Utf16 { low, half: None };
        lines.start = 2;
        lines.end = 2 + utf16.narrow(&mut lines.buffer[2..lines.end]);
        lines.utf16 = Some(utf16);
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
                    self.ended = read == 0;
                    let text = &mut self.buffer[self.end..self.end + read];
                    self.end += self.utf16.as_mut().map_or(read, |utf16| utf16.narrow(text));
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

/// True if a line contains a text.
pub(super) fn contains(line: &[u8], text: &[u8]) -> bool {
    find(line, text).is_some()
}

/// The lines of a text that is there.
pub(super) fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
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
