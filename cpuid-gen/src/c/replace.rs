//! The replacement of a macro call: its arguments, its body step by step, `#` and `##` (C11 6.10.3.1 to 6.10.3.3).

use std::ops::Range;

use super::hidden::Hidden;
use super::lexer::{Kind, Token};
use super::macros::{Define, Params};
use crate::diagnostic::Diagnostic;

type Result<T> = std::result::Result<T, Diagnostic>;

/// A token, and the macros that produced it.
pub(super) type Item<'a> = (Token<'a>, Hidden);

/// The arguments of a call.
pub(super) struct Arguments<'a> {
    /// Everything between the parentheses.
    items: Vec<Item<'a>>,
    /// The range of each argument in `items`.
    each: Vec<Range<usize>>,
    /// The macros that produced the closing parenthesis.
    pub(super) close: Hidden,
}

impl<'a> Arguments<'a> {
    /// Consumes `( ... )` from the pending tokens and splits it at its commas.
    pub(super) fn take(
        call: &Token<'a>,
        params: &Params,
        pending: &mut impl Iterator<Item = Item<'a>>,
    ) -> Result<Arguments<'a>> {
        pending.next();
        // Most calls have fewer tokens than this.
        let (mut items, mut each) = (Vec::with_capacity(16), Vec::with_capacity(params.names.len()));
        let (mut start, mut depth) = (0, 0usize);
        for (token, hidden) in pending {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                if depth == 0 {
                    each.push(start..items.len());
                    return Ok(Arguments { items, each, close: hidden });
                }
                depth -= 1;
            } else if token.is(",") && depth == 0 {
                each.push(start..items.len());
                start = items.len() + 1;
            }
            items.push((token, hidden));
        }
        Err(Diagnostic::error(call.span, format!("the argument list of `{}` is not closed", call.text)))
    }

    /// Matches the arguments to the parameters: a variadic last parameter takes all remaining arguments, commas
    /// included.
    pub(super) fn fit(&mut self, params: &Params, define: &Define<'a>, at: &Token<'a>) -> Result<()> {
        let wants = params.names.len();
        if wants == 0 && self.each.len() == 1 && self.each[0].is_empty() {
            self.each.clear();
        }
        let end = self.items.len();
        if params.variadic && self.each.len() + 1 == wants {
            self.each.push(end..end);
        } else if params.variadic && self.each.len() > wants {
            self.each.truncate(wants);
            if let Some(last) = self.each.last_mut() {
                last.end = end;
            }
        }
        if self.each.len() == wants {
            return Ok(());
        }
        let message = format!("`{}` takes {wants} arguments, not {}", at.text, self.each.len());
        Err(Diagnostic::error(at.span, message).with_label(define.name.span, "defined here"))
    }

    pub(super) fn count(&self) -> usize {
        self.each.len()
    }

    /// The number of tokens in all arguments.
    pub(super) fn length(&self) -> usize {
        self.items.len()
    }

    pub(super) fn get(&self, index: usize) -> &[Item<'a>] {
        &self.items[self.each[index].clone()]
    }
}

/// A macro's replacement under construction.
pub(super) struct Replacement<'t, 'a> {
    /// Its tokens so far.
    pub(super) items: Vec<Item<'a>>,
    /// The macro's name at the call.
    at: &'t Token<'a>,
    /// After `##`.
    pasting: bool,
    /// After an empty argument.
    empty: bool,
}

impl<'t, 'a> Replacement<'t, 'a> {
    /// An empty replacement, with room for `length` tokens.
    pub(super) fn new(at: &'t Token<'a>, length: usize) -> Self {
        Replacement { items: Vec::with_capacity(length), at, pasting: false, empty: false }
    }

    /// Adds a token of the body.
    #[inline]
    pub(super) fn token(&mut self, token: &Token<'a>, hidden: Hidden) -> Result<()> {
        if self.pasting {
            return self.join(Some((token.clone(), hidden)));
        }
        self.empty = false;
        self.items.push((token.clone(), hidden));
        Ok(())
    }

    /// Adds `##`.
    pub(super) fn paste(&mut self) {
        self.pasting = true;
    }

    /// Adds an argument; `spaced` is true if white space precedes its parameter.
    pub(super) fn argument(
        &mut self,
        items: &[Item<'a>],
        spaced: bool,
        mut hidden: impl FnMut(Hidden) -> Hidden,
    ) -> Result<()> {
        let mut items = items.iter().map(|(token, of_token)| (token.clone(), hidden(*of_token)));
        let mut first = items.next();
        if let Some((token, _)) = &mut first {
            token.spaced = spaced;
        }
        self.join(first)?;
        self.items.extend(items);
        Ok(())
    }

    /// Adds a token, or `None` for an empty argument.
    fn join(&mut self, mut item: Option<Item<'a>>) -> Result<()> {
        if std::mem::take(&mut self.pasting) {
            let left = if self.empty { None } else { self.items.pop() };
            item = match (left, item) {
                (Some((left, hidden)), Some((right, _))) => Some((paste(&left, &right, self.at)?, hidden)),
                (left, right) => left.or(right),
            };
        }
        self.empty = item.is_none();
        self.items.extend(item);
        Ok(())
    }
}

/// The spelling of an argument, replacing `at`.
pub(super) fn stringize<'a>(argument: &[Item<'a>], at: &Token<'a>) -> Token<'a> {
    let mut text = String::from("\"");
    for (index, (token, _)) in argument.iter().enumerate() {
        if index > 0 && token.spaced {
            text.push(' ');
        }
        let quoted = matches!(token.kind, Kind::Str | Kind::Char);
        for c in token.text.chars() {
            if quoted && (c == '"' || c == '\\') {
                text.push('\\');
            }
            text.push(c);
        }
    }
    text.push('"');
    Token { kind: Kind::Str, text: text.into(), ..at.clone() }
}

fn paste<'a>(left: &Token<'a>, right: &Token<'a>, at: &Token<'a>) -> Result<Token<'a>> {
    let text = [left.text.as_ref(), right.text.as_ref()].concat();
    let words = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    let kind = match left.kind {
        Kind::Ident if words && !text.contains('.') => Kind::Ident,
        Kind::Number if words => Kind::Number,
        _ => {
            let message = format!("pasting `{}` and `{}` does not form a token", left.text, right.text);
            return Err(Diagnostic::error(at.span, message));
        }
    };
    Ok(Token { kind, text: text.into(), ..left.clone() })
}
