//! Writing, one CPU at a time.

use core::fmt;
use std::io::Write;

use super::cpu::Cpu;
use super::descriptor::{Flags, Several, Style};
use super::error::WriteError;
use super::format::Format;
use super::sink::{ALL, implied_flags};
use crate::table::CpuidEntry;

/// Writes CPUs one after the other.
pub struct Writer<W> {
    out: W,
    format: Format,
    style: Style,
    drop_flags: bool,
    /// Number and name of the CPU before.
    last: Option<(Option<u32>, Option<std::string::String>)>,
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("format", &self.format).finish_non_exhaustive()
    }
}

impl<W: Write> Writer<W> {
    /// Begins to write.
    ///
    /// # Errors
    ///
    /// [`WriteError::OnlyRead`]: no table can be written in this format.
    pub fn new(out: W, format: Format) -> Result<Writer<W>, WriteError> {
        let style = format.descriptor().style.ok_or(WriteError::OnlyRead { format })?;
        Ok(Writer { out, format, style, drop_flags: false, last: None })
    }

    /// Leaves out flags that the format can't hold, where they are an error otherwise.
    pub fn drop_flags(&mut self, drop_flags: bool) {
        self.drop_flags = drop_flags;
    }

    /// Writes one more CPU.
    ///
    /// # Errors
    ///
    /// The output can't be written, or the format can't hold what the CPU has. Nothing of it is written then.
    pub fn write(&mut self, cpu: &Cpu) -> Result<(), WriteError> {
        let format = self.format;
        match self.style.several {
            Several::No if self.last.is_some() => return Err(WriteError::SeveralCpus { format }),
            Several::ByNumber
                if self.last.as_ref().is_some_and(|last| last == &(cpu.number, cpu.name.clone())) =>
            {
                return Err(WriteError::NotApart { format });
            }
            _ => {}
        }
        if !self.drop_flags {
            self.check_flags(&cpu.entries)?;
        }
        if !self.style.open {
            if let Some(entry) = (0..cpu.entries.len()).find(|entry| cpu.known(*entry) != ALL) {
                return Err(WriteError::Open { format, entry });
            }
        }
        (self.style.write)(&mut self.out, cpu).map_err(|why| WriteError::new(format, why))?;
        self.last = Some((cpu.number, cpu.name.clone()));
        Ok(())
    }

    fn check_flags(&self, entries: &[CpuidEntry]) -> Result<(), WriteError> {
        let implied = implied_flags(entries);
        for (at, entry) in entries.iter().enumerate() {
            let implied = match self.style.flags {
                Flags::All => entry.flags,
                Flags::Index => entry.flags & CpuidEntry::SIGNIFICANT_INDEX,
                Flags::Implied => implied(entry),
            };
            if entry.flags != implied {
                return Err(WriteError::Flags {
                    format: self.format,
                    entry: at,
                    flags: entry.flags,
                    implied,
                });
            }
        }
        Ok(())
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
