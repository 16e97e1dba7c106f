//! The identity of a finding, which is the same in every release, so that a row of `differences.tsv` can explain it.

macro_rules! kinds {
    ($($variant:ident $name:literal $about:literal,)+) => {
        /// The kind of a finding, which is the first column of `differences.tsv`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
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
    LeafName "leaf-name" "A word's name and its row have different locations.",
    WordTwice "word-twice" "Two words of one release have the same name, index or location.",
    WordMissing "word-missing" "An index below the count has no word.",
    Count "count" "A count is missing, duplicate or inconsistent with the rows.",
    NoWord "no-word" "A row names a word that the release does not have.",
    KvmWord "kvm-word" "A feature that KVM defines is in a word of the kernel.",
    NameTwice "name-twice" "One name has two places.",
    BitTwice "bit-twice" "Two names have one place.",
    FlagTwice "flag-twice" "Two features show the same flag.",
    RowTwice "row-twice" "A row is repeated.",
    Unresolved "unresolved" "A row names a feature that nothing defines.",
    Inconsistent "inconsistent" "A row contradicts another row of its release, or names what the release does not have.",
    Scattered "scattered" "A scattered feature contradicts another statement about the same bit or feature.",
    Translation "translation" "KVM's place for a kernel feature contradicts another statement.",
    Cap "cap" "KVM's capability list puts a feature in a word that does not contain it.",
    BitRange "bit-range" "A bit beyond the width of its word.",
    Comment "comment" "A comment and the table have different locations.",
    Macro "macro" "A constant is not a single bit of a word of the release.",
    MacroName "macro-name" "A constant and its bit have different names.",
    WordOneSided "word-one-sided" "A register is a word of one project only.",
    Config "config" "A statement that requires or disables a feature has no effect.",
    FieldName "field-name" "A field of cpuid.csv and the feature at its bit have different names.",
    FieldWide "field-wide" "A field of several bits contains a feature.",
    FieldElsewhere "field-elsewhere" "A field of cpuid.csv has the name of a feature at another location.",
    FieldOverlap "field-overlap" "Two fields of a register share bits.",
    LeafTypeName "leaf-type-name" "A field of leaf_types.h has another name in cpuid.csv, and is not named after the feature.",
    LeafTypePlace "leaf-type-place" "A field of leaf_types.h or cpuid.csv is not at the same place in the other file.",
    BitName "bit-name" "The two projects have different names for a bit.",
    NameElsewhere "name-elsewhere" "The two projects have the same name at different places.",
    DepCircle "dep-circle" "The dependencies of one release form a cycle.",
    DepOpposite "dep-opposite" "The dependencies of the two projects together form a cycle.",
    Changed "changed" "A newer release changes a statement of an older one.",
    Added "added" "A change adds a statement to what is released, or one that takes a feature from guests.",
    Gone "gone" "A newer release drops a statement of an older one.",
    ModelBit "model-bit" "A CPU model has a feature that KVM does not advertise.",
    KvmOmits "kvm-omits" "KVM's capability list for a word leaves out a feature that Linux and QEMU name.",
    Synthesized "synthesized" "A synthesized feature is in a word that only KVM has.",
    NewestCompat "newest-compat" "The newest machine type of a board changes a property of a CPU.",
    MachineCompat "machine-compat" "A machine type uses the compatibility properties of another release than its own.",
    ListLength "list-length" "A list of compatibility properties is used with the length of another list.",
    MachineBase "machine-base" "A machine type is not based on the next newer one of its board.",
    ModelId "model-id" "A model id states another release than its machine type's.",
    DepDirection "dep-direction" "A CPUID bit depends on a VMX control, which itself follows from CPUID.",
    DepAdded "dep-added" "A change adds a dependency that no other release or project states.",
    DepProcessor "dep-processor" "A processor has a feature without one that a project says it depends on.",
    DepMissing "dep-missing" "A dependency that the manuals state is missing.",
    DepRefuted "dep-refuted" "A dependency that the manuals do not have.",
    NoMigration "no-migration" "A word has neither names nor a mask of what can migrate.",
    StateMigration "state-migration" "An XSAVE component is not among those that can migrate.",
    MacroCase "macro-case" "A constant has lower-case letters.",
    UnnamedBit "unnamed-bit" "A CPU model has a bit without a name.",
    AliasModelId "alias-model-id" "A version with a name of its own has the model id of another version.",
    NoteTwice "note-twice" "Two versions of a CPU model have the same note.",
    NotHandedOut "not-handed-out" "KVM's capability lists fill a word that its CPUID code never uses.",
    CommentName "comment-name" "A macro is spelled differently from a word of its comment.",
    ModelLacks "model-lacks" "A CPU model lacks a feature that its processor has and KVM advertises.",
    ModelExtra "model-extra" "A CPU model has a feature that its processor does not have.",
    ModelNumber "model-number" "A CPU model has the family, model or stepping of another processor.",
    ModelGap "model-gap" "A CPU model lacks a feature that an older and a newer model of its line have.",
    ModelOdd "model-odd" "A CPU model has a feature that neither its predecessor nor its successor has.",
    ModelParam "model-param" "A CPU model has a feature that KVM only provides with a module parameter.",
    ModuleVendor "module-vendor" "A vendor module of KVM advertises a feature that only processors of other vendors have.",
    ModelDep "model-dep" "A CPU model has a feature without one that it depends on.",
    ModelVendor "model-vendor" "A CPU model has another vendor than the models of its line of processors.",
    CacheNumbers "cache-numbers" "The numbers of a cache contradict each other, or its place in a model.",
    CacheReal "cache-real" "A cache of a CPU model has numbers that no dump of its processor has.",
    StatePlace "state-place" "An XSAVE component has another size or offset than in processors.",
    SameSignature "same-signature" "Two CPU models have the same vendor, family, model and stepping.",
    BitElsewhere "bit-elsewhere" "A name is at one bit in one project and at another bit in others.",
    BitWord "bit-word" "Two projects use different words in the name of a bit, although both use both words elsewhere in its register.",
    Misspelled "misspelled" "A name differs in one letter from that of the nearest pinned release.",
    NameLost "name-lost" "A bit has no name, though the pinned release before has one for it.",
    WordMoved "word-moved" "The features of a register are at another register than in another state of the project.",
    DepUnstated "dep-unstated" "A dependency that two projects state is missing in a third one.",
}

impl Kind {
    /// True for what the pinned releases cannot show: what only trees have (comments, the uses of words in code, lists of
    /// compatibility properties), and what differs from the pinned releases themselves.
    pub(super) fn is_of_others(self) -> bool {
        matches!(
            self,
            Kind::CommentName
                | Kind::NotHandedOut
                | Kind::MachineCompat
                | Kind::ListLength
                | Kind::Misspelled
                | Kind::NameLost
                | Kind::WordMoved
                | Kind::Added
                | Kind::DepAdded
        )
    }

    /// The name in `differences.tsv` and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// The identity of a finding, independent of the release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind of finding.
    pub kind: Kind,
    /// The place or the name.
    pub subject: String,
    /// The first side's statement, `-` for none.
    pub left: String,
    /// The second side's statement, `-` for none.
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
