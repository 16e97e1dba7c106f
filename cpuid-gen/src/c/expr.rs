//! Constant integer expressions (C11 6.6), with all of C's operators, in the types of x86-64.

use std::borrow::Cow;
use std::collections::HashMap;

use super::expand::expand;
use super::lexer::{self, Kind, Token};
use super::macros::{Macros, Moment};
use super::value::{Type, Value};
use super::{MAX_DEPTH, config};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The meaning of names in an expression.
#[derive(Clone, Copy)]
pub struct Environment<'e, 'a> {
    macros: &'e Macros<'a>,
    moment: Moment,
    names: Option<&'e HashMap<String, Value>>,
    unknown_is_zero: bool,
}

impl<'e, 'a> Environment<'e, 'a> {
    /// Macros, and the enumerators in `names`.
    #[must_use]
    pub fn new(macros: &'e Macros<'a>, moment: Moment, names: &'e HashMap<String, Value>) -> Self {
        Environment { macros, moment, names: Some(names), unknown_is_zero: false }
    }

    /// For `#if`: macros only; every other name is 0.
    #[must_use]
    pub fn condition(macros: &'e Macros<'a>, moment: Moment) -> Self {
        Environment { macros, moment, names: None, unknown_is_zero: true }
    }
}

/// Evaluates an expression; `at` is the place of an empty one.
///
/// # Errors
///
/// Anything that is not a constant integer expression.
pub fn evaluate(tokens: &[Token<'_>], at: Span, environment: &Environment<'_, '_>) -> Result<Value> {
    let is_macro = |token: &Token<'_>| environment.macros.get(&token.text, environment.moment).is_some();
    if !tokens.iter().any(|token| token.kind == Kind::Ident && is_macro(token)) {
        return evaluate_expanded(tokens, at, environment);
    }
    evaluate_expanded(&expand(tokens, environment.macros, environment.moment)?, at, environment)
}

/// Evaluates an expression whose macros are already expanded.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_expanded(tokens: &[Token<'_>], at: Span, environment: &Environment<'_, '_>) -> Result<Value> {
    let mut parser = Parser { tokens, at: 0, here: at, depth: 0, environment };
    let value = parser.conditional(true)?;
    match parser.peek() {
        None => Ok(value),
        Some(token) => {
            let message = format!("expected the end of the expression, found `{}`", token.text);
            Err(Diagnostic::error(token.span, message))
        }
    }
}

/// Evaluates an `#if` condition: an expression with `defined`, and with the kernel's `IS_ENABLED` and similar
/// operators.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_condition(tokens: &[Token<'_>], at: Span, environment: &Environment<'_, '_>) -> Result<bool> {
    let mut plain = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        let is_test = |names: &[&str]| token.kind == Kind::Ident && names.contains(&token.text.as_ref());
        let (answer, used) = match after {
            [open, name, close, ..] if open.is("(") && close.is(")") && name.kind == Kind::Ident => {
                let set = environment.macros.get(&name.text, environment.moment).is_some();
                if is_test(&["defined"]) || is_test(&config::CONFIG_TESTS) {
                    (Some(set), 3)
                } else if is_test(&config::COMPILER_TESTS) {
                    (Some(false), 3)
                } else {
                    (None, 0)
                }
            }
            [name, ..] if is_test(&["defined"]) && name.kind == Kind::Ident => {
                (Some(environment.macros.get(&name.text, environment.moment).is_some()), 1)
            }
            _ => (None, 0),
        };
        plain.push(match answer {
            Some(set) => {
                let text = Cow::Borrowed(if set { "1" } else { "0" });
                Token { kind: Kind::Number, text, ..token.clone() }
            }
            None => token.clone(),
        });
        rest = &after[used..];
    }
    Ok(evaluate(&plain, at, environment)?.is_true())
}

struct Parser<'t, 'a, 'e> {
    tokens: &'t [Token<'a>],
    at: usize,
    here: Span,
    depth: usize,
    environment: &'e Environment<'e, 'a>,
}

/// The precedence of a binary operator.
fn level(operator: &str) -> Option<usize> {
    let level = match operator {
        "||" => 0,
        "&&" => 1,
        "|" => 2,
        "^" => 3,
        "&" => 4,
        "==" | "!=" => 5,
        "<" | ">" | "<=" | ">=" => 6,
        "<<" | ">>" => 7,
        "+" | "-" => 8,
        "*" | "/" | "%" => 9,
        _ => return None,
    };
    Some(level)
}

