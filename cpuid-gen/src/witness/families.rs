//! Macros with a common prefix, which are the bits of one register.

use super::reader::Reader;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf, WordSource};

/// The meaning of the macros with a prefix.
pub(super) enum Family {
    /// Bits of a register; the number is added to each bit's. The bit's name is what follows the prefix.
    Bits(WordSource, u8),
    /// Likewise, but the name includes the prefix after this part, which is needed to identify a bit.
    Named(WordSource, u8, &'static str),
    /// Something else.
    Other,
}

/// A prefix and its family; the longest matching prefix counts. A whole name can be a prefix.
pub(super) type Prefix = (&'static str, Family);

/// Bits of a CPUID register.
pub(super) const fn cpuid(leaf: u32, subleaf: u32, register: Register) -> Family {
    Family::Bits(WordSource::Cpuid(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register)), 0)
}

/// Bits of a CPUID register, with names after `root`.
pub(super) const fn shared(leaf: u32, subleaf: u32, register: Register, root: &'static str) -> Family {
    Family::Named(WordSource::Cpuid(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register)), 0, root)
}

/// Bits of an MSR.
pub(super) const fn msr(number: u32) -> Family {
    Family::Bits(WordSource::Msr(Msr(number)), 0)
}

/// Bits of an MSR from `first` on, by the names of their macros.
pub(super) const fn macros(number: u32, first: u8) -> Family {
    Family::Named(WordSource::Msr(Msr(number)), first, "")
}

/// Reads every macro that starts with one of `roots`. A macro without any of the prefixes is an error.
pub(super) fn read<'a>(reader: &mut Reader<'a, '_>, unit: &Unit<'a>, roots: &[&str], prefixes: &[Prefix]) {
    for define in &unit.defines {
        let name = define.name.text.as_ref();
        if !roots.iter().any(|root| name.starts_with(root)) {
            continue;
        }
        let own = prefixes.iter().filter(|(prefix, _)| name.starts_with(prefix));
        let Some((prefix, family)) = own.max_by_key(|(prefix, _)| prefix.len()) else {
            let message = format!("`{name}`: no register is known for its prefix");
            reader.diagnostics.push(Diagnostic::error(define.name.span, message));
            continue;
        };
        let (source, first, prefix) = match family {
            Family::Bits(source, first) => (source, *first, *prefix),
            Family::Named(source, first, root) => (source, *first, *root),
            Family::Other => continue,
        };
        // Older headers have an MSR's upper half in 64 bits, newer ones in 32.
        let width = if matches!(source, WordSource::Msr(_)) { 64 } else { 32 };
        let Some(Bit(bit)) = reader.diagnostics.take(reader.bit_of(define, width)) else { continue };
        let bit = if bit < 32 { bit + first } else { bit };
        reader.add(&name[prefix.len()..], *source, Bit(bit), define.name.span);
    }
}
