//! Records of a Linux tree; `kvm.rs` and `kvm_module.rs` have KVM's.

use super::kvm::{KvmBit, KvmCap, KvmPara};
use super::kvm_module::{KvmModuleCap, KvmParam};
use crate::location::{Bit, CpuidWord, FieldPlace, Leaf, Location, Msr, Register, Subleaf, Word};
use crate::source::Span;

/// The facts of a Linux tree.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LinuxFacts {
    /// `6.12.117`: VERSION, PATCHLEVEL, SUBLEVEL and an `-rc` suffix of the top Makefile.
    pub release: String,
    /// Where the release is stated.
    #[doc(hidden)]
    pub at: Span,
    /// NCAPINTS, NBUGINTS, NVMXINTS: the number of words of each kind.
    #[doc(hidden)]
    pub counts: Vec<LinuxCount>,
    /// `enum cpuid_leafs`, then `enum kvm_only_cpuid_leafs`.
    #[doc(hidden)]
    pub words: Vec<LinuxWord>,
    /// `X86_FEATURE_*` of cpufeatures.h.
    #[doc(hidden)]
    pub features: Vec<LinuxFlag>,
    /// `X86_BUG_*` of cpufeatures.h; the words are counted from the first bug word.
    #[doc(hidden)]
    pub bugs: Vec<LinuxFlag>,
    /// `VMX_FEATURE_*` of vmxfeatures.h.
    #[doc(hidden)]
    pub vmx: Vec<LinuxFlag>,
    /// `cpuid_bits[]` of scattered.c.
    #[doc(hidden)]
    pub scattered: Vec<Scattered>,
    /// `cpuid_deps[]` of cpuid-deps.c.
    #[doc(hidden)]
    pub deps: Vec<LinuxDep>,
    /// Features that reverse_cpuid.h defines for KVM only.
    #[doc(hidden)]
    pub kvm_features: Vec<KvmBit>,
    /// Kernel features that KVM keeps in a word of its own (`__feature_translate`).
    #[doc(hidden)]
    pub kvm_translates: Vec<KvmBit>,
    /// The mentions of features in `kvm_set_cpu_caps`.
    #[doc(hidden)]
    pub kvm_caps: Vec<KvmCap>,
    /// What kvm-intel and kvm-amd change in KVM's capabilities; empty if the release's facts lack these modules.
    #[doc(hidden)]
    pub kvm_modules: Vec<KvmModuleCap>,
    /// The module parameters that these changes depend on.
    #[doc(hidden)]
    pub kvm_params: Vec<KvmParam>,
    /// `KVM_FEATURE_*` and `KVM_HINTS_*` of kvm_para.h.
    #[doc(hidden)]
    pub kvm_para: Vec<KvmPara>,
    /// Bits of MSRs that msr-index.h names.
    #[doc(hidden)]
    pub msr_bits: Vec<LinuxMsrBit>,
    /// Features that a kernel configuration requires or disables.
    #[doc(hidden)]
    pub configs: Vec<LinuxConfig>,
    /// kcpuid's cpuid.csv, in file order.
    #[doc(hidden)]
    pub cpuid_fields: Vec<CpuidField>,
    /// The bit fields of leaf_types.h, in file order.
    #[doc(hidden)]
    pub leaf_fields: Vec<CpuidField>,
    /// The words with which KVM's CPUID code overrides registers: only of a tree, never in a facts file.
    #[doc(hidden)]
    pub handed_out: Vec<String>,
    /// `KVM_X86_FEATURE_*` to which no feature is translated, with their places. Only a tree has them; facts files do not.
    #[doc(hidden)]
    pub untranslated: Vec<(String, Span)>,
    /// Macros whose names differ by a letter from a word of their comment: only of a tree, never in a facts file.
    #[doc(hidden)]
    pub spellings: Vec<LinuxSpelling>,
}

/// A macro that is spelled almost like a word of its comment.
#[derive(Clone, Debug)]
pub struct LinuxSpelling {
    /// The macro without its prefix.
    pub name: String,
    /// The word in the comment, in upper case.
    pub word: String,
    /// The macro's place.
    pub at: Span,
}

/// A count stated by a Linux header.
#[derive(Clone, Debug)]
pub struct LinuxCount {
    /// `NCAPINTS`, `NBUGINTS` or `NVMXINTS`.
    pub name: String,
    /// Number of 32-bit words.
    pub value: u16,
    /// Its place.
    pub at: Span,
}

/// A word of `x86_capability[]`, or one that only KVM has.
#[derive(Clone, Debug)]
pub struct LinuxWord {
    /// The enumerator: `CPUID_7_0_EBX`, `CPUID_LNX_1`.
    pub name: String,
    /// Its index in this release.
    pub word: Word,
    /// The register it mirrors; `None` for a software-defined word.
    pub location: Option<CpuidWord>,
    /// Its place.
    pub at: Span,
}

