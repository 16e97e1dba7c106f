//! Macro expansion (C11 6.10.3): object-like, function-like and variadic macros, `#` and `##`. No macro is expanded
//! inside itself.

use std::borrow::Cow;

use super::MAX_DEPTH;
use super::hidden::{Hidden, HiddenSets};
use super::lexer::{Kind, Token};
use super::macros::{Define, Macros, Moment, Step};
use super::replace::{Arguments, Item, Replacement, stringize};
use crate::diagnostic::Diagnostic;

/// Maximum number of tokens that one expansion may produce. The largest real one, a row of QEMU's table, produces a
/// few thousand.
const MAX_TOKENS: usize = 1 << 18;

/// Maximum number of tokens that all expansions of one tree may produce. A real QEMU tree produces some ten thousand.
const MAX_ALL_TOKENS: usize = 1 << 21;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Expands every macro in `tokens`.
///
/// # Errors
///
/// A macro with the wrong number of arguments, an unclosed argument list, a paste that does not form a token, or an
/// expansion without end.
pub fn expand<'a>(tokens: &[Token<'a>], macros: &Macros<'a>, moment: Moment) -> Result<Vec<Token<'a>>> {
    expand_some(tokens, macros, moment, &|_| true)
}

/// Expands the macros whose names `wanted` accepts.
///
/// # Errors
///
/// As [`expand`].
pub fn expand_some<'a>(
    tokens: &[Token<'a>],
    macros: &Macros<'a>,
    moment: Moment,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Token<'a>>> {
    let mut expander = Expander { macros, moment, wanted, made: 0, hidden: HiddenSets::default() };
    let out = expander.run(tokens.iter().map(|token| (token.clone(), Hidden::default())), 0)?;
    Ok(out.into_iter().map(|(token, _)| token).collect())
}

/// The tokens still to be processed: those produced by macros, then the rest of the input.
struct Pending<'a, I> {
    /// In reverse order.
    made: Vec<Item<'a>>,
    input: I,
}

impl<'a, I: Iterator<Item = Item<'a>>> Iterator for Pending<'a, I> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.made.pop().or_else(|| self.input.next())
    }
}

impl<'a, I: Iterator<Item = Item<'a>> + Clone> Pending<'a, I> {
    /// True if the next token is `(`.
    fn opens(&self) -> bool {
        match self.made.last() {
            Some((token, _)) => token.is("("),
            None => self.input.clone().next().is_some_and(|(token, _)| token.is("(")),
        }
    }
}

struct Expander<'m, 'a> {
    macros: &'m Macros<'a>,
    moment: Moment,
    wanted: &'m dyn Fn(&str) -> bool,
    made: usize,
    hidden: HiddenSets<'m, 'a>,
}

impl<'m, 'a> Expander<'m, 'a> {
    fn run<I>(&mut self, input: I, depth: usize) -> Result<Vec<Item<'a>>>
    where
        I: Iterator<Item = Item<'a>> + Clone,
    {
        // A few tokens may expand to many, except in an argument.
        let more = if depth == 0 { 256 } else { 0 };
        let mut out = Vec::with_capacity(input.size_hint().0 + more);
        let mut pending = Pending { made: Vec::with_capacity(more), input };
        while let Some((token, hidden)) = pending.next() {
            let Some(define) = self.definition(&token, hidden) else {
                out.push((token, hidden));
                continue;
            };
            let mut replaced = match &define.params {
                None => self.object(define, &token, hidden)?,
                Some(params) if pending.opens() => {
                    let mut arguments = Arguments::take(&token, params, &mut pending)?;
                    arguments.fit(params, define, &token)?;
                    let both = self.hidden.common(hidden, arguments.close);
                    self.call(define, &token, &arguments, both, depth)?
                }
                Some(_) => {
                    out.push((token, hidden));
                    continue;
                }
            };
            if let Some((first, _)) = replaced.first_mut() {
                first.spaced = token.spaced;
            }
            self.count(&replaced, &token)?;
            pending.made.extend(replaced.into_iter().rev());
        }
        Ok(out)
    }

