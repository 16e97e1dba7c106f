//! The pieces of what gdb prints.

use crate::dump::scan::Scan;

/// A piece of what gdb prints.
pub(super) enum Token<'a> {
    Open,
    Close,
    Comma,
    Equals,
    /// `[12] =`.
    Index,
    /// `<repeats 12 times>`.
    Repeats(u32),
    /// `...`.
    Dots,
    Word(&'a [u8]),
    /// What is none of these.
    Other,
}

/// The next piece of a line.
pub(super) fn token<'a>(line: &mut Scan<'a>) -> Option<Token<'a>> {
    line.blanks();
    let first = *line.rest().first()?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    if is_word(first) {
        return Some(Token::Word(line.while_is(is_word)));
    }
    if line.literal(b"<repeats ") {
        return Some(
            line.decimal().filter(|_| line.literal(b" times>")).map_or(Token::Other, Token::Repeats),
        );
    }
    if line.literal(b"...") {
        return Some(Token::Dots);
    }
    if first == b'[' {
        let mut index = *line;
        index.literal(b"[");
        if index.number().is_some() && index.literal(b"]") {
            *line = index;
            line.blanks();
            return Some(if line.literal(b"=") { Token::Index } else { Token::Other });
        }
    }
    line.literal(&[first]);
    Some(match first {
        b'{' => Token::Open,
        b'}' => Token::Close,
        b',' => Token::Comma,
        b'=' => Token::Equals,
        // A text or a symbol may hold braces.
        b'"' => skip(line, b"\""),
        b'<' => skip(line, b">"),
        _ => Token::Other,
    })
}

/// Passes over what a character closes; to the line's end where nothing does.
fn skip<'a>(line: &mut Scan<'a>, closing: &[u8]) -> Token<'a> {
    if !line.skip_past(closing) {
        *line = Scan::new(&[]);
    }
    Token::Other
}

/// A word as a number; none if it is not a number of 32 bits.
pub(super) fn number(word: &[u8]) -> Option<u32> {
    let mut word = Scan::new(word);
    word.number().filter(|_| word.is_empty())
}
