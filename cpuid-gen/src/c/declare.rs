//! Finds the definitions of enums, structs, arrays and functions in a unit.

use std::collections::HashMap;

use super::expr::{Environment, evaluate};
use super::lexer::{Kind, Token};
use super::macros::Macros;
use super::preprocess::Unit;
use super::value::{Type, Value};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;

/// An enumerator with its value.
#[derive(Clone, Debug)]
pub struct Enumerator {
    /// Its name.
    pub name: String,
    /// Its value; enumerators are of type `int`.
    pub value: i128,
    /// Its place.
    pub at: Span,
}

/// Index of the token that closes the bracket at `open`, which is one of `( [ {`.
#[must_use]
pub fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.kind == Kind::Punct {
            match token.text.as_ref() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
    }
    None
}

/// Like [`closing`], with an error if the bracket is missing.
///
/// # Errors
///
/// A bracket that is never closed.
pub fn close(tokens: &[Token<'_>], open: usize) -> Result<usize, Diagnostic> {
    closing(tokens, open).ok_or_else(|| {
        let open = &tokens[open.min(tokens.len() - 1)];
        Diagnostic::error(open.span, format!("this `{}` is never closed", open.text))
    })
}

/// The tokens between the brackets that open at `open`.
///
/// # Errors
///
/// A bracket that is never closed.
pub fn inside<'t, 'a>(tokens: &'t [Token<'a>], open: usize) -> Result<&'t [Token<'a>], Diagnostic> {
    Ok(&tokens[open + 1..close(tokens, open)?])
}