    fn definition(&self, token: &Token<'a>, hidden: Hidden) -> Option<&'m Define<'a>> {
        if token.kind != Kind::Ident {
            return None;
        }
        let define = self.macros.get(&token.text, self.moment)?;
        (!self.hidden.hides(hidden, define) && (self.wanted)(&token.text)).then_some(define)
    }

    /// Counts the tokens that replace `at`.
    fn count(&mut self, items: &[Item<'a>], at: &Token<'a>) -> Result<()> {
        let deepest = items.iter().map(|(_, hidden)| hidden.depth).max();
        if deepest.is_some_and(|deepest| deepest as usize > MAX_DEPTH) {
            return Err(Diagnostic::error(
                at.span,
                format!("macros nest deeper than {MAX_DEPTH} at `{}`", at.text),
            ));
        }
        // An empty replacement counts too: a long chain of them takes time.
        self.made += items.len() + 1;
        let all = &self.macros.made;
        all.set(all.get() + items.len() + 1);
        if all.get() > MAX_ALL_TOKENS {
            let message = format!(
                "`{}`: the expansions of this tree produce more than {MAX_ALL_TOKENS} tokens",
                at.text
            );
            return Err(Diagnostic::error(at.span, message));
        }
        // Each token can be in macros of its own.
        if self.made > MAX_TOKENS || self.hidden.len() > 8 * MAX_TOKENS {
            let message = format!("`{}` expands to more than {MAX_TOKENS} tokens", at.text);
            return Err(Diagnostic::error(at.span, message));
        }
        Ok(())
    }

    /// The replacement of an object-like macro.
    fn object(&mut self, define: &'m Define<'a>, at: &Token<'a>, hidden: Hidden) -> Result<Vec<Item<'a>>> {
        let inner = self.hidden.add(define, hidden);
        let mut out = Replacement::new(at, define.body.len());
        for token in &define.body {
            if token.is("##") {
                out.paste();
            } else {
                out.token(token, inner)?;
            }
        }
        Ok(out.items)
    }

    fn call(
        &mut self,
        define: &'m Define<'a>,
        at: &Token<'a>,
        arguments: &Arguments<'a>,
        hidden: Hidden,
        depth: usize,
    ) -> Result<Vec<Item<'a>>> {
        if depth >= MAX_DEPTH {
            return Err(Diagnostic::error(at.span, format!("macro calls nest deeper than {MAX_DEPTH}")));
        }
        let mut expanded: Vec<Option<Cow<'_, [Item<'a>]>>> = vec![None; arguments.count()];
        let inner = self.hidden.add(define, hidden);
        // An argument's tokens keep their hidden macros and get this one in addition. Neighbours mostly have the same
        // set.
        let mut joined = (Hidden::default(), inner);
        let mut out = Replacement::new(at, define.body.len() + arguments.length());
        for (step, token) in define.steps().iter().zip(&define.body) {
            let items = match *step {
                Step::Parameter { index, pasted: true } => arguments.get(index),
                Step::Parameter { index, pasted: false } => {
                    if expanded[index].is_none() {
                        expanded[index] = Some(self.expanded(arguments.get(index), depth + 1)?);
                    }
                    expanded[index].as_deref().unwrap_or_default()
                }
                Step::Text(index) => {
                    out.token(&stringize(arguments.get(index), token), inner)?;
                    continue;
                }
                Step::Token => {
                    out.token(token, inner)?;
                    continue;
                }
                Step::Paste => {
                    out.paste();
                    continue;
                }
                Step::Done => continue,
            };
            out.argument(items, token.spaced, |own| {
                if own != joined.0 {
                    let both = if own == Hidden::default() { inner } else { self.hidden.add(define, own) };
                    joined = (own, both);
                }
                joined.1
            })?;
        }
        Ok(out.items)
    }

    /// An argument with its macros expanded; most have none.
    fn expanded<'i>(&mut self, argument: &'i [Item<'a>], depth: usize) -> Result<Cow<'i, [Item<'a>]>> {
        if argument.iter().any(|(token, hidden)| self.definition(token, *hidden).is_some()) {
            return self.run(argument.iter().cloned(), depth).map(Cow::Owned);
        }
        Ok(Cow::Borrowed(argument))
    }
}
