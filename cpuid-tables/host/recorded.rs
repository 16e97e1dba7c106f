//! Hosts as text files: `NAME.supported`, `NAME.host`, `NAME.msrs`, `NAME.caps` and, optionally, `NAME.hv`,
//! `NAME.emulated` and `NAME.msr-list`.
//!
//! Entries are one per line, `function index flags eax ebx ecx edx` in hexadecimal, optionally after a word such as
//! `supported` or `hv`. MSRs are `index value` in hexadecimal, in the list only `index`, capabilities `number value` in decimal. Three lines of
//! the capabilities file have a name instead of a number, since KVM reports them by separate ioctls:
//! `guest-xcomponents VALUE` and `mce VALUE` in hexadecimal, and `tsc-khz VALUE` in decimal. `#` starts a comment
//! line.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

#[cfg(feature = "std")]
use std::ffi::OsString;
#[cfg(feature = "std")]
use std::fs;
#[cfg(feature = "std")]
use std::io;
#[cfg(feature = "std")]
use std::path::{Path, PathBuf};

use crate::bits::location::{Leaf, Msr, Registers, Subleaf};
use crate::host::Host;
use crate::table::CpuidEntry;

/// `KVM_CAP_HYPERV_CPUID`.
const HYPERV_CPUID: u32 = 167;
/// The TSC frequency of a host whose description lacks it.
const USUAL_TSC_KHZ: u32 = 2_596_120;
/// `KVM_X86_GET_MCE_CAP_SUPPORTED` on such a host: ten banks, MCG_CTL_P and MCG_SER_P.
const USUAL_MCE: u64 = 0x0100_010a;
/// `KVM_GET_SUPPORTED_HV_CPUID` (Linux, arch/x86/kvm/hyperv.c) of a host whose description lacks it.
const USUAL_HYPERV: [CpuidEntry; 10] = [
    CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0x4000_0082, 0x7263_694d, 0x666f_736f, 0x7648_2074)),
    CpuidEntry::new(Leaf(0x4000_0001), Registers::new(0x3123_7648, 0, 0, 0)),
    CpuidEntry::new(Leaf(0x4000_0002), Registers::new(0x3839, 0x000a_0000, 0, 0)),
    CpuidEntry::new(Leaf(0x4000_0003), Registers::new(0x2aff, 0x0010_0030, 0, 0x0008_0d10)),
    CpuidEntry::new(Leaf(0x4000_0004), Registers::new(0x0002_0e24, 0xfff, 0, 0)),
    CpuidEntry::new(Leaf(0x4000_0005), Registers::new(0xffff_ffff, 0x40, 0, 0)),
    CpuidEntry::new(Leaf(0x4000_000a), Registers::ZERO),
    CpuidEntry::new(Leaf(0x4000_0080), Registers::new(0x4000_0082, 0x7263_694d, 0x666f_736f, 0x7648_2074)),
    CpuidEntry::new(Leaf(0x4000_0081), Registers::new(0x3123_5356, 0, 0, 0)),
    CpuidEntry::new(Leaf(0x4000_0082), Registers::new(2, 0, 0, 0)),
];

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
    /// `KVM_GET_EMULATED_CPUID`.
    Emulated,
    /// `KVM_GET_MSR_INDEX_LIST`.
    SavedMsrs,
}

impl HostFile {
    /// All files.
    pub const ALL: [HostFile; 7] = [
        HostFile::Supported,
        HostFile::Instruction,
        HostFile::Msrs,
        HostFile::Capabilities,
        HostFile::Hyperv,
        HostFile::Emulated,
        HostFile::SavedMsrs,
    ];

    /// The extension of its file's name: `NAME.supported`.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            HostFile::Supported => "supported",
            HostFile::Instruction => "host",
            HostFile::Msrs => "msrs",
            HostFile::Capabilities => "caps",
            HostFile::Hyperv => "hv",
            HostFile::Emulated => "emulated",
            HostFile::SavedMsrs => "msr-list",
        }
    }

    /// The path of a host's file: `hosts/node2` has `hosts/node2.supported`.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn path(self, host: &Path) -> PathBuf {
        let mut path = OsString::from(host);
        path.push(".");
        path.push(self.extension());
        path.into()
    }
}

/// A malformed line in a host's description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostFileError {
    /// The file.
    pub file: HostFile,
    /// The line, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
}

