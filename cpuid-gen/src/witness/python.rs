//! The dependencies in Xen's gen-cpuid.py: the dictionary `deps`, whose lists need their keys.
//!
//! Three forms of values occur: a list of names, and a range of bits, `feat_range(FIRST, FIRST + 63)` or, from 4.18 to 4.20,
//! `list(range(FIRST, FIRST + 64))`. A name that starts with a digit has `_` before it.

use super::reader::Reader;
use crate::diagnostic::Diagnostic;
use crate::facts::{BitPlace, WitnessDep};
use crate::location::Bit;
use crate::source::{FileId, Sources, Span};

const START: &str = "deps = {";
const RANGE: &str = "feat_range";

/// Reads the dictionary. The names must be those of the features that were read.
pub(super) fn dependencies(reader: &mut Reader<'_, '_>, file: FileId) {
    let found = Parser::new(reader.sources, file).and_then(|mut parser| parser.dictionary(reader));
    if let Some(deps) = reader.diagnostics.take(found) {
        reader.facts.deps = deps;
    }
}

struct Parser<'a> {
    sources: &'a Sources,
    file: FileId,
    text: &'a str,
    at: usize,
}

/// A name, a number, or a single character.
type Token<'a> = (&'a str, Span);

impl<'a> Parser<'a> {
    /// Starts after the dictionary's brace.
    fn new(sources: &'a Sources, file: FileId) -> Result<Parser<'a>, Diagnostic> {
        let text = sources[file].text.as_str();
        let starts: Vec<usize> = text
            .match_indices(START)
            .map(|(at, _)| at)
            .filter(|at| text[..*at].rsplit('\n').next().is_some_and(|before| before.trim().is_empty()))
            .collect();
        match starts.as_slice() {
            [at] => Ok(Parser { sources, file, text, at: at + START.len() }),
            _ => {
                let whole = sources.span(file, 0, 0);
                let message = format!("expected one dictionary `{START}`, found {}", starts.len());
                Err(Diagnostic::error(whole, message))
            }
        }
    }

    /// The next token; `None` at the end of the file.
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.text[self.at..].trim_start();
            self.at = self.text.len() - rest.len();
            if !rest.starts_with('#') {
                break;
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
        let rest = &self.text[self.at..];
        let word = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let length = if word > 0 { word } else { rest.chars().next()?.len_utf8() };
        let span = self.sources.span(self.file, self.at, self.at + length);
        self.at += length;
        Some((&rest[..length], span))
    }

    fn need(&mut self, wanted: &str) -> Result<Token<'a>, Diagnostic> {
        match self.next() {
            Some(token) if token.0 == wanted => Ok(token),
            found => Err(self.unexpected(found, &format!("`{wanted}`"))),
        }
    }

    fn unexpected(&self, found: Option<Token<'a>>, wanted: &str) -> Diagnostic {
        match found {
            Some((text, at)) => Diagnostic::error(at, format!("expected {wanted}, found `{text}`")),
            None => {
                let end = self.sources.span(self.file, self.text.len(), self.text.len());
                Diagnostic::error(end, format!("expected {wanted}, found the end of the file"))
            }
        }
    }

    fn dictionary(&mut self, reader: &Reader<'_, '_>) -> Result<Vec<WitnessDep>, Diagnostic> {
        let mut deps = Vec::new();
        loop {
            let key = match self.next() {
                Some(("}", _)) => return Ok(deps),
                token => self.feature(token, reader)?,
            };
            self.need(":")?;
            let value = self.next();
            let names = match value {
                Some(("[", _)) => self.list(reader)?,
                Some((RANGE, at)) => self.range(reader, at, 0)?,
                Some(("list", at)) => {
                    self.need("(")?;
                    self.need("range")?;
                    let names = self.range(reader, at, 1)?;
                    self.need(")")?;
                    names
                }
                found => return Err(self.unexpected(found, &format!("a list, or `{RANGE}`"))),
            };
            let needs = key.0;
            deps.extend(names.into_iter().map(|(name, at)| WitnessDep { name, needs: needs.clone(), at }));
            match self.next() {
                Some((",", _)) => {}
                Some(("}", _)) => return Ok(deps),
                found => return Err(self.unexpected(found, "`,` or `}`")),
            }
        }
    }

    /// The names up to the end of a list.
    fn list(&mut self, reader: &Reader<'_, '_>) -> Result<Vec<(String, Span)>, Diagnostic> {
        let mut names = Vec::new();
        loop {
            match self.next() {
                Some(("]", _)) => return Ok(names),
                token => names.push(self.feature(token, reader)?),
            }
            match self.next() {
                Some((",", _)) => {}
                Some(("]", _)) => return Ok(names),
                found => return Err(self.unexpected(found, "`,` or `]`")),
            }
        }
    }

    /// `(RDCL_NO, RDCL_NO + 63)`: every feature from the first to the last, in its MSR or register. The number is `beyond` the
    /// last one's.
    fn range(
        &mut self,
        reader: &Reader<'_, '_>,
        at: Span,
        beyond: u8,
    ) -> Result<Vec<(String, Span)>, Diagnostic> {
        self.need("(")?;
        let first = self.next();
        let (first, _) = self.feature(first, reader)?;
        self.need(",")?;
        let again = self.next();
        let (again, again_at) = self.feature(again, reader)?;
        self.need("+")?;
        let count = self.next();
        let last =
            count.and_then(|(text, _)| text.parse::<u8>().ok()).and_then(|last| last.checked_sub(beyond));
        let last = last.ok_or_else(|| self.unexpected(count, "the number of the last bit"))?;
        self.need(")")?;
        if first != again {
            return Err(Diagnostic::error(again_at, format!("expected `{first}`, the start of the range")));
        }
        let place = |name: &str| reader.facts.bits.iter().find(|bit| bit.name == name).map(|bit| bit.place);
        let (source, Bit(low)) =
            place(&first).map_or_else(|| unreachable_place(at), |place| Ok(place.split()))?;
        let within = |place: BitPlace| {
            let (own, Bit(bit)) = place.split();
            own == source && low <= bit && u16::from(bit) <= u16::from(low) + u16::from(last)
        };
        let named = reader.facts.bits.iter().filter(|bit| within(bit.place));
        Ok(named.map(|bit| (bit.name.clone(), at)).collect())
    }

    /// A feature's name, as the header spells it.
    fn feature(
        &self,
        token: Option<Token<'a>>,
        reader: &Reader<'_, '_>,
    ) -> Result<(String, Span), Diagnostic> {
        let Some((text, at)) = token else { return Err(self.unexpected(None, "a feature's name")) };
        let name = match text.strip_prefix('_') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
            _ => text,
        };
        if !reader.facts.bits.iter().any(|bit| bit.name == name) {
            return Err(self.unexpected(token, "a feature's name"));
        }
        Ok((name.to_owned(), at))
    }
}

/// The location of a name that [`Parser::feature`] accepted.
fn unreachable_place<T>(at: Span) -> Result<T, Diagnostic> {
    Err(Diagnostic::error(at, "the range does not start at a known feature"))
}
