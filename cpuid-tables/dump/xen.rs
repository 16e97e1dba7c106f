//! Xen's feature sets: `features`, `features_pv` and `features_hvm` of XenServer's and XCP-ng's `xe host-cpu-info`, `hw_caps`
//! of `xl info`, and the sets that `xen-cpuid` prints.
//!
//! ```text
//!     features: 0098e3fd-bfebfbff-00000001-28100800
//!  features_pv: 17c9cbf5-80b82201-2191cbf5-00000003-00000000-00000000-00000000-00000000-00000000
//! hw_caps                : bfebfbff:77fef3ff:2c100800:00000121:0000000f:009c6fbf:00000000:00000100
//! ```
//!
//! Words are in the order of `xen/include/public/arch-x86/cpufeatureset.h` (Xen 4.7 to 4.20). Four words alone are those of
//! releases before that: ECX and EDX of leaf 1, then of 0x80000001. Each set is a CPU with the line's name. Xen puts bits
//! into a set that it defines itself where the hardware has none. The line `flags` tells what the control domain sees, which
//! is a guest: it is ignored, as is the rest.

use std::boxed::Box;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::descriptor::{Descriptor, Mark};
use super::names::Names;
use super::scan::{Scan, trim};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Register::{self, Eax, Ebx, Ecx, Edx};
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, MsrBit, Subleaf};
use crate::bits::lookup::Named;
use crate::bits::msr_feature::MsrFeature;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "xen",
    about: "Xen's feature sets: xe host-cpu-info, xl info, xen-cpuid",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Xen),
    style: None,
};

const EXPECTED: &str = "expected words of 8 hexadecimal digits with `-` or `:` between them";

/// What a word of a feature set is.
enum Word {
    Cpuid(u32, u32, Register),
    /// `MSR_ARCH_CAPABILITIES`, and its first bit.
    Msr(u32, u8),
}

/// `FEATURESET_*`, in order.
static WORDS: [Word; 19] = [
    Word::Cpuid(1, 0, Edx),
    Word::Cpuid(1, 0, Ecx),
    Word::Cpuid(0x8000_0001, 0, Edx),
    Word::Cpuid(0x8000_0001, 0, Ecx),
    Word::Cpuid(0xd, 1, Eax),
    Word::Cpuid(7, 0, Ebx),
    Word::Cpuid(7, 0, Ecx),
    Word::Cpuid(0x8000_0007, 0, Edx),
    Word::Cpuid(0x8000_0008, 0, Ebx),
    Word::Cpuid(7, 0, Edx),
    Word::Cpuid(7, 1, Eax),
    Word::Cpuid(0x8000_0021, 0, Eax),
    Word::Cpuid(7, 1, Ebx),
    Word::Cpuid(7, 2, Edx),
    Word::Cpuid(7, 1, Ecx),
    Word::Cpuid(7, 1, Edx),
    Word::Msr(0x10a, 0),
    Word::Msr(0x10a, 32),
    Word::Cpuid(0x8000_0021, 0, Ecx),
];
/// Before Xen 4.7.
static OLD_WORDS: [Word; 4] = [
    Word::Cpuid(1, 0, Ecx),
    Word::Cpuid(1, 0, Edx),
    Word::Cpuid(0x8000_0001, 0, Ecx),
    Word::Cpuid(0x8000_0001, 0, Edx),
];

/// The reader.
struct Xen;

/// The name of a set, and its words; none where they are not such.
fn set(line: &[u8]) -> Option<(&[u8], Option<Vec<u32>>)> {
    let mut rest = Scan::new(trim(line));
    let name = rest.while_is(|byte| byte.is_ascii_alphanumeric() || b"_ /".contains(&byte));
    let name = trim(name);
    let certain = name.starts_with(b"features") || name == b"hw_caps";
    if certain {
        rest.literal(b":").then_some(())?;
        rest.blanks();
        return Some((name, words(rest)));
    }
    // `xen-cpuid` prints `HVM Max   1fcbfbff:f7f83223:...`: the first word was taken for a part of the name.
    let (name, digits) = name.split_at(name.iter().rposition(|byte| *byte == b' ')?);
    let line = trim(line);
    let from = line.len() - rest.rest().len() - trim(digits).len();
    let sets: [&[u8]; 5] = [b"Raw", b"Host", b"PV", b"HVM", b"KNOWN"];
    let known = sets.into_iter().any(|set| name.starts_with(set));
    let words = words(Scan::new(&line[from..])).filter(|words| known && words.len() >= 8)?;
    Some((trim(name), Some(words)))
}

/// Words of eight digits with one separator between all of them.
fn words(mut rest: Scan<'_>) -> Option<Vec<u32>> {
    const MOST: usize = 64;
    let mut words = Vec::new();
    let mut separator = None;
    loop {
        let before = rest.rest().len();
        words.push(rest.hex()?);
        let eight = before - rest.rest().len() == 8;
        if !eight || words.len() > MOST {
            return None;
        }
        let next = rest.rest().first().copied();
        let Some(next) = next.filter(|byte| separator.unwrap_or(*byte) == *byte && b"-:".contains(byte))
        else {
            break;
        };
        separator = Some(next);
        rest.literal(&[next]);
    }
    rest.blanks();
    rest.is_empty().then_some(words)
}

fn is_line(line: &[u8]) -> bool {
    set(line).is_some_and(|(_, words)| words.is_some_and(|words| words.len() >= 4))
}

fn names(words: &[u32]) -> Names {
    let order: &[Word] = if words.len() == OLD_WORDS.len() { &OLD_WORDS } else { &WORDS };
    let mut names = Names::default();
    for (word, value) in order.iter().zip(words) {
        match *word {
            Word::Cpuid(leaf, subleaf, register) => {
                names.state(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), u32::MAX, *value);
            }
            Word::Msr(msr, from) => {
                for bit in 0..32 {
                    let at = MsrBit { msr: Msr(msr), bit: Bit(from + bit) };
                    if let Some(feature) = MsrFeature::at(at) {
                        names.bit(Named::Msr(feature), value >> bit & 1 != 0);
                    }
                }
            }
        }
    }
    names
}

impl Parser for Xen {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let Some((name, words)) = set(line.text) else { return Ok(()) };
        let words = words.ok_or(Fault::Here(EXPECTED))?;
        let more = words.iter().skip(WORDS.len()).filter(|word| **word != 0).count();
        let name = String::from_utf8_lossy(name).into_owned();
        if more > 0 {
            sink.note(line.number, format!("{more} words of `{name}` are ignored: they are of a newer Xen"));
        }
        names(&words).finish(None, Some(name), sink)
    }
}
