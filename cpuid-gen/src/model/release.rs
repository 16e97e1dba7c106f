//! The releases of one project, in their order.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::ordered::sort_by;
use crate::source::Span;
use crate::vocabulary::release_order::ReleaseOrder;

/// True when `release` is older than `other`; false if `other` is empty.
pub(super) fn is_older(release: &str, other: &str) -> bool {
    !other.is_empty() && ReleaseOrder::new(release) < ReleaseOrder::new(other)
}

/// The facts, oldest release first. A release given twice is an error; its first facts are kept.
pub(super) fn sorted<'a, F>(
    all: &'a [F],
    name: impl Fn(&'a F) -> (&'a String, Span),
    diagnostics: &mut Diagnostics,
) -> Vec<&'a F> {
    let mut order: Vec<&F> = all.iter().collect();
    sort_by(&mut order, |a, b| ReleaseOrder::new(name(a).0).cmp(&ReleaseOrder::new(name(b).0)));
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