/// A macro that numbers a bit and may have a name in `/proc/cpuinfo`.
#[derive(Clone, Debug)]
pub struct LinuxFlag {
    /// The macro without its prefix.
    pub name: String,
    /// Word, counted within its kind.
    pub word: Word,
    /// Bit, 0 to 31.
    pub bit: Bit,
    /// The name in `/proc/cpuinfo`; `None` if hidden.
    pub flag: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A feature that Linux reads from a register that has no word of its own.
#[derive(Clone, Debug)]
pub struct Scattered {
    /// The feature's macro without its prefix.
    pub name: String,
    /// The hardware location.
    pub location: Location,
    /// Its place.
    pub at: Span,
}

/// One dependency: clearing `needs` clears `name`.
#[derive(Clone, Debug)]
pub struct LinuxDep {
    /// The feature that depends.
    pub name: String,
    /// The feature it needs.
    pub needs: String,
    /// Its place.
    pub at: Span,
}

/// A bit of an MSR that enumerates features.
#[derive(Clone, Debug)]
pub struct LinuxMsrBit {
    /// The macro without the prefix that its MSR's bits have, such as `ARCH_CAP_`.
    pub name: String,
    /// The MSR.
    pub msr: Msr,
    /// Bit, 0 to 63.
    pub bit: Bit,
    /// Its place.
    pub at: Span,
}

/// How a kernel configuration fixes a feature at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConfigKind {
    /// The kernel refuses to boot without it.
    Required,
    /// The kernel never uses it.
    Disabled,
    /// The source names it as required or disabled, but the computed mask does not contain its bit.
    Named,
}

impl ConfigKind {
    /// All, with their names in facts.
    pub const ALL: [(ConfigKind, &'static str); 3] = [
        (ConfigKind::Required, "required"),
        (ConfigKind::Disabled, "disabled"),
        (ConfigKind::Named, "named"),
    ];

    /// The name in facts.
    #[must_use]
    pub fn name(self) -> &'static str {
        ConfigKind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// A feature that a kernel configuration fixes.
#[derive(Clone, Debug)]
pub struct LinuxConfig {
    /// How it is fixed.
    pub kind: ConfigKind,
    /// The feature's macro without its prefix.
    pub name: String,
    /// The condition in the text form of [`Condition`](super::Condition); `None` if unconditional.
    pub condition: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A row of cpuid.csv: a bit field of a leaf.
#[derive(Clone, Debug)]
pub struct CpuidField {
    /// Input EAX.
    pub leaf: Leaf,
    /// The first subleaf that has the field.
    pub first: Subleaf,
    /// The last subleaf that has the field.
    pub last: Subleaf,
    /// The output register.
    pub register: Register,
    /// Lowest bit.
    pub low: Bit,
    /// Highest bit.
    pub high: Bit,
    /// The short name.
    pub name: String,
    /// Its place.
    pub at: Span,
}

impl CpuidField {
    /// The field's location.
    #[must_use]
    pub fn place(&self) -> FieldPlace {
        let CpuidField { leaf, first, last, register, low, high, .. } = *self;
        FieldPlace { leaf, first, last, register, low, high }
    }

    /// The register in the first subleaf that has the field.
    #[must_use]
    pub fn word(&self) -> CpuidWord {
        CpuidWord { leaf: self.leaf, subleaf: self.first, register: self.register }
    }
}

impl LinuxFacts {
    /// No rows yet.
    #[must_use]
    pub(crate) fn new(release: String, at: Span) -> LinuxFacts {
        LinuxFacts {
            release,
            at,
            counts: Vec::new(),
            words: Vec::new(),
            features: Vec::new(),
            bugs: Vec::new(),
            vmx: Vec::new(),
            scattered: Vec::new(),
            deps: Vec::new(),
            kvm_features: Vec::new(),
            kvm_translates: Vec::new(),
            kvm_caps: Vec::new(),
            kvm_modules: Vec::new(),
            kvm_params: Vec::new(),
            kvm_para: Vec::new(),
            msr_bits: Vec::new(),
            configs: Vec::new(),
            cpuid_fields: Vec::new(),
            leaf_fields: Vec::new(),
            handed_out: Vec::new(),
            untranslated: Vec::new(),
            spellings: Vec::new(),
        }
    }

    /// The count of a macro.
    #[doc(hidden)]
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u16> {
        self.counts.iter().find(|count| count.name == name).map(|count| count.value)
    }

    /// The word with this enumerator.
    #[doc(hidden)]
    #[must_use]
    pub fn word_named(&self, name: &str) -> Option<&LinuxWord> {
        self.words.iter().find(|word| word.name == name)
    }

    /// True for a word of the kernel's own array, false for one that only KVM has.
    #[cfg(any(feature = "trees", feature = "verify"))]
    #[must_use]
    pub(crate) fn is_kernel_word(&self, word: Word) -> bool {
        self.count("NCAPINTS").is_none_or(|count| word.0 < count)
    }
}
