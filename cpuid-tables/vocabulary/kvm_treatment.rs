//! KVM's treatment of a feature: its word, and the result of KVM's capability set-up (`arch/x86/kvm/cpuid.c`).

use super::location::WordBit;

/// A feature's bit in KVM's words in one release: the kernel's hardware words, followed by KVM's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KvmWord {
    /// The word's enumerator, such as `CPUID_7_2_EDX`.
    pub leaf: &'static str,
    /// Word and bit.
    pub at: WordBit,
}

include!(concat!(env!("OUT_DIR"), "/kvm_treatment.rs"));
