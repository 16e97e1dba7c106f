//! Checks of uniqueness.

use std::hash::Hash;

use super::finding::Findings;
use super::key::{Key, Kind};
use super::release::Release;
use crate::diagnostic::Diagnostic;
use crate::hash::QuickMap;
use crate::source::Span;

/// The owner of a claim and its place; two claims by one owner are a finding too.
pub(super) struct Claim {
    pub(super) by: String,
    pub(super) at: Span,
}

/// Reports everything that has several claims in `items`; `what` formats the thing, `claim` returns the owner.
pub(super) fn check_unique<T: Eq + Hash, I: Copy>(
    findings: &mut Findings<'_>,
    release: &Release,
    kind: Kind,
    items: impl Iterator<Item = (T, I)>,
    what: impl Fn(&T) -> String,
    claim: impl Fn(I) -> Claim,
) {
    let mut first: QuickMap<T, I> = QuickMap::default();
    first.reserve(items.size_hint().0);
    for (thing, item) in items {
        let Some(&earlier) = first.get(&thing) else {
            first.insert(thing, item);
            continue;
        };
        let (subject, earlier, later) = (what(&thing), claim(earlier), claim(item));
        let key = Key::new(kind, subject.clone(), earlier.by.clone(), later.by.clone());
        findings.add(key, &[release], || {
            Diagnostic::error(later.at, format!("{subject} is `{}` here", later.by))
                .with_label(earlier.at, format!("and `{}` here", earlier.by))
        });
    }
}

/// Reports rows that repeat an earlier one; `what` formats a row.
pub(super) fn check_repeated<T: Eq + Hash>(
    findings: &mut Findings<'_>,
    release: &Release,
    rows: impl Iterator<Item = (T, Span)>,
    what: impl Fn(&T) -> String,
) {
    let mut seen: QuickMap<T, (Span, usize)> = QuickMap::default();
    seen.reserve(rows.size_hint().0);
    for (row, at) in rows {
        let Some((first, count)) = seen.get_mut(&row) else {
            seen.insert(row, (at, 1));
            continue;
        };
        *count += 1;
        let (first, count, row) = (*first, *count, what(&row));
        findings.add(Key::new(Kind::RowTwice, row.clone(), count.to_string(), "-"), &[release], || {
            Diagnostic::error(at, format!("`{row}` is repeated here (occurrence {count})"))
                .with_label(first, "first here")
        });
    }
}