impl<'t, 'a> Parser<'t, 'a, '_> {
    fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, punct: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(punct));
        self.at += usize::from(found);
        found
    }

    /// The place of the next token, or of the last one at the end.
    fn place(&self) -> Span {
        self.peek().or(self.tokens.last()).map_or(self.here, |token| token.span)
    }

    fn expected(&self, what: &str) -> Diagnostic {
        let found =
            self.peek().map_or("the end of the expression".to_owned(), |token| format!("`{}`", token.text));
        Diagnostic::error(self.place(), format!("expected {what}, found {found}"))
    }

    /// `c ? a : b`. As in C, only the type of the branch that is not `live` matters.
    fn conditional(&mut self, live: bool) -> Result<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Diagnostic::error(self.place(), format!("expressions nest deeper than {MAX_DEPTH}")));
        }
        let condition = self.binary(0, live)?;
        let mut value = condition;
        if self.take("?") {
            let yes = self.conditional(live && condition.is_true())?;
            if !self.take(":") {
                return Err(self.expected("`:`"));
            }
            let no = self.conditional(live && !condition.is_true())?;
            let of = yes.of.common(no.of);
            value = if condition.is_true() { yes.to(of) } else { no.to(of) };
        }
        self.depth -= 1;
        Ok(value)
    }

    /// Operators of precedence `lowest` or higher. Only parentheses count towards the maximum depth, since a
    /// precedence without an operator uses no stack.
    fn binary(&mut self, lowest: usize, live: bool) -> Result<Value> {
        let mut left = self.unary(live)?;
        while let Some((token, level)) = self.operator(lowest) {
            self.at += 1;
            let right_live = match token.text.as_ref() {
                "||" => live && !left.is_true(),
                "&&" => live && left.is_true(),
                _ => live,
            };
            let right = self.binary(level + 1, right_live)?;
            left = apply(token, left, right, live)?;
        }
        Ok(left)
    }

    /// The next token and its precedence, if it is a binary operator of precedence `lowest` or higher.
    fn operator(&self, lowest: usize) -> Option<(&'t Token<'a>, usize)> {
        let token = self.peek().filter(|token| token.kind == Kind::Punct)?;
        let level = level(&token.text)?;
        (level >= lowest).then_some((token, level))
    }

    fn unary(&mut self, live: bool) -> Result<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Diagnostic::error(self.place(), format!("expressions nest deeper than {MAX_DEPTH}")));
        }
        let value = self.unary_inner(live);
        self.depth -= 1;
        value
    }

    fn unary_inner(&mut self, live: bool) -> Result<Value> {
        let Some(token) = self.peek() else { return Err(self.expected("a number")) };
        if token.kind != Kind::Punct {
            return self.primary(token);
        }
        self.at += 1;
        match token.text.as_ref() {
            "(" => {
                if let Some(of) = self.cast()? {
                    return Ok(self.unary(live)?.to(of));
                }
                let value = self.conditional(live)?;
                if self.take(")") { Ok(value) } else { Err(self.expected("`)`")) }
            }
            "+" => self.unary(live).map(|value| value.to(value.of.promoted())),
            "-" => {
                let value = self.unary(live)?;
                fitting(-value.number(), value.of.promoted(), token, live)
            }
            "~" => {
                let value = self.unary(live)?;
                Ok(Value::new(!value.number(), value.of.promoted()))
            }
            "!" => Ok(Value::int(i32::from(!self.unary(live)?.is_true()))),
            _ => {
                self.at -= 1;
                Err(self.expected("a number, a name or `(`"))
            }
        }
    }

    /// Parses `type)` after an opening parenthesis.
    fn cast(&mut self) -> Result<Option<Type>> {
        let rest = &self.tokens[self.at..];
        let words = rest.iter().take_while(|token| token.kind == Kind::Ident).count();
        if words == 0 || !rest.get(words).is_some_and(|token| token.is(")")) {
            return Ok(None);
        }
        let names: Vec<&str> = rest[..words].iter().map(|token| token.text.as_ref()).collect();
        let Some(of) = Type::from_names(&names) else { return Ok(None) };
        self.at += names.len() + 1;
        Ok(Some(of))
    }

    fn primary(&mut self, token: &Token<'a>) -> Result<Value> {
        self.at += 1;
        match token.kind {
            Kind::Number => number(token),
            Kind::Char => character(token),
            Kind::Ident => self.name(token),
            _ => {
                self.at -= 1;
                Err(self.expected("a number"))
            }
        }
    }

    fn name(&mut self, token: &Token<'a>) -> Result<Value> {
        if let Some(value) = self.environment.names.and_then(|names| names.get(token.text.as_ref())) {
            return Ok(*value);
        }
        if self.peek().is_some_and(|next| next.is("(")) {
            let message = format!("unknown macro `{}(`", token.text);
            return Err(Diagnostic::error(token.span, message));
        }
        if self.environment.unknown_is_zero {
            return Ok(Value::int(0));
        }
        Err(Diagnostic::error(
            token.span,
            format!("unknown name `{}`: neither a macro nor an enumerator", token.text),
        ))
    }
}

