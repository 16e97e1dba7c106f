//! The statements of a function's body, as tokens, and the few forms that are recognized.

use crate::c::declare::close;
use crate::c::lexer::{Kind, Token};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The tokens with each `getenv(...)` replaced by 0.
pub(super) fn without_getenv<'a>(tokens: &[Token<'a>]) -> Result<Vec<Token<'a>>> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token.is_ident("getenv") && tokens.get(at + 1).is_some_and(|next| next.is("(")) {
            out.push(Token { kind: Kind::Number, text: "0".into(), ..token.clone() });
            at = close(tokens, at + 1)?;
        } else {
            out.push(token.clone());
        }
        at += 1;
    }
    Ok(out)
}

/// The number of tokens in the first statement, including its `;` or `}`.
pub(super) fn statement_end(tokens: &[Token<'_>]) -> Result<usize> {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token.is(";") {
            return Ok(at + 1);
        }
        if token.is("(") || token.is("[") {
            at = close(tokens, at)?;
        } else if token.is("{") {
            at = close(tokens, at)?;
            // A block ends its statement, except for an initializer, `do`, and `if` with `else`.
            let next = tokens.get(at + 1);
            let goes_on = next.is_some_and(|next| {
                [";", ","].iter().any(|punct| next.is(punct))
                    || next.is_ident("while")
                    || next.is_ident("else")
            });
            if !goes_on {
                return Ok(at + 1);
            }
        }
        at += 1;
    }
    Ok(tokens.len())
}

/// `NAME(ARGUMENTS);`: the name and the arguments.
pub(super) fn call<'t, 'a>(statement: &'t [Token<'a>]) -> Option<(&'t Token<'a>, &'t [Token<'a>])> {
    match statement {
        [name, open, arguments @ .., last, end]
            if name.kind == Kind::Ident && open.is("(") && last.is(")") && end.is(";") =>
        {
            let control = ["if", "for", "while", "switch", "return"].iter().any(|word| name.is_ident(word));
            (!control).then_some((name, arguments))
        }
        _ => None,
    }
}

/// `x->FIELD = VALUE;`: the value's tokens.
pub(super) fn assigned<'t, 'a>(statement: &'t [Token<'a>], field: &str) -> Option<&'t [Token<'a>]> {
    match statement {
        [_, arrow, name, equals, value @ .., end]
            if (arrow.is("->") || arrow.is("."))
                && name.is_ident(field)
                && equals.is("=")
                && end.is(";")
                && !value.is_empty() =>
        {
            Some(value)
        }
        _ => None,
    }
}

/// `NAME[] = { ... }` among a function's tokens: the tokens inside, and the name's place.
pub(super) fn local_table<'t, 'a>(
    tokens: &'t [Token<'a>],
    name: &str,
) -> Result<Option<(&'t [Token<'a>], Span)>> {
    for (at, window) in tokens.windows(5).enumerate() {
        let [found, open, shut, equals, brace] = window else { continue };
        if found.is_ident(name) && open.is("[") && shut.is("]") && equals.is("=") && brace.is("{") {
            return Ok(Some((&tokens[at + 5..close(tokens, at + 4)?], found.span)));
        }
    }
    Ok(None)
}
