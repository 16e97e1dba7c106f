//! Hosts in text: `NAME.supported`, `NAME.host`, `NAME.msrs`, `NAME.caps` and, where there is one, `NAME.hv`.
//!
//! Entries stand one a line, `function index flags eax ebx ecx edx` in hexadecimal, a word such as `supported` or `hv`
//! before them or not; MSRs as `index value` in hexadecimal; capabilities as `number value` in decimal, and
//! beside them the TSC's frequency as `tsc-khz N`. `#` starts a comment line.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::host::Host;
use crate::location::{Leaf, Msr, Subleaf};
use crate::table::CpuidEntry;

/// One of the files that describe a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostFile {
    /// `KVM_GET_SUPPORTED_CPUID`.
    Supported,
    /// The CPUID instruction.
    Instruction,
    /// Feature MSRs.
    Msrs,
    /// Capabilities.
    Capabilities,
    /// `KVM_GET_SUPPORTED_HV_CPUID`.
    Hyperv,
}

impl HostFile {
    /// All of them.
    pub const ALL: [HostFile; 5] = [
        HostFile::Supported,
        HostFile::Instruction,
        HostFile::Msrs,
        HostFile::Capabilities,
        HostFile::Hyperv,
    ];

    /// How its file's name ends: `NAME.supported`.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            HostFile::Supported => "supported",
            HostFile::Instruction => "host",
            HostFile::Msrs => "msrs",
            HostFile::Capabilities => "caps",
            HostFile::Hyperv => "hv",
        }
    }
}

/// A line of a host's description that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFileError {
    /// In which file.
    pub file: HostFile,
    /// Which line, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

impl fmt::Display for HostFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = match self.file {
            HostFile::Msrs => "`index value` in hexadecimal",
            HostFile::Capabilities => "`number value` or `tsc-khz value` in decimal",
            _ => "`function index flags eax ebx ecx edx` in hexadecimal",
        };
        write!(
            f,
            "line {} of the .{} file is `{}`: expected {expected}",
            self.line,
            self.file.extension(),
            self.text
        )
    }
}

impl core::error::Error for HostFileError {}

impl Host {
    /// Takes in one file's text. What the same file said before is replaced.
    ///
    /// # Errors
    ///
    /// A [`HostFileError`] for the first line that makes no sense.
    pub fn read(&mut self, file: HostFile, text: &str) -> Result<(), HostFileError> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let wrong = |(line, text): (usize, &str)| HostFileError { file, line, text: text.to_string() };
        let entries = || -> Result<Vec<CpuidEntry>, HostFileError> {
            lines.clone().map(|line| entry(line.1).ok_or_else(|| wrong(line))).collect()
        };
        match file {
            HostFile::Supported => self.supported = entries()?,
            HostFile::Instruction => self.instruction = entries()?,
            HostFile::Hyperv => self.hyperv = Some(entries()?),
            HostFile::Msrs => {
                let all: Result<BTreeMap<_, _>, _> =
                    lines.map(|line| msr(line.1).ok_or_else(|| wrong(line))).collect();
                self.msrs = all?;
            }
            HostFile::Capabilities => {
                let mut all = BTreeMap::new();
                for line in lines {
                    if let Some(khz) = line.1.strip_prefix("tsc-khz ") {
                        self.tsc_khz = Some(khz.trim().parse().map_err(|_| wrong(line))?);
                    } else {
                        all.extend([capability(line.1).ok_or_else(|| wrong(line))?]);
                    }
                }
                self.capabilities = all;
            }
        }
        Ok(())
    }
}

fn entry(line: &str) -> Option<CpuidEntry> {
    let mut words = line.split_ascii_whitespace().peekable();
    words.next_if(|word| matches!(*word, "supported" | "hv" | "emulated"));
    let mut numbers = [0; 7];
    for number in &mut numbers {
        *number = u32::from_str_radix(words.next()?, 16).ok()?;
    }
    let [function, index, flags, registers @ ..] = numbers;
    words.next().is_none().then_some(CpuidEntry {
        function: Leaf(function),
        index: Subleaf(index),
        flags,
        registers,
    })
}

fn msr(line: &str) -> Option<(Msr, u64)> {
    let (index, value) = line.strip_prefix("msr ").unwrap_or(line).split_once(' ')?;
    Some((Msr(u32::from_str_radix(index, 16).ok()?), u64::from_str_radix(value.trim(), 16).ok()?))
}

fn capability(line: &str) -> Option<(u32, i64)> {
    let (number, value) = line.strip_prefix("cap ").unwrap_or(line).split_once(' ')?;
    Some((number.parse().ok()?, value.trim().parse().ok()?))
}
