//! Writing, one CPU at a time.

use std::io::{self, Write};

use super::sink::implied_flags;
use super::{Cpu, Format, WriteError};

/// How a format is written.
#[derive(Clone, Copy)]
pub(super) struct Write1 {
    /// Writes one CPU.
    pub(super) one: fn(&mut dyn Write, &Cpu) -> io::Result<()>,
    /// True when the format has flags.
    pub(super) flags: bool,
    /// True when it can leave bits open.
    pub(super) open: bool,
    /// True when it holds more than one CPU.
    pub(super) many: bool,
}

/// Writes CPUs one after the other.
pub struct Writer<W> {
    out: W,
    format: Format,
    how: Write1,
    written: bool,
}

impl<W: Write> Writer<W> {
    /// Begins to write.
    ///
    /// # Errors
    ///
    /// [`WriteError::OnlyRead`]: no table can be written in this format.
    pub fn new(out: W, format: Format) -> Result<Writer<W>, WriteError> {
        let how = format.writer().ok_or(WriteError::OnlyRead { format })?;
        Ok(Writer { out, format, how, written: false })
    }

    /// Writes one more CPU.
    ///
    /// # Errors
    ///
    /// The output can't be written, or the format can't hold what the CPU has. Nothing of it is written then.
    pub fn write(&mut self, cpu: &Cpu) -> Result<(), WriteError> {
        let format = self.format;
        if self.written && !self.how.many {
            return Err(WriteError::SeveralCpus { format });
        }
        if !self.how.flags {
            let implied = implied_flags(&cpu.entries);
            for (entry, at) in cpu.entries.iter().zip(0..) {
                let implied = implied(entry);
                if entry.flags != implied {
                    return Err(WriteError::Flags { format, entry: at, flags: entry.flags, implied });
                }
            }
        }
        if !self.how.open {
            if let Some(entry) = (0..cpu.entries.len()).find(|entry| cpu.known(*entry) != [u32::MAX; 4]) {
                return Err(WriteError::Open { format, entry });
            }
        }
        self.written = true;
        Ok((self.how.one)(&mut self.out, cpu)?)
    }

    /// Writes what comes at the end, and gives the output back.
    ///
    /// # Errors
    ///
    /// The output can't be written.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.out.flush()?;
        Ok(self.out)
    }
}
