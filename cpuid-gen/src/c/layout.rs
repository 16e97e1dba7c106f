//! Sizes and offsets of structs in the x86-64 System V ABI, for `sizeof` and `offsetof` in initializers.
//!
//! Types are found by their `typedef`. Members are integers, pointers, arrays, and named or anonymous structs and
//! unions. `aligned(n)` is supported; everything else (bit fields, `packed`) is an error.

use std::borrow::Cow;
use std::collections::HashMap;

use super::MAX_DEPTH;
use super::declare::{closing, inside, split_commas};
use super::expand::expand;
use super::expr::{Environment, evaluate_expanded};
use super::lexer::{Kind, Token};
use super::macros::Macros;
use super::preprocess::Unit;
use super::value::Type;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Maximum size of a type, against overflow by arrays of arrays. No type in use comes close.
const MAX_SIZE: u64 = 1 << 30;

/// Size and alignment of a type, and the offsets of its members.
#[derive(Clone, Debug, Default)]
struct Layout {
    size: u64,
    align: u64,
    members: Vec<(String, u64)>,
}

/// The types defined by one unit.
pub struct Layouts<'t, 'a> {
    unit: &'t Unit<'a>,
    typedefs: HashMap<&'t str, &'t [Token<'a>]>,
    foreign: &'static [(&'static str, u64, u64)],
    known: HashMap<String, Layout>,
}

