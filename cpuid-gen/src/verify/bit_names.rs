//! Masks of QEMU's feature words in messages: the names of the bits.

use super::few::few;
use crate::facts::QemuFacts;

/// More bits of one mask than this are counted.
const MOST: usize = 4;

/// The names of the bits of a mask, which `name` knows.
pub(super) fn names<'n>(mask: u64, name: impl Fn(u8) -> Option<&'n str>) -> String {
    let bits = (0..64).filter(|bit| mask >> bit & 1 == 1);
    let shown = |bit: u8| name(bit).map_or_else(|| format!("bit {bit}"), |name| format!("`{name}`"));
    few(&bits.map(shown).collect::<Vec<_>>(), MOST)
}

/// The names of the bits of a mask of a word.
pub(super) fn of_word(facts: &QemuFacts, word: &str, mask: u64) -> String {
    if mask == u64::MAX {
        return format!("every bit of `{word}`");
    }
    let name = |bit: u8| {
        let named = facts.bits.iter().find(|known| known.word == word && known.bit.0 == bit);
        named.map(|known| known.name.as_str())
    };
    format!("{} of `{word}`", names(mask, name))
}
