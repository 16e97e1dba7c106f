//! What KVM says about a feature: its word, and how its capability set-up names it (`arch/x86/kvm/cpuid.c`).

use core::fmt;

use crate::location::WordBit;

/// A feature's bit among KVM's words in one release: the kernel's hardware words, then those that KVM alone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KvmWord {
    /// The word's enumerator, such as `CPUID_7_2_EDX`.
    pub leaf: &'static str,
    /// Where.
    pub at: WordBit,
}

/// How KVM's capability set-up names a feature. Which of them exist depends on the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KvmCap {
    /// `F`: advertised when host and kernel have it.
    F,
    /// `SF`, before 6.14: scattered, when the kernel has it.
    Sf,
    /// `SCATTERED_F`, since 6.14: the same.
    ScatteredF,
    /// `X86_64_F`: 64-bit kernels only.
    X8664F,
    /// `EMULATED_F`: always; KVM emulates it.
    EmulatedF,
    /// `SYNTHESIZED_F`: when the kernel says so, whatever the host's CPUID.
    SynthesizedF,
    /// `PASSTHROUGH_F`: when the host's CPUID has it, whatever the kernel.
    PassthroughF,
    /// `ALIASED_1_EDX_F`: AMD's copy in 0x80000001.EDX of a bit of 1.EDX.
    Aliased1EdxF,
    /// `VENDOR_F`: left to the vendor module.
    VendorF,
    /// `RUNTIME_F`: set at run time, not advertised.
    RuntimeF,
    /// A call that advertises it after the lists.
    Set,
    /// A call that withdraws it after the lists.
    Clear,
}

impl KvmCap {
    /// All, in the order of the tables.
    pub const ALL: [KvmCap; 12] = [
        KvmCap::F,
        KvmCap::Sf,
        KvmCap::ScatteredF,
        KvmCap::X8664F,
        KvmCap::EmulatedF,
        KvmCap::SynthesizedF,
        KvmCap::PassthroughF,
        KvmCap::Aliased1EdxF,
        KvmCap::VendorF,
        KvmCap::RuntimeF,
        KvmCap::Set,
        KvmCap::Clear,
    ];
}

/// The ways in which KVM's capability set-up names a feature; empty when it does not.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KvmCaps(pub(crate) u16);

impl KvmCaps {
    /// True when it is named this way.
    #[must_use]
    pub const fn contains(self, cap: KvmCap) -> bool {
        self.0 >> cap as u16 & 1 != 0
    }

    /// True when KVM's set-up does not name it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The ways, in the order of [`KvmCap::ALL`].
    pub fn iter(self) -> impl Iterator<Item = KvmCap> {
        KvmCap::ALL.into_iter().filter(move |&cap| self.contains(cap))
    }
}

impl fmt::Debug for KvmCaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
