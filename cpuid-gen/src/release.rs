//! Releases next to another one.

use crate::vocabulary::release_order::ReleaseOrder;

/// The last of some releases that is older than this one, and the first that is not.
pub(crate) fn around<'f, T>(own: &str, pinned: &'f [T], name: impl Fn(&T) -> &str) -> Vec<&'f T> {
    let own = ReleaseOrder::new(own);
    let older = pinned.iter().filter(|other| ReleaseOrder::new(name(other)) < own);
    let newer = pinned.iter().filter(|other| ReleaseOrder::new(name(other)) >= own);
    let by_release = |a: &&T, b: &&T| ReleaseOrder::new(name(a)).cmp(&ReleaseOrder::new(name(b)));
    older.max_by(by_release).into_iter().chain(newer.min_by(by_release)).collect()
}
