//! What `kvm-cpuid show` and `kvm-cpuid guest` print.
//!
//! ```text
//! CPU 0: GenuineIntel, family 0x6, model 0x8f, stepping 8
//! 0x00000007.0: structured extended features
//!   EAX 0x00000000  max_subleaf=0
//!   EBX 0x00000020  avx2
//!   ECX 0x00000000
//!   EDX 0x00000000
//! 0x0000000c: undescribed leaf: all zero
//! ```
//!
//! The numbers are read, with the names of bits outside CPUID, and what they mean is ignored: `  = ` facts, names, and
//! continued lines. A subleaf after the leaf
//! says that the index is significant. Any other line that is not indented begins a CPU. What KVM answers for a leaf without
//! an entry is not an entry.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::naming::bits_outside;
use crate::table::CpuidEntry;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "decoded",
    about: "what `kvm-cpuid show` and `kvm-cpuid guest` print",
    marks: &[Mark::Line(is_register)],
    parser: || Box::new(Decoded::default()),
    style: None,
};

const EXPECTED: &str =
    "expected `0xLEAF: TITLE`, `0xLEAF.SUBLEAF: TITLE`, or an indented line such as `  EAX 0x...`";
const NO_HEADING: &str = "expected `0xLEAF: TITLE` before it: which leaf it belongs to is unknown";
const MISSING: &str = "a register is missing: an entry has EAX, EBX, ECX and EDX";
/// Begins the decoded answer of KVM for a leaf without an entry.
const NOT_AN_ENTRY: &str = "  a guest that takes it for the leaf itself sees:";
const NO_ENTRY: &str = ": no entry; KVM answers ";
const ALL_ZERO: &str = ": all zero";
const OTHER_FLAGS: &str = "  other flags: 0x";
const OPEN_BITS: &str = "  bits that the dump does not specify: ";
const VCPU: &str = "vCPU with APIC id ";
/// Begins names of bits outside CPUID, and whether they are set.
const OUTSIDE: [(&str, bool); 2] = [("outside CPUID, set: ", true), ("outside CPUID, not set: ", false)];
const NOT_OUTSIDE: &str = "no bit outside CPUID has one of these names";

/// The reader.
#[derive(Default)]
struct Decoded {
    entry: Option<Open>,
    /// The next entry is KVM's answer for a leaf without one.
    passes_over: bool,
}

/// The entry that is being read.
struct Open {
    entry: CpuidEntry,
    known: Registers,
    /// How many registers were read.
    registers: usize,
    /// It is ignored.
    is_answer: bool,
}

/// `  EAX 0x00000000`, perhaps with names after it.
fn register(line: &str) -> Option<(Register, u32)> {
    let rest = line.strip_prefix("  ")?;
    let register = Register::ALL.into_iter().find(|register| rest.starts_with(register.name()))?;
    let digits = rest.get(3..)?.strip_prefix(" 0x")?;
    let (value, after) = digits.split_at_checked(8)?;
    let is_alone = after.is_empty() || after.starts_with("  ");
    let is_hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_alone && is_hex).then(|| u32::from_str_radix(value, 16).ok()).flatten().map(|value| (register, value))
}

/// True for a line that only this format has: an answer for a leaf without an entry has all registers in one line.
fn is_register(line: &[u8]) -> bool {
    core::str::from_utf8(line).is_ok_and(|line| register(line).is_some() && !line.contains("  EBX 0x"))
}

/// `0x0000000d.1: title`.
fn heading(line: &str) -> Option<(Leaf, Option<Subleaf>)> {
    let (place, _) = line.split_once(':')?;
    let (leaf, subleaf) = place.split_once('.').map_or((place, None), |(leaf, sub)| (leaf, Some(sub)));
    let leaf = leaf.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
    let leaf = u32::from_str_radix(leaf, 16).ok()?;
    let subleaf = subleaf.map(|subleaf| subleaf.parse().ok().map(Subleaf));
    match subleaf {
        Some(None) => None,
        Some(subleaf) => Some((Leaf(leaf), subleaf)),
        None => Some((Leaf(leaf), None)),
    }
}

impl Decoded {
    /// The open entry is at its end.
    fn close(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let Some(open) = self.entry.take().filter(|open| !open.is_answer) else { return Ok(()) };
        if !matches!(open.registers, 0 | 4) {
            return Err(Fault::Here(MISSING));
        }
        sink.entry(open.entry)?;
        sink.only_known(open.known);
        Ok(())
    }

    fn indented(&mut self, line: &str) -> Result<(), Fault> {
        if line == NOT_AN_ENTRY {
            self.passes_over = true;
            return Ok(());
        }
        let Some(open) = &mut self.entry else { return Err(Fault::Here(NO_HEADING)) };
        if let Some((register, value)) = register(line) {
            if Register::ALL.get(open.registers) != Some(&register) && !open.is_answer {
                return Err(Fault::Here(MISSING));
            }
            *open.entry.register_mut(register) = value;
            open.registers += 1;
        } else if let Some(flags) = line.strip_prefix(OTHER_FLAGS) {
            open.entry.flags |= u32::from_str_radix(flags, 16).map_err(|_| Fault::Here(EXPECTED))?;
        } else if let Some(bits) = line.strip_prefix(OPEN_BITS) {
            let mut words =
                bits.split(' ').map(|word| u32::from_str_radix(word.trim_start_matches("0x"), 16));
            let mut open_bits = [0; 4];
            for bits in &mut open_bits {
                *bits = words.next().and_then(Result::ok).ok_or(Fault::Here(EXPECTED))?;
            }
            open.known = Registers::from_array(open_bits.map(|bits| !bits));
        }
        Ok(())
    }
}

