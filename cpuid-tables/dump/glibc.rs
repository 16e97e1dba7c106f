//! What glibc's `ld.so` prints of the CPU: `--list-diagnostics` (glibc 2.33 and later), and the levels of `--help`.
//!
//! ```text
//! x86.cpu_features.features[0x1].cpuid[0x1]=0xf1bf07ab
//! x86.processor[0x0].cpuid.subleaf_eax[0x7].ecx[0x0].ebx=0xf1bf07ab
//! x86.processor[0x0].cpuid.eax[0x80000008].eax=0x303030
//!   x86-64-v3 (supported, searched)
//! ```
//!
//! glibc 2.39 and later print what the CPUID instruction answers on each processor (`x86.processor`): of the first one everything but
//! answers that are all zero, of a later one what differs from the one before. Subleaves with the same answer are one, with
//! `until_ecx`; where that is the limit of the queries (`ecx_limit`), the first one stands for them. Earlier ones have the
//! registers of ten leaves alone (`x86.cpu_features`, whose numbers are those of <sys/platform/x86.h>), so that nothing is known
//! of others. A level that is supported has all of its features. Other lines are ignored.

use std::boxed::Box;
use std::collections::BTreeMap;
use std::string::String;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Mark};
use super::names::Names;
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::bits::lookup::Named;
use crate::naming::PsabiLevel;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "ld-so",
    about: "glibc's ld.so --list-diagnostics, and the levels of its --help",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(LdSo::default()),
    style: None,
};

const EXPECTED: &str = "expected `x86.processor[0xN].cpuid.eax[0xLEAF].REGISTER=0xVALUE`, or with \
                        `subleaf_eax[0xLEAF].ecx[0xSUBLEAF]`";
const EXPECTED_FEATURES: &str = "expected `x86.cpu_features.features[0xN].cpuid[0xREGISTER]=0xVALUE`";
const UNKNOWN_INDEX: &str = "a list of registers that this reader does not know";
const PROCESSOR: &[u8] = b"x86.processor[";
const FEATURES: &[u8] = b"x86.cpu_features.";

/// The leaves and subleaves of `x86.cpu_features`, by number.
const INDEXES: [(u32, u32); 10] = [
    (1, 0),
    (7, 0),
    (0x8000_0001, 0),
    (0xd, 1),
    (0x8000_0007, 0),
    (0x8000_0008, 0),
    (7, 1),
    (0x19, 0),
    (0x14, 0),
    (0x24, 0),
];

/// The reader.
#[derive(Default)]
struct LdSo {
    /// The processor at hand, by its number in the output.
    processor: Option<u32>,
    /// The kernel's number of it.
    number: Option<u32>,
    /// How far subleaves were asked for.
    limit: Option<u32>,
    /// What the processors up to it answered.
    answers: BTreeMap<(u32, u32), Answer>,
    /// A processor was read, so that the other registers are the same again.
    read_any: bool,
    basic: Basic,
    names: Names,
}

/// What glibc keeps of the CPU besides registers.
#[derive(Default)]
struct Basic {
    kind: Option<u32>,
    max_cpuid: Option<u32>,
    family: Option<u32>,
}

/// An answer to some subleaves.
#[derive(Clone, Copy, Default)]
struct Answer {
    registers: Registers,
    /// The last subleaf with it.
    until: u32,
    /// ECX's lowest byte is the subleaf's.
    has_subleaf: bool,
}

fn is_line(line: &[u8]) -> bool {
    let line = trim(line);
    line.starts_with(PROCESSOR) || line.starts_with(FEATURES) || level(line).is_some()
}

/// The level of `x86-64-v3 (supported, searched)`.
fn level(line: &[u8]) -> Option<PsabiLevel> {
    let text = core::str::from_utf8(line).ok()?;
    let (name, rest) = text.split_once(" (")?;
    rest.starts_with("supported").then(|| PsabiLevel::named(name))?
}

/// `0x7]`, behind a bracket.
fn index(rest: &mut Scan<'_>) -> Option<u32> {
    (rest.literal(b"0x")).then(|| rest.hex())?.filter(|_| rest.literal(b"]"))
}

/// `=0x7` at the end of a line.
fn value(mut rest: Scan<'_>) -> Option<u32> {
    let value = rest.literal(b"=0x").then(|| rest.hex())?;
    value.filter(|_| rest.is_empty())
}

impl LdSo {
    /// A line of a processor, behind `x86.processor[`.
    fn processor(&mut self, line: &[u8], sink: &mut Sink) -> Result<(), Fault> {
        let wrong = Fault::Here(EXPECTED);
        let mut rest = Scan::new(line);
        let Some(processor) = index(&mut rest).filter(|_| rest.literal(b".")) else { return Err(wrong) };
        if self.processor != Some(processor) {
            self.finish(sink)?;
            self.processor = Some(processor);
        }
        if rest.literal(b"cpuid.") {
            return self.answer(rest).ok_or(wrong);
        }
        let known: [&[u8]; 3] = [b"requested", b"observed", b"ecx_limit"];
        let Some(key) = known.into_iter().find(|key| {
            let after = rest.rest().strip_prefix(*key);
            after.is_some_and(|after| after.starts_with(b"="))
        }) else {
            return Ok(());
        };
        rest.literal(key);
        let Some(value) = value(rest) else { return Err(wrong) };
        match key {
            b"ecx_limit" => self.limit = Some(value),
            b"observed" => self.number = self.number.or(Some(value)),
            _ => self.number = Some(value),
        }
        Ok(())
    }

