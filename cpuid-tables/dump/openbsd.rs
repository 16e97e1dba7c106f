//! OpenBSD's boot messages (7.6 and later), as `dmesg` prints them.
//!
//! ```text
//! cpu0: AMD EPYC 7313P 16-Core Processor, 2994.37 MHz, 19-01-01, patch 0a0011d5
//! cpu0: cpuid 1 edx=178bfbff<FPU,VME> ecx=fef83203<SSE3,PCLMUL>
//! cpu0: cpuid 7.0 ebx=219c97a9<FSGSBASE,BMI1,AVX2>
//! ```
//!
//! The leaf, the subleaf and the values are hexadecimal; so are family, model and stepping in the first line. Of a later CPU
//! only what differs from the first is printed, so that it is not a CPU here. Other lines are ignored (sys/arch/amd64/amd64/identcpu.c).

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::Names;
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "openbsd",
    about: "OpenBSD's boot messages",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(OpenBsd::default()),
    style: None,
};

const EXPECTED: &str = "expected `cpu0: cpuid LEAF[.SUBLEAF] REGISTER=HEX<NAMES>`";
const CPU: &[u8] = b"cpu0: ";
const CPUID: &[u8] = b"cpu0: cpuid ";

/// The reader.
#[derive(Default)]
struct OpenBsd {
    open: Option<Names>,
}

fn is_line(line: &[u8]) -> bool {
    let mut rest = Scan::new(trim(line));
    rest.literal(CPUID) && rest.hex().is_some() && rest.rest().contains(&b'=')
}

/// Registers of a leaf: `edx=178bfbff<FPU> ecx=fef83203<SSE3>`. Words such as `vers=3,` of leaf 0xA are not registers.
fn registers(line: &[u8], names: &mut Names) -> Option<()> {
    let mut rest = Scan::new(line);
    rest.literal(CPUID);
    let leaf = rest.hex()?;
    let subleaf = if rest.literal(b".") { rest.hex()? } else { 0 };
    for word in rest.rest().split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        let mut word = Scan::new(word);
        let Some(register) = register(&mut word) else { continue };
        let value = word.hex()?;
        if !word.is_empty() && word.rest().first() != Some(&b'<') {
            return None;
        }
        names.state(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), u32::MAX, value);
    }
    Some(())
}

fn register(word: &mut Scan<'_>) -> Option<Register> {
    let named: [(&[u8], Register); 4] = [
        (b"eax=", Register::Eax),
        (b"ebx=", Register::Ebx),
        (b"ecx=", Register::Ecx),
        (b"edx=", Register::Edx),
    ];
    named.into_iter().find(|(name, _)| word.literal(name)).map(|(_, register)| register)
}

/// Family, model and stepping of `cpu0: NAME, 2994.37 MHz, 19-01-01, patch 0a0011d5`.
fn signature(line: &str) -> Option<(u32, u32, u32)> {
    let (_, after) = line.split_once(" MHz, ")?;
    let mut numbers = after.split([',', ' ']).next()?.split('-');
    let mut number = || u32::from_str_radix(numbers.next()?, 16).ok();
    Some((number()?, number()?, number()?))
}

impl Parser for OpenBsd {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = trim(line.text);
        if text.starts_with(CPUID) {
            return registers(text, self.open.get_or_insert_default()).ok_or(Fault::Here(EXPECTED));
        }
        if !text.starts_with(CPU) {
            return Ok(());
        }
        if let Some((family, model, stepping)) = signature(&String::from_utf8_lossy(text)) {
            self.end(sink)?;
            self.open.get_or_insert_default().signature(Some(family), Some(model), Some(stepping));
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.open.take().map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}
