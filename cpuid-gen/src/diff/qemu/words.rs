//! Feature words: the register of each, and its number.

use crate::diff::change::Change;
use crate::diff::rows::{Line, between, pair, table};
use crate::facts::{QemuComment, QemuFacts, QemuSource, QemuWord};

/// Words by register; the remaining ones by enumerator.
pub(super) fn changes(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let by_source = pair(&old.words, &new.words, |word| word.source);
    let (removed, added) = (owned(by_source.removed), owned(by_source.added));
    let mut changes: Vec<Change> =
        by_source.kept.into_iter().filter_map(|(old, new)| between(line(old), line(new))).collect();
    changes.extend(table(&removed, &added, |word| &word.name, line));
    changes
}

fn owned(words: Vec<&QemuWord>) -> Vec<QemuWord> {
    words.into_iter().cloned().collect()
}

fn line(word: &QemuWord) -> Line {
    Line::new(&word.name, word.at).at(word.source)
}

/// Numbers that both releases use for different words; they are only meaningful within a release.
pub(super) fn indices(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let line = |word: &QemuWord| Line::new(&word.name, word.at).with("number", word.index.0);
    let paired = pair(&old.words, &new.words, |word| &word.name);
    paired.kept.into_iter().filter_map(|(old, new)| between(line(old), line(new))).collect()
}

/// `qemu-comment`.
pub(super) fn comments(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let line = |comment: &QemuComment| {
        let QemuComment { leaf, subleaf, register, .. } = *comment;
        let stated = QemuSource::Cpuid { leaf, subleaf, register };
        Line::new(&comment.word, comment.at).with("states", stated)
    };
    table(&old.comments, &new.comments, |comment| &comment.word, line)
}