    /// `eax[0x1].eax=0xa10f11`, `subleaf_eax[0x4].ecx[0x0].until_ecx=0x3`.
    fn answer(&mut self, mut rest: Scan<'_>) -> Option<()> {
        let has_subleaf = rest.literal(b"subleaf_");
        let leaf = rest.literal(b"eax[").then(|| index(&mut rest))??;
        let subleaf = if has_subleaf { rest.literal(b".ecx[").then(|| index(&mut rest))?? } else { 0 };
        let key = rest.literal(b".").then(|| rest.while_is(|byte| byte != b'='))?;
        let value = value(rest)?;
        let answer = self.answers.entry((leaf, subleaf)).or_default();
        let register = match key {
            b"eax" => Register::Eax,
            b"ebx" => Register::Ebx,
            b"ecx" => Register::Ecx,
            b"edx" => Register::Edx,
            b"until_ecx" => {
                answer.until = value;
                return Some(());
            }
            b"ecx_query_mask" => {
                answer.has_subleaf = value == 0xff;
                return answer.has_subleaf.then_some(());
            }
            _ => return None,
        };
        if register == Register::Eax {
            // The four registers are printed together, EAX first.
            *answer = Answer { until: subleaf, ..Answer::default() };
        }
        answer.registers[register] = value;
        Some(())
    }

    /// A line of what glibc keeps, behind `x86.cpu_features.`.
    fn features(&mut self, line: &[u8]) -> Result<(), Fault> {
        let mut rest = Scan::new(line);
        if rest.literal(b"basic.") {
            let key = rest.while_is(|byte| byte != b'=');
            let slot = match key {
                b"kind" => &mut self.basic.kind,
                b"max_cpuid" => &mut self.basic.max_cpuid,
                b"family" => &mut self.basic.family,
                _ => return Ok(()),
            };
            *slot = Some(value(rest).ok_or(Fault::Here(EXPECTED_FEATURES))?);
            return Ok(());
        }
        if !rest.literal(b"features[") {
            return Ok(());
        }
        let wrong = Fault::Here(EXPECTED_FEATURES);
        let Some(list) = index(&mut rest).filter(|_| rest.literal(b".")) else { return Err(wrong) };
        // What a program may use, beside what the CPU has.
        if rest.rest().starts_with(b"active[") || rest.rest().starts_with(b"usable[") {
            return Ok(());
        }
        let register = rest.literal(b"cpuid[").then(|| index(&mut rest)).flatten();
        let register = register.and_then(|number| Register::ALL.get(number as usize).copied());
        let (Some(register), Some(value)) = (register, value(rest)) else { return Err(wrong) };
        let Some(&(leaf, subleaf)) = INDEXES.get(list as usize) else {
            return Err(Fault::Here(UNKNOWN_INDEX));
        };
        // Of a leaf that is not there glibc keeps zeros.
        let is_there = leaf >= 0x8000_0000 || self.basic.max_cpuid.is_none_or(|most| leaf <= most);
        if is_there {
            self.names.state(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), u32::MAX, value);
        }
        Ok(())
    }

    /// The processor at hand is at its end.
    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let Some(processor) = self.processor.take() else { return Ok(()) };
        let number = self.number.take().unwrap_or(processor);
        self.answers.retain(|_, answer| answer.registers != Registers::ZERO);
        if self.answers.is_empty() {
            return Ok(());
        }
        sink.start(Some(number), None);
        for (&(leaf, first), answer) in &self.answers {
            let last = if Some(answer.until) == self.limit { first } else { answer.until.max(first) };
            for subleaf in first..=last {
                let mut registers = answer.registers;
                if answer.has_subleaf {
                    registers.ecx = registers.ecx & !0xff | subleaf & 0xff;
                }
                sink.answer(leaf, subleaf, registers)?;
            }
        }
        sink.finish();
        self.read_any = true;
        Ok(())
    }

    /// What glibc keeps of the CPU, where no processor was printed.
    fn finish_features(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        const INTEL: u32 = 1;
        const AMD: u32 = 2;
        const HYGON: u32 = 0x18;
        let mut names = core::mem::take(&mut self.names);
        if self.read_any || names.is_empty() {
            return Ok(());
        }
        if let Some(max_cpuid) = self.basic.max_cpuid {
            names.register(0, Register::Eax, u32::MAX, max_cpuid);
        }
        // Hygon's processors are of AMD's kind.
        match (self.basic.kind, self.basic.family) {
            (Some(INTEL), _) => names.vendor("GenuineIntel"),
            (Some(AMD), Some(family)) if family != HYGON => names.vendor("AuthenticAMD"),
            _ => {}
        }
        names.finish(None, None::<String>, sink)
    }
}

impl Parser for LdSo {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = trim(line.text);
        if let Some(rest) = text.strip_prefix(PROCESSOR) {
            self.processor(rest, sink)?;
        } else if let Some(rest) = text.strip_prefix(FEATURES) {
            self.features(rest)?;
        } else if let Some(level) = level(text) {
            level.features().for_each(|feature| self.names.bit(Named::Feature(feature), true));
        }
        if self.answers.len() > Cpu::MAX_ENTRIES { Err(Fault::TooManyEntries) } else { Ok(()) }
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)?;
        self.finish_features(sink)
    }
}
