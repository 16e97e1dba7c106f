//! The feature words that a program has.
//!
//! A release adds a word with its first names: one of the base's words of which the program has no name is newer than the
//! program, which neither queries KVM for it nor fills its register.

use std::collections::BTreeSet;

use crate::facts::QemuFacts;

/// Removes the words of which the base names bits but the program none, with the rows that refer to them. Words without
/// names, such as the masks of XSAVE components, stay.
pub(super) fn remove_absent(base: &QemuFacts, facts: &mut QemuFacts) {
    let has: BTreeSet<&str> = facts.bits.iter().map(|bit| bit.word.as_str()).collect();
    let absent: BTreeSet<&str> =
        base.bits.iter().map(|bit| bit.word.as_str()).filter(|word| !has.contains(word)).collect();
    let stays = |word: &str| !absent.contains(word);
    facts.words.retain(|row| stays(&row.name));
    facts.masks.retain(|row| stays(&row.word));
    facts.comments.retain(|row| stays(&row.word));
    facts.deps.retain(|row| stays(&row.from.0) && stays(&row.to.0));
    facts.xsave.retain(|row| stays(&row.word));
    for model in &mut facts.models {
        model.words.retain(|row| stays(&row.word));
    }
}
