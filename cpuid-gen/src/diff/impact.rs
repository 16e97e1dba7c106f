//! The effects of a new release on users of the Rust API: the constants that change, and the required version number.

/// The part of a version number that must be incremented under Semantic Versioning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// The tables are the same.
    Nothing,
    /// The tables changed, but not the constants.
    Patch,
    /// Constants were added, deprecated or left without a release, or a field's place was corrected.
    Minor,
    /// A constant was removed, or has another bit.
    Major,
}

impl Level {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Nothing => "nothing",
            Level::Patch => "patch",
            Level::Minor => "minor",
            Level::Major => "major",
        }
    }
}

/// The change of a constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ApiChange {
    /// Removed, which the list of published constants forbids.
    Removed,
    /// The name now represents another bit, of a field whose place was corrected.
    Moved {
        /// The old meaning.
        was: String,
        /// The new meaning.
        is: String,
    },
    /// Deprecated in favour of this constant.
    Deprecated(String),
    /// Kept, although no release in the tables has its bit. `Some` is a constant of the same name in another module.
    Unused(Option<String>),
    /// Added.
    Added,
}

/// A constant that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiItem {
    /// `feature::AVX2`.
    pub constant: String,
    /// Its meaning: a location, a place in an MSR, or the kernel's macro.
    pub stands_for: String,
    /// The change.
    pub change: ApiChange,
}

/// The difference between two sets of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Impact {
    /// How the new release is adopted: `7.3.4 in place of 6.12.117`.
    pub how: String,
    /// The part of the version number that must be incremented.
    pub level: Level,
    /// The constants that change, starting with breaking changes.
    pub items: Vec<ApiItem>,
}
