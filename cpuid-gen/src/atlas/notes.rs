//! One line about each leaf, written for this project.

use serde_json::{Value, json};

/// Leaf and subject, separated by a tab.
const LEAVES: &str = include_str!("leaves.tsv");

/// The subject of each leaf: `[[leaf, text], ...]`.
pub(super) fn leaves() -> Value {
    let rows = LEAVES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    rows.map(|(leaf, text)| json!([leaf, text])).collect()
}
