//! The CPU of a crash report of Java's HotSpot (`hs_err_pidN.log`), or of `jcmd VM.info`.
//!
//! ```text
//! CPU: total 8 (initial active 8) (4 cores per cpu, 2 threads per core) family 6 model 142 stepping 12 microcode 0xde, cx8, cmov, avx2
//! CPU:total 4 (2 cores per cpu, 2 threads per core) family 6 model 61 stepping 4, cmov, cx8, fxsr, avx2
//! ```
//!
//! A name is a feature that HotSpot found and uses. Nothing is known of others: an option such as `UseAVX` takes some away. On Linux
//! the report has `/proc/cpuinfo`, too, of which the flags are read. HotSpot has some names of its own (`OWN`). Other lines are
//! ignored.

use std::boxed::Box;
use std::string::String;

use super::cpuinfo;
use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "java",
    about: "the CPU of a crash report of Java's HotSpot",
    marks: &[Mark::SharedLine(is_line), Mark::MayBeLine(is_report)],
    parser: || Box::new(Java::default()),
    style: None,
};

const EXPECTED: &str = "expected `CPU: total N ... family N model N stepping N, NAMES`";

/// Names that HotSpot has of its own, and the usual ones; those that are no feature of CPUID, or of several, state nothing.
const OWN: [(&str, &str); 16] = [
    ("3dnowpref", "3dnowprefetch"),
    ("avx10_1", ""),
    ("avx10_2", ""),
    ("avx512_ifma", "avx512ifma"),
    ("avx512_vaes", "vaes"),
    ("avx512_vpclmulqdq", "vpclmulqdq"),
    ("cet_ibt", "cet-ibt"),
    ("cet_ss", "cet-ss"),
    ("clflush", "clfsh"),
    ("clmul", "pclmulqdq"),
    ("hv", "hypervisor"),
    ("lzcnt", "abm"),
    ("sha", "sha-ni"),
    ("tscinv", ""),
    ("tscinvbit", "invtsc"),
    ("vzeroupper", ""),
];

/// The reader.
#[derive(Default)]
struct Java {
    names: Option<Names>,
}

fn is_line(line: &[u8]) -> bool {
    after_total(trim(line)).is_some_and(|rest| find(rest, b" family ").is_some())
}

/// The head of a report, in which the CPU comes at its end.
fn is_report(line: &[u8]) -> bool {
    find(line, b"A fatal error has been detected by the Java Runtime Environment").is_some()
}

/// What comes after `CPU: total`.
fn after_total(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"CPU:")?;
    rest.strip_prefix(b" ").unwrap_or(rest).strip_prefix(b"total ")
}

/// The number after a word in a text.
fn number(text: &str, word: &str) -> Option<u32> {
    let (_, rest) = text.split_once(word)?;
    rest.split([' ', ',']).next()?.parse().ok()
}

impl Java {
    /// The line of the CPU, from its family on.
    fn cpu(&mut self, text: &str, line: u64, sink: &mut Sink) -> Option<()> {
        // The names come after the first comma: before it are numbers alone.
        let (head, list) = text.split_once(',')?;
        let family = number(head, "family ")?;
        let names = self.names.get_or_insert_default();
        names.signature(Some(family), number(head, " model "), number(head, " stepping "));
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let own = OWN.iter().find(|(own, _)| *own == name);
            let usual = own.map_or(name, |(_, usual)| usual);
            if !usual.is_empty() && names.feature(usual, true).is_err() {
                sink.note(line, Unknown::note(name));
            }
        }
        Some(())
    }
}

impl Parser for Java {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = trim(line.text);
        if let Some((b"flags", value)) = cpuinfo::key(text) {
            let names = self.names.get_or_insert_default();
            cpuinfo::each_name(value, line.number, sink, |flag| names.flag(flag));
            return Ok(());
        }
        let Some(rest) = after_total(text) else { return Ok(()) };
        // Other architectures have no family.
        let Some(at) = find(rest, b"family ") else { return Ok(()) };
        let text = String::from_utf8_lossy(&rest[at..]);
        self.cpu(&text, line.number, sink).ok_or(Fault::Here(EXPECTED))
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.names.take().map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}