impl Parser for Decoded {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let Ok(text) = core::str::from_utf8(line.text) else { return Err(Fault::Here(EXPECTED)) };
        let text = text.trim_end();
        if text.is_empty() {
            return self.close(sink);
        }
        if text.starts_with(' ') {
            return self.indented(text);
        }
        self.close(sink)?;
        if let Some((leaf, subleaf)) = heading(text) {
            let is_answer = core::mem::take(&mut self.passes_over) || text.contains(NO_ENTRY);
            let entry = match subleaf {
                Some(subleaf) => CpuidEntry::indexed(leaf, subleaf, Registers::ZERO),
                None => CpuidEntry::new(leaf, Registers::ZERO),
            };
            let known = Registers::MAX;
            // An entry without registers is one of zeros.
            let registers = if text.ends_with(ALL_ZERO) { 4 } else { 0 };
            self.entry = Some(Open { entry, known, registers, is_answer });
        } else if let Some((names, on)) = outside(text) {
            for name in names.split_ascii_whitespace() {
                let bits = bits_outside(name);
                if bits.is_empty() {
                    return Err(Fault::Here(NOT_OUTSIDE));
                }
                sink.beside().bits.extend(bits.into_iter().map(|bit| (bit, on)));
            }
        } else if !text.starts_with("level: ") {
            let (number, name) = title(text);
            sink.start(number, name);
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.close(sink)
    }
}

/// Names of bits outside CPUID, and whether they are set.
fn outside(text: &str) -> Option<(&str, bool)> {
    OUTSIDE.iter().find_map(|(begin, on)| Some((text.strip_prefix(begin)?, *on)))
}

/// The number and name of a CPU in its title: `CPU 3`, `CPU 3 name`, `vCPU with APIC id 3`.
fn title(text: &str) -> (Option<u32>, Option<String>) {
    let title = text.split_once(": ").map_or(text, |(title, _)| title);
    let Some(rest) = title.strip_prefix(VCPU).or_else(|| title.strip_prefix("CPU ")) else {
        // The sources that are named so.
        let known = ["supported", "emulated", "instruction"].into_iter().find(|name| *name == title);
        return (None, known.map(String::from));
    };
    let (number, name) = rest.split_once(' ').map_or((rest, None), |(number, name)| (number, Some(name)));
    (number.parse().ok(), name.map(String::from))
}

#[cfg(test)]
mod tests {
    use super::super::Cpu;
    use super::super::{Format, Options, read};

    const TEXT: &str = "CPU 2: GenuineIntel\n0x00000000: highest basic leaf, vendor\n  = vendor GenuineIntel\n\
        \x20 EAX 0x00000007  max_std_leaf=0x7\n  EBX 0x756e6547  cpu_vendorid_0=\"Genu\"\n  ECX 0x6c65746e\n\
        \x20 EDX 0x49656e69\n0x00000007.0: features\n  EAX 0x00000000\n  EBX 0x00000020  avx2\n                  more\n\
        \x20 ECX 0x00000000\n  EDX 0x00000000\n0x0000000c: undescribed leaf: all zero\n\
        0x00000024.0: no entry; KVM answers zeros\n  EAX 0x00000001  EBX 0x00000000  ECX 0x00000000  EDX 0x00000000\n\
        \x20 a guest that takes it for the leaf itself sees:\n0x00000024: avx10\n  EAX 0x00000001\n  EBX 0x00000000\n\
        \x20 ECX 0x00000000\n  EDX 0x00000000\n";

    fn read_text(text: &str) -> Result<std::vec::Vec<Cpu>, std::string::String> {
        let dump = read(text.as_bytes(), &Options::default()).map_err(|error| std::format!("{error}"))?;
        assert_eq!(dump.format, Format::Decoded);
        Ok(dump.cpus)
    }

    #[test]
    fn numbers_are_read_and_answers_passed_over() {
        let cpus = read_text(TEXT).unwrap_or_default();
        let entries: std::vec::Vec<(u32, u32, u32)> = cpus
            .iter()
            .flat_map(|cpu| &cpu.entries)
            .map(|entry| (entry.function.0, entry.flags, entry.registers.ebx))
            .collect();
        assert_eq!((cpus.len(), cpus[0].number), (1, Some(2)));
        assert_eq!(entries, [(0, 0, 0x756e_6547), (7, 1, 0x20), (0xc, 0, 0)]);
    }

    #[test]
    fn a_missing_register_is_an_error_with_its_line() {
        let error = read_text(&TEXT.replacen("  ECX 0x6c65746e\n", "", 1)).err().unwrap_or_default();
        assert!(
            error.starts_with("line 6: `EDX 0x49656e69`") && error.contains("a register is missing"),
            "{error}"
        );
    }
}
