//! Records of a QEMU tree: its feature words and everything that refers to them.

use std::fmt;

use crate::location::{Bit, CpuidPlace, CpuidWord, Leaf, Msr, Register, Subleaf, Word, WordSource};
use crate::source::Span;

use super::cpu_model::{QemuCacheDescriptor, QemuDep, QemuLegacyCache, QemuModel, QemuXsave};
use super::machine::{
    QemuAlias, QemuCompat, QemuCompatList, QemuDefault, QemuHyperv, QemuHypervDep, QemuListLength,
    QemuMachine, QemuProperty,
};

/// The facts of a QEMU tree.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QemuFacts {
    /// `10.0.13`: the VERSION file.
    pub release: String,
    /// Where the release is stated.
    #[doc(hidden)]
    pub at: Span,
    /// `feature_word_info[]`, in its order.
    #[doc(hidden)]
    pub words: Vec<QemuWord>,
    /// The names in its `feat_names`.
    #[doc(hidden)]
    pub bits: Vec<QemuBit>,
    /// Its masks, except those that are zero.
    #[doc(hidden)]
    pub masks: Vec<QemuMask>,
    /// `CPUID_*` constants of cpu.h for one bit or several of a feature word.
    #[doc(hidden)]
    pub macros: Vec<QemuMacro>,
    /// Locations stated in comments beside the `FeatureWord` enumerators.
    #[doc(hidden)]
    pub comments: Vec<QemuComment>,
    /// `builtin_x86_defs[]`.
    #[doc(hidden)]
    pub models: Vec<QemuModel>,
    /// `feature_dependencies[]`.
    #[doc(hidden)]
    pub deps: Vec<QemuDep>,
    /// `x86_ext_save_areas[]`, by component.
    #[doc(hidden)]
    pub xsave: Vec<QemuXsave>,
    /// The caches of models that do not define their own.
    #[doc(hidden)]
    pub legacy_caches: Vec<QemuLegacyCache>,
    /// `cpuid2_cache_descriptors[]`, by byte.
    #[doc(hidden)]
    pub cache_descriptors: Vec<QemuCacheDescriptor>,
    /// `kvm_default_props[]`.
    #[doc(hidden)]
    pub kvm_defaults: Vec<QemuDefault>,
    /// TCG's default properties.
    #[doc(hidden)]
    pub tcg_defaults: Vec<QemuDefault>,
    /// PC machine types, each after its base.
    #[doc(hidden)]
    pub machines: Vec<QemuMachine>,
    /// Their compatibility properties that affect CPUs.
    #[doc(hidden)]
    pub compat: Vec<QemuCompat>,
    /// The lists of compatibility properties that each adds to its base's. Only a tree has them; facts files do not.
    #[doc(hidden)]
    pub compat_lists: Vec<QemuCompatList>,
    /// Lists that are used with the length of another one. Only a tree has them; facts files do not.
    #[doc(hidden)]
    pub list_lengths: Vec<QemuListLength>,
    /// Aliases of properties.
    #[doc(hidden)]
    pub aliases: Vec<QemuAlias>,
    /// Properties that are not bits of feature words.
    #[doc(hidden)]
    pub properties: Vec<QemuProperty>,
    /// The bits that Hyper-V properties set.
    #[doc(hidden)]
    pub hyperv: Vec<QemuHyperv>,
    /// The requirements of Hyper-V properties.
    #[doc(hidden)]
    pub hyperv_deps: Vec<QemuHypervDep>,
    /// Those that are in code and not in the table. Only a tree has them; `None` for facts files.
    #[doc(hidden)]
    pub hyperv_code_deps: Option<Vec<QemuHypervDep>>,
}

/// The register that a QEMU feature word represents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QemuSource {
    /// A CPUID register; `subleaf` is `None` if the leaf has no subleaves (`needs_ecx` false).
    Cpuid {
        /// Input EAX.
        leaf: Leaf,
        /// Input ECX.
        subleaf: Option<Subleaf>,
        /// The output register.
        register: Register,
    },
    /// A model-specific register.
    Msr(Msr),
}

impl fmt::Display for QemuSource {
    /// The manuals' notation, without a subleaf if QEMU states none: `CPUID.(EAX=1):EDX`, `MSR 0x10a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            QemuSource::Cpuid { leaf, subleaf, register } => {
                CpuidPlace { leaf, subleaf, register: Some(register), bits: 0 }.fmt(f)
            }
            QemuSource::Msr(msr) => msr.fmt(f),
        }
    }
}

