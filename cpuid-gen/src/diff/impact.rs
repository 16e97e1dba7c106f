//! How a new release affects users of the Rust API: the constants that change, and the version number that this requires.

/// The part of a version number that has to grow, by Semantic Versioning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The tables are the same.
    Nothing,
    /// The tables hold something else behind the same constants.
    Patch,
    /// There are new constants, deprecated ones, ones without a release, or a field's place was corrected.
    Minor,
    /// A constant is gone, or means another bit.
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

/// What becomes of a constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiChange {
    /// Gone, which the list of published constants does not allow.
    Removed,
    /// The name is now that of another bit: of a field whose place was corrected.
    Moved {
        /// What it stood for.
        was: String,
        /// What it stands for.
        is: String,
    },
    /// Deprecated: its bit has this constant now.
    Deprecated(String),
    /// It stays, and no release of the tables has its bit; `Some` is a constant of the same name in another module.
    Unused(Option<String>),
    /// New.
    Added,
}

/// A constant that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiItem {
    /// `feature::AVX2`.
    pub constant: String,
    /// What it stands for: a location, a place in an MSR, or the kernel's macro.
    pub stands_for: String,
    /// What becomes of it.
    pub change: ApiChange,
}

/// The difference between two sets of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// How the new release is taken in: `7.3.4 in place of 6.12.117`.
    pub how: String,
    /// The part of the version number that has to grow.
    pub level: Level,
    /// The constants that change: what breaks users first.
    pub items: Vec<ApiItem>,
}
