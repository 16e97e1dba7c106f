//! The `#define`s of a header with the conditions under which each is active, for all configurations.
//!
//! For required-features.h and disabled-features.h: conditionals test only `CONFIG_*` options, there is no text
//! outside directives, and no macro has parameters. Any other directive is an error.

use crate::c::MAX_DEPTH;
use crate::c::lexer::{Kind, Lexer, Token};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::Condition;
use crate::facts::condition::Piece;
use crate::source::Span;

const OPTION: &str = "CONFIG_";

/// A `#define`, and the condition under which it is active.
pub(super) struct Variant<'a> {
    pub(super) name: Token<'a>,
    pub(super) body: Vec<Token<'a>>,
    pub(super) when: Condition,
}

/// An open conditional: the conditions of its earlier branches and of the current one.
struct Branch {
    at: Span,
    earlier: Vec<Condition>,
    now: Condition,
    last: bool,
}

impl Branch {
    fn when(&self) -> Condition {
        let not_earlier = self.earlier.iter().cloned().map(Condition::negated);
        Condition::all(not_earlier.chain([self.now.clone()]))
    }
}

/// Every `#define` of a file, in order.
pub(super) fn variants<'a>(mut lexer: Lexer<'a>, diagnostics: &mut Diagnostics) -> Vec<Variant<'a>> {
    let mut reading = Reading { branches: Vec::new(), found: Vec::new(), first: true };
    let mut line: Vec<Token<'a>> = Vec::new();
    for token in lexer.by_ref() {
        if token.starts_line && !line.is_empty() {
            diagnostics.take(reading.line(std::mem::take(&mut line)));
        }
        line.push(token);
    }
    if !line.is_empty() {
        diagnostics.take(reading.line(line));
    }
    if let Some(comment) = lexer.unclosed {
        diagnostics.error(comment, "this comment is never closed");
    }
    for branch in reading.branches {
        diagnostics.error(branch.at, "this conditional is never closed by #endif");
    }
    reading.found
}

struct Reading<'a> {
    branches: Vec<Branch>,
    found: Vec<Variant<'a>>,
    /// True until the first line, which may be the include guard.
    first: bool,
}

impl<'a> Reading<'a> {
    fn line(&mut self, line: Vec<Token<'a>>) -> Result<(), Diagnostic> {
        let first = std::mem::replace(&mut self.first, false);
        let at = line[0].span.to(line[line.len() - 1].span);
        let [hash, kind, rest @ ..] = line.as_slice() else {
            return Err(outside(&line[0]));
        };
        if !hash.is("#") {
            return Err(outside(hash));
        }
        match kind.text.as_ref() {
            "define" => return self.define(rest, at),
            "ifndef" if first && rest.iter().all(|name| !name.text.starts_with(OPTION)) => {
                self.open(Condition::Always, at)?
            }
            "ifdef" | "ifndef" => {
                let [name] = rest else {
                    return Err(Diagnostic::error(at, format!("`#{}` takes one name", kind.text)));
                };
                let option = option(name)?;
                let condition = if kind.text == "ifdef" { option } else { option.negated() };
                self.open(condition, at)?;
            }
            "if" => self.open(expression(rest, at)?, at)?,
            "elif" => self.next_branch(Some(expression(rest, at)?), at)?,
            "else" => self.next_branch(None, at)?,
            "endif" => {
                let closed = self.branches.pop();
                closed.ok_or_else(|| Diagnostic::error(at, "#endif without #if"))?;
            }
            other => {
                let message = format!("unexpected directive `#{other}` in this header");
                return Err(Diagnostic::error(kind.span, message));
            }
        }
        Ok(())
    }

    fn open(&mut self, now: Condition, at: Span) -> Result<(), Diagnostic> {
        self.branches.push(Branch { at, earlier: Vec::new(), now, last: false });
        if self.branches.len() > MAX_DEPTH {
            return Err(Diagnostic::error(at, format!("conditionals nest deeper than {MAX_DEPTH}")));
        }
        Ok(())
    }

    /// `#elif` with its condition, or `#else`.
    fn next_branch(&mut self, condition: Option<Condition>, at: Span) -> Result<(), Diagnostic> {
        let Some(branch) = self.branches.last_mut() else {
            return Err(Diagnostic::error(at, "this directive has no #if"));
        };
        if branch.last {
            return Err(Diagnostic::error(at, "this branch follows an #else"));
        }
        branch.last = condition.is_none();
        let earlier = std::mem::replace(&mut branch.now, condition.unwrap_or(Condition::Always));
        branch.earlier.push(earlier);
        Ok(())
    }

    fn define(&mut self, rest: &[Token<'a>], at: Span) -> Result<(), Diagnostic> {
        let Some((name, body)) = rest.split_first().filter(|(name, _)| name.kind == Kind::Ident) else {
            return Err(Diagnostic::error(at, "#define takes a name"));
        };
        if body.first().is_some_and(|first| first.is("(") && !first.spaced) {
            let message = format!("unexpected parameters of `{}`, a mask", name.text);
            return Err(Diagnostic::error(name.span, message));
        }
        let when = Condition::all(self.branches.iter().map(Branch::when));
        self.found.push(Variant { name: name.clone(), body: body.to_vec(), when });
        Ok(())
    }
}

fn outside(token: &Token<'_>) -> Diagnostic {
    Diagnostic::error(token.span, format!("unexpected `{}` outside directives in this header", token.text))
}

fn option(name: &Token<'_>) -> Result<Condition, Diagnostic> {
    match name.text.strip_prefix(OPTION).filter(|rest| !rest.is_empty() && name.kind == Kind::Ident) {
        Some(option) => Condition::parse(&[(option, name.span)], name.span),
        None => {
            Err(Diagnostic::error(name.span, format!("`{}` is not an option: expected CONFIG_*", name.text)))
        }
    }
}

/// Parses `#if` over `defined(CONFIG_X)`, `defined CONFIG_X` and `IS_ENABLED(CONFIG_X)`.
fn expression(tokens: &[Token<'_>], at: Span) -> Result<Condition, Diagnostic> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let mut rest = tokens;
    while let [token, after @ ..] = rest {
        let asked = ["defined", "IS_ENABLED"].iter().any(|question| token.is_ident(question));
        rest = match after {
            [open, name, close, after @ ..] if asked && open.is("(") && close.is(")") => {
                pieces.push((option_name(name)?, name.span));
                after
            }
            [name, after @ ..] if token.is_ident("defined") => {
                pieces.push((option_name(name)?, name.span));
                after
            }
            _ => {
                if token.kind == Kind::Ident {
                    let message = format!("unexpected `{}`: expected `defined` or `IS_ENABLED`", token.text);
                    return Err(Diagnostic::error(token.span, message));
                }
                pieces.push((token.text.as_ref(), token.span));
                after
            }
        };
    }
    Condition::parse(&pieces, at)
}

fn option_name<'t>(name: &'t Token<'_>) -> Result<&'t str, Diagnostic> {
    option(name)?;
    Ok(&name.text[OPTION.len()..])
}
