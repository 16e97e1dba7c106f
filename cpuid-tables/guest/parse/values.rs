//! Values of properties as QEMU parses them (`string_input_visitor` of qapi/, `qemu_strtosz_metric` of
//! util/cutils.c).

/// A value, as text or from `+name` and `-name`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'v> {
    Text(&'v str),
    Bool(bool),
}

/// `on`, `yes`, `true`, `y`, and their opposites, case-sensitive.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "on" | "yes" | "true" | "y" => Some(true),
        "off" | "no" | "false" | "n" => Some(false),
        _ => None,
    }
}

/// A number as `strtoull` parses it with base 0: leading blanks, a sign, `0x` or an octal `0`. The whole text must
/// match.
pub(crate) fn unsigned(text: &str) -> Option<u64> {
    let (negative, digits) = sign(text);
    let value = magnitude(digits)?;
    // A negative number wraps, as in C.
    Some(if negative { value.wrapping_neg() } else { value })
}

/// The same, signed.
pub(crate) fn signed(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    let value = i128::from(magnitude(digits)?);
    i64::try_from(if negative { -value } else { value }).ok()
}

fn sign(text: &str) -> (bool, &str) {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn magnitude(digits: &str) -> Option<u64> {
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, digits.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        _ => (digits, 10),
    };
    // from_str_radix accepts a sign, which was already read.
    digits
        .starts_with(|digit: char| digit.is_digit(radix))
        .then(|| u64::from_str_radix(digits, radix).ok())?
}

/// A number with a decimal suffix, optionally with a fraction: `2.5G`.
pub(crate) fn metric(text: &str) -> Option<u64> {
    scaled(text, 1000)
}

/// A number of bytes with a binary suffix, optionally with a fraction: `1.5G`.
pub(crate) fn size(text: &str) -> Option<u64> {
    scaled(text, 1024)
}

/// A number with a suffix for a power of `kilo`.
fn scaled(text: &str, kilo: u64) -> Option<u64> {
    let (negative, digits) = sign(text);
    if negative {
        return None;
    }
    if digits.starts_with("0x") || digits.starts_with("0X") {
        return magnitude(digits);
    }
    let end = digits.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
            rest.split_at(end)
        }
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let power = match suffix {
        "" | "B" | "b" => 0,
        "K" | "k" => 1,
        "M" | "m" => 2,
        "G" | "g" => 3,
        "T" | "t" => 4,
        "P" | "p" => 5,
        "E" | "e" => 6,
        _ => return None,
    };
    let times = kilo.pow(power);
    whole.checked_mul(times)?.checked_add(part(fraction, times)?)
}

/// `0.fraction` of `times`, rounded to the nearest. Fractions of a byte are an error, as in QEMU.
fn part(fraction: &str, times: u64) -> Option<u64> {
    if times == 1 {
        return fraction.bytes().all(|digit| digit == b'0').then_some(0);
    }
    let (mut part, mut unit) = (0u128, u128::from(times) << 32);
    for digit in fraction.bytes() {
        unit /= 10;
        part += unit * u128::from(digit - b'0');
    }
    u64::try_from((part + (1 << 31)) >> 32).ok()
}

#[cfg(test)]
mod tests {
    use super::{metric, signed, size, unsigned};

    #[test]
    fn numbers_are_cs() {
        assert_eq!(unsigned("0x10"), Some(16));
        assert_eq!(unsigned(" +010"), Some(8));
        assert_eq!(unsigned("-1"), Some(u64::MAX));
        assert_eq!(unsigned("0"), Some(0));
        for wrong in ["", "0x", "08", "1 ", "--1", "+-1", "abc", "18446744073709551616"] {
            assert_eq!(unsigned(wrong), None, "{wrong:?}");
        }
        assert_eq!(signed("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(signed("9223372036854775808"), None);
    }

    #[test]
    fn numbers_have_suffixes() {
        assert_eq!(metric("2.5G"), Some(2_500_000_000));
        assert_eq!(metric(".5G"), Some(500_000_000));
        assert_eq!(metric("."), None);
        assert_eq!(size("1.5k"), Some(1536));
        assert_eq!(metric("2599999k"), Some(2_599_999_000));
        assert_eq!(metric("1000"), Some(1000));
        assert_eq!(metric("1.25"), None);
        assert_eq!(metric("1x"), None);
    }
}
