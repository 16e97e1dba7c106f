//! The order of releases: by number, never by text (6.9 is older than 6.12).

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::ordered::sort_by;
use crate::source::Span;

/// What a release sorts by: its numbers, then whether it is final (`-rc1` comes before), then the whole text.
fn key(release: &str) -> (Vec<u64>, u64, &str) {
    let (numbers, suffix) = release.split_once('-').unwrap_or((release, ""));
    let parts = numbers.split('.').map(|part| part.parse().unwrap_or(u64::MAX)).collect();
    let candidate = suffix.strip_prefix("rc").and_then(|number| number.parse().ok());
    (parts, candidate.unwrap_or(u64::MAX), release)
}

/// True when `release` comes before `other`, if there is an other one.
pub(super) fn is_older(release: &str, other: &str) -> bool {
    !other.is_empty() && key(release) < key(other)
}

/// The facts, oldest release first; a release that comes twice is an error, and the first stays.
pub(super) fn sorted<'a, F>(
    all: &'a [F],
    name: impl Fn(&'a F) -> (&'a String, Span),
    diagnostics: &mut Diagnostics,
) -> Vec<&'a F> {
    let mut order: Vec<&F> = all.iter().collect();
    sort_by(&mut order, |a, b| key(name(a).0).cmp(&key(name(b).0)));
    order.dedup_by(|later, kept| {
        let ((later, at), (kept, first)) = (name(later), name(kept));
        let twice = later == kept;
        if twice {
            let message = format!("release `{later}` is given twice");
            diagnostics.push(Diagnostic::error(at, message).with_label(first, "first here"));
        }
        twice
    });
    order
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn releases_ascend_by_number() {
        let ordered =
            ["4.4.302", "6.1", "6.1.9", "6.1.10", "6.9.1", "6.12.117", "7.3-rc2", "7.3-rc10", "7.3"];
        assert!(ordered.is_sorted_by(|a, b| key(a) < key(b)));
    }
}
