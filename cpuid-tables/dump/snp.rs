//! The CPUID page of an SEV-SNP guest as its firmware prints it (COCONUT-SVSM, and others with the field names of AMD's
//! "SEV Secure Nested Paging Firmware ABI", table of `CPUID_FUNCTION`).
//!
//! ```text
//! EAX_IN: 0x0000000d ECX_IN: 0x00000000 XCR0_IN: 0x00000001 XSS_IN: 0x00000000 EAX_OUT: 0x00000007 EBX_OUT: ...
//! ```
//!
//! `XCR0_IN` and `XSS_IN` are ignored: they select the components for which EBX of leaf 0xD has the size. Other lines of a
//! log are ignored as well.

use std::boxed::Box;

use super::descriptor::{Descriptor, Mark};
use super::keyed::{hex, registers};
use super::scan::find;
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "sev-snp",
    about: "the CPUID page of an SEV-SNP guest, printed",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Snp),
    style: None,
};

const EXPECTED: &str =
    "expected EAX_IN, ECX_IN, EAX_OUT, EBX_OUT, ECX_OUT and EDX_OUT, each with a hexadecimal number";

/// The reader.
struct Snp;

fn is_line(line: &[u8]) -> bool {
    let upper = line.to_ascii_uppercase();
    find(&upper, b"EAX_IN").is_some() && find(&upper, b"EAX_OUT").is_some()
}

impl Parser for Snp {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if !is_line(line.text) {
            return Ok(());
        }
        let answers = registers(line.text, ["EAX_OUT", "EBX_OUT", "ECX_OUT", "EDX_OUT"]);
        let (Some(leaf), Some(subleaf), Some(answers)) =
            (hex(line.text, "EAX_IN"), hex(line.text, "ECX_IN"), answers)
        else {
            return Err(Fault::Here(EXPECTED));
        };
        sink.answer(leaf, subleaf, answers)
    }
}
