//! What `sysctl machdep.cpu` and `sysctl hw.optional` print on an Intel Mac.
//!
//! ```text
//! machdep.cpu.vendor: GenuineIntel
//! machdep.cpu.feature_bits: 9221959987971750911
//! machdep.cpu.leaf7_feature_bits: 43804591 1073741824
//! machdep.cpu.leaf7_features: RDWRFSGS TSC_THREAD_OFFSET SGX BMI1 AVX2 SMEP
//! hw.optional.avx2_0: 1
//! ```
//!
//! The bits of two registers are one number of 64 bits, or one number of 32 bits for each. The kernel puts the constant TSC
//! of leaf 0x80000007 into bit 8 of leaf 0x80000001's EDX. Of a list of names without its bits, nothing is known of what is not
//! listed. Everything else is ignored (XNU, osfmk/i386/cpuid.c and bsd/dev/i386/sysctl.c).

use std::boxed::Box;
use std::string::String;

use super::cpuinfo::{decimal, each_name};
use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Register::{self, Eax, Ebx, Ecx, Edx};
use crate::bits::location::{CpuidWord, Leaf, Subleaf};
use crate::bits::lookup::Named;
use crate::feature;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "macos-sysctl",
    about: "sysctl machdep.cpu of an Intel Mac",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(MacOs::default()),
    style: None,
};

const EXPECTED: &str = "expected one number for each register, or one of 64 bits for two";
const CPU: &[u8] = b"machdep.cpu.";
const OPTIONAL: &[u8] = b"hw.optional.";

/// Lines with numbers: the leaf and the subleaf, and the register and its bits for each number.
struct Row(&'static str, u32, u32, &'static [(Register, u32)]);

const ALL: u32 = u32::MAX;
static NUMBERS: [Row; 19] = [
    Row("max_basic", 0, 0, &[(Eax, ALL)]),
    Row("signature", 1, 0, &[(Eax, ALL)]),
    Row("feature_bits", 1, 0, &[(Edx, ALL), (Ecx, ALL)]),
    Row("mwait.linesize_min", 5, 0, &[(Eax, 0xffff)]),
    Row("mwait.linesize_max", 5, 0, &[(Ebx, 0xffff)]),
    Row("mwait.extensions", 5, 0, &[(Ecx, ALL)]),
    Row("mwait.sub_Cstates", 5, 0, &[(Edx, ALL)]),
    Row("leaf7_feature_bits", 7, 0, &[(Ebx, ALL), (Ecx, ALL)]),
    Row("leaf7_feature_bits_edx", 7, 0, &[(Edx, ALL)]),
    Row("arch_perf.version", 0xa, 0, &[(Eax, 0xff)]),
    Row("arch_perf.number", 0xa, 0, &[(Eax, 0xff00)]),
    Row("arch_perf.width", 0xa, 0, &[(Eax, 0xff_0000)]),
    Row("xsave.extended_state", 0xd, 0, &[(Eax, ALL), (Ebx, ALL), (Ecx, ALL), (Edx, ALL)]),
    Row("xsave.extended_state1", 0xd, 1, &[(Eax, ALL), (Ebx, ALL), (Ecx, ALL), (Edx, ALL)]),
    Row("tsc_ccc.denominator", 0x15, 0, &[(Eax, ALL)]),
    Row("tsc_ccc.numerator", 0x15, 0, &[(Ebx, ALL)]),
    Row("max_ext", 0x8000_0000, 0, &[(Eax, ALL)]),
    Row("address_bits.physical", 0x8000_0008, 0, &[(Eax, 0xff)]),
    Row("address_bits.virtual", 0x8000_0008, 0, &[(Eax, 0xff00)]),
];
/// Leaf 0x80000001's EDX and ECX, with the constant TSC among them.
const EXTENDED: &str = "extfeature_bits";
const CONSTANT_TSC: u64 = 1 << 8;

/// Names that nobody else uses, as the kernel's tables and `hw.optional` have them, and QEMU's name for the bit.
static NAMES: [(&str, &str); 47] = [
    ("1GBPAGE", "pdpe1gb"),
    ("ACAPMSR", "arch-capabilities"),
    ("AVX1.0", "avx"),
    ("AVX512BITALG", "avx512-bitalg"),
    ("AVX512IFMA", "avx512ifma"),
    ("AVX512VBMI2", "avx512-vbmi2"),
    ("AVX512VNNI", "avx512-vnni"),
    ("AVX512VPCDQ", "avx512-vpopcntdq"),
    ("AVX5124FMAPS", "avx512-4fmaps"),
    ("AVX5124VNNIW", "avx512-4vnniw"),
    ("CCAPMSR", "core-capability"),
    ("CID", "cid"),
    ("CLFSH", "clflush"),
    ("CLFSOPT", "clflushopt"),
    ("DSCPL", "ds-cpl"),
    ("EM64T", "lm"),
    ("ENFSTRG", "erms"),
    ("FPU_CSDS", "zero-fcs-fds"),
    ("FSREPMOV", "fsrm"),
    ("HTT", "ht"),
    ("IBRS", "spec-ctrl"),
    ("IPT", "intel-pt"),
    ("L1DF", "flush-l1d"),
    ("LAHF", "lahf-lm"),
    ("LZCNT", "abm"),
    ("MDCLEAR", "md-clear"),
    ("MON", "monitor"),
    ("PREFETCHW", "3dnowprefetch"),
    ("RDWRFSGS", "fsgsbase"),
    ("SGXLC", "sgxlc"),
    ("SHA", "sha-ni"),
    ("SSE3", "pni"),
    ("TPR", "xtpr"),
    ("TSCI", "invtsc"),
    ("TSCTMR", "tsc-deadline"),
    ("TSC_THREAD_OFFSET", "tsc-adjust"),
    ("TSXFA", "tsx-force-abort"),
    ("VMM", "hypervisor"),
    ("XD", "nx"),
    ("avx1_0", "avx"),
    ("avx2_0", "avx2"),
    ("enfstrg", "erms"),
    ("floatingpoint", "fpu"),
    ("sse3", "pni"),
    ("sse4_1", "sse4.1"),
    ("supplementalsse3", "ssse3"),
    ("x86_64", "lm"),
];
/// Bits that have no other name here.
static BITS: [(&str, CpuidWord, u32); 1] = [("SEGLIM64", word(1, 0, Ecx), 1 << 11)];

