//! Messages about CPUs and virtualization that programs print, by words that the line has.
//!
//! `messages.tsv`: the words, the program, what it means, what to do, and names of features and MSRs that belong to it. The
//! first row that fits counts, so that one with more words comes before one with fewer of them. It is text for people, one line
//! for each message; as Rust each would be eight lines.

use alloc::string::String;
use alloc::vec::Vec;

use super::styled::{Style, Styled};

static MESSAGES: &str = include_str!("messages.tsv");

/// A message that a program printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Who prints it.
    pub program: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub help: &'static str,
    /// Names that belong to it, which [`find`](super::find) explains.
    pub names: &'static str,
}

/// The words of a row, and its message.
fn rows() -> impl Iterator<Item = (&'static str, Message)> {
    MESSAGES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        let words = columns.next()?;
        let (program, meaning, help) = (columns.next()?, columns.next()?, columns.next()?);
        Some((words, Message { program, meaning, help, names: columns.next().unwrap_or_default() }))
    })
}

/// The message that a line is.
pub(super) fn message(line: &str) -> Option<Message> {
    let folded: String = line.to_ascii_lowercase();
    rows().find(|(words, _)| words.split('&').all(|word| folded.contains(word))).map(|(_, message)| message)
}

impl Message {
    /// The names that belong to it.
    pub(super) fn names(self) -> Vec<&'static str> {
        self.names.split_ascii_whitespace().collect()
    }

    /// A heading, and what to do.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        text.line(Style::Heading, format_args!("message of {}: {}", self.program, self.meaning));
        text.plain(format_args!("  do         {}\n", self.help));
        text
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{MESSAGES, message, rows};
    use crate::show::find;

    #[test]
    fn rows_are_whole_lower_case_and_reached() {
        let count = MESSAGES.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count(), count);
        for (words, row) in rows() {
            assert_eq!(words, words.to_ascii_lowercase());
            let all: Vec<&str> = words.split('&').collect();
            assert_eq!(message(&all.join(" ")), Some(row), "{words} is hidden by an earlier row");
            assert!(!row.program.is_empty() && !row.meaning.is_empty() && !row.help.is_empty(), "{words}");
        }
    }

    #[test]
    fn names_are_known() {
        if !crate::naming::pinned() {
            return;
        }
        for (words, row) in rows() {
            for name in row.names() {
                assert!(!find(name).is_empty(), "{words}: {}", name);
            }
        }
    }
}
