//! Statements of C functions: where each ends.

use crate::c::MAX_DEPTH;
use crate::c::declare::close;
use crate::c::lexer::{Kind, Token};
use crate::diagnostic::Diagnostic;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The index of the `)` of `if (...)` or `switch (...)`.
pub(super) fn condition_end(tokens: &[Token<'_>]) -> Result<usize> {
    match tokens.get(1) {
        Some(open) if open.is("(") => close(tokens, 1),
        _ => Err(Diagnostic::error(tokens[0].span, "expected `(`")),
    }
}

/// The first statement, without its `;`, and the rest. An `if` includes its `else`.
pub(super) fn next_statement<'t, 'a>(tokens: &'t [Token<'a>]) -> Result<(&'t [Token<'a>], &'t [Token<'a>])> {
    let end = statement_end(tokens, 0)?;
    let whole = &tokens[..end];
    let plain = whole.split_last().filter(|(last, _)| last.is(";")).map_or(whole, |(_, plain)| plain);
    let keyword = whole
        .first()
        .is_some_and(|first| first.is_ident("if") || first.is_ident("for") || first.is_ident("while"));
    Ok((if keyword { whole } else { plain }, &tokens[end..]))
}

/// The index after a statement.
fn statement_end(tokens: &[Token<'_>], depth: usize) -> Result<usize> {
    let Some(first) = tokens.first() else { return Ok(0) };
    if depth > MAX_DEPTH {
        return Err(Diagnostic::error(first.span, format!("statements nest deeper than {MAX_DEPTH}")));
    }
    if first.is("{") {
        return Ok(close(tokens, 0)? + 1);
    }
    if ["if", "for", "while", "switch"].iter().any(|keyword| first.is_ident(keyword)) {
        let mut end = condition_end(tokens)? + 1;
        end += statement_end(&tokens[end..], depth + 1)?;
        if first.is_ident("if") && tokens.get(end).is_some_and(|token| token.is_ident("else")) {
            end += 1 + statement_end(&tokens[end + 1..], depth + 1)?;
        }
        return Ok(end);
    }
    let mut brackets = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text.as_ref() {
            _ if token.kind != Kind::Punct => {}
            "(" | "[" | "{" => brackets += 1,
            ")" | "]" | "}" => brackets = brackets.saturating_sub(1),
            ";" if brackets == 0 => return Ok(index + 1),
            _ => {}
        }
    }
    Ok(tokens.len())
}
