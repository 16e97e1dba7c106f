//! What FreeBSD prints of its CPU when it boots: from dmesg or `/var/run/dmesg.boot`, of a host of bhyve or of a guest.
//!
//! ```text
//! CPU: Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz (2500.00-MHz K8-class CPU)
//!   Origin="GenuineIntel"  Id=0x50657  Family=0x6  Model=0x55  Stepping=7
//!   Features=0xbfebfbff<FPU,VME,DE,PSE>
//!   Structured Extended Features=0xd39ffffb<FSGSBASE,TSCADJ,BMI1>
//! ```
//!
//! The numbers are whole registers (`printcpuinfo` of sys/x86/x86/identcpu.c, FreeBSD 8 to 15), from which the kernel takes a
//! bit out that it does not use. The names in brackets are its own, and ignored. A line is left out where the register is
//! zero, so that nothing is known of a register without one. `VT-x:` and `SVM:` are of MSRs and a register that are
//! not shown whole. Other lines are ignored. A machine with several kinds of CPUs prints several.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::Names;
use super::scan::{Scan, find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::known_places;
use crate::bits::location::Register::{self, Eax, Ebx, Ecx, Edx};
use crate::bits::location::{Bit, CpuidWord, Leaf, MsrBit, Subleaf};
use crate::bits::lookup::Named;
use crate::bits::msr_feature::MsrFeature;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "freebsd",
    about: "FreeBSD's boot messages",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(FreeBsd::default()),
    style: None,
};

const EXPECTED: &str = "expected `NAME=0xNUMBER`, and names in angle brackets or nothing after it";
const ORIGIN: &[u8] = b"Origin=\"";

/// Registers by the name of their line, a longer one before a shorter one that it begins with.
static LINES: [(&[u8], u32, u32, Register); 11] = [
    (b"Features2=", 1, 0, Ecx),
    (b"Features=", 1, 0, Edx),
    (b"AMD Features2=", 0x8000_0001, 0, Ecx),
    (b"AMD Features=", 0x8000_0001, 0, Edx),
    (b"Structured Extended Features2=", 7, 0, Ecx),
    (b"Structured Extended Features3=", 7, 0, Edx),
    (b"Structured Extended Features4=", 7, 1, Eax),
    (b"Structured Extended Features=", 7, 0, Ebx),
    (b"XSAVE Features=", 0xd, 1, Eax),
    (b"AMD Extended Feature Extensions ID EBX=", 0x8000_0008, 0, Ebx),
    (b"AMD Power Features=", 0x8000_0007, 0, Edx),
];
const ARCH_CAPABILITIES: &[u8] = b"IA32_ARCH_CAPS=";

/// The reader.
#[derive(Default)]
struct FreeBsd {
    open: Option<Names>,
}

/// What a line names, and the text after it.
fn named(line: &[u8]) -> Option<(CpuidWord, Scan<'_>)> {
    let mut rest = Scan::new(trim(line));
    let (_, leaf, subleaf, register) = LINES.iter().find(|(name, ..)| rest.literal(name))?;
    Some((CpuidWord::new(Leaf(*leaf), Subleaf(*subleaf), *register), rest))
}

/// The number, which names or nothing follow.
fn number(mut rest: Scan<'_>) -> Option<u32> {
    rest.literal(b"0x").then_some(())?;
    let value = rest.hex()?;
    (rest.is_empty() || rest.rest().starts_with(b"<")).then_some(value)
}

fn is_line(line: &[u8]) -> bool {
    trim(line).starts_with(ORIGIN)
        || named(line).is_some_and(|(_, rest)| number(rest).is_some() && rest.rest().contains(&b'<'))
}

impl FreeBsd {
    /// `Origin="AuthenticAMD"  Id=0x830f10  Family=0x17 ...`.
    fn origin(&mut self, line: &[u8], sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)?;
        let names = self.open.get_or_insert_default();
        let mut rest = Scan::new(trim(line));
        rest.literal(ORIGIN);
        names.vendor(&String::from_utf8_lossy(rest.while_is(|byte| byte != b'"')));
        const ID: &[u8] = b"Id=0x";
        if let Some(at) = find(line, ID) {
            let id = Scan::new(&line[at + ID.len()..]).hex().ok_or(Fault::Here(EXPECTED))?;
            names.register(1, Eax, u32::MAX, id);
        }
        Ok(())
    }

    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.open.take().map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}

impl Parser for FreeBsd {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = trim(line.text);
        if text.starts_with(ORIGIN) {
            return self.origin(text, sink);
        }
        if let Some((word, rest)) = named(text) {
            let value = number(rest).ok_or(Fault::Here(EXPECTED))?;
            self.open.get_or_insert_default().state(word, u32::MAX, value);
        }
        if let Some(rest) = text.strip_prefix(ARCH_CAPABILITIES) {
            let value = number(Scan::new(rest)).ok_or(Fault::Here(EXPECTED))?;
            let names = self.open.get_or_insert_default();
            for bit in 0..32 {
                if let Some(feature) =
                    MsrFeature::at(MsrBit { msr: known_places::ARCH_CAPABILITIES, bit: Bit(bit) })
                {
                    names.bit(Named::Msr(feature), value >> bit & 1 != 0);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)
    }
}
