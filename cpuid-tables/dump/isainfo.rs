//! The instruction sets that `isainfo` of illumos and Solaris prints, with `-v` or `-x`.
//!
//! ```text
//! 64-bit amd64 applications
//!         avx2 fma bmi2 bmi1 rdrand f16c vmx avx xsave pclmulqdq aes movbe
//!         sse4.2 sse4.1 ssse3 popcnt tscp cx16 sse3 sse2 sse fxsr mmx cmov
//! amd64: avx2 fma bmi2
//! ```
//!
//! A name is a feature that is there. Nothing is known of others: the kernel has names for what programs use, and takes some away.
//! The 32-bit list is of the same CPU. Some names are these systems' own (`OWN`).

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "isainfo",
    about: "isainfo of illumos and Solaris",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Isainfo::default()),
    style: None,
};

/// Names that the systems have of their own, and the usual ones; those of an instruction that needs no bit state nothing.
const OWN: [(&str, &str); 15] = [
    ("ahf", "lahf_lm"),
    ("amd_3dnow", "3dnow"),
    ("amd_3dnowx", "3dnowext"),
    ("amd_lzcnt", "abm"),
    ("amd_mmx", "mmxext"),
    ("amd_sse4a", "sse4a"),
    ("amd_svm", "svm"),
    ("amd_sysc", "syscall"),
    ("efs", "erms"),
    ("mon", "monitor"),
    ("monitorx", "mwaitx"),
    ("pause", ""),
    ("prfchw", "3dnowprefetch"),
    ("sha", "sha_ni"),
    ("tscp", "rdtscp"),
];

/// The reader.
#[derive(Default)]
struct Isainfo {
    names: Option<Names>,
    in_list: bool,
}

/// True for a heading, which is a line or the beginning of one.
fn is_line(line: &[u8]) -> bool {
    heading(trim(line)).is_some()
}

/// What comes after a heading.
fn heading(line: &[u8]) -> Option<&[u8]> {
    for heading in [&b"64-bit amd64 applications"[..], b"32-bit i386 applications"] {
        if line == heading {
            return Some(&[]);
        }
    }
    let names = line.strip_prefix(b"amd64: ").or_else(|| line.strip_prefix(b"i386: "))?;
    // Names alone: other programs print the architecture before a colon.
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._ ".contains(byte);
    (names.iter().all(is_name) && find(names, b"sse").is_some()).then_some(names)
}

impl Isainfo {
    fn names(&mut self, list: &[u8], line: u64, sink: &mut Sink) {
        let names = self.names.get_or_insert_default();
        for name in String::from_utf8_lossy(list).split_ascii_whitespace() {
            let own = OWN.iter().find(|(own, _)| *own == name);
            let usual = own.map_or(name, |(_, usual)| usual);
            if !usual.is_empty() && names.feature(usual, true).is_err() {
                sink.note(line, Unknown::note(name));
            }
        }
    }
}

impl Parser for Isainfo {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = trim(line.text);
        if let Some(rest) = heading(text) {
            // The names are on the lines below a heading without any.
            self.in_list = rest.is_empty();
            self.names(rest, line.number, sink);
        } else if self.in_list && line.text.first().is_some_and(u8::is_ascii_whitespace) {
            self.names(text, line.number, sink);
        } else {
            self.in_list = false;
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let names = self.names.take().filter(|names| !names.is_empty());
        names.map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}
