//! A parser for the text of `/proc/cpuinfo`, with one release's names.
//!
//! The kernel prints a block of lines per logical CPU, `key<tabs>: value`, each followed by a blank line
//! (`arch/x86/kernel/cpu/proc.c`). Three of its lines hold names: `flags`, `vmx flags` and `bugs`. Every name is
//! returned, either as a bit of the tables or as text. The parser does not allocate, and its time is linear in the
//! length of the text.
//!
//! ```
//! use cpuid_tables::{LinuxRelease, cpuinfo, feature};
//!
//! let text = "processor\t: 0\nflags\t\t: fpu avx2 brand_new\n\n";
//! for cpu in cpuinfo::read(text, LinuxRelease::NEWEST) {
//!     let cpu = cpu?;
//!     assert!(cpu.features().contains(feature::AVX2));
//!     assert!(cpu.unknown().eq(["brand_new"]));
//! }
//! # Ok::<(), cpuinfo::Error>(())
//! ```

use core::fmt;

use crate::bits::feature_set::FeatureSet;
use crate::bits::kernel_bits::{BugSet, SoftwareSet, VmxSet};
use crate::bits::lookup::{Candidates, LookupError, Named};
use crate::bits::release::LinuxRelease;
use crate::generated::bit_tables::FLAG_WORDS;
use crate::{feature, software};

/// An error in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A line without a `:`.
    NoColon,
    /// The CPU's number is not a number, or is above `u32::MAX`.
    BadProcessor,
    /// A block without a `processor` line.
    NoProcessor,
    /// A block without a `flags` line.
    NoFlags,
    /// A line whose key occurred before in the block; only keys that the parser reads are compared.
    Twice,
}

/// An error and its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, from 1; for a missing line, the block's first line.
    pub line: usize,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::NoColon => "expected `key : value`, or a blank line between CPUs",
            Fault::BadProcessor => "the value of `processor` must be a decimal 32-bit number",
            Fault::NoProcessor => "this CPU has no `processor` line",
            Fault::NoFlags => "this CPU has no `flags` line; is this an x86's /proc/cpuinfo?",
            Fault::Twice => "this CPU already has this line",
        };
        write!(f, "line {}: {fault}", self.line)
    }
}

impl core::error::Error for Error {}

/// Parses the text of `/proc/cpuinfo` as that release writes it.
#[must_use]
pub fn read(text: &str, release: LinuxRelease) -> Cpus<'_> {
    Cpus { rest: text, line: 0, release }
}

/// The logical CPUs of a text, in its order. After an error it continues with the next block.
#[derive(Clone, Debug)]
pub struct Cpus<'a> {
    rest: &'a str,
    line: usize,
    release: LinuxRelease,
}

/// One logical CPU.
#[derive(Clone, Copy, Debug)]
pub struct Cpu<'a> {
    /// The kernel's CPU number.
    pub processor: u32,
    flags: &'a str,
    vmx: &'a str,
    bugs: &'a str,
    release: LinuxRelease,
}

/// The meaning of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flag<'a> {
    /// One bit.
    Known(Named),
    /// One of several bits that share a Linux macro (`mba`).
    Ambiguous(&'a str, Candidates),
    /// Not a bit of this release.
    Unknown(&'a str),
}

impl<'a> Cpus<'a> {
    /// The next line without its line feed; `None` at the end of the text.
    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    fn block(&mut self, first: &'a str) -> Result<Cpu<'a>, Error> {
        let start = self.line;
        let mut found = Block::default();
        let mut result = Ok(());
        let mut line = Some(first);
        while let Some(text) = line.filter(|text| !is_blank(text)) {
            // The block is read to its end even after an error, so that the next one starts in the right place.
            result = result.and(found.add(text).map_err(|fault| Error { line: self.line, fault }));
            line = self.next_line();
        }
        result?;
        let lacks = |fault| Error { line: start, fault };
        Ok(Cpu {
            processor: found.processor.ok_or(lacks(Fault::NoProcessor))?,
            flags: found.flags.ok_or(lacks(Fault::NoFlags))?,
            vmx: found.vmx.unwrap_or_default(),
            bugs: found.bugs.unwrap_or_default(),
            release: self.release,
        })
    }
}

impl<'a> Iterator for Cpus<'a> {
    type Item = Result<Cpu<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.next_line()?;
            if !is_blank(line) {
                return Some(self.block(line));
            }
        }
    }
}

