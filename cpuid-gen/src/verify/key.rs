//! What identifies a finding, the same in every release, so that a row of `differences.tsv` can explain it.

macro_rules! kinds {
    ($($variant:ident $name:literal $about:literal,)+) => {
        /// What a finding is about; also the first column of `differences.tsv`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $about] $variant,)+
        }

        impl Kind {
            /// All, with their names.
            pub const ALL: &'static [(Kind, &'static str)] = &[$((Kind::$variant, $name),)+];
        }
    };
}

kinds! {
    LeafName "leaf-name" "A word's name states another place than its row.",
    WordTwice "word-twice" "Two words of one release have the same name, index or location.",
    WordMissing "word-missing" "An index below the count has no word.",
    Count "count" "A count is absent, given twice or at odds with the rows.",
    NoWord "no-word" "A row names a word that the release does not have.",
    KvmWord "kvm-word" "A feature that KVM has for itself is in a word of the kernel's.",
    NameTwice "name-twice" "One name stands at two places.",
    BitTwice "bit-twice" "Two names stand at one place.",
    FlagTwice "flag-twice" "Two features show the same flag.",
    RowTwice "row-twice" "The same row stands there more than once.",
    Unresolved "unresolved" "A row names a feature that nothing defines.",
    Scattered "scattered" "A scattered feature contradicts another statement about the same bit or feature.",
    Translation "translation" "KVM's place for a kernel feature contradicts another statement.",
    Cap "cap" "KVM's capability list puts a feature in a word that does not hold it.",
    BitRange "bit-range" "A bit beyond the width of its word.",
    Comment "comment" "The place that a comment states is not the one in the table.",
    Macro "macro" "A constant stands for no single bit of a word that the release has.",
    MacroName "macro-name" "A constant's name is not that of the bit it stands for.",
    WordOneSided "word-one-sided" "A register is a word of one project only.",
    Config "config" "What the source says to require or to disable a feature has no effect.",
    FieldName "field-name" "A field of cpuid.csv and the feature at its bit have different names.",
    FieldWide "field-wide" "A field of several bits covers one that is a feature.",
    FieldElsewhere "field-elsewhere" "A field of cpuid.csv has the name of a feature that stands elsewhere.",
    FieldOverlap "field-overlap" "Two fields of a register share bits.",
    BitName "bit-name" "The two projects call a bit differently.",
    NameElsewhere "name-elsewhere" "The two projects have the same name at different places.",
    DepCircle "dep-circle" "Features of one release need each other in a circle.",
    DepOpposite "dep-opposite" "The two projects' dependencies contradict each other: together they go in a circle.",
    Changed "changed" "A newer release says something else than an older one.",
    Gone "gone" "A newer release no longer says what an older one said.",
}

impl Kind {
    /// The name in `differences.tsv` and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// What identifies a finding, whatever release shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is about.
    pub kind: Kind,
    /// The place or the name.
    pub subject: String,
    /// What the first side says, `-` for nothing.
    pub left: String,
    /// What the second side says, `-` for nothing.
    pub right: String,
}

impl Key {
    /// A key of these parts.
    pub fn new(
        kind: Kind,
        subject: impl Into<String>,
        left: impl Into<String>,
        right: impl Into<String>,
    ) -> Key {
        Key { kind, subject: subject.into(), left: left.into(), right: right.into() }
    }
}
