//! A macro's name against the words of its own comment: a letter that is missing, wrong or in the wrong place shows
//! there. The comment is compared while it is read, and goes nowhere.

use crate::facts::LinuxSpelling;
use crate::source::{Sources, Span};

/// Shorter words differ by one letter without being a misspelling: `SSE` and `SSE2`, `IBRS` and `IBPB`.
const SHORTEST: usize = 5;

/// The word of the macro's comment that its name misspells, or is misspelled by.
pub(super) fn compare(sources: &Sources, name: &str, at: Span) -> Option<LinuxSpelling> {
    let text = &sources[at.file].text;
    let rest = text.get(at.end as usize..)?.lines().next()?;
    let (_, comment) = rest.split_once("/*")?;
    let word = misspelled(name, comment.split("*/").next().unwrap_or(comment))?;
    Some(LinuxSpelling { name: name.to_owned(), word, at })
}

fn misspelled(name: &str, comment: &str) -> Option<String> {
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let comment: Vec<String> = comment.split(word).map(str::to_ascii_uppercase).collect();
    let mut parts: Vec<&str> = vec![name];
    parts.extend(name.split('_'));
    for part in parts.into_iter().filter(|part| part.len() >= SHORTEST) {
        if comment.iter().any(|word| word.contains(part)) {
            return None;
        }
        let pieces = comment.iter().flat_map(|word| word.split('_').chain([word.as_str()]));
        if let Some(near) = pieces.into_iter().find(|word| word.len() >= SHORTEST && is_slip(part, word)) {
            return Some(near.to_owned());
        }
    }
    None
}

/// One letter is missing, wrong, or changed places with its neighbour. A letter before or after a word makes another
/// word (`XTOPOLOGY`, `XSAVEC`, a plural), and so does a number.
fn is_slip(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let start = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[start..], &other[start..]);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[..one.len() - end], &other[..other.len() - end]);
    let letters = one.iter().chain(other).all(u8::is_ascii_alphabetic);
    let slip = match (one, other) {
        ([_], []) | ([], [_]) => start > 0 && end > 0,
        ([_], [_]) => end > 0,
        ([a, b], [c, d]) => (a, b) == (d, c),
        _ => false,
    };
    letters && slip
}

#[cfg(test)]
mod tests {
    use super::misspelled;

    fn slip(name: &str, comment: &str) -> Option<String> {
        misspelled(name, comment)
    }

    #[test]
    fn one_letter_is_missing_or_wrong_or_has_changed_places() {
        assert_eq!(slip("APLES", " Apples by the dozen ").as_deref(), Some("APPLES"));
        assert_eq!(slip("RED_CHERRY", " Red Cherzy ").as_deref(), Some("CHERZY"));
        assert_eq!(slip("RED_CHRERY", " Red_Cherry ").as_deref(), Some("RED_CHERRY"));
    }

    #[test]
    fn other_words_numbers_and_short_or_equal_words_are_not_slips() {
        for (name, comment) in [
            ("APPLE", "Apples"),
            ("APPLE2", "Apple3"),
            ("PLUM", "Plim"),
            ("RED_CHERRY", "Cherry, not Cherzy"),
            ("APPLE", "Pears"),
            ("APPLED", "Apples"),
            ("XAPPLE", "Apple"),
            ("APPLEX", "Apple"),
        ] {
            assert_eq!(slip(name, comment), None, "{name}: {comment}");
        }
    }
}
