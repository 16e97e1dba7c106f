//! A release, as findings name it.

/// A release in findings; `rank` is its position among the project's releases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release {
    pub(super) project: &'static str,
    pub(super) rank: usize,
    pub(super) name: String,
}

/// Major and minor number of a development snapshot of QEMU, which has a third number from 50 on; `None` for a release.
pub(super) fn snapshot_of(release: &str) -> Option<[u32; 2]> {
    let mut numbers = release.split(['.', '-']).map(|part| part.parse::<u32>().ok());
    let [major, minor, point] = [numbers.next()??, numbers.next()??, numbers.next()??];
    (point >= 50).then_some([major, minor])
}
