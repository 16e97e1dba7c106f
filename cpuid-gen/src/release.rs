//! The order of releases: by number, not by text (6.9 is older than 6.12), with release candidates before their release.

/// The name of a Linux or QEMU release, ordered by age.
///
/// Missing numbers count as 0, so that `7.3-rc2 < 7.3-rc10 < 7.3 < 7.3.1`. Names that differ only in another suffix, or
/// only in zeros at the end, are ordered by their text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReleaseOrder<'a> {
    /// The numbers, without zeros at the end.
    numbers: Vec<u64>,
    /// The number of a release candidate, or `u64::MAX` for a release.
    candidate: u64,
    name: &'a str,
}

impl<'a> ReleaseOrder<'a> {
    pub(crate) fn new(name: &'a str) -> ReleaseOrder<'a> {
        let (numbers, suffix) = name.split_once('-').unwrap_or((name, ""));
        // A part that is not a number counts as the newest.
        let mut numbers: Vec<u64> = numbers.split('.').map(|part| part.parse().unwrap_or(u64::MAX)).collect();
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        let candidate = suffix.strip_prefix("rc").and_then(|number| number.parse().ok());
        ReleaseOrder { numbers, candidate: candidate.unwrap_or(u64::MAX), name }
    }
}

/// The last of some releases that is older than this one, and the first that is not.
pub(crate) fn around<'f, T>(own: &str, pinned: &'f [T], name: impl Fn(&T) -> &str) -> Vec<&'f T> {
    let own = ReleaseOrder::new(own);
    let older = pinned.iter().filter(|other| ReleaseOrder::new(name(other)) < own);
    let newer = pinned.iter().filter(|other| ReleaseOrder::new(name(other)) >= own);
    let by_release = |a: &&T, b: &&T| ReleaseOrder::new(name(a)).cmp(&ReleaseOrder::new(name(b)));
    older.max_by(by_release).into_iter().chain(newer.min_by(by_release)).collect()
}

#[cfg(test)]
mod tests {
    use super::ReleaseOrder;

    fn ascends(releases: &[&str]) -> bool {
        releases.is_sorted_by(|a, b| ReleaseOrder::new(a) < ReleaseOrder::new(b))
    }

    #[test]
    fn releases_ascend_by_number() {
        assert!(ascends(&["4.4.302", "6.1", "6.1.9", "6.1.10", "6.1.192", "6.9.1", "6.12.117", "10.2.2"]));
    }

    #[test]
    fn release_candidates_ascend_by_number_and_precede_their_release() {
        assert!(ascends(&["7.2.22", "7.3-rc1", "7.3-rc2", "7.3-rc10", "7.3", "7.3.1-rc1", "7.3.1"]));
        assert!(ascends(&["7.3.0-rc2", "7.3.0-rc10", "7.3", "7.3.0"]));
    }

    #[test]
    fn text_that_is_not_a_number_is_newest() {
        assert!(ascends(&["7.3", "7.3-custom", "7.x", "", "devel"]));
    }
}
