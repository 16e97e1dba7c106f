//! C's preprocessing tokens (C11 6.4) with their places, and the comments between them.

use std::borrow::Cow;

use crate::source::{FileId, Sources, Span};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Ident,
    /// A preprocessing number, such as `3DNOW` or `0x80000001`.
    Number,
    /// A string literal with its quotes.
    Str,
    /// A character constant with its quotes.
    Char,
    /// Punctuation; the longest match.
    Punct,
    /// A byte that starts no token, or a quote that is not closed on its line.
    Other,
}

/// One token.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its spelling, line splices removed.
    pub text: Cow<'a, str>,
    /// Its place.
    pub span: Span,
    /// True for the first of a logical line: `#` starts a directive only there.
    pub starts_line: bool,
    /// True if white space or a comment precedes it.
    pub spaced: bool,
}

impl Token<'_> {
    /// True for this punctuation.
    #[inline]
    #[must_use]
    pub fn is(&self, punct: &str) -> bool {
        self.kind == Kind::Punct && self.text == punct
    }

    /// True for this identifier.
    #[inline]
    #[must_use]
    pub fn is_ident(&self, name: &str) -> bool {
        self.kind == Kind::Ident && self.text == name
    }
}

/// Splits a file into tokens, one at a time. Never fails: bytes that start no token are [`Kind::Other`].
pub struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    whole: Span,
    starts_line: bool,
    spaced: bool,
    spliced: bool,
    /// The end of the text in which `"` and `'` are known to be unclosed, so that a line of quotes is searched only
    /// once.
    unclosed_quotes: [usize; 2],
    /// The comments so far, delimiters included.
    pub comments: Vec<Span>,
    /// A comment that is not closed in the file.
    pub unclosed: Option<Span>,
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blank().then(|| self.token())
    }
}

/// The tokens of a file.
#[must_use]
pub fn lex(sources: &Sources, file: FileId) -> Lexer<'_> {
    let text = sources[file].text.as_str();
    Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        whole: sources.span(file, 0, text.len()),
        starts_line: true,
        spaced: false,
        spliced: false,
        unclosed_quotes: [0; 2],
        comments: Vec::new(),
        unclosed: None,
    }
}

