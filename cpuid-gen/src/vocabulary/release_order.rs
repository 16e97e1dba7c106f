/// The name of a Linux or QEMU release, ordered by age: by number, not by text (6.9 is older than 6.12), with release
/// candidates before their release.
///
/// Missing numbers count as 0, so that `7.3-rc2 < 7.3-rc10 < 7.3 < 7.3.1`. Names that differ only in another suffix, or
/// only in zeros at the end, are ordered by their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReleaseOrder<'a>(&'a str);

impl<'a> ReleaseOrder<'a> {
    #[must_use]
    pub(crate) const fn new(name: &'a str) -> ReleaseOrder<'a> {
        ReleaseOrder(name)
    }

    /// The numbers before the suffix, then zeros. Text without a number counts as the newest.
    fn numbers(self) -> impl Iterator<Item = u64> + 'a {
        let numbers = self.0.split_once('-').map_or(self.0, |(numbers, _)| numbers);
        numbers.split('.').map(leading_number).chain(core::iter::repeat(0))
    }

    /// The number of a release candidate, or the highest one for a release.
    fn candidate(self) -> u64 {
        let suffix = self.0.split_once('-').and_then(|(_, suffix)| suffix.strip_prefix("rc"));
        suffix.map_or(u64::MAX, leading_number)
    }

    fn parts(self) -> usize {
        self.0.split('.').count()
    }
}

impl Ord for ReleaseOrder<'_> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        let parts = self.parts().max(other.parts());
        let by_number = self.numbers().take(parts).cmp(other.numbers().take(parts));
        by_number.then_with(|| self.candidate().cmp(&other.candidate())).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for ReleaseOrder<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The number that a text begins with, or the highest one.
fn leading_number(text: &str) -> u64 {
    let digits = text.find(|c: char| !c.is_ascii_digit()).map_or(text, |end| &text[..end]);
    digits.parse().unwrap_or(u64::MAX)
}
