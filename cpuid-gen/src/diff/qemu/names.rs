//! The names of the bits of one release's feature words.

use crate::facts::{QemuBit, QemuFacts};
use crate::hash::QuickMap;
use crate::index::QemuRows;

/// One release's rows, with the names that it gives to the bits of its feature words.
pub(super) struct Names<'a> {
    pub(super) rows: QemuRows<'a>,
    bits: QuickMap<(&'a str, u8), &'a QemuBit>,
}

impl<'a> Names<'a> {
    pub(super) fn new(facts: &'a QemuFacts) -> Names<'a> {
        let rows = QemuRows::new(facts);
        let bits = rows.bits();
        Names { rows, bits }
    }

    pub(super) fn bit(&self, word: &str, bit: u8) -> String {
        self.bits.get(&(word, bit)).map_or_else(|| format!("{word} bit {bit}"), |bit| bit.name.clone())
    }

    /// The bits of a mask; unnamed bits by word and number.
    pub(super) fn mask(&self, word: &str, mask: u64) -> Vec<String> {
        let is_set = |bit: u8| mask >> bit & 1 == 1;
        let mut all = Vec::new();
        let mut bits = (0..64).filter(|bit| is_set(*bit)).peekable();
        while let Some(first) = bits.next() {
            if let Some(bit) = self.bits.get(&(word, first)) {
                all.push(bit.name.clone());
                continue;
            }
            let mut last = first;
            while bits.next_if(|bit| *bit == last + 1 && !self.bits.contains_key(&(word, *bit))).is_some() {
                last += 1;
            }
            all.push(if first == last {
                self.bit(word, first)
            } else {
                format!("{word} bits {first} to {last}")
            });
        }
        all
    }

    /// The bits of a mask as one text; `None` if the mask is empty.
    pub(super) fn list(&self, word: &str, mask: u64) -> Option<String> {
        (mask != 0).then(|| match mask {
            u64::MAX => format!("all of {word}"),
            0xffff_ffff => format!("all 32 bits of {word}"),
            _ => self.mask(word, mask).join(", "),
        })
    }
}