/// Length of the longest punctuation that `bytes` start with.
fn punct_length(bytes: &[u8]) -> usize {
    match bytes {
        [b'.', b'.', b'.', ..] | [b'<', b'<', b'=', ..] | [b'>', b'>', b'=', ..] => 3,
        [b'#', b'#', ..] | [b'-', b'>', ..] | [b':', b':', ..] => 2,
        [a @ (b'<' | b'>' | b'&' | b'|' | b'+' | b'-'), b, ..] if a == b => 2,
        [b'<' | b'>' | b'=' | b'!' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^', b'=', ..] => 2,
        _ => 1,
    }
}

/// A letter, a digit or an underscore.
fn is_word(byte: u8) -> bool {
    WORDS[usize::from(byte)]
}

/// [`is_word`] of every byte, since it is needed for most bytes of a file.
const WORDS: [bool; 256] = {
    let mut words = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        words[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    words
};

impl<'a> Lexer<'a> {
    /// Skips white space, comments and line splices; false at the end.
    fn skip_blank(&mut self) -> bool {
        loop {
            match self.bytes.get(self.at) {
                None => return false,
                Some(b'\n') => {
                    self.starts_line = true;
                    self.at += 1;
                }
                Some(b' ' | b'\t' | 0x0b | 0x0c) => self.at += 1,
                Some(b'\\') if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                Some(b'/') if self.bytes.get(self.at + 1) == Some(&b'*') => self.block_comment(),
                Some(b'/') if self.bytes.get(self.at + 1) == Some(&b'/') => self.line_comment(),
                Some(_) => return true,
            }
            self.spaced = true;
        }
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let inside = start + 2;
        // Faster than a search for `*/`, since comments are short.
        let mut slashes = self.text[inside..].match_indices('/').map(|(at, _)| inside + at);
        match slashes.find(|at| *at > inside && self.bytes[at - 1] == b'*') {
            Some(slash) => {
                self.at = slash + 1;
                self.comments.push(self.span(start));
            }
            None => {
                self.at = start + 2;
                self.unclosed = Some(self.span(start));
                self.at = self.bytes.len();
            }
        }
    }

    fn line_comment(&mut self) {
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == b'\n' && self.bytes[self.at - 1] != b'\\' {
                break;
            }
            self.at += 1;
        }
        self.comments.push(self.span(start));
    }

    /// The next brace, or token with `#`, in text that is otherwise skipped.
    pub(super) fn next_brace(&mut self) -> Option<Token<'a>> {
        while self.skip_blank() {
            match self.bytes[self.at] {
                b'{' | b'}' | b'#' => return Some(self.token()),
                quote @ (b'"' | b'\'') => {
                    self.quoted(quote);
                }
                byte if is_word(byte) => self.word(),
                _ => self.at += 1,
            }
            (self.starts_line, self.spaced, self.spliced) = (false, false, false);
        }
        None
    }

    fn token(&mut self) -> Token<'a> {
        let start = self.at;
        let kind = match self.bytes[start] {
            b'0'..=b'9' => self.number(),
            b'.' if self.bytes.get(start + 1).is_some_and(u8::is_ascii_digit) => self.number(),
            byte if is_word(byte) => {
                self.word();
                Kind::Ident
            }
            quote @ (b'"' | b'\'') => self.quoted(quote),
            b'@' | b'$' | b'`' | b'\\' => {
                self.at += 1;
                Kind::Other
            }
            byte if byte.is_ascii_punctuation() => {
                self.at += punct_length(&self.bytes[start..]);
                Kind::Punct
            }
            _ => {
                self.at += self.text[start..].chars().next().map_or(1, char::len_utf8);
                Kind::Other
            }
        };
        let raw = &self.text[start..self.at];
        let spliced = std::mem::take(&mut self.spliced);
        let text = if spliced { Cow::Owned(raw.replace("\\\n", "")) } else { Cow::Borrowed(raw) };
        let token =
            Token { kind, text, span: self.span(start), starts_line: self.starts_line, spaced: self.spaced };
        (self.starts_line, self.spaced) = (false, false);
        token
    }

    /// Identifier characters, line splices among them.
    fn word(&mut self) {
        loop {
            let rest = &self.bytes[self.at..];
            self.at += rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
            if !self.splice() {
                return;
            }
        }
    }

    /// Consumes a line splice if the same word continues after it.
    fn splice(&mut self) -> bool {
        let found = matches!(self.bytes[self.at..], [b'\\', b'\n', next, ..] if is_word(next));
        if found {
            self.at += 2;
            self.spliced = true;
        }
        found
    }

    /// According to C, `0xE+1` is one preprocessing number and not a constant.
    fn number(&mut self) -> Kind {
        self.at += 1;
        loop {
            let last = self.bytes[self.at - 1];
            match self.bytes.get(self.at) {
                Some(b'+' | b'-') if matches!(last, b'e' | b'E' | b'p' | b'P') => self.at += 1,
                Some(b'.') => self.at += 1,
                Some(byte) if is_word(*byte) => self.at += 1,
                Some(b'\\') if self.splice() => {}
                _ => return Kind::Number,
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> Kind {
        let start = self.at;
        self.at += 1;
        let unclosed = usize::from(quote == b'"');
        if start < self.unclosed_quotes[unclosed] {
            return Kind::Other;
        }
        loop {
            match self.bytes.get(self.at) {
                Some(b'\\') if self.at + 1 < self.bytes.len() => {
                    self.spliced |= self.bytes[self.at + 1] == b'\n';
                    self.at += 1 + self.text[self.at + 1..].chars().next().map_or(1, char::len_utf8);
                }
                Some(&byte) if byte == quote => {
                    self.at += 1;
                    return if quote == b'"' { Kind::Str } else { Kind::Char };
                }
                Some(b'\n') | None => {
                    self.spliced = false;
                    self.unclosed_quotes[unclosed] = self.at;
                    self.at = start + 1;
                    return Kind::Other;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn span(&self, start: usize) -> Span {
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: cut(start), end: cut(self.at), ..self.whole }
    }
}

/// The value of adjacent string literals, with escapes resolved.
///
/// # Errors
///
/// The first escape that is not valid in C.
pub fn string_value(tokens: &[Token<'_>]) -> Result<String, (Span, String)> {
    let mut out = String::new();
    for token in tokens {
        let inner = token.text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
        if !inner.contains('\\') {
            out.push_str(inner);
            continue;
        }
        let mut rest = inner.chars();
        while let Some(c) = rest.next() {
            if c == '\\' {
                let escaped = unescape(&mut rest)
                    .ok_or_else(|| (token.span, format!("{} has an unknown escape", token.text)))?;
                out.push(escaped);
            } else {
                out.push(c);
            }
        }
    }
    Ok(out)
}

/// The character after a backslash: the simple escapes of C11 6.4.4.4 and octal and hexadecimal ones in ASCII.
pub(super) fn unescape(rest: &mut std::str::Chars<'_>) -> Option<char> {
    let first = rest.next()?;
    let simple = "abfnrtv\\'\"?".find(first);
    if let Some(index) = simple {
        return "\u{7}\u{8}\u{c}\n\r\t\u{b}\\'\"?".chars().nth(index);
    }
    let radix = if first == 'x' { 16 } else { 8 };
    let mut digits = String::new();
    if radix == 8 {
        digits.push(first);
    }
    let most = if radix == 16 { 8 } else { 3 };
    while let Some(next) = rest.clone().next().filter(|c| c.is_digit(radix)) {
        if digits.len() == most {
            break;
        }
        digits.push(next);
        rest.next();
    }
    let value = u32::from_str_radix(&digits, radix).ok()?;
    char::from_u32(value).filter(char::is_ascii)
}
