//! cpuid.h of GCC and of clang: macros `bit_*` below headings, which are comments that name a leaf and a register.
//!
//! GCC states the leaf once and then only each register, and starts with leaf 1 without stating it:
//! `(%eax == 7, %ecx == 0)`, `%ebx`. clang states both: `%ecx for leaf 7 sub-leaf 0`.

use regex::Regex;

use super::reader::Reader;
use super::tree::WitnessTree;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::location::{CpuidWord, Leaf, Register, Subleaf, WordSource};
use crate::pattern::{self, COMPILER_LEAF, COMPILER_REGISTER, COMPILER_SUBLEAF};
use crate::source::Span;

const PREFIX: &str = "bit_";

/// Leaves whose heading names no register, since only one has flags: XSAVE's and, before GCC 12, XCR0's, in EAX (Intel SDM,
/// CPUID, leaf 0xD).
const ONLY_REGISTER: [(u32, u32, Register); 2] = [(0xd, 0, Register::Eax), (0xd, 1, Register::Eax)];

/// The latest heading.
struct Heading {
    leaf: Leaf,
    subleaf: Subleaf,
    register: Option<Register>,
}

/// The forms of headings.
struct Forms {
    leaf: Regex,
    subleaf: Regex,
    register: Regex,
}

pub(super) fn read(reader: &mut Reader<'_, '_>, tree: &WitnessTree) {
    let unit = reader.read(tree.header);
    let forms = [COMPILER_LEAF, COMPILER_SUBLEAF, COMPILER_REGISTER].map(pattern::compile);
    let [leaf, subleaf, register] = forms.map(|form| reader.diagnostics.take(form));
    let (Some(leaf), Some(subleaf), Some(register)) = (leaf, subleaf, register) else { return };
    bits(reader, &unit, &Forms { leaf, subleaf, register });
}

fn bits<'a>(reader: &mut Reader<'a, '_>, unit: &Unit<'a>, forms: &Forms) {
    let mut heading = Heading { leaf: Leaf(1), subleaf: Subleaf(0), register: None };
    let mut comments = unit.comments.iter().peekable();
    for define in &unit.defines {
        while let Some(comment) = comments.next_if(|comment| comment.start < define.name.span.start) {
            let read = heading.follow(reader.sources.text(*comment), *comment, forms);
            reader.diagnostics.take(read);
        }
        let Some(name) = define.name.text.strip_prefix(PREFIX) else { continue };
        let Some(bit) = reader.diagnostics.take(reader.bit_of(define, 32)) else { continue };
        let Some(word) = heading.word() else {
            let message = format!("no heading names the register of `{}`", define.name.text);
            reader.diagnostics.error(define.name.span, message);
            continue;
        };
        reader.add(name, WordSource::Cpuid(word), bit, define.name.span);
    }
}

impl Heading {
    /// A comment that names a leaf or a register changes the heading.
    fn follow(&mut self, comment: &str, at: Span, forms: &Forms) -> Result<(), Diagnostic> {
        let number = |form: &Regex| form.captures(comment).map(|groups| parse(&groups[1], at)).transpose();
        if let Some(leaf) = number(&forms.leaf)? {
            *self = Heading { leaf: Leaf(leaf), subleaf: Subleaf(0), register: None };
            if let Some(subleaf) = number(&forms.subleaf)? {
                self.subleaf = Subleaf(subleaf);
            }
        }
        // `%eax == 7` is an input.
        let names = forms.register.captures_iter(comment).filter(|groups| groups.get(2).is_none());
        if let Some(groups) = names.last() {
            self.register = groups[1].parse().ok();
        }
        Ok(())
    }

    fn word(&self) -> Option<CpuidWord> {
        let only = ONLY_REGISTER.iter().find(|(leaf, subleaf, _)| {
            self.register.is_none() && (*leaf, *subleaf) == (self.leaf.0, self.subleaf.0)
        });
        let register = self.register.or(only.map(|(_, _, register)| *register))?;
        Some(CpuidWord::new(self.leaf, self.subleaf, register))
    }
}

fn parse(digits: &str, at: Span) -> Result<u32, Diagnostic> {
    let number = match digits.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    };
    number.ok_or_else(|| Diagnostic::error(at, format!("`{digits}` is not the number of a leaf")))
}
