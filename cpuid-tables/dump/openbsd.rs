//! OpenBSD's boot messages, as `dmesg` prints them.
//!
//! ```text
//! cpu0: AMD EPYC 7313P 16-Core Processor, 2994.37 MHz, 19-01-01, patch 0a0011d5
//! cpu0: cpuid 1 edx=178bfbff<FPU,VME> ecx=fef83203<SSE3,PCLMUL>
//! cpu0: cpuid 7.0 ebx=219c97a9<FSGSBASE,BMI1,AVX2>
//! cpu0: FPU,VME,DE,PSE,TSC,MSR,PAE,MCE,CX8,APIC,SEP,MTRR,PGE,MCA,CMOV,PAT,CFLUSH,MMX,FXSR,SSE,SSE2,SSE3,NXE,LONG
//! ```
//!
//! Releases before 7.6 have the names alone, some of which are OpenBSD's own (`OWN`): what is listed is there, and of others
//! nothing is known, because a serial line can cut the list off. Later ones have the registers. The leaf, the subleaf and the values are hexadecimal; so are family, model and stepping in the first line. Of a later CPU
//! only what differs from the first is printed, so that it is not a CPU here. Other lines are ignored (sys/arch/amd64/amd64/identcpu.c).

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "openbsd",
    about: "OpenBSD's boot messages",
    marks: &[Mark::Line(is_line), Mark::Line(is_list)],
    parser: || Box::new(OpenBsd::default()),
    style: None,
};

const EXPECTED: &str = "expected `cpu0: cpuid LEAF[.SUBLEAF] REGISTER=HEX<NAMES>`";
const CPU: &[u8] = b"cpu0: ";
const CPUID: &[u8] = b"cpu0: cpuid ";

/// OpenBSD's own names, and the usual ones; what is no feature of CPUID, or a whole leaf, states nothing.
const OWN: [(&str, &str); 32] = [
    ("3DNOW2", "3dnowext"),
    ("3DNOWP", "3dnowprefetch"),
    ("AMCR8", "cr8_legacy"),
    ("CFLUSH", "clfsh"),
    ("CMPLEG", "cmp_legacy"),
    ("CNXT-ID", "cid"),
    ("CPCTR", "perfctr_core"),
    ("DBKP", "bpext"),
    ("DEADLINE", "tsc_deadline_timer"),
    ("DSCPL", "ds_cpl"),
    ("EAPICSP", "extapic"),
    ("FFXSR", "fxsr_opt"),
    ("FMA3", "fma"),
    ("HTT", "ht"),
    ("HV", "hypervisor"),
    ("ITSC", "invtsc"),
    ("LAHF", "lahf_lm"),
    ("LONG", "lm"),
    ("MASSE", "misalignsse"),
    ("MELTDOWN", ""),
    ("MMXX", "mmxext"),
    ("MPC", "mp"),
    ("MWAIT", "monitor"),
    ("NODEID", "nodeid_msr"),
    ("NXE", "nx"),
    ("PCTRL3", "perfctr_llc"),
    ("PERF", ""),
    ("PERFTSC", "ptsc"),
    ("PSN", "pn"),
    ("SBF", "pbe"),
    ("SENSOR", "dtherm"),
    ("TOPEXT", "topoext"),
];

/// The reader.
#[derive(Default)]
struct OpenBsd {
    open: Option<Names>,
}

fn is_line(line: &[u8]) -> bool {
    let mut rest = Scan::new(trim(line));
    rest.literal(CPUID) && rest.hex().is_some() && rest.rest().contains(&b'=')
}

fn is_list(line: &[u8]) -> bool {
    list(trim(line)).is_some()
}

/// The names of a release before 7.6, with commas between them.
fn list(line: &[u8]) -> Option<&[u8]> {
    let names = line.strip_prefix(CPU)?;
    let is_in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b",.-_+".contains(byte);
    let has_several = names.iter().filter(|byte| **byte == b',').count() > 2;
    (has_several && names.iter().all(is_in_name)).then_some(names)
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
        if let Some(list) = list(text) {
            let names = self.open.get_or_insert_default();
            for name in String::from_utf8_lossy(list).split(',').filter(|name| !name.is_empty()) {
                let own = OWN.iter().find(|(own, _)| *own == name);
                let usual = own.map_or(name, |(_, usual)| usual).to_ascii_lowercase();
                if !usual.is_empty() && names.feature(&usual, true).is_err() {
                    sink.note(line.number, Unknown::note(name));
                }
            }
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
