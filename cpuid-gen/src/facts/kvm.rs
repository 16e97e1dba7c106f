//! Records of KVM's common code: features in its own words, its capability list, its own leaf.

use std::fmt;

use crate::location::{Bit, Location, Register};
use crate::source::Span;

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
#[non_exhaustive]
pub enum CapKind {
    /// Advertised if host and kernel have it.
    F,
    /// Before 6.14: a scattered feature, advertised if the kernel has it.
    Sf,
    /// Since 6.14: likewise.
    ScatteredF,
    /// Advertised by 64-bit kernels only.
    X8664F,
    /// Always advertised: KVM emulates it.
    EmulatedF,
    /// Advertised if the kernel has it, regardless of the host's CPUID.
    SynthesizedF,
    /// Advertised if the host's CPUID has it, regardless of the kernel.
    PassthroughF,
    /// AMD's copy in 0x80000001.EDX of a bit of 1.EDX.
    Aliased1EdxF,
    /// The vendor module decides.
    VendorF,
    /// Set at run time, not advertised.
    RuntimeF,
    /// A call after the lists that advertises it.
    Set,
    /// A call after the lists that withdraws it.
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

    /// The name in facts, which is also the name of KVM's macro.
    #[must_use]
    pub fn name(self) -> &'static str {
        CapKind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind with a given name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<CapKind> {
        CapKind::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

impl fmt::Display for CapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One mention of a feature in KVM's capability set-up.
#[derive(Clone, Debug)]
pub struct KvmCap {
    /// The word's enumerator; `None` for a call that sets or clears a feature by name.
    pub leaf_name: Option<String>,
    /// How the set-up names it.
    pub kind: CapKind,
    /// The feature's macro without its prefix, or `BIT(n)` if KVM gives only a number (as 6.1 does).
    pub name: String,
    /// Its place.
    pub at: Span,
}

/// A paravirtual feature or hint of KVM's own CPUID leaf.
#[derive(Clone, Debug)]
pub struct KvmPara {
    /// The macro without `KVM_FEATURE_` or `KVM_HINTS_`.
    pub name: String,
    /// 0x40000001.EAX for a feature, EDX for a hint.
    pub location: Location,
    /// Its place.
    pub at: Span,
}

impl KvmPara {
    /// The macro.
    #[must_use]
    pub fn macro_name(&self) -> String {
        let hint = self.location.word.register == Register::Edx;
        format!("{}{}", if hint { "KVM_HINTS_" } else { "KVM_FEATURE_" }, self.name)
    }
}
