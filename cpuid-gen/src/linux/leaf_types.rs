//! asm/cpuid/leaf_types.h: the layout of CPUID's leaves as C structures of bit fields, since 7.3.
//!
//! `struct leaf_0x7_0` is leaf 7, subleaf 0; `struct leaf_0x4_n` is leaf 4, subleafs `LEAF_0x4_SUBLEAF_N_FIRST` to
//! `_LAST`. Its members are `u32` bit fields that fill EAX, EBX, ECX and EDX in this order; one without a name is
//! reserved. x86-cpuid-db generates this file and cpuid.csv.

use super::reader::Reader;
use crate::c::declare::{inside, split_commas};
use crate::c::lexer::{Kind, Token};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::CpuidField;
use crate::location::{Bit, Leaf, Register, Subleaf};
use crate::source::Span;

const PREFIX: &str = "leaf_";

/// The registers in the order in which a structure has them.
const ORDER: [Register; 4] = [Register::Eax, Register::Ebx, Register::Ecx, Register::Edx];

type Result<T> = std::result::Result<T, Diagnostic>;

impl<'a> Reader<'a, '_> {
    /// Reads every structure of a leaf.
    pub(super) fn leaf_types(&mut self, unit: &Unit<'a>) {
        let mut found = false;
        for (index, token) in unit.tokens.iter().enumerate() {
            let next = unit.tokens.get(index + 1).filter(|next| next.text.starts_with(PREFIX));
            let opens = unit.tokens.get(index + 2).is_some_and(|open| open.is("{"));
            let Some(name) = next.filter(|_| token.is_ident("struct") && opens) else { continue };
            found = true;
            let fields = inside(&unit.tokens, index + 2).and_then(|body| self.leaf_type(name, body));
            self.facts.leaf_fields.extend(self.diagnostics.take(fields).unwrap_or_default());
        }
        if !found {
            let whole = self.sources.span(unit.file, 0, 0);
            self.diagnostics.error(whole, "this file has no `struct leaf_*`");
        }
    }

    fn leaf_type(&self, name: &Token<'a>, body: &[Token<'a>]) -> Result<Vec<CpuidField>> {
        let (leaf, first, last) = self.leaf_of_type(name)?;
        let (mut fields, mut offset) = (Vec::new(), 0u32);
        for declaration in body.split(|token| token.is(";")).filter(|declaration| !declaration.is_empty()) {
            let [kind, declarators @ ..] = declaration else { continue };
            if !kind.is_ident("u32") {
                return Err(Diagnostic::error(kind.span, format!("expected `u32`, found `{}`", kind.text)));
            }
            for declarator in split_commas(declarators) {
                let (name, width) = match declarator {
                    [colon, width] if colon.is(":") => (None, width),
                    [name, colon, width] if colon.is(":") && name.kind == Kind::Ident => (Some(name), width),
                    other => return Err(Diagnostic::error(place(other, kind), "expected `NAME : WIDTH`")),
                };
                let (register, low) = (ORDER.get(offset as usize / 32), offset % 32);
                let bits = width.text.parse::<u32>().ok().filter(|bits| (1..=32 - low).contains(bits));
                let (Some(register), Some(bits)) = (register, bits) else {
                    let message = format!("`{}` bits do not fit in the rest of a register", width.text);
                    return Err(Diagnostic::error(width.span, message));
                };
                offset += bits;
                let bit = |number: u32| Bit(u8::try_from(number).unwrap_or(31));
                let (low, high) = (bit(low), bit(low + bits - 1));
                fields.extend(name.map(|name| CpuidField {
                    leaf,
                    first,
                    last,
                    register: *register,
                    low,
                    high,
                    name: name.text.clone().into_owned(),
                    at: name.span,
                }));
            }
        }
        if offset != 128 {
            let message = format!("`{}` has {offset} bits: expected the 128 of four registers", name.text);
            return Err(Diagnostic::error(name.span, message));
        }
        Ok(fields)
    }

    /// The leaf and the subleafs that a structure's name states.
    fn leaf_of_type(&self, name: &Token<'a>) -> Result<(Leaf, Subleaf, Subleaf)> {
        let stated = name.text.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('_'));
        let number = |text: &str| u32::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        let parts = stated.and_then(|(leaf, subleaf)| Some((leaf, number(leaf)?, subleaf)));
        let Some((text, leaf, subleaf)) = parts else {
            let message = format!("`{}` names no leaf: expected leaf_0xN_M", name.text);
            return Err(Diagnostic::error(name.span, message));
        };
        if subleaf == "n" {
            let end = |which: &str| self.limit(&format!("LEAF_{text}_SUBLEAF_N_{which}"), name);
            let (first, last) = (end("FIRST")?, end("LAST")?);
            if last < first {
                return Err(Diagnostic::error(
                    name.span,
                    format!("the subleafs {first} to {last} are not a range"),
                ));
            }
            return Ok((Leaf(leaf), Subleaf(first), Subleaf(last)));
        }
        let only = subleaf.parse().map(Subleaf).map_err(|_| {
            Diagnostic::error(name.span, format!("`{subleaf}` is not a subleaf: expected a number, or n"))
        })?;
        Ok((Leaf(leaf), only, only))
    }

    fn limit(&self, name: &str, at: &Token<'a>) -> Result<u32> {
        let macros = &self.preprocessor.macros;
        let define = macros.get(name, macros.now());
        let define =
            define.ok_or_else(|| Diagnostic::error(at.span, format!("`{name}` is not defined here")))?;
        let value = self.value_of(define)?;
        u32::try_from(value)
            .map_err(|_| Diagnostic::error(define.name.span, format!("{value} is not a subleaf")))
    }
}

fn place(declarator: &[Token<'_>], kind: &Token<'_>) -> Span {
    declarator.first().map_or(kind.span, |first| first.span)
}
