//! Facts: what one release says, row by row, with nothing merged and nothing judged.
//!
//! A record mirrors one row of one upstream table, in upstream's order. It comes from a source tree ([`crate::linux`],
//! [`crate::qemu`]) or from a facts file ([`read`]); both give the same records, and [`write`] prints them as the
//! tab-separated text that `upstream/` keeps. Each record knows its place, so that a later check can point at it.

pub(crate) mod columns;
mod read;
mod write;

use std::fmt;

use crate::location::{Bit, CpuidWord, Leaf, Location, Msr, Register, Subleaf, Word};
use crate::source::Span;

pub use read::read;
pub use write::{write_linux, write_qemu};

/// The facts of one release of one project.
#[derive(Clone, Debug)]
pub enum Facts {
    /// Linux with KVM.
    Linux(LinuxFacts),
    /// QEMU.
    Qemu(QemuFacts),
}

/// What a Linux tree says.
#[derive(Clone, Debug)]
pub struct LinuxFacts {
    /// `6.12.117`: VERSION, PATCHLEVEL, SUBLEVEL and an `-rc` suffix of the top Makefile.
    pub release: String,
    /// Where the release is stated.
    pub at: Span,
    /// NCAPINTS, NBUGINTS, NVMXINTS and the like: how many words of each sort there are.
    pub counts: Vec<LinuxCount>,
    /// `enum cpuid_leafs`, then `enum kvm_only_cpuid_leafs`.
    pub words: Vec<LinuxWord>,
    /// `X86_FEATURE_*` of cpufeatures.h.
    pub features: Vec<LinuxFlag>,
    /// `X86_BUG_*` of cpufeatures.h; words counted within the bug words.
    pub bugs: Vec<LinuxFlag>,
    /// `VMX_FEATURE_*` of vmxfeatures.h.
    pub vmx: Vec<LinuxFlag>,
    /// `cpuid_bits[]` of scattered.c.
    pub scattered: Vec<Scattered>,
    /// `cpuid_deps[]` of cpuid-deps.c.
    pub deps: Vec<LinuxDep>,
    /// Features that reverse_cpuid.h defines for KVM alone.
    pub kvm_features: Vec<KvmBit>,
    /// Kernel features that KVM holds in a word of its own (`__feature_translate`).
    pub kvm_translates: Vec<KvmBit>,
    /// What `kvm_set_cpu_caps` names.
    pub kvm_caps: Vec<KvmCap>,
}

/// A count that a Linux header states.
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
    /// The register it mirrors; none for a software-defined word.
    pub location: Option<CpuidWord>,
    /// Its place.
    pub at: Span,
}

