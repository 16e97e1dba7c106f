//! A release, as findings name it.

/// A release in findings; `rank` is its position among the project's releases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release {
    pub(super) project: &'static str,
    pub(super) rank: usize,
    pub(super) name: String,
}
