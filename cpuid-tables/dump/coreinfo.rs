//! Coreinfo of Sysinternals (3.x): what Windows sees.
//!
//! ```text
//! Coreinfo v3.5
//! HTT             *       Hyperthreading enabled
//! VMX             -       Supports Intel hardware-assisted virtualization
//! ```
//!
//! `*` is a feature that is there, `-` one that is not: Coreinfo asks CPUID for each. Other lines are ignored.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "coreinfo",
    about: "Sysinternals' Coreinfo",
    marks: &[Mark::Line(is_head), Mark::MayBeLine(is_line)],
    parser: || Box::new(Coreinfo::default()),
    style: None,
};

/// Coreinfo's names that nobody else has, and the flag of the same bit.
static ALIASES: [(&str, &str); 14] = [
    ("64BIT", "lm"),
    ("X64", "lm"),
    ("PAGE1GB", "pdpe1gb"),
    ("RDWRFSGSBASE", "fsgsbase"),
    ("CLFSH", "clflush"),
    ("ERMSB", "erms"),
    ("LZCNT", "abm"),
    ("LAHF-SAHF", "lahf_lm"),
    ("CNXT-ID", "cid"),
    ("TSC-INVARIANT", "invtsc"),
    ("PREFETCHW", "3dnowprefetch"),
    ("HTT", "ht"),
    ("EIST", "est"),
    ("PSN", "pn"),
];

/// The reader.
#[derive(Default)]
struct Coreinfo {
    names: Option<Names>,
}

fn is_head(line: &[u8]) -> bool {
    trim(line).starts_with(b"Coreinfo v")
}

/// A feature's name, and whether it is there.
fn feature(line: &[u8]) -> Option<(&[u8], bool)> {
    let mut rest = Scan::new(line);
    let name = rest.while_is(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if name.is_empty() || name == b"-" || !rest.blanks() {
        return None;
    }
    let there = rest.literal(b"*");
    if !there && !rest.literal(b"-") {
        return None;
    }
    (rest.blanks() && rest.rest().first().is_some_and(u8::is_ascii_alphanumeric)).then_some((name, there))
}

fn is_line(line: &[u8]) -> bool {
    feature(line).is_some()
}

impl Parser for Coreinfo {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let Some((name, there)) = feature(line.text) else { return Ok(()) };
        let name = String::from_utf8_lossy(name);
        let alias = ALIASES.into_iter().find(|(own, _)| *own == name).map(|(_, flag)| flag);
        let names = self.names.get_or_insert_default();
        if names.feature(alias.unwrap_or(&name), there).is_err() {
            sink.note(line.number, Unknown::note(&name));
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.names.take().map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}
