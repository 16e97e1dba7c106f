//! Initializers (C11 6.7.9), nested, with designators of fields and elements, and of ranges as in gcc.

use std::collections::BTreeMap;

use super::MAX_DEPTH;
use super::declare::{closing, split_commas};
use super::expr::{Environment, evaluate_expanded};
use super::lexer::{Kind, Token, string_value};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// An initializer whose macros are expanded.
#[derive(Clone, Debug)]
pub struct Init<'t, 'a> {
    /// Its contents.
    pub kind: InitKind<'t, 'a>,
    /// Its place.
    pub at: Span,
}

/// An expression or a braced list.
#[derive(Clone, Debug)]
pub enum InitKind<'t, 'a> {
    /// An expression or strings.
    Scalar(&'t [Token<'a>]),
    /// A braced list.
    List(Vec<Item<'t, 'a>>),
}

/// One element of a list.
#[derive(Clone, Debug)]
pub struct Item<'t, 'a> {
    /// Its designators, outermost first; empty if it initializes the next position.
    pub designators: Vec<Designator<'t, 'a>>,
    /// Its value.
    pub value: Init<'t, 'a>,
}

/// The part of an object that an element initializes.
#[derive(Clone, Debug)]
pub enum Designator<'t, 'a> {
    /// `.name`
    Field(&'t Token<'a>),
    /// `[index]`, or `[first ... last]`
    Elements(&'t [Token<'a>], Option<&'t [Token<'a>]>, Span),
}

/// Parses the inside of a braced list at `at`.
///
/// # Errors
///
/// Anything that is not an initializer.
pub fn parse_list<'t, 'a>(tokens: &'t [Token<'a>], at: Span) -> Result<Init<'t, 'a>> {
    list(tokens, at, 0)
}

fn list<'t, 'a>(tokens: &'t [Token<'a>], at: Span, depth: usize) -> Result<Init<'t, 'a>> {
    if depth > MAX_DEPTH {
        return Err(Diagnostic::error(at, format!("braces nest deeper than {MAX_DEPTH}")));
    }
    let mut items = Vec::new();
    for part in split_commas(tokens) {
        items.push(item(part, at, depth)?);
    }
    Ok(Init { kind: InitKind::List(items), at })
}

fn item<'t, 'a>(part: &'t [Token<'a>], at: Span, depth: usize) -> Result<Item<'t, 'a>> {
    let mut designators = Vec::new();
    let mut rest = part;
    loop {
        match rest {
            [dot, name, after @ ..] if dot.is(".") && name.kind == Kind::Ident => {
                designators.push(Designator::Field(name));
                rest = after;
            }
            [open, ..] if open.is("[") => {
                let end = closing(rest, 0)
                    .ok_or_else(|| Diagnostic::error(open.span, "this `[` is never closed"))?;
                designators.push(elements(&rest[1..end], open.span.to(rest[end].span)));
                rest = &rest[end + 1..];
            }
            [equals, after @ ..] if equals.is("=") && !designators.is_empty() => {
                return Ok(Item { designators, value: value(after, equals.span, depth)? });
            }
            _ if designators.is_empty() => return Ok(Item { designators, value: value(rest, at, depth)? }),
            _ => {
                let at = rest.first().or(part.last()).map_or(at, |token| token.span);
                return Err(Diagnostic::error(at, "expected `=` after a designator"));
            }
        }
    }
}

fn elements<'t, 'a>(tokens: &'t [Token<'a>], at: Span) -> Designator<'t, 'a> {
    match tokens.iter().position(|token| token.is("...")) {
        Some(dots) => Designator::Elements(&tokens[..dots], Some(&tokens[dots + 1..]), at),
        None => Designator::Elements(tokens, None, at),
    }
}

fn value<'t, 'a>(tokens: &'t [Token<'a>], at: Span, depth: usize) -> Result<Init<'t, 'a>> {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return Err(Diagnostic::error(at, "expected an initializer"));
    };
    let whole = if first.span.file == last.span.file { first.span.to(last.span) } else { first.span };
    if first.is("{") {
        return match closing(tokens, 0) {
            Some(end) if end + 1 == tokens.len() => list(&tokens[1..end], whole, depth + 1),
            Some(end) => Err(Diagnostic::error(tokens[end + 1].span, "expected `,` after `}`")),
            None => Err(Diagnostic::error(first.span, "this `{` is never closed")),
        };
    }
    Ok(Init { kind: InitKind::Scalar(tokens), at: whole })
}

