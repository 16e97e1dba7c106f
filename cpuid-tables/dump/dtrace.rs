//! What propolis' `DTrace` script prints of a guest's CPUID instructions.
//!
//! ```text
//! CPUID query: leaf/subleaf 0x00000004/0x00000001, returns rax = 0x00000121, rbx = 0x01c0003f, rcx = ..., rdx = ...
//! ```
//!
//! A guest asks in any order and again; the last answer to a leaf and subleaf counts. Other lines are ignored.

use std::boxed::Box;

use super::descriptor::{Descriptor, Mark};
use super::keyed::registers;
use super::names::Answers;
use super::scan::Scan;
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "propolis-dtrace",
    about: "a guest's CPUID queries as propolis' DTrace script prints them",
    marks: &[Mark::Text(BEGIN)],
    parser: || Box::new(Dtrace::default()),
    style: None,
};

const BEGIN: &[u8] = b"CPUID query: leaf/subleaf ";
const EXPECTED: &str = "expected `CPUID query: leaf/subleaf 0xLEAF/0xSUBLEAF, returns rax = 0x..., rbx = 0x..., \
                        rcx = 0x..., rdx = 0x...`";

/// The reader.
#[derive(Default)]
struct Dtrace {
    answers: Option<Answers>,
}

fn place(line: &mut Scan<'_>) -> Option<(u32, u32)> {
    let leaf = line.literal(b"0x").then(|| line.hex())??;
    let subleaf = line.literal(b"/0x").then(|| line.hex())??;
    Some((leaf, subleaf))
}

impl Parser for Dtrace {
    fn line(&mut self, line: Line<'_>, _sink: &mut Sink) -> Result<(), Fault> {
        let mut rest = Scan::new(line.text);
        if !rest.skip_past(BEGIN) {
            return Ok(());
        }
        let place = place(&mut rest);
        match (place, registers(rest.rest(), ["rax", "rbx", "rcx", "rdx"])) {
            (Some((leaf, subleaf)), Some(answer)) => {
                self.answers.get_or_insert_default().add(leaf, subleaf, answer)
            }
            _ => Err(Fault::Here(EXPECTED)),
        }
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.answers.take().map_or(Ok(()), |answers| answers.finish(None, None, sink))
    }
}
