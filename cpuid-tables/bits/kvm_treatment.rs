//! What KVM says about a feature: its word, and what KVM's capability set-up (`arch/x86/kvm/cpuid.c`) does with it.

use super::location::WordBit;

/// A feature's bit among KVM's words in one release: the kernel's hardware words, then those that KVM alone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KvmWord {
    /// The word's enumerator, such as `CPUID_7_2_EDX`.
    pub leaf: &'static str,
    /// Where.
    pub at: WordBit,
}

include!(concat!(env!("OUT_DIR"), "/kvm_treatment.rs"));
