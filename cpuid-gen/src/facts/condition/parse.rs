//! The text of a condition, read.

use super::Condition;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Maximum nesting of parentheses.
const MAX_DEPTH: usize = 64;

/// What the names of an expression are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Options,
    Module,
}

/// Operators between two names.
const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

/// A token of an expression, an option's name or punctuation, with its place.
pub(crate) type Piece<'a> = (&'a str, Span);

impl Condition {
    /// Parses an expression; `at` is the place of its end.
    ///
    /// # Errors
    ///
    /// Tokens that are not a valid expression.
    pub(crate) fn parse(pieces: &[Piece<'_>], at: Span) -> Result<Condition, Diagnostic> {
        Condition::parse_over(pieces, at, Over::Options)
    }

    fn parse_over(pieces: &[Piece<'_>], at: Span, over: Over) -> Result<Condition, Diagnostic> {
        let mut parser = Parser { pieces, next: 0, end: at, depth: 0, over };
        let found = parser.any()?;
        match pieces.get(parser.next) {
            None => Ok(found),
            Some((text, at)) => Err(Diagnostic::error(*at, format!("expected && or ||, found `{text}`"))),
        }
    }

    /// Parses the text that [`Display`](std::fmt::Display) writes; `at` is its place.
    ///
    /// # Errors
    ///
    /// Text that is not a valid expression.
    pub fn from_text(text: &str, at: Span) -> Result<Condition, Diagnostic> {
        Condition::parse(&pieces(text, at)?, at)
    }

    /// Like [`from_text`](Self::from_text), for a condition of a module of KVM: `kvm_amd.npt`, `host:NRIPS`,
    /// `kvm_pmu_cap.version != 2`.
    ///
    /// # Errors
    ///
    /// Text that is not a valid expression.
    pub fn of_module(text: &str, at: Span) -> Result<Condition, Diagnostic> {
        Condition::parse_over(&pieces(text, at)?, at, Over::Module)
    }
}

/// Splits a line of text into names and punctuation; `at` is its place.
///
/// # Errors
///
/// A character that is part of neither.
pub(crate) fn pieces(text: &str, at: Span) -> Result<Vec<Piece<'_>>, Diagnostic> {
    let (bytes, mut found, mut start) = (text.as_bytes(), Vec::new(), 0);
    while start < bytes.len() {
        let rest = &bytes[start..];
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:".contains(byte);
        let length = match rest {
            [b' ' | b'\t', ..] => {
                start += 1;
                continue;
            }
            [b'&', b'&', ..] | [b'|', b'|', ..] => 2,
            [b'=' | b'!' | b'<' | b'>', b'=', ..] => 2,
            [b'!' | b'(' | b')' | b'<' | b'>', ..] => 1,
            [first, ..] if word(first) => rest.iter().take_while(|byte| word(byte)).count(),
            _ => {
                let message = format!("`{}` is not an expression over options", text.trim());
                return Err(Diagnostic::error(part(at, start, start + 1), message)
                    .with_help("expected options, !, &&, || and parentheses"));
            }
        };
        found.push((&text[start..start + length], part(at, start, start + length)));
        start += length;
    }
    Ok(found)
}

/// The span of a part of the text at `at`.
fn part(at: Span, start: usize, end: usize) -> Span {
    let offset = |by: usize| at.start.saturating_add(u32::try_from(by).unwrap_or(u32::MAX)).min(at.end);
    Span { start: offset(start), end: offset(end), ..at }
}

struct Parser<'p, 'a> {
    pieces: &'p [Piece<'a>],
    next: usize,
    end: Span,
    depth: usize,
    over: Over,
}

impl<'a> Parser<'_, 'a> {
    fn take(&mut self, text: &str) -> bool {
        let here = self.pieces.get(self.next).is_some_and(|(found, _)| *found == text);
        self.next += usize::from(here);
        here
    }

    fn any(&mut self) -> Result<Condition, Diagnostic> {
        let mut parts = vec![self.all()?];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Ok(Condition::any(parts))
    }

    fn all(&mut self) -> Result<Condition, Diagnostic> {
        let mut parts = vec![self.one()?];
        while self.take("&&") {
            parts.push(self.one()?);
        }
        Ok(Condition::all(parts))
    }

    fn one(&mut self) -> Result<Condition, Diagnostic> {
        let Some((text, at)) = self.pieces.get(self.next).copied() else {
            return Err(Diagnostic::error(self.end, "expected an option, found the end of the condition"));
        };
        self.next += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Diagnostic::error(at, format!("a condition nests deeper than {MAX_DEPTH}")));
        }
        let found = match text {
            "!" => self.one()?.negated(),
            "(" => {
                let inner = self.any()?;
                if !self.take(")") {
                    return Err(Diagnostic::error(at, "this `(` is never closed"));
                }
                inner
            }
            name if self.over == Over::Module && is_word(name) => {
                Condition::Option(self.compared(name).unwrap_or_else(|| name.to_owned()))
            }
            name if is_option(name) => Condition::Option(name.to_owned()),
            other => return Err(Diagnostic::error(at, format!("expected an option, found `{other}`"))),
        };
        self.depth -= 1;
        Ok(found)
    }
}

impl Parser<'_, '_> {
    /// A comparison that starts with this name.
    fn compared(&mut self, name: &str) -> Option<String> {
        let [(operator, _), (right, _), ..] = self.pieces.get(self.next..)? else { return None };
        let comparison = COMPARISONS.contains(operator) && is_word(right);
        comparison.then(|| {
            self.next += 2;
            format!("{name} {operator} {right}")
        })
    }
}

/// A name, a member of a structure, or a number.
fn is_word(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
}

/// Option names are upper case, with digits and underscores.
fn is_option(name: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(upper) && name.bytes().any(|byte| byte.is_ascii_uppercase())
}