impl<'t, 'a> Init<'t, 'a> {
    /// The elements of an array by position. Positions without an entry are omitted.
    ///
    /// # Errors
    ///
    /// A scalar, a field designator, a position of `length` or more, or a position that is initialized twice.
    pub fn elements(
        &self,
        length: u64,
        environment: &Environment<'_, '_>,
    ) -> Result<BTreeMap<u64, &Init<'t, 'a>>> {
        let InitKind::List(items) = &self.kind else {
            return Err(Diagnostic::error(self.at, "expected a list in braces"));
        };
        let mut found: BTreeMap<u64, &Init<'t, 'a>> = BTreeMap::new();
        let mut next = 0;
        for item in items {
            let (first, last, at) = match item.designators.as_slice() {
                [] => (next, next, item.value.at),
                [Designator::Elements(first, last, at)] => {
                    let first = evaluate_expanded(first, *at, environment)?.number();
                    let last = last.map_or(Ok(first), |last| {
                        evaluate_expanded(last, *at, environment).map(super::value::Value::number)
                    })?;
                    (position(first, length, *at)?, position(last, length, *at)?, *at)
                }
                _ => return Err(Diagnostic::error(item.value.at, "expected an element like `[n] = value`")),
            };
            if last < first {
                return Err(Diagnostic::error(at, format!("the range {first} to {last} is empty")));
            }
            for index in first..=last {
                position(i128::from(index), length, at)?;
                if let Some(earlier) = found.insert(index, &item.value) {
                    return Err(Diagnostic::error(at, format!("element {index} is initialized twice"))
                        .with_label(earlier.at, "first here"));
                }
            }
            next = last + 1;
        }
        Ok(found)
    }

    /// The values of a list without designators, in order.
    ///
    /// # Errors
    ///
    /// A scalar, or a designator.
    pub fn items(&self) -> Result<Vec<&Init<'t, 'a>>> {
        let InitKind::List(items) = &self.kind else {
            return Err(Diagnostic::error(self.at, "expected a list in braces"));
        };
        items.iter().map(Item::plain).collect()
    }

