//! Bit numbers as text.

use alloc::string::{String, ToString};

/// Bit numbers as text: `3, 17-19`.
#[must_use]
pub fn bit_list(bits: u32) -> String {
    let mut text = String::new();
    let mut left = bits;
    while left != 0 {
        let low = left.trailing_zeros();
        let run = (left >> low).trailing_ones();
        if !text.is_empty() {
            text += ", ";
        }
        text += &low.to_string();
        if run > 1 {
            text += "-";
            text += &(low + run - 1).to_string();
        }
        left &= u32::MAX.checked_shl(low + run).unwrap_or(0);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::bit_list;

    #[test]
    fn bits_in_words() {
        assert_eq!(bit_list(0), "");
        assert_eq!(bit_list(1 << 3 | 7 << 17), "3, 17-19");
        assert_eq!(bit_list(u32::MAX), "0-31");
        assert_eq!(bit_list(1 << 31 | 1), "0, 31");
    }
}