impl fmt::Display for HostFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = match self.file {
            HostFile::Msrs => "`index value` in hexadecimal",
            HostFile::SavedMsrs => "`index` in hexadecimal",
            HostFile::Capabilities => {
                "`number value` in decimal, `guest-xcomponents VALUE` or `mce VALUE` in hexadecimal, or `tsc-khz VALUE` in decimal"
            }
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
    /// Reads one file's text and replaces the data of an earlier file of the same kind.
    ///
    /// # Errors
    ///
    /// A [`HostFileError`] for the first malformed line.
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
            HostFile::Emulated => self.emulated = Some(entries()?),
            HostFile::Msrs => {
                let all: Result<BTreeMap<_, _>, _> =
                    lines.map(|line| msr(line.1).ok_or_else(|| wrong(line))).collect();
                self.msrs = all?;
            }
            HostFile::SavedMsrs => {
                let index = |line: (usize, &str)| u32::from_str_radix(line.1, 16).map_err(|_| wrong(line));
                self.saved_msrs = Some(lines.map(|line| index(line).map(Msr)).collect::<Result<_, _>>()?);
            }
            HostFile::Capabilities => {
                (self.capabilities, self.guest_xcomponents, self.tsc_khz) = (BTreeMap::new(), None, None);
                self.mce_capabilities = None;
                for line in lines {
                    self.read_capability(line.1).ok_or_else(|| wrong(line))?;
                }
            }
        }
        Ok(())
    }

    /// Fills in missing data with the values of the recorder's KVM stub: the TSC frequency, machine check
    /// capabilities, and Linux's Hyper-V leaves on a CPU without nested enlightened VMCS, unless
    /// `KVM_CAP_HYPERV_CPUID` is 0.
    pub fn fill_in(&mut self) {
        self.tsc_khz.get_or_insert(USUAL_TSC_KHZ);
        self.mce_capabilities.get_or_insert(USUAL_MCE);
        if self.hyperv.is_none() && self.capabilities.get(&HYPERV_CPUID) != Some(&0) {
            self.hyperv = Some(USUAL_HYPERV.to_vec());
        }
    }

    fn read_capability(&mut self, line: &str) -> Option<()> {
        let (name, value) = line.strip_prefix("cap ").unwrap_or(line).split_once(' ')?;
        let value = value.trim();
        match name {
            "mce" => self.mce_capabilities = Some(u64::from_str_radix(value, 16).ok()?),
            "guest-xcomponents" => self.guest_xcomponents = Some(u64::from_str_radix(value, 16).ok()?),
            "tsc-khz" => self.tsc_khz = Some(value.parse().ok()?),
            number => {
                self.capabilities.insert(number.parse().ok()?, value.parse().ok()?);
            }
        }
        Some(())
    }

    /// One file's text, in the format of [`read`](Host::read). `None` for data that the KVM lacks or that was not
    /// recorded.
    #[must_use]
    pub fn text(&self, file: HostFile) -> Option<String> {
        let mut text = String::new();
        // Writing to a string never fails.
        let _ = match file {
            HostFile::Supported => write_entries(&mut text, "supported ", &self.supported),
            HostFile::Instruction => write_entries(&mut text, "", &self.instruction),
            HostFile::Hyperv => write_entries(&mut text, "hv ", self.hyperv.as_ref()?),
            HostFile::Emulated => write_entries(&mut text, "emulated ", self.emulated.as_ref()?),
            HostFile::Msrs => {
                self.msrs.iter().try_for_each(|(msr, value)| writeln!(text, "{:x} {value:x}", msr.0))
            }
            HostFile::SavedMsrs => {
                self.saved_msrs.as_ref()?.iter().try_for_each(|msr| writeln!(text, "{:x}", msr.0))
            }
            HostFile::Capabilities => self.write_capabilities(&mut text),
        };
        Some(text)
    }

    fn write_capabilities(&self, text: &mut String) -> fmt::Result {
        self.capabilities.iter().try_for_each(|(number, value)| writeln!(text, "{number} {value}"))?;
        self.guest_xcomponents.map_or(Ok(()), |all| writeln!(text, "guest-xcomponents {all:x}"))?;
        self.mce_capabilities.map_or(Ok(()), |bits| writeln!(text, "mce {bits:x}"))?;
        self.tsc_khz.map_or(Ok(()), |khz| writeln!(text, "tsc-khz {khz}"))
    }
}

#[cfg(feature = "std")]
impl Host {
    /// Writes a host's files, and removes those of an earlier host at the path for which this one has no data.
    ///
    /// # Errors
    ///
    /// A file could not be written or removed.
    pub fn write_files(&self, host: &Path) -> io::Result<()> {
        for file in HostFile::ALL {
            let path = file.path(host);
            match self.text(file) {
                Some(text) => fs::write(path, text)?,
                None if path.exists() => fs::remove_file(path)?,
                None => {}
            }
        }
        Ok(())
    }
}

fn write_entries(text: &mut String, word: &str, entries: &[CpuidEntry]) -> fmt::Result {
    entries.iter().try_for_each(|entry| {
        let CpuidEntry { function, index, flags, registers: Registers { eax, ebx, ecx, edx } } = entry;
        let (function, index) = (function.0, index.0);
        writeln!(text, "{word}{function:08x} {index:08x} {flags:x} {eax:08x} {ebx:08x} {ecx:08x} {edx:08x}")
    })
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
        registers: registers.into(),
    })
}

fn msr(line: &str) -> Option<(Msr, u64)> {
    let (index, value) = line.strip_prefix("msr ").unwrap_or(line).split_once(' ')?;
    Some((Msr(u32::from_str_radix(index, 16).ok()?), u64::from_str_radix(value.trim(), 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same() -> Result<(), HostFileError> {
        let mut host = Host::default();
        host.read(
            HostFile::Supported,
            "supported 00000007 00000000 1 00000002 00000020 00000000 00000000\n",
        )?;
        host.read(
            HostFile::Instruction,
            "# a CPU\n00000000 00000000 0 0000000d 756e6547 6c65746e 49656e69\n",
        )?;
        host.read(HostFile::Msrs, "10a 8000000000000001\n")?;
        host.read(HostFile::SavedMsrs, "10a\n48\n")?;
        assert_eq!(host.saved_msrs, Some(alloc::vec![Msr(0x10a), Msr(0x48)]));
        host.read(HostFile::Capabilities, "72 1\nguest-xcomponents 602e7\ntsc-khz 2000000\n")?;
        assert_eq!((host.guest_xcomponents, host.tsc_khz), (Some(0x602e7), Some(2_000_000)));
        let mut again = Host::default();
        for file in HostFile::ALL {
            if let Some(text) = host.text(file) {
                again.read(file, &text)?;
            }
        }
        assert_eq!(again, host);
        assert_eq!(host.text(HostFile::Hyperv), None);
        let wrong = again.read(HostFile::Capabilities, "72 1\ntsc-khz fast\n").err();
        assert_eq!(wrong.map(|error| (error.line, error.text)), Some((2, "tsc-khz fast".to_string())));
        Ok(())
    }
}
