//! The words of a line of C or Rust: names, numbers, texts and single signs; comments are left out.

use alloc::vec::Vec;

/// A word of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Name(&'t str),
    Number(u64),
    /// A text without its quotes.
    Text(&'t str),
    Sign(char),
}

impl<'t> Token<'t> {
    pub(super) const fn name(self) -> Option<&'t str> {
        if let Token::Name(name) = self { Some(name) } else { None }
    }

    pub(super) const fn number(self) -> Option<u64> {
        if let Token::Number(number) = self { Some(number) } else { None }
    }
}

/// The words of a line.
pub(super) fn tokens(line: &str) -> Vec<Token<'_>> {
    let (mut all, mut rest) = (Vec::new(), line);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("//") => break,
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => {
                let end = rest[1..].find('"').map_or(rest.len(), |end| end + 1);
                all.push(Token::Text(&rest[1..end]));
                (end + 1).min(rest.len())
            }
            _ if first == '_' || first.is_ascii_alphanumeric() => {
                let is_in = |c: char| c == '_' || c.is_ascii_alphanumeric();
                let end = rest.find(|c| !is_in(c)).unwrap_or(rest.len());
                let word = &rest[..end];
                let number = first.is_ascii_digit().then(|| number(word)).flatten();
                all.push(number.map_or(Token::Name(word), Token::Number));
                end
            }
            _ => {
                if !first.is_whitespace() {
                    all.push(Token::Sign(first));
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    all
}

/// A number as C and Rust write one: `0x20`, `32UL`.
fn number(word: &str) -> Option<u64> {
    let word = word.trim_end_matches(['u', 'U', 'l', 'L']);
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::Token::{Name, Number, Sign, Text};
    use super::tokens;

    #[test]
    fn names_numbers_texts_and_signs() {
        assert_eq!(
            tokens("#define X86_A ( 9*32+ 5) /* \"a\" of é */ \"b\" 0x20UL // c"),
            [
                Sign('#'),
                Name("define"),
                Name("X86_A"),
                Sign('('),
                Number(9),
                Sign('*'),
                Number(32),
                Sign('+'),
                Number(5),
                Sign(')'),
                Text("b"),
                Number(0x20)
            ]
        );
        assert_eq!(tokens("\"é"), [Text("é")]);
        assert_eq!(tokens("\""), [Text("")]);
        assert_eq!(tokens("/* open"), []);
        assert_eq!(tokens("3dnow é"), [Name("3dnow"), Sign('é')]);
    }
}
