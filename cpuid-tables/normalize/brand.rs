//! The frequency in a brand string.

use super::action::Frequency;
use crate::table::Brand;

/// A text with the frequency of the host's brand string, if that has one.
pub(super) fn with_frequency(text: &str, rule: Frequency, host: Option<&Brand>) -> Brand {
    let plain = padded(&[text.as_bytes()]).unwrap_or(Brand([0; 48]));
    let with = host.and_then(|host| match rule {
        Frequency::Decimal => decimal(&host.0).and_then(|found| padded(&[text.as_bytes(), b" @ ", found])),
        Frequency::UpToEnd => up_to_end(&host.0).and_then(|found| padded(&[text.as_bytes(), b" @", found])),
    });
    with.unwrap_or(plain)
}

/// The parts, concatenated and padded with zeros; `None` if they are longer than a brand string.
fn padded(parts: &[&[u8]]) -> Option<Brand> {
    let mut brand = [0; 48];
    let mut at = 0;
    for part in parts {
        brand.get_mut(at..at + part.len())?.copy_from_slice(part);
        at += part.len();
    }
    Some(Brand(brand))
}

fn is_unit(text: &[u8]) -> bool {
    matches!(text, [b'M' | b'G' | b'T', b'H', b'z', ..])
}

/// The first `DIGITS.DIGITSxHz`. A number that turns out not to be one is skipped with the byte that ends it.
fn decimal(text: &[u8]) -> Option<&[u8]> {
    let digits = |from: usize| {
        text.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut from = 0;
    while from < text.len() {
        let point = from + digits(from);
        if point == from || text.get(point) != Some(&b'.') {
            from = point + 1;
            continue;
        }
        let unit = point + 1 + digits(point + 1);
        if unit > point + 1 && text.get(unit..).is_some_and(is_unit) {
            return text.get(from..unit + 3);
        }
        from = unit + 1;
    }
    None
}

/// From the blank before the number of the first unit to the end.
fn up_to_end(text: &[u8]) -> Option<&[u8]> {
    let unit = (0..text.len()).find(|at| is_unit(&text[*at..]))?;
    let number = text[..unit].iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let blank = (unit - number).checked_sub(1)?;
    (text[blank] == b' ').then(|| &text[blank..])
}