    /// True for `{ }`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.kind, InitKind::List(items) if items.is_empty())
    }

    /// The fields of a struct by name; `order` names the struct's fields, for values without a designator.
    ///
    /// # Errors
    ///
    /// A scalar, an element designator, a field that is not in `order`, or a field that is initialized twice.
    pub fn fields<'i>(&'i self, order: &[&'i str]) -> Result<BTreeMap<&'i str, Field<'i, 't, 'a>>> {
        let InitKind::List(items) = &self.kind else {
            return Err(Diagnostic::error(self.at, "expected a struct in braces"));
        };
        let mut found: BTreeMap<&'i str, Field<'i, 't, 'a>> = BTreeMap::new();
        let mut next = 0;
        for item in items {
            let (name, inner) = match item.designators.as_slice() {
                [] => {
                    let name = order.get(next).ok_or_else(|| {
                        Diagnostic::error(
                            item.value.at,
                            format!("too many values: the struct has {} fields", order.len()),
                        )
                    })?;
                    (*name, &[][..])
                }
                [Designator::Field(name), inner @ ..] => (name.text.as_ref(), inner),
                _ => return Err(Diagnostic::error(item.value.at, "expected a field like `.name = value`")),
            };
            next = order.iter().position(|field| *field == name).map(|index| index + 1).ok_or_else(|| {
                let message = format!("unknown field `{name}`: expected one of {}", order.join(", "));
                Diagnostic::error(item.designators_at(), message)
            })?;
            let field = Field { inner, value: &item.value };
            if let Some(earlier) = found.insert(name, field) {
                return Err(Diagnostic::error(item.value.at, format!("`{name}` is initialized twice"))
                    .with_label(earlier.value.at, "first here"));
            }
        }
        Ok(found)
    }

    /// Every value of a struct by the path of its fields, `cpuid.reg`, for both nested lists and `.cpuid.reg =`
    /// designators.
    ///
    /// # Errors
    ///
    /// A value without a designator, an element designator, or a path that is initialized twice.
    pub fn paths(&self) -> Result<BTreeMap<String, &Init<'t, 'a>>> {
        let mut found = BTreeMap::new();
        self.add_paths("", &mut found)?;
        Ok(found)
    }

    fn add_paths<'i>(&'i self, prefix: &str, found: &mut BTreeMap<String, &'i Init<'t, 'a>>) -> Result<()> {
        let InitKind::List(items) = &self.kind else {
            return Err(Diagnostic::error(self.at, "expected a struct in braces"));
        };
        for item in items {
            let mut path = prefix.to_owned();
            for designator in &item.designators {
                let Designator::Field(name) = designator else {
                    return Err(Diagnostic::error(
                        item.designators_at(),
                        "expected a field like `.name = value`",
                    ));
                };
                let dot = if path.is_empty() { "" } else { "." };
                path = format!("{path}{dot}{}", name.text);
            }
            if item.designators.is_empty() {
                return Err(Diagnostic::error(item.value.at, "expected a field like `.name = value`"));
            }
            if item.value.is_struct() {
                item.value.add_paths(&path, found)?;
            } else if let Some(earlier) = found.insert(path.clone(), &item.value) {
                return Err(Diagnostic::error(item.value.at, format!("`{path}` is initialized twice"))
                    .with_label(earlier.at, "first here"));
            }
        }
        Ok(())
    }

    /// The place of a field's name in a list with designators.
    #[must_use]
    pub fn designator(&self, field: &str) -> Option<Span> {
        let InitKind::List(items) = &self.kind else { return None };
        let named = |item: &Item<'_, '_>| match item.designators.first() {
            Some(Designator::Field(name)) if name.text == field => Some(name.span),
            _ => None,
        };
        items.iter().find_map(named)
    }

    /// True for a list whose first value has a field designator.
    fn is_struct(&self) -> bool {
        let InitKind::List(items) = &self.kind else { return false };
        items.first().is_some_and(|item| matches!(item.designators.first(), Some(Designator::Field(_))))
    }

    /// The tokens of an expression.
    ///
    /// # Errors
    ///
    /// A list.
    pub fn scalar(&self) -> Result<&'t [Token<'a>]> {
        match &self.kind {
            InitKind::Scalar(tokens) => Ok(tokens),
            InitKind::List(_) => Err(Diagnostic::error(self.at, "expected a value, found a list in braces")),
        }
    }

    /// An integer.
    ///
    /// # Errors
    ///
    /// Anything that is not a constant integer expression.
    pub fn integer(&self, environment: &Environment<'_, '_>) -> Result<super::Value> {
        evaluate_expanded(self.scalar()?, self.at, environment)
    }

    /// An integer from 0 to `u32::MAX`.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn integer32(&self, environment: &Environment<'_, '_>) -> Result<u32> {
        let number = self.integer(environment)?.number();
        u32::try_from(number)
            .map_err(|_| Diagnostic::error(self.at, format!("{number} does not fit into 32 bits")))
    }

    /// `true`, `false` or a number.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn truth(&self, environment: &Environment<'_, '_>) -> Result<bool> {
        match self.scalar()? {
            [word] if word.is_ident("true") => Ok(true),
            [word] if word.is_ident("false") => Ok(false),
            _ => self.integer(environment).map(super::Value::is_true),
        }
    }

    /// The name in `&name`, or in `name` alone.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn reference(&self) -> Result<&'t Token<'a>> {
        match self.scalar()? {
            [name] if name.kind == Kind::Ident => Ok(name),
            [and, name] if and.is("&") && name.kind == Kind::Ident => Ok(name),
            _ => Err(Diagnostic::error(self.at, "expected the name of a variable")),
        }
    }

    /// The list in a compound literal, `(type) {...}` or `&(type) {...}`, or in plain braces.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn compound(&self) -> Result<Init<'t, 'a>> {
        let InitKind::Scalar(tokens) = &self.kind else { return Ok(self.clone()) };
        let tokens = match tokens {
            [and, rest @ ..] if and.is("&") => rest,
            all => all,
        };
        let brace = match tokens {
            [open, ..] if open.is("(") => closing(tokens, 0).map(|end| end + 1),
            _ => None,
        };
        match brace.and_then(|brace| tokens.get(brace..)) {
            Some(braced @ [open, ..]) if open.is("{") => value(braced, open.span, 0),
            _ => Err(Diagnostic::error(self.at, "expected a list in braces")),
        }
    }

    /// A string, or `None` for a null pointer.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn string(&self) -> Result<Option<String>> {
        let mut tokens = self.scalar()?;
        // A macro may expand to `("text")`.
        while let [open, inner @ .., close] = tokens {
            if !(open.is("(") && close.is(")")) {
                break;
            }
            tokens = inner;
        }
        match tokens {
            [one] if one.is_ident("NULL") || (one.kind == Kind::Number && one.text == "0") => Ok(None),
            [_, ..] if tokens.iter().all(|token| token.kind == Kind::Str) => {
                string_value(tokens).map(Some).map_err(|(at, why)| Diagnostic::error(at, why))
            }
            _ => Err(Diagnostic::error(self.at, "expected a string or NULL")),
        }
    }
}

/// A struct's field: its value, and the remaining designators of `.a.b = value`.
#[derive(Clone, Copy, Debug)]
pub struct Field<'i, 't, 'a> {
    /// Designators below the field.
    pub inner: &'i [Designator<'t, 'a>],
    /// The value.
    pub value: &'i Init<'t, 'a>,
}

impl<'t, 'a> Item<'t, 'a> {
    fn plain(&self) -> Result<&Init<'t, 'a>> {
        if self.designators.is_empty() {
            return Ok(&self.value);
        }
        Err(Diagnostic::error(self.designators_at(), "expected a value without a designator"))
    }

    fn designators_at(&self) -> Span {
        match self.designators.first() {
            Some(Designator::Field(name)) => name.span,
            Some(Designator::Elements(_, _, at)) => *at,
            None => self.value.at,
        }
    }
}

fn position(value: i128, length: u64, at: Span) -> Result<u64> {
    u64::try_from(value)
        .ok()
        .filter(|index| *index < length)
        .ok_or_else(|| Diagnostic::error(at, format!("element {value}: the array has {length}")))
}