/// The lines of a block that the parser uses.
#[derive(Default)]
struct Block<'a> {
    processor: Option<u32>,
    flags: Option<&'a str>,
    vmx: Option<&'a str>,
    bugs: Option<&'a str>,
}

impl<'a> Block<'a> {
    fn add(&mut self, line: &'a str) -> Result<(), Fault> {
        let (key, value) = line.split_once(':').ok_or(Fault::NoColon)?;
        let value = value.trim_matches([' ', '\t', '\r']);
        match key.trim_matches([' ', '\t']) {
            "processor" => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let number = value.parse().ok().filter(|_| digits).ok_or(Fault::BadProcessor)?;
                once(&mut self.processor, number)
            }
            "flags" => once(&mut self.flags, value),
            "vmx flags" => once(&mut self.vmx, value),
            "bugs" => once(&mut self.bugs, value),
            _ => Ok(()),
        }
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Fault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Fault::Twice),
    }
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

impl<'a> Cpu<'a> {
    /// Every name of its three lines, in order: `flags`, `vmx flags`, `bugs`.
    pub fn flags(&self) -> impl Iterator<Item = Flag<'a>> + use<'a> {
        let lines = [
            (self.flags, LinuxRelease::flag as Find, STATED.as_slice()),
            (self.vmx, LinuxRelease::vmx_flag as Find, &[]),
            (self.bugs, LinuxRelease::bug_flag as Find, &[]),
        ];
        let release = self.release;
        lines.into_iter().flat_map(move |(rest, find, stated)| Flags {
            rest,
            release,
            find,
            stated,
            also: &[],
            words: FLAG_WORDS,
        })
    }

    /// The hardware features, except those of ambiguous names (see [`Cpu::ambiguous`]).
    #[must_use]
    pub fn features(&self) -> FeatureSet {
        self.known().filter_map(|bit| if let Named::Feature(bit) = bit { Some(bit) } else { None }).collect()
    }

    /// The software-defined features.
    #[must_use]
    pub fn software(&self) -> SoftwareSet {
        self.known().filter_map(|bit| if let Named::Software(bit) = bit { Some(bit) } else { None }).collect()
    }

    /// The bugs.
    #[must_use]
    pub fn bugs(&self) -> BugSet {
        self.known().filter_map(|bit| if let Named::Bug(bit) = bit { Some(bit) } else { None }).collect()
    }

    /// The VMX capabilities.
    #[must_use]
    pub fn vmx(&self) -> VmxSet {
        self.known().filter_map(|bit| if let Named::Vmx(bit) = bit { Some(bit) } else { None }).collect()
    }

    /// Every name that the release lacks.
    pub fn unknown(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.flags().filter_map(|flag| if let Flag::Unknown(name) = flag { Some(name) } else { None })
    }

    /// Every name of several possible bits, with those bits.
    pub fn ambiguous(&self) -> impl Iterator<Item = (&'a str, Candidates)> + use<'a> {
        self.flags().filter_map(|flag| match flag {
            Flag::Ambiguous(name, candidates) => Some((name, candidates)),
            _ => None,
        })
    }

    fn known(&self) -> impl Iterator<Item = Named> + use<'a> {
        self.flags().filter_map(|flag| if let Flag::Known(bit) = flag { Some(bit) } else { None })
    }
}

