//! Words: the register of each, and its number, which is only meaningful within one release.

use crate::diff::change::{Action, Change, Field};
use crate::diff::identity::Identity;
use crate::diff::rows::{Line, PLACE, pair, table};
use crate::facts::{LinuxFacts, LinuxWord};
use crate::location::CpuidWord;

/// A register's word is identified by the register, a software-defined word by its name.
type WordKey<'a> = Result<CpuidWord, &'a str>;

/// Words that were added, removed, moved or renamed, and numbers with a new meaning.
pub(super) fn changes(old: &LinuxFacts, new: &LinuxFacts) -> Vec<Change> {
    let placed = |word: &LinuxWord| line(word).with(PLACE, word.word.0);
    let mut changes = table(&old.words, &new.words, identity, placed);
    changes.extend(meanings(old, new));
    changes
}

fn identity(word: &LinuxWord) -> WordKey<'_> {
    word.location.ok_or(word.name.as_str())
}

fn line(word: &LinuxWord) -> Line {
    Line::new(&word.name, word.at).at(shown(word))
}

fn shown(word: &LinuxWord) -> Identity {
    word.location.map_or(Identity::Software, Into::into)
}

/// Numbers that are used for different words in both releases. Several words with one number are compared in order.
fn meanings(old: &LinuxFacts, new: &LinuxFacts) -> Vec<Change> {
    let other = |(was, word): (&LinuxWord, &LinuxWord)| -> Option<Change> {
        let meaning = |word: &LinuxWord| Some(format!("{} ({})", shown(word), word.name));
        (identity(was) != identity(word)).then(|| Change {
            action: Action::Changed,
            owner: None,
            subject: format!("word {}", word.word.0),
            was: None,
            at: None,
            moved: None,
            fields: vec![Field { name: "meaning".to_owned(), old: meaning(was), new: meaning(word) }],
            old_rows: vec![was.at],
            new_rows: vec![word.at],
        })
    };
    pair(&old.words, &new.words, |word| word.word).kept.into_iter().filter_map(other).collect()
}