/// A macro that numbers a bit and may have a name in `/proc/cpuinfo`.
#[derive(Clone, Debug)]
pub struct LinuxFlag {
    /// The macro without its prefix.
    pub name: String,
    /// Word, counted within its sort.
    pub word: Word,
    /// Bit, 0 to 31.
    pub bit: Bit,
    /// As `/proc/cpuinfo` shows it; none when hidden.
    pub flag: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A feature that Linux collects from a register which is no word of its own.
#[derive(Clone, Debug)]
pub struct Scattered {
    /// The feature's macro without its prefix.
    pub name: String,
    /// Where the hardware has it.
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

/// A feature with its bit in one of KVM's words.
#[derive(Clone, Debug)]
pub struct KvmBit {
    /// The macro without its prefix.
    pub name: String,
    /// The word's enumerator.
    pub leaf_name: String,
    /// Bit, 0 to 31.
    pub bit: Bit,
    /// Its place.
    pub at: Span,
}

/// How KVM's capability list names a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapKind {
    /// Advertised when host and kernel have it.
    F,
    /// Before 6.14: scattered, when the kernel has it.
    Sf,
    /// Since 6.14: the same.
    ScatteredF,
    /// 64-bit kernels only.
    X8664F,
    /// Advertised always: KVM emulates it.
    EmulatedF,
    /// Advertised when the kernel says so, whatever the host's CPUID.
    SynthesizedF,
    /// Advertised when the host's CPUID has it, whatever the kernel.
    PassthroughF,
    /// AMD's copy in 0x80000001.EDX of a bit of 1.EDX.
    Aliased1EdxF,
    /// Left to the vendor module.
    VendorF,
    /// Set at run time, not advertised.
    RuntimeF,
    /// A call that advertises it after the lists.
    Set,
    /// A call that withdraws it after the lists.
    Clear,
}

impl CapKind {
    /// All, with their names in facts.
    pub const ALL: [(CapKind, &'static str); 12] = [
        (CapKind::F, "F"),
        (CapKind::Sf, "SF"),
        (CapKind::ScatteredF, "SCATTERED_F"),
        (CapKind::X8664F, "X86_64_F"),
        (CapKind::EmulatedF, "EMULATED_F"),
        (CapKind::SynthesizedF, "SYNTHESIZED_F"),
        (CapKind::PassthroughF, "PASSTHROUGH_F"),
        (CapKind::Aliased1EdxF, "ALIASED_1_EDX_F"),
        (CapKind::VendorF, "VENDOR_F"),
        (CapKind::RuntimeF, "RUNTIME_F"),
        (CapKind::Set, "set"),
        (CapKind::Clear, "clear"),
    ];

    /// The name in facts, which is the macro's in KVM.
    #[must_use]
    pub fn name(self) -> &'static str {
        CapKind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<CapKind> {
        CapKind::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// One mention of a feature in KVM's capability set-up.
#[derive(Clone, Debug)]
pub struct KvmCap {
    /// The word's enumerator; none for a call that sets or clears a feature by its name.
    pub leaf_name: Option<String>,
    /// How it is named.
    pub kind: CapKind,
    /// The feature's macro without its prefix, or `BIT(n)` where KVM gives only a number (6.1 does).
    pub name: String,
    /// Its place.
    pub at: Span,
}

/// What a QEMU tree says.
#[derive(Clone, Debug)]
pub struct QemuFacts {
    /// `10.0.13`: the VERSION file.
    pub release: String,
    /// Where the release is stated.
    pub at: Span,
    /// `feature_word_info[]`, in its order.
    pub words: Vec<QemuWord>,
    /// Its `feat_names`.
    pub bits: Vec<QemuBit>,
    /// Its masks; those that are zero are left out.
    pub masks: Vec<QemuMask>,
    /// `CPUID_*` constants of cpu.h that stand for one bit or several of a feature word.
    pub macros: Vec<QemuMacro>,
    /// Locations that comments beside the `FeatureWord` enumerators state.
    pub comments: Vec<QemuComment>,
}

/// What a QEMU feature word is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QemuSource {
    /// A CPUID register; `subleaf` is none where the leaf has none (`needs_ecx` false).
    Cpuid {
        /// Input EAX.
        leaf: Leaf,
        /// Input ECX.
        subleaf: Option<Subleaf>,
        /// Which of the four.
        register: Register,
    },
    /// A model-specific register.
    Msr(Msr),
}

impl QemuSource {
    /// The CPUID register, a missing subleaf being 0.
    #[must_use]
    pub fn cpuid_word(self) -> Option<CpuidWord> {
        match self {
            QemuSource::Cpuid { leaf, subleaf, register } => {
                Some(CpuidWord { leaf, subleaf: subleaf.unwrap_or(Subleaf(0)), register })
            }
            QemuSource::Msr(_) => None,
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
    /// What it is read from.
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
    /// The name as the source has it; older releases write alternatives with `|`.
    pub name: String,
    /// Its place.
    pub at: Span,
}

impl QemuBit {
    /// The name and its alternatives.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.name.split('|')
    }
}

/// Which mask of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MaskKind {
    /// What TCG implements.
    Tcg,
    /// Features that prevent migration.
    Unmigratable,
    /// Features known to migrate although they have no name.
    Migratable,
    /// Features that `-cpu host` leaves off.
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

    /// The kind of a name.
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
    /// The macro, prefix and all.
    pub name: String,
    /// Its value.
    pub value: u64,
    /// Its place.
    pub at: Span,
}

/// The location that a comment beside an enumerator states.
#[derive(Clone, Debug)]
pub struct QemuComment {
    /// The enumerator.
    pub word: String,
    /// Input EAX.
    pub leaf: Leaf,
    /// Input ECX, where the comment names one.
    pub subleaf: Option<Subleaf>,
    /// Which of the four.
    pub register: Register,
    /// Its place.
    pub at: Span,
}

impl LinuxFacts {
    /// No rows yet.
    #[must_use]
    pub fn new(release: String, at: Span) -> LinuxFacts {
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
        }
    }

    /// A count by its macro's name.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u16> {
        self.counts.iter().find(|count| count.name == name).map(|count| count.value)
    }

    /// The word with this enumerator.
    #[must_use]
    pub fn word_named(&self, name: &str) -> Option<&LinuxWord> {
        self.words.iter().find(|word| word.name == name)
    }

    /// True for a word that the kernel's own array has, as opposed to one that only KVM has.
    #[must_use]
    pub fn is_kernel_word(&self, word: Word) -> bool {
        self.count("NCAPINTS").is_none_or(|count| word.0 < count)
    }
}

impl QemuFacts {
    /// No rows yet.
    #[must_use]
    pub fn new(release: String, at: Span) -> QemuFacts {
        QemuFacts {
            release,
            at,
            words: Vec::new(),
            bits: Vec::new(),
            masks: Vec::new(),
            macros: Vec::new(),
            comments: Vec::new(),
        }
    }

    /// The row with this enumerator.
    #[must_use]
    pub fn word_named(&self, name: &str) -> Option<&QemuWord> {
        self.words.iter().find(|word| word.name == name)
    }
}

impl fmt::Display for CapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for MaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