/// What a word of the line `flags` states where the newest release's bit of that name would state something else. Linux sets
/// `constant_tsc` by an Intel processor's family and model, too, and `nonstop_tsc` by the bit alone.
pub(crate) static STATED: [(&str, &[Named]); 2] = [
    ("constant_tsc", &[Named::Software(software::CONSTANT_TSC)]),
    ("nonstop_tsc", &[Named::Feature(feature::CONSTANT_TSC), Named::Software(software::NONSTOP_TSC)]),
];

type Find = fn(LinuxRelease, &str) -> Result<Named, LookupError>;

/// The names of one line.
struct Flags<'a> {
    rest: &'a str,
    release: LinuxRelease,
    find: Find,
    /// Names that state other bits than the release's of that name.
    stated: &'static [(&'static str, &'static [Named])],
    /// What the last name states besides.
    also: &'static [Named],
    /// Maximum number of blank-separated words in a name.
    words: usize,
}

impl<'a> Flags<'a> {
    /// The longest known name at the start: names of vendor kernels may contain blanks (`sm3 sm4`).
    fn longest(&self) -> Option<(usize, Flag<'a>)> {
        let ends = self.rest.match_indices(' ').map(|(at, _)| at).chain([self.rest.len()]);
        let known = |end: usize| {
            let name = &self.rest[..end];
            match (self.find)(self.release, name) {
                Ok(bit) => Some((end, Flag::Known(bit))),
                Err(LookupError::Ambiguous(all)) => Some((end, Flag::Ambiguous(name, all))),
                Err(LookupError::Unknown) => None,
            }
        };
        ends.take(self.words).filter_map(known).last()
    }
}

impl<'a> Iterator for Flags<'a> {
    type Item = Flag<'a>;

    fn next(&mut self) -> Option<Flag<'a>> {
        if let [next, rest @ ..] = self.also {
            self.also = rest;
            return Some(Flag::Known(*next));
        }
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        if self.rest.is_empty() {
            return None;
        }
        let (end, mut flag) = self.longest().unwrap_or_else(|| {
            let end = self.rest.find([' ', '\t']).unwrap_or(self.rest.len());
            (end, Flag::Unknown(&self.rest[..end]))
        });
        let name = &self.rest[..end];
        if let Some((_, [first, rest @ ..])) = self.stated.iter().find(|(stated, _)| *stated == name) {
            (flag, self.also) = (Flag::Known(*first), rest);
        }
        self.rest = &self.rest[end..];
        Some(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::{Flag, Flags};
    use crate::bits::lookup::{LookupError, Named};
    use crate::bits::release::LinuxRelease;
    use crate::{Feature, SoftwareFeature};

    /// A vendor kernel's names, which no pinned release has.
    fn vendor(_: LinuxRelease, name: &str) -> Result<Named, LookupError> {
        let software = SoftwareFeature::all().next().map(Named::Software);
        match name {
            "sm3 sm4" => software.ok_or(LookupError::Unknown),
            "sm3" => Feature::all().next().map(Named::Feature).ok_or(LookupError::Unknown),
            _ => Err(LookupError::Unknown),
        }
    }

    #[test]
    fn the_longest_name_wins() {
        let read = |rest: &'static str, words| {
            let release = LinuxRelease::NEWEST;
            let flags = Flags { rest, release, find: vendor, stated: &[], also: &[], words };
            flags.map(|flag| match flag {
                Flag::Known(Named::Software(_)) => "long",
                Flag::Known(_) => "short",
                Flag::Unknown(name) => name,
                Flag::Ambiguous(name, _) => name,
            })
        };
        assert!(read("sm3 sm4 x sm3 x sm3", 2).eq(["long", "x", "short", "x", "short"]));
        assert!(read("sm4 sm3 sm4", 3).eq(["sm4", "long"]));
        assert!(read("sm3 sm4", 1).eq(["short", "sm4"]));
    }
}