impl QemuSource {
    /// The same by its coordinates alone; a missing subleaf is 0.
    #[must_use]
    pub fn word_source(self) -> WordSource {
        match self {
            QemuSource::Cpuid { leaf, subleaf, register } => {
                WordSource::Cpuid(CpuidWord { leaf, subleaf: subleaf.unwrap_or(Subleaf(0)), register })
            }
            QemuSource::Msr(msr) => WordSource::Msr(msr),
        }
    }

    /// The CPUID register; a missing subleaf is 0.
    #[must_use]
    pub fn cpuid_word(self) -> Option<CpuidWord> {
        match self.word_source() {
            WordSource::Cpuid(word) => Some(word),
            WordSource::Msr(_) => None,
        }
    }
}

/// A row of `feature_word_info[]`.
#[derive(Clone, Debug)]
pub struct QemuWord {
    /// The enumerator: `FEAT_7_0_EBX`.
    pub name: String,
    /// Its index in this release.
    pub index: Word,
    /// The register it represents.
    pub source: QemuSource,
    /// Its place.
    pub at: Span,
}

/// A name in a row's `feat_names`.
#[derive(Clone, Debug)]
pub struct QemuBit {
    /// The row's enumerator.
    pub word: String,
    /// Bit, 0 to 63.
    pub bit: Bit,
    /// The name as the source spells it; older releases separate alternatives with `|`.
    pub name: String,
    /// Its place.
    pub at: Span,
}

impl QemuBit {
    /// The alternatives.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.name.split('|')
    }
}

/// The masks of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MaskKind {
    /// Features that TCG implements.
    Tcg,
    /// Features that prevent migration.
    Unmigratable,
    /// Unnamed features known to be migratable.
    Migratable,
    /// Features that `-cpu host` does not enable.
    NoAutoenable,
}

impl MaskKind {
    /// All, with their names in facts.
    pub const ALL: [(MaskKind, &'static str); 4] = [
        (MaskKind::Tcg, "tcg"),
        (MaskKind::Unmigratable, "unmigratable"),
        (MaskKind::Migratable, "migratable"),
        (MaskKind::NoAutoenable, "no-autoenable"),
    ];

    /// The name in facts.
    #[must_use]
    pub fn name(self) -> &'static str {
        MaskKind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind with a given name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<MaskKind> {
        MaskKind::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// A mask of a row.
#[derive(Clone, Debug)]
pub struct QemuMask {
    /// The row's enumerator.
    pub word: String,
    /// Which mask.
    pub kind: MaskKind,
    /// Its bits.
    pub mask: u64,
    /// Its place.
    pub at: Span,
}

/// A constant of cpu.h.
#[derive(Clone, Debug)]
pub struct QemuMacro {
    /// The macro with its prefix.
    pub name: String,
    /// Its value.
    pub value: u64,
    /// Its place.
    pub at: Span,
}

/// The location stated in a comment beside an enumerator.
#[derive(Clone, Debug)]
pub struct QemuComment {
    /// The enumerator.
    pub word: String,
    /// Input EAX.
    pub leaf: Leaf,
    /// Input ECX, if the comment names it.
    pub subleaf: Option<Subleaf>,
    /// The output register.
    pub register: Register,
    /// Its place.
    pub at: Span,
}

impl QemuFacts {
    /// No rows yet.
    #[must_use]
    pub(crate) fn new(release: String, at: Span) -> QemuFacts {
        QemuFacts {
            release,
            at,
            words: Vec::new(),
            bits: Vec::new(),
            masks: Vec::new(),
            macros: Vec::new(),
            comments: Vec::new(),
            models: Vec::new(),
            deps: Vec::new(),
            xsave: Vec::new(),
            legacy_caches: Vec::new(),
            cache_descriptors: Vec::new(),
            kvm_defaults: Vec::new(),
            tcg_defaults: Vec::new(),
            machines: Vec::new(),
            compat: Vec::new(),
            compat_lists: Vec::new(),
            list_lengths: Vec::new(),
            aliases: Vec::new(),
            properties: Vec::new(),
            hyperv: Vec::new(),
            hyperv_deps: Vec::new(),
            hyperv_code_deps: None,
        }
    }

    /// The row with this enumerator.
    #[cfg(feature = "program")]
    #[must_use]
    pub(crate) fn word_named(&self, name: &str) -> Option<&QemuWord> {
        self.words.iter().find(|word| word.name == name)
    }
}

impl fmt::Display for MaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