/// Evaluates one binary operator.
fn apply(operator: &Token<'_>, left: Value, right: Value, live: bool) -> Result<Value> {
    let text = operator.text.as_ref();
    if matches!(text, "<<" | ">>") {
        return shift(operator, left, right, live);
    }
    let of = left.of.common(right.of);
    let (a, b) = (left.to(of).number(), right.to(of).number());
    let truth = |value: bool| Ok(Value::int(i32::from(value)));
    match text {
        "||" => truth(left.is_true() || right.is_true()),
        "&&" => truth(left.is_true() && right.is_true()),
        "==" => truth(a == b),
        "!=" => truth(a != b),
        "<" => truth(a < b),
        ">" => truth(a > b),
        "<=" => truth(a <= b),
        ">=" => truth(a >= b),
        "|" => Ok(Value::new(a | b, of)),
        "^" => Ok(Value::new(a ^ b, of)),
        "&" => Ok(Value::new(a & b, of)),
        "+" => fitting(a + b, of, operator, live),
        "-" => fitting(a - b, of, operator, live),
        "*" => fitting(a.wrapping_mul(b), of, operator, live),
        _ if b == 0 && live => Err(Diagnostic::error(operator.span, "division by zero")),
        _ if b == 0 => Ok(Value::new(0, of)),
        "/" => fitting(a / b, of, operator, live),
        _ => Ok(Value::new(a % b, of)),
    }
}

/// The result has the left operand's promoted type. `1 << 31` is the sign bit, as in gcc.
fn shift(operator: &Token<'_>, left: Value, right: Value, live: bool) -> Result<Value> {
    let of = left.of.promoted();
    let by = right.number();
    let Some(by) = u32::try_from(by).ok().filter(|by| *by < u32::from(of.bits)) else {
        if !live {
            return Ok(Value::new(0, of));
        }
        let message = format!("cannot shift a {}-bit value by {by}", of.bits);
        return Err(Diagnostic::error(operator.span, message));
    };
    let value = left.to(of).number();
    Ok(Value::new(if operator.is("<<") { value << by } else { value >> by }, of))
}

/// An unsigned result wraps; a signed overflow is an error, about which gcc warns.
fn fitting(value: i128, of: Type, operator: &Token<'_>, live: bool) -> Result<Value> {
    let wrapped = Value::new(value, of);
    if live && of.signed && wrapped.number() != value {
        return Err(Diagnostic::error(
            operator.span,
            format!("`{}` overflows a {}-bit value", operator.text, of.bits),
        ));
    }
    Ok(wrapped)
}

/// An integer constant (C11 6.4.4.1).
fn number(token: &Token<'_>) -> Result<Value> {
    let bad = |why: &str| Diagnostic::error(token.span, format!("`{}` {why}", token.text));
    let text = token.text.as_ref();
    let (radix, rest) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &text[2..]),
        [b'0', b'b' | b'B', ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    let length = rest.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let (digits, suffix) = rest.split_at(length);
    let digits = if radix == 8 && digits.is_empty() { "0" } else { digits };
    let is_suffix = |known: &&str| suffix.eq_ignore_ascii_case(known);
    let (unsigned, long) = match ["", "u", "l", "ll", "ul", "ull", "lu", "llu"].iter().position(is_suffix) {
        Some(0) => (false, false),
        Some(1) => (true, false),
        Some(2 | 3) => (false, true),
        Some(_) => (true, true),
        None => return Err(bad("is not an integer constant")),
    };
    if suffix.contains("lL") || suffix.contains("Ll") || digits.is_empty() {
        return Err(bad("is not an integer constant"));
    }
    let value = u64::from_str_radix(digits, radix).map_err(|_| bad("does not fit into 64 bits"))?;
    let value = i128::from(value);
    let candidates = [Type::INT, Type::UINT, Type::LONG, Type::ULONG];
    let of = candidates.into_iter().find(|of| {
        let suits = (!unsigned || !of.signed) && (!long || of.bits == 64);
        // A decimal constant without `u` is never unsigned.
        let allowed = of.signed || unsigned || radix != 10;
        suits && allowed && Value::new(value, *of).number() == value
    });
    of.map(|of| Value::new(value, of)).ok_or_else(|| bad("does not fit into its type"))
}

/// A character constant of one character; its type is int.
fn character(token: &Token<'_>) -> Result<Value> {
    let inner = token.text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or_default();
    let mut rest = inner.chars();
    let value = match rest.next() {
        Some('\\') => lexer::unescape(&mut rest),
        other => other.filter(char::is_ascii),
    };
    match (value, rest.next()) {
        (Some(value), None) => Ok(Value::new(i128::from(u32::from(value)), Type::INT)),
        _ => Err(Diagnostic::error(token.span, format!("{} is not a single ASCII character", token.text))),
    }
}