const fn word(leaf: u32, subleaf: u32, register: Register) -> CpuidWord {
    CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register)
}

/// The reader.
#[derive(Default)]
struct MacOs {
    open: Option<Names>,
    family: Option<u32>,
    model: Option<u32>,
    stepping: Option<u32>,
}

/// A name below `machdep.cpu` or `hw.optional`, and the value after `: ` or `=`.
fn parts<'l>(line: &'l [u8], below: &[u8]) -> Option<(&'l str, &'l [u8])> {
    let rest = trim(line).strip_prefix(below)?;
    let end = find(rest, b":").or_else(|| find(rest, b"="))?;
    let name = core::str::from_utf8(trim(&rest[..end])).ok()?;
    (!name.is_empty()).then(|| (name, trim(&rest[end + 1..])))
}

fn is_line(line: &[u8]) -> bool {
    parts(line, CPU).or_else(|| parts(line, OPTIONAL)).is_some()
}

/// Decimal numbers; one of more than 32 bits is two registers', the lower half first.
fn numbers(value: &[u8], registers: usize) -> Option<std::vec::Vec<u64>> {
    let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let read = words.map(|word| core::str::from_utf8(word).ok()?.parse::<u64>().ok());
    let numbers: std::vec::Vec<u64> = read.collect::<Option<_>>()?;
    match numbers.as_slice() {
        [wide] if *wide > u64::from(u32::MAX) && registers == 2 => {
            Some([*wide & 0xffff_ffff, wide >> 32].into())
        }
        all if all.len() <= registers && all.iter().all(|number| *number <= u64::from(u32::MAX)) => {
            Some(numbers)
        }
        _ => None,
    }
}

impl MacOs {
    fn number(&mut self, Row(_, leaf, subleaf, registers): &Row, value: &[u8]) -> Result<(), Fault> {
        let values = numbers(value, registers.len()).ok_or(Fault::Here(EXPECTED))?;
        let names = self.open.get_or_insert_default();
        for ((register, mask), value) in registers.iter().zip(values) {
            let value = u32::try_from(value << mask.trailing_zeros()).unwrap_or_default();
            names.state(word(*leaf, *subleaf, *register), *mask, value);
        }
        Ok(())
    }

    fn extended(&mut self, value: &[u8]) -> Result<(), Fault> {
        let values = numbers(value, 2).ok_or(Fault::Here(EXPECTED))?;
        let names = self.open.get_or_insert_default();
        let half = |at: usize| values.get(at).and_then(|value| u32::try_from(*value).ok());
        if let Some(low) = half(0) {
            let folded = u32::try_from(CONSTANT_TSC).unwrap_or_default();
            names.bit(Named::Feature(feature::CONSTANT_TSC), low & folded != 0);
            names.state(word(0x8000_0001, 0, Edx), !folded, low);
        }
        // A number of 64 bits whose upper half is 0 cannot be distinguished from one of 32 bits.
        if let Some(high) = half(1) {
            names.register(0x8000_0001, Ecx, ALL, high);
        }
        Ok(())
    }

    fn cpu(&mut self, name: &str, value: &[u8], line: u64, sink: &mut Sink) -> Result<(), Fault> {
        if let Some(row) = NUMBERS.iter().find(|row| row.0 == name) {
            return self.number(row, value);
        }
        match name {
            EXTENDED => return self.extended(value),
            "vendor" => self.open.get_or_insert_default().vendor(&String::from_utf8_lossy(value)),
            "family" => self.family = decimal(value),
            "model" => self.model = decimal(value),
            "stepping" => self.stepping = decimal(value),
            "features" | "leaf7_features" | "extfeatures" => {
                let names = self.open.get_or_insert_default();
                each_name(value, line, sink, |name| state(names, name, true));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let (family, model, stepping) = (self.family.take(), self.model.take(), self.stepping.take());
        let Some(mut names) = self.open.take() else { return Ok(()) };
        names.signature(family, model, stepping);
        names.finish(None, None, sink)
    }
}

fn state(names: &mut Names, name: &str, on: bool) -> Result<(), Unknown> {
    if let Some((_, word, mask)) = BITS.iter().find(|(known, ..)| *known == name) {
        names.state(*word, *mask, if on { *mask } else { 0 });
        return Ok(());
    }
    let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, qemu)| *qemu);
    names.feature(known.unwrap_or(name), on)
}

impl Parser for MacOs {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if let Some((name, value)) = parts(line.text, CPU) {
            return self.cpu(name, value, line.number, sink);
        }
        let Some((name, value)) = parts(line.text, OPTIONAL) else { return Ok(()) };
        let on = match value {
            b"0" => false,
            b"1" => true,
            _ => return Err(Fault::Here("expected 0 or 1")),
        };
        if state(self.open.get_or_insert_default(), name, on).is_err() {
            sink.note(line.number, Unknown::note(name));
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)
    }
}
