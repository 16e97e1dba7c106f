//! From a file's bytes to text: bytes that are not UTF-8, and what source text does not have.

use super::SUBSTITUTE;

/// The text with a [`SUBSTITUTE`] for each byte that is not UTF-8.
pub(super) fn substituted(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| SUBSTITUTE));
    }
    text
}

/// The first byte that was substituted, not counting those in comments of C.
pub(super) fn stray_byte(bytes: &[u8], text: &str, is_c: bool) -> Option<(usize, u8)> {
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest {
            [b'/', b'*' | b'/', ..] if is_c => {
                at += comment_length(rest);
                continue;
            }
            [b'"' | b'\'', ..] if is_c => quoted_length(rest).unwrap_or(1),
            [b'\\', b'"' | b'\'' | b'\\', ..] => 2,
            _ => 1,
        };
        let mut pairs = rest.iter().zip(&text.as_bytes()[at..]).take(length);
        if let Some(index) = pairs.position(|(byte, shown)| byte != shown) {
            return Some((at + index, bytes[at + index]));
        }
        at += length;
    }
    None
}

/// The length of a comment, up to the end of the file if it is not closed.
fn comment_length(bytes: &[u8]) -> usize {
    let end = if bytes.starts_with(b"/*") {
        bytes[2..].windows(2).position(|pair| pair == b"*/").map(|at| at + 4)
    } else {
        (1..bytes.len()).find(|at| bytes[*at] == b'\n' && bytes[at - 1] != b'\\')
    };
    end.unwrap_or(bytes.len())
}

/// The length of a string or character constant, if it is closed on its line.
fn quoted_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'\n' => return None,
            byte if *byte == bytes[0] => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// What source text does not have, with its offset.
pub(super) fn text_fault(text: &str) -> Option<(usize, &'static str)> {
    if text.starts_with('\u{feff}') {
        return Some((0, "the file starts with a byte order mark; save it without one"));
    }
    // Without an early exit, so that the compiler compares many bytes at a time.
    let is_fault = |byte: &u8| u8::from(*byte == 0) | u8::from(*byte == b'\r');
    if text.as_bytes().iter().fold(0, |found, byte| found | is_fault(byte)) == 0 {
        return None;
    }
    if let Some(at) = text.find('\0') {
        return Some((at, "a NUL byte: this is not source text"));
    }
    text.find('\r').map(|at| (at, "a carriage return; convert the file to LF line ends"))
}
