//! The pieces of a line: literal text, hexadecimal and decimal numbers.

/// What is left of a line.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    whole: &'a [u8],
    /// Its end.
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    pub(super) fn new(whole: &'a [u8]) -> Scan<'a> {
        Scan { whole, rest: whole }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Passes over blanks; true when there was one.
    #[inline]
    pub(super) fn blanks(&mut self) -> bool {
        let before = self.rest.len();
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.len() < before
    }

    /// Passes over a text if it comes next.
    #[inline]
    pub(super) fn literal(&mut self, text: &[u8]) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A hexadecimal number of 1 to 8 digits, without a prefix.
    ///
    /// All eight bytes at once: a branch for each digit would be guessed wrongly at the end of every number.
    #[inline]
    pub(super) fn hex(&mut self) -> Option<u32> {
        let text = self.eight();
        let length = hex_digits(text);
        let one_more = length == 8 && self.rest.get(8).is_some_and(u8::is_ascii_hexdigit);
        if length == 0 || one_more {
            return None;
        }
        self.rest = &self.rest[length..];
        // Missing digits are zeros before the first.
        Some(hex_value(text << (64 - 8 * length)))
    }

    /// The eight bytes that come next, the first in the lowest byte; zeros after the end.
    #[inline]
    fn eight(&self) -> u64 {
        let left = self.rest.len();
        if let Some(eight) = self.rest.first_chunk() {
            u64::from_le_bytes(*eight)
        } else if left == 0 {
            0
        } else if let Some(last) = self.whole.last_chunk() {
            // Cheaper than to copy so few bytes.
            u64::from_le_bytes(*last) >> (64 - 8 * left)
        } else {
            let mut padded = [0; 8];
            padded[..left].copy_from_slice(self.rest);
            u64::from_le_bytes(padded)
        }
    }

    /// A decimal number.
    pub(super) fn decimal(&mut self) -> Option<u32> {
        let mut value = None;
        while let [digit @ b'0'..=b'9', rest @ ..] = self.rest {
            value = Some(value.unwrap_or(0u32).checked_mul(10)?.checked_add(u32::from(digit - b'0'))?);
            self.rest = rest;
        }
        value
    }

    /// `0x` and a hexadecimal number, or a decimal one.
    pub(super) fn number(&mut self) -> Option<u32> {
        if self.literal(b"0x") { self.hex() } else { self.decimal() }
    }

    /// Passes over everything up to a text and over it; false, and nothing is passed, when it does not come.
    pub(super) fn skip_past(&mut self, text: &[u8]) -> bool {
        match find(self.rest, text) {
            Some(at) => {
                self.rest = &self.rest[at + text.len()..];
                true
            }
            None => false,
        }
    }

    /// The bytes that come next as long as they are of a kind.
    pub(super) fn while_is(&mut self, is: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !is(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

/// A byte in each of eight.
pub(super) const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// How many of eight bytes are hexadecimal digits before the first that is none.
#[inline]
const fn hex_digits(text: u64) -> usize {
    /// The highest bit of each byte of `low`, none of which is above 0x7f, that lies in a range.
    const fn within(low: u64, first: u8, last: u8) -> u64 {
        let from_first = low + each(0x80 - first);
        let after_last = low + each(0x7f - last);
        from_first & !after_last
    }
    let low = text & each(0x7f);
    let digits = within(low, b'0', b'9') | within(low | each(0x20), b'a', b'f');
    let others = !(digits & !text) & each(0x80);
    (others.trailing_zeros() / 8) as usize
}

/// The value of eight hexadecimal digits, the first in the lowest byte; a zero byte counts as the digit 0.
#[inline]
const fn hex_value(digits: u64) -> u32 {
    let letters = digits >> 6 & each(1);
    let nibbles = (digits & each(0xf)) + letters * 9;
    let bytes = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let halves = (bytes << 8 | bytes >> 16) & 0x0000_ffff_0000_ffff;
    let [a, b, c, d, ..] = (halves << 16 | halves >> 32).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Where a text begins in a line.
pub(super) fn find(line: &[u8], text: &[u8]) -> Option<usize> {
    line.windows(text.len()).position(|part| part == text)
}

/// Without the blanks around it.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::Scan;

    fn hex(text: &str) -> Option<(u32, usize)> {
        let mut scan = Scan::new(text.as_bytes());
        scan.hex().map(|value| (value, scan.rest().len()))
    }

    #[test]
    fn hexadecimal_numbers() {
        for value in [0, 1, 0xf, 0x10, 0xabcdef, 0x1234_5678, 0x9abc_def0, 0xffff_ffff] {
            for width in 0..9 {
                for rest in ["", " ", "-x", "g", "/:@G`", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"] {
                    let (lower, upper) =
                        (format!("{value:0width$x}{rest}"), format!("{value:0width$X}{rest}"));
                    assert_eq!(hex(&lower), Some((value, rest.len())), "{lower}");
                    assert_eq!(hex(&upper), Some((value, rest.len())), "{upper}");
                }
            }
        }
        for text in [
            "",
            " 1",
            "g",
            "G",
            "/",
            ":",
            "@",
            "`",
            "-1",
            "123456789",
            "000000000",
            "\u{e9}",
            "\u{b1}",
            "\u{0}",
        ] {
            assert_eq!(hex(text), None, "{text}");
        }
    }

    #[test]
    fn every_byte() {
        for byte in 0..=u8::MAX {
            let expected = char::from(byte).to_digit(16);
            for text in [&[byte][..], &[byte, b' ', b'1', b'2', b'3', b'4', b'5', b'6', b'7']] {
                assert_eq!(Scan::new(text).hex(), expected, "{byte:#x}");
            }
        }
    }
}
