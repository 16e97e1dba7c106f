//! An input that comes a few bytes at a time.

use std::io::{self, Read};

/// Returns at most this many bytes of a text at once.
pub(crate) struct Pieces<'a>(pub(crate) usize, pub(crate) &'a [u8]);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.0.min(buffer.len());
        self.1.read(&mut buffer[..size])
    }
}
