//! Things that must be unique.

use std::collections::HashMap;
use std::hash::Hash;

use super::finding::{Findings, Key, Kind, Release};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// One thing, what it says, and its place.
pub(super) struct Claim<T> {
    /// What must be unique.
    pub(super) thing: T,
    /// Who claims it; two claims by the same one are a finding too.
    pub(super) by: String,
    pub(super) at: Span,
}

/// Reports every thing that is claimed more than once; `what` shows it.
pub(super) fn check_unique<T: Eq + Hash>(
    findings: &mut Findings<'_>,
    release: &Release,
    kind: Kind,
    claims: impl Iterator<Item = Claim<T>>,
    what: impl Fn(&T) -> String,
) {
    let mut first: HashMap<T, (String, Span)> = HashMap::new();
    for claim in claims {
        let Some((by, at)) = first.get(&claim.thing) else {
            first.insert(claim.thing, (claim.by, claim.at));
            continue;
        };
        let subject = what(&claim.thing);
        let key = Key::new(kind, subject.clone(), by.clone(), claim.by.clone());
        findings.add(key, &[release], || {
            Diagnostic::error(claim.at, format!("{subject} is `{}` here", claim.by))
                .with_label(*at, format!("and `{by}` here"))
        });
    }
}

/// Reports rows that are the same as an earlier one; `rows` shows each and has its place.
pub(super) fn check_repeated(
    findings: &mut Findings<'_>,
    release: &Release,
    rows: impl Iterator<Item = (String, Span)>,
) {
    let mut seen: HashMap<String, (Span, usize)> = HashMap::new();
    for (row, at) in rows {
        let (first, count) = seen.entry(row.clone()).or_insert((at, 0));
        *count += 1;
        if *count == 1 {
            continue;
        }
        let (first, count) = (*first, *count);
        findings.add(Key::new(Kind::RowTwice, row.clone(), count.to_string(), "-"), &[release], || {
            Diagnostic::error(at, format!("`{row}` stands here for the {count}. time"))
                .with_label(first, "the first time")
        });
    }
}