/// Splits at the commas outside all brackets. A comma at the end adds no empty part.
#[must_use]
pub fn split_commas<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Punct {
            continue;
        }
        match token.text.as_ref() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                parts.push(&tokens[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    if start < tokens.len() {
        parts.push(&tokens[start..]);
    }
    parts
}

/// Index of the `{` in `KEYWORD NAME {`, the definition of an enum or a struct.
#[must_use]
pub fn find_definition(unit: &Unit<'_>, keyword: &str, name: &str) -> Option<usize> {
    let defines =
        |window: &[Token<'_>]| window[0].is_ident(keyword) && window[1].is_ident(name) && window[2].is("{");
    unit.tokens.windows(3).position(defines).map(|start| start + 2)
}

/// The definition of `enum NAME { ... }`, if the unit has one. Adds its enumerators to `names`, for later enumerators
/// and enums.
pub fn find_enum(
    unit: &Unit<'_>,
    name: &str,
    macros: &Macros<'_>,
    names: &mut HashMap<String, Value>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Enumerator>> {
    let open = find_definition(unit, "enum", name)?;
    Some(enumerators(unit, open, macros, names, diagnostics))
}

/// The enum whose first enumerator is `first`, with or without a name.
pub fn find_enum_starting(
    unit: &Unit<'_>,
    first: &str,
    macros: &Macros<'_>,
    names: &mut HashMap<String, Value>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Enumerator>> {
    let start = unit
        .tokens
        .windows(3)
        .position(|window| window[0].kind == Kind::Ident && window[1].is("{") && window[2].is_ident(first))?;
    Some(enumerators(unit, start + 1, macros, names, diagnostics))
}

/// The enumerators between the braces that open at `open`.
fn enumerators(
    unit: &Unit<'_>,
    open: usize,
    macros: &Macros<'_>,
    names: &mut HashMap<String, Value>,
    diagnostics: &mut Diagnostics,
) -> Vec<Enumerator> {
    let Some(body) = diagnostics.take(inside(&unit.tokens, open)) else { return Vec::new() };
    let mut found = Vec::new();
    let mut next = Some(0);
    for part in split_commas(body) {
        let Some((name, rest)) = part.split_first() else {
            diagnostics.error(unit.tokens[open].span, "this enumerator is empty");
            continue;
        };
        match enumerator(unit, name, rest, next, macros, names) {
            Ok(value) => {
                next = Some(value + 1);
                names.insert(name.text.clone().into_owned(), Value::new(value, Type::INT));
                found.push(Enumerator { name: name.text.clone().into_owned(), value, at: name.span });
            }
            Err(Some(diagnostic)) => {
                next = None;
                diagnostics.push(diagnostic);
            }
            // Its value depends on an enumerator whose error was already reported.
            Err(None) => {}
        }
    }
    found
}

fn enumerator(
    unit: &Unit<'_>,
    name: &Token<'_>,
    rest: &[Token<'_>],
    next: Option<i128>,
    macros: &Macros<'_>,
    names: &HashMap<String, Value>,
) -> Result<i128, Option<Diagnostic>> {
    if name.kind != Kind::Ident {
        return Err(Some(Diagnostic::error(
            name.span,
            format!("expected an enumerator's name, found `{}`", name.text),
        )));
    }
    let value = match rest.split_first() {
        None => next.ok_or(None)?,
        Some((equals, expression)) if equals.is("=") => {
            let environment = Environment::new(macros, unit.moment(name.span), names);
            evaluate(expression, equals.span, &environment).map_err(Some)?.number()
        }
        Some((other, _)) => {
            let message = format!("expected `=` or `,` after `{}`, found `{}`", name.text, other.text);
            return Err(Some(Diagnostic::error(other.span, message)));
        }
    };
    if i32::try_from(value).is_err() {
        return Err(Some(Diagnostic::error(
            name.span,
            format!("`{}` is {value}, which does not fit in an `int`", name.text),
        )));
    }
    Ok(value)
}

/// The field names of `struct NAME { ... }`, in order, if the unit defines it without nested structs.
///
/// # Errors
///
/// A definition with anything other than plain fields and arrays.
pub fn find_struct<'t>(unit: &'t Unit<'_>, name: &str) -> Result<Option<Vec<&'t str>>, Diagnostic> {
    let Some(open) = find_definition(unit, "struct", name) else { return Ok(None) };
    let body = inside(&unit.tokens, open)?;
    let mut fields = Vec::new();
    for declaration in body.split(|token| token.is(";")) {
        for (index, part) in split_commas(declaration).into_iter().enumerate() {
            let part = without_length(part);
            let plain = part.iter().all(|token| token.kind == Kind::Ident || token.is("*"));
            match part.last() {
                Some(last) if plain && last.kind == Kind::Ident && (part.len() > 1 || index > 0) => {
                    fields.push(last.text.as_ref());
                }
                Some(last) => {
                    let message = format!("cannot parse this field of `struct {name}`");
                    return Err(Diagnostic::error(last.span, message));
                }
                None => {}
            }
        }
    }
    Ok(Some(fields))
}

/// A declarator without the length of an array.
fn without_length<'t, 'a>(part: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let open = part.iter().rposition(|token| token.is("["));
    match (open, part.last()) {
        (Some(open), Some(last)) if last.is("]") => &part[..open],
        _ => part,
    }
}

/// Maximum number of tokens in a declarator's brackets; no real one comes close.
const MAX_DECLARATOR: usize = 256;

/// Like [`closing`], for the brackets of a declarator.
fn closing_near(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let end = tokens.len().min(open + MAX_DECLARATOR);
    closing(&tokens[..end], open)
}

/// The index of the `{` of a variable's initializer, and the place of the variable's name.
#[must_use]
pub fn find_table(unit: &Unit<'_>, name: &str) -> Option<(usize, Span)> {
    let tokens = &unit.tokens;
    for (index, token) in tokens.iter().enumerate() {
        if !token.is_ident(name) || !tokens.get(index + 1).is_some_and(|next| next.is("[")) {
            continue;
        }
        let Some(end) = closing_near(tokens, index + 1) else { continue };
        if tokens.get(end + 1).is_some_and(|next| next.is("="))
            && tokens.get(end + 2).is_some_and(|next| next.is("{"))
        {
            return Some((end + 2, token.span));
        }
    }
    None
}

/// The tokens between the braces of a function's body, and the place of the function's name.
///
/// # Errors
///
/// A body that is never closed.
pub fn find_function<'t, 'a>(
    unit: &'t Unit<'a>,
    name: &str,
) -> Result<Option<(&'t [Token<'a>], Span)>, Diagnostic> {
    let tokens = &unit.tokens;
    for (index, token) in tokens.iter().enumerate() {
        if !token.is_ident(name) || !tokens.get(index + 1).is_some_and(|next| next.is("(")) {
            continue;
        }
        let Some(end) = closing_near(tokens, index + 1) else { continue };
        if tokens.get(end + 1).is_some_and(|next| next.is("{")) {
            return Ok(Some((inside(tokens, end + 1)?, token.span)));
        }
    }
    Ok(None)
}
