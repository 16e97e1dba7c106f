//! The pieces of a line: literal text, hexadecimal and decimal numbers.

/// What is left of a line.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    rest: &'a [u8],
}

/// The value of a hexadecimal digit; 0xff for what is none.
static DIGITS: [u8; 256] = digits();

const fn digits() -> [u8; 256] {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        digits[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    digits
}

impl<'a> Scan<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Scan<'a> {
        Scan { rest }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Passes over blanks; true when there was one.
    pub(super) fn blanks(&mut self) -> bool {
        let before = self.rest.len();
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.len() < before
    }

    /// Passes over a text if it comes next.
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
    pub(super) fn hex(&mut self) -> Option<u32> {
        let mut value = 0;
        let mut at = 0;
        while let Some(&byte) = self.rest.get(at) {
            let digit = DIGITS[usize::from(byte)];
            if digit > 15 {
                break;
            }
            value = value << 4 | u32::from(digit);
            at += 1;
        }
        if !(1..=8).contains(&at) {
            return None;
        }
        self.rest = &self.rest[at..];
        Some(value)
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

/// Where a text begins in a line.
pub(super) fn find(line: &[u8], text: &[u8]) -> Option<usize> {
    line.windows(text.len()).position(|part| part == text)
}

/// Without the blanks around it.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}
