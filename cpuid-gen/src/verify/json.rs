//! The report as JSON.

use serde_json::{Value, json};

use super::report::{Explained, Pair, Report};
use crate::diagnostic::json::place;
use crate::source::Sources;

impl Report {
    /// The whole report: findings, known differences, accepted rows that no finding needs, and for each pair the counts and one-sided words and bits.
    #[must_use]
    pub fn to_json(&self, sources: &Sources) -> Value {
        let rows = |rows: &[Explained]| rows.iter().map(|row| explained(sources, row)).collect::<Vec<_>>();
        json!({
            "explained": self.is_explained(),
            "findings": self.findings.iter().map(|found| found.to_json(sources)).collect::<Vec<_>>(),
            "known_differences": rows(&self.explained),
            "unneeded_accepted": rows(&self.unneeded),
            "pairs": self.pairs.iter().map(pair).collect::<Vec<_>>(),
        })
    }
}

fn explained(sources: &Sources, row: &Explained) -> Value {
    json!({
        "kind": row.key.kind.name(),
        "subject": row.key.subject,
        "left": row.key.left,
        "right": row.key.right,
        "verdict": row.verdict.name(),
        "reason": row.reason,
        "at": place(sources, row.at),
    })
}

fn pair(pair: &Pair) -> Value {
    let words = pair.words.iter().map(
        |word| json!({"location": word.location.to_string(), "side": word.side.name(), "name": word.name}),
    );
    let bits = pair
        .bits
        .iter()
        .map(|bit| json!({"location": bit.location.to_string(), "side": bit.side.name(), "name": bit.name}));
    let counts = pair.counts;
    json!({
        "linux": pair.linux,
        "qemu": pair.qemu,
        "words": {"both": counts.words_both, "linux": counts.words_linux, "qemu": counts.words_qemu},
        "bits": {
            "same_name": counts.bits_same_name,
            "known_difference": counts.bits_explained,
            "conflicting": counts.bits_conflicting,
            "linux": counts.bits_linux,
            "qemu": counts.bits_qemu,
        },
        "one_sided_words": words.collect::<Vec<_>>(),
        "one_sided_bits": bits.collect::<Vec<_>>(),
    })
}