impl<'t, 'a> Layouts<'t, 'a> {
    /// Finds the unit's typedefs; `foreign` are types of other files with their size and alignment.
    #[must_use]
    pub fn new(unit: &'t Unit<'a>, foreign: &'static [(&'static str, u64, u64)]) -> Layouts<'t, 'a> {
        let mut typedefs = HashMap::new();
        let tokens = &unit.tokens;
        let mut at = 0;
        while at < tokens.len() {
            if !tokens[at].is_ident("typedef") {
                at += 1;
                continue;
            }
            let mut end = at + 1;
            while end < tokens.len() && !tokens[end].is(";") {
                let skips = tokens[end].is("{") || tokens[end].is("(") || tokens[end].is("[");
                end = if skips { closing(tokens, end).unwrap_or(tokens.len()) } else { end } + 1;
            }
            let body = &tokens[at + 1..end.min(tokens.len())];
            if let Some(name) = body.iter().rev().find(|token| token.kind == Kind::Ident) {
                typedefs.insert(name.text.as_ref(), body);
            }
            at = end + 1;
        }
        Layouts { unit, typedefs, foreign, known: HashMap::new() }
    }

    /// `tokens` with each `sizeof(type)` and `offsetof(type, member)` replaced by a number.
    ///
    /// # Errors
    ///
    /// An unknown type, or one that cannot be parsed.
    pub fn numbers(&mut self, tokens: &[Token<'a>], macros: &Macros<'a>) -> Result<Vec<Token<'a>>> {
        self.numbers_at(tokens, macros, 0)
    }

    fn numbers_at(
        &mut self,
        tokens: &[Token<'a>],
        macros: &Macros<'a>,
        depth: usize,
    ) -> Result<Vec<Token<'a>>> {
        let mut out = Vec::with_capacity(tokens.len());
        let mut rest = tokens;
        while let Some((token, after)) = rest.split_first() {
            let asks = token.is_ident("sizeof") || token.is_ident("offsetof");
            if !asks || !after.first().is_some_and(|next| next.is("(")) {
                out.push(token.clone());
                rest = after;
                continue;
            }
            let argument = inside(after, 0)?;
            let number = self.question(token, argument, macros, depth)?;
            let text = Cow::Owned(format!("{number}UL"));
            out.push(Token { kind: Kind::Number, text, ..token.clone() });
            rest = &after[argument.len() + 2..];
        }
        Ok(out)
    }

    fn question(
        &mut self,
        token: &Token<'a>,
        argument: &[Token<'a>],
        macros: &Macros<'a>,
        depth: usize,
    ) -> Result<u64> {
        match argument {
            [name] if token.text == "sizeof" => Ok(self.named(name, macros, depth + 1)?.size),
            [name, comma, member] if comma.is(",") && token.text == "offsetof" => {
                let layout = self.named(name, macros, depth + 1)?;
                let found = layout.members.iter().find(|(known, _)| *known == member.text);
                found.map(|(_, offset)| *offset).ok_or_else(|| {
                    let message = format!("`{}` has no member `{}`", name.text, member.text);
                    Diagnostic::error(member.span, message)
                })
            }
            _ => Err(Diagnostic::error(token.span, format!("cannot parse this `{}`", token.text))),
        }
    }

    /// The layout of a type with a one-word name.
    fn named(&mut self, name: &Token<'a>, macros: &Macros<'a>, depth: usize) -> Result<Layout> {
        if let Some(known) = self.known.get(name.text.as_ref()) {
            return Ok(known.clone());
        }
        if depth > MAX_DEPTH {
            return Err(Diagnostic::error(name.span, format!("types nest deeper than {MAX_DEPTH}")));
        }
        let layout = match self.typedefs.get(name.text.as_ref()) {
            Some(body) => {
                let (body, at) = (*body, body.first().map_or(name.span, |token| token.span));
                let body = expand(body, macros, self.unit.moment(at))?;
                let (layout, rest) = self.specifier(&body, at, macros, depth + 1)?;
                self.declarator(rest, &layout, at, macros, depth + 1)?.1
            }
            None => self.plain(&[name.text.as_ref()]).ok_or_else(|| {
                Diagnostic::error(name.span, format!("the size of `{}` is unknown", name.text))
            })?,
        };
        self.known.insert(name.text.clone().into_owned(), layout.clone());
        Ok(layout)
    }

    fn plain(&self, names: &[&str]) -> Option<Layout> {
        let scalar = |size, align| Some(Layout { size, align, members: Vec::new() });
        if let [name] = names {
            if let Some((_, size, align)) = self.foreign.iter().find(|(known, _, _)| known == name) {
                return scalar(*size, *align);
            }
        }
        let size = u64::from(Type::from_names(names)?.bits) / 8;
        scalar(size, size)
    }

    /// Parses the start of a declaration: a type's names, or the definition of a struct or union. Returns the rest.
    fn specifier<'d>(
        &mut self,
        tokens: &'d [Token<'a>],
        at: Span,
        macros: &Macros<'a>,
        depth: usize,
    ) -> Result<(Layout, &'d [Token<'a>])> {
        if let Some(first) = tokens.first() {
            if first.is_ident("struct") || first.is_ident("union") {
                let open = tokens.iter().position(|token| token.is("{")).filter(|open| *open <= 2);
                let open =
                    open.ok_or_else(|| Diagnostic::error(first.span, "this struct is defined elsewhere"))?;
                let body = inside(tokens, open)?;
                let layout = self.members(body, first.is_ident("union"), first.span, macros, depth + 1)?;
                return Ok((layout, &tokens[open + body.len() + 2..]));
            }
        }
        let is_name = |token: &&Token<'_>| token.kind == Kind::Ident && token.text != "__attribute__";
        let names = tokens.iter().take_while(is_name).count();
        // The last name belongs to the declarator.
        let (names, rest) = tokens.split_at(names.saturating_sub(1));
        let layout = match names {
            [name] => self.named(name, macros, depth + 1)?,
            _ => {
                let texts: Vec<&str> = names.iter().map(|token| token.text.as_ref()).collect();
                let message = || format!("`{}` is not a type of known size", texts.join(" "));
                self.plain(&texts).ok_or_else(|| Diagnostic::error(at, message()))?
            }
        };
        Ok((layout, rest))
    }

    /// The members of a struct, one after another, or of a union, all at the start.
    fn members(
        &mut self,
        body: &[Token<'a>],
        union: bool,
        at: Span,
        macros: &Macros<'a>,
        depth: usize,
    ) -> Result<Layout> {
        if depth > MAX_DEPTH {
            return Err(Diagnostic::error(at, format!("types nest deeper than {MAX_DEPTH}")));
        }
        let mut whole = Layout { size: 0, align: 1, members: Vec::new() };
        for declaration in declarations(body) {
            let here = declaration.first().map_or(at, |token| token.span);
            let (base, rest) = self.specifier(declaration, here, macros, depth + 1)?;
            let declarators = if rest.is_empty() { vec![rest] } else { split_commas(rest) };
            for declarator in declarators {
                let (name, member) = self.declarator(declarator, &base, here, macros, depth + 1)?;
                let offset = if union { 0 } else { whole.size.next_multiple_of(member.align) };
                match name {
                    Some(name) => whole.members.push((name, offset)),
                    // Members of an anonymous struct or union count as members of the outer one.
                    None => whole
                        .members
                        .extend(member.members.iter().map(|(name, inner)| (name.clone(), offset + inner))),
                }
                whole.size = whole.size.max(offset + member.size);
                whole.align = whole.align.max(member.align);
                if whole.size > MAX_SIZE {
                    return Err(Diagnostic::error(here, "this type is larger than a gigabyte"));
                }
            }
        }
        whole.size = whole.size.next_multiple_of(whole.align);
        Ok(whole)
    }

    /// `name`, `*name`, `name[n][m]`, each optionally with `__attribute__((aligned(n)))`; or nothing.
    fn declarator(
        &mut self,
        tokens: &[Token<'a>],
        base: &Layout,
        at: Span,
        macros: &Macros<'a>,
        depth: usize,
    ) -> Result<(Option<String>, Layout)> {
        let (mut layout, mut name, mut rest) = (base.clone(), None, tokens);
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            if token.is("*") && name.is_none() {
                layout = Layout { size: 8, align: 8, members: Vec::new() };
            } else if token.is_ident("__attribute__") && after.first().is_some_and(|next| next.is("(")) {
                let attribute = inside(after, 0)?;
                layout.align = layout.align.max(self.aligned(attribute, token.span, macros, depth)?);
                rest = &after[attribute.len() + 2..];
            } else if token.kind == Kind::Ident && name.is_none() {
                name = Some(token.text.clone().into_owned());
            } else if token.is("[") && name.is_some() {
                // `rest` starts after the bracket, so this uses the whole declarator.
                let open = tokens.len() - rest.len() - 1;
                let length = inside(tokens, open)?;
                let count = self.count(length, token.span, macros, depth)?;
                let size = layout.size.checked_mul(count).filter(|size| *size <= MAX_SIZE);
                layout.size =
                    size.ok_or_else(|| Diagnostic::error(token.span, "this type is larger than a gigabyte"))?;
                rest = &after[length.len() + 1..];
            } else {
                return Err(Diagnostic::error(
                    token.span,
                    format!("unexpected `{}` in a member", token.text),
                ));
            }
        }
        if name.is_none() && !tokens.is_empty() {
            return Err(Diagnostic::error(at, "this member has no name"));
        }
        Ok((name, layout))
    }

    /// The number in `((aligned(n)))`.
    fn aligned(&mut self, tokens: &[Token<'a>], at: Span, macros: &Macros<'a>, depth: usize) -> Result<u64> {
        let [open, aligned, number @ .., close] = tokens else {
            return Err(Diagnostic::error(at, "cannot parse this attribute"));
        };
        if !open.is("(") || !close.is(")") || !aligned.is_ident("aligned") {
            return Err(Diagnostic::error(at, "unsupported attribute: expected `aligned`"));
        }
        let align = self.count(number, at, macros, depth)?;
        if align.is_power_of_two() { Ok(align) } else { Err(Diagnostic::error(at, "not a power of two")) }
    }

    fn count(&mut self, tokens: &[Token<'a>], at: Span, macros: &Macros<'a>, depth: usize) -> Result<u64> {
        let plain = self.numbers_at(tokens, macros, depth + 1)?;
        let names = HashMap::new();
        let value = evaluate_expanded(&plain, at, &Environment::new(macros, self.unit.moment(at), &names))?;
        u64::try_from(value.number())
            .ok()
            .filter(|count| *count <= MAX_SIZE)
            .ok_or_else(|| Diagnostic::error(at, format!("{} is not a valid length", value.number())))
    }
}

/// Splits at the semicolons outside all brackets.
fn declarations<'d, 'a>(body: &'d [Token<'a>]) -> Vec<&'d [Token<'a>]> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while at < body.len() {
        if body[at].is("{") {
            at = closing(body, at).unwrap_or(body.len());
        } else if body[at].is(";") {
            parts.push(&body[start..at]);
            start = at + 1;
        }
        at += 1;
    }
    if start < body.len() {
        parts.push(&body[start..]);
    }
    parts.retain(|part| !part.is_empty());
    parts
}
