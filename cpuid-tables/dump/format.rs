//! The formats, and which one an input is in.

use std::boxed::Box;

use super::sink::Parser;
use super::writer::Write1;
use super::{cpuid_r, entries, lines};

/// A form in which people have CPUID tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Ours: `function index flags eax ebx ecx edx` in hexadecimal, a line each; a word before them tells the CPU.
    Entries,
    /// What `cpuid -r` prints (the package `cpuid` of Linux distributions).
    CpuidR,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 2] = [Format::Entries, Format::CpuidR];

    /// Its name, as `--from` and `--to` take it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Entries => "entries",
            Format::CpuidR => "cpuid-r",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Format::Entries => "`function index flags eax ebx ecx edx` in hexadecimal, a line each",
            Format::CpuidR => "`cpuid -r` of Linux distributions",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// True when tables can be written in it.
    #[must_use]
    pub const fn can_be_written(self) -> bool {
        match self {
            Format::Entries | Format::CpuidR => true,
        }
    }

    /// The format of an input, by its head.
    #[must_use]
    pub fn recognise(head: &[u8]) -> Option<Format> {
        lines::of(head).find_map(|line| {
            if entries::is_line(line) {
                Some(Format::Entries)
            } else if cpuid_r::is_line(line) {
                Some(Format::CpuidR)
            } else {
                None
            }
        })
    }

    /// What reads it.
    pub(super) fn parser(self) -> Box<dyn Parser> {
        match self {
            Format::Entries => Box::new(entries::Entries),
            Format::CpuidR => Box::new(cpuid_r::CpuidR),
        }
    }

    /// What writes one CPU, and whether the format has flags; none where it is only read.
    pub(super) fn writer(self) -> Option<Write1> {
        match self {
            Format::Entries => Some(Write1 { one: entries::write, flags: true, open: false, many: true }),
            Format::CpuidR => Some(Write1 { one: cpuid_r::write, flags: false, open: false, many: true }),
        }
    }
}
