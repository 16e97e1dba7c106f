//! Lists of names in messages.

use std::fmt::Display;

/// At most this many of the names, and the number of the others: `A, B, C and 2 more`.
pub(super) fn few(names: &[impl Display], most: usize) -> String {
    let shown: Vec<String> = names.iter().take(most).map(ToString::to_string).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
