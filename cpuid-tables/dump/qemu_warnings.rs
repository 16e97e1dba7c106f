//! QEMU's warnings of features that the host does not have (QEMU 1.x to 10.2).
//!
//! ```text
//! qemu-system-x86_64: warning: host doesn't support requested feature: CPUID.07H:EBX.bmi1 [bit 3]
//! qemu-system-x86_64: warning: host doesn't support requested feature: MSR(48DH).vmx-posted-intr [bit 7]
//! ```
//!
//! Each states a bit that is not set on that host. A bit without a name is known by its place, in subleaf 0: QEMU does not
//! print the subleaf. Other lines are ignored.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::lines::contains;
use super::names::{Names, Unknown, shown};
use super::scan::{Scan, find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, MsrBit, Register, Subleaf};
use crate::bits::lookup::Named;
use crate::bits::msr_feature::MsrFeature;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "qemu-warnings",
    about: "QEMU's warnings of features that the host lacks",
    marks: &[Mark::Text(WARNING)],
    parser: || Box::new(QemuWarnings::default()),
    style: None,
};

const WARNING: &[u8] = b"support requested feature: ";
const EXPECTED: &str = "expected `CPUID.LEAFH:REGISTER.NAME [bit N]` or `MSR(NUMBERH).NAME [bit N]`";

/// The reader.
#[derive(Default)]
struct QemuWarnings {
    names: Option<Names>,
}

/// Where a bit is.
enum At {
    Cpuid(CpuidWord),
    Msr(Msr),
}

/// A place, the name if there is one, and the bit.
fn bit(text: &[u8]) -> Option<(At, &[u8], u32)> {
    let mut rest = Scan::new(text);
    let at = if rest.literal(b"CPUID.") || rest.literal(b"CPUID[eax=") {
        let leaf = rest.hex()?;
        (rest.literal(b"H") || rest.literal(b"h")).then_some(())?;
        let subleaf = if rest.literal(b"_") || rest.literal(b",ecx=") {
            let subleaf = rest.hex()?;
            let _ = rest.literal(b"H") || rest.literal(b"h");
            subleaf
        } else {
            0
        };
        rest.literal(b"]");
        (rest.literal(b":") || rest.literal(b".")).then_some(())?;
        let register = Register::ALL.into_iter().find(|register| rest.literal(register.name().as_bytes()))?;
        At::Cpuid(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register))
    } else {
        rest.literal(b"MSR(").then_some(())?;
        let msr = rest.hex()?;
        rest.literal(b"H)").then_some(())?;
        At::Msr(Msr(msr))
    };
    let name = if rest.literal(b".") { rest.while_is(|byte| byte != b' ') } else { b"" };
    (rest.blanks() && rest.literal(b"[bit ")).then_some(())?;
    let number = rest.decimal().filter(|number| *number < 64)?;
    rest.literal(b"]").then_some((at, name, number))
}

impl Parser for QemuWarnings {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let Some(at) = find(line.text, WARNING) else { return Ok(()) };
        let text = trim(&line.text[at + WARNING.len()..]);
        // Of accelerators other than KVM, the host is not what lacks it.
        if contains(&line.text[..at], b"TCG doesn't") {
            sink.note(line.number, String::from("TCG lacks this feature, whatever the host has"));
            return Ok(());
        }
        let (at, name, number) = bit(text).ok_or(Fault::Here(EXPECTED))?;
        let names = self.names.get_or_insert_default();
        let name = String::from_utf8_lossy(name);
        if !name.is_empty() && names.feature(&name, false).is_ok() {
            return Ok(());
        }
        match at {
            At::Cpuid(word) if number < 32 => names.state(word, 1 << number, 0),
            At::Cpuid(_) => return Err(Fault::Here(EXPECTED)),
            At::Msr(msr) => {
                // Below 64 as read.
                let at = MsrBit { msr, bit: Bit(u8::try_from(number).unwrap_or(0)) };
                match MsrFeature::at(at) {
                    Some(feature) => names.bit(Named::Msr(feature), false),
                    None => sink.note(line.number, Unknown::note(&shown(&String::from_utf8_lossy(text)))),
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.names.take().map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}
