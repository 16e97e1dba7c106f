//! The feature words and dependencies that a program has.
//!
//! A release adds a word with its first names, and a dependency with or after the names of its features: one of the base's words
//! of which the program has no name is newer than the program, which neither queries KVM for it nor fills its register.

use crate::facts::{QemuBit, QemuFacts};
use crate::ordered::Set;

/// Removes the words of which the base names bits but the program none, with the rows that refer to them, and dependencies
/// on or of such bits. Words without names, such as the masks of XSAVE components, stay.
pub(super) fn remove_absent(base: &QemuFacts, facts: &mut QemuFacts) {
    let has: Set<&str> = facts.bits.iter().map(|bit| bit.word.as_str()).collect();
    let absent: Set<&str> =
        base.bits.iter().map(|bit| bit.word.as_str()).filter(|word| !has.contains(word)).collect();
    let stays = |word: &str| !absent.contains(word);
    facts.words.retain(|row| stays(&row.name));
    facts.masks.retain(|row| stays(&row.word));
    facts.comments.retain(|row| stays(&row.word));
    facts.xsave.retain(|row| stays(&row.word));
    for model in &mut facts.models {
        model.words.retain(|row| stays(&row.word));
    }
    let bits = &facts.bits;
    let known = |side: &(String, u64)| names(&base.bits, side) == 0 || names(bits, side) != 0;
    facts.deps.retain(|row| known(&row.from) && known(&row.to));
}

/// The number of named bits in a mask of a word.
fn names(bits: &[QemuBit], (word, mask): &(String, u64)) -> usize {
    bits.iter().filter(|row| row.word == *word && mask >> row.bit.0 & 1 != 0).count()
}
