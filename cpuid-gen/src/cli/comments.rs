//! Rust's text in parts: code and comments.

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// Code, with its texts in quotes.
    Code(&'t str),
    /// A comment, also one that documents something.
    Comment(&'t str),
}

/// The parts of a file in order; together they are the file.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut all, mut begin, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let Some(length) = comment(rest) else {
            at += word(rest, text[..at].chars().next_back());
            continue;
        };
        if begin < at {
            all.push(Part::Code(&text[begin..at]));
        }
        all.push(Part::Comment(&rest[..length]));
        at += length;
        begin = at;
    }
    if begin < text.len() {
        all.push(Part::Code(&text[begin..]));
    }
    all
}

/// The length of the comment at the start of a text. A line's end is not part of it.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    // Comments nest.
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(text.len())
}

/// The length of what is at the start of a text and holds no comment: a text in quotes, a character, or one sign.
fn word(text: &str, before: Option<char>) -> usize {
    let is_in_name = |c: char| c == '_' || c.is_alphanumeric();
    let first = text.chars().next().map_or(1, char::len_utf8);
    if text.starts_with('r') && !before.is_some_and(|before| is_in_name(before) && before != 'b') {
        let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
        if text[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let from = 2 + hashes;
            return text[from..].find(&end).map_or(text.len(), |found| from + found + end.len());
        }
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    // A lifetime has no second quote.
    let mut signs = text.chars();
    match (signs.next(), signs.next(), signs.next()) {
        (Some('\''), Some('\\'), _) => quoted(text, '\''),
        (Some('\''), Some(sign), Some('\'')) => 2 + sign.len_utf8(),
        _ => first,
    }
}

/// The length of a text in quotes with escapes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        if sign == quote && !escaped {
            return at + sign.len_utf8();
        }
        escaped = sign == '\\' && !escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::Part::{Code, Comment};
    use super::parts;

    #[test]
    fn comments_are_told_from_texts() {
        for (text, expected) in [
            ("a // b\nc", &[Code("a "), Comment("// b"), Code("\nc")][..]),
            ("/* a /* b */ c */d", &[Comment("/* a /* b */ c */"), Code("d")]),
            ("\"// no\\\" // no\" // yes", &[Code("\"// no\\\" // no\" "), Comment("// yes")]),
            ("r#\"\" // no\"# /*", &[Code("r#\"\" // no\"# "), Comment("/*")]),
            ("br\"\\\" // yes", &[Code("br\"\\\" "), Comment("// yes")]),
            ("'\"' // a", &[Code("'\"' "), Comment("// a")]),
            ("'\\'' // a", &[Code("'\\'' "), Comment("// a")]),
            ("fn a<'b>() // é", &[Code("fn a<'b>() "), Comment("// é")]),
            ("'é' var\" x", &[Code("'é' var\" x")]),
            ("", &[]),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
