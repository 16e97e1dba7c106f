//! What KVM does with a bit, as its capability set-up says (arch/x86/kvm/cpuid.c: `kvm_set_cpu_caps`, which is called
//! `kvm_initialize_cpu_caps` since 7.0).
//!
//! The set-up names a bit in a list, in a call after the lists, or in both; this makes one answer of it. Kinds of the
//! lists are or'ed in KVM, so the one that asks for the least decides. A call that sets a bit has a condition that the
//! facts do not hold, so it comes before any list. A call that clears one takes away what "only when the host has it"
//! never promised; beside a list that promises a bit always, it makes a condition of it.
//!
//! What KVM sets up elsewhere is not seen here: its own leaf 0x40000001, bits that `__do_cpuid_func` writes by number
//! (ARAT), and before 6.14 what the vendor modules add to the lists (SVM), which say nothing of it then.

use super::types::LinuxView;
use crate::facts::CapKind;

/// What KVM does with a bit in one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KvmTreatment {
    /// The release has no macro for it, or KVM no word that holds it.
    Unknown,
    /// KVM has a place for it and does not name it, or withdraws it only.
    NotAdvertised,
    /// `RUNTIME_F`: KVM keeps a guest's bit up to date and does not advertise it.
    Runtime,
    /// `VENDOR_F`: KVM's module for the vendor decides.
    Vendor,
    /// `F`, `SF`, `SCATTERED_F`, `ALIASED_1_EDX_F`.
    Host,
    /// `X86_64_F`.
    Host64,
    /// `PASSTHROUGH_F`.
    Passthrough,
    /// `SYNTHESIZED_F`.
    Synthesized,
    /// `EMULATED_F`.
    Emulated,
    /// A call sets it after the lists; or one clears what they emulate.
    Conditional,
}

impl KvmTreatment {
    /// What a release's view of a bit comes to.
    #[must_use]
    pub fn of(view: &LinuxView) -> KvmTreatment {
        let has = |kind: CapKind| view.caps.contains(&kind);
        if has(CapKind::Set) || (has(CapKind::EmulatedF) && has(CapKind::Clear)) {
            return KvmTreatment::Conditional;
        }
        // The least demanding first.
        let lists = [
            (CapKind::EmulatedF, KvmTreatment::Emulated),
            (CapKind::SynthesizedF, KvmTreatment::Synthesized),
            (CapKind::PassthroughF, KvmTreatment::Passthrough),
            (CapKind::F, KvmTreatment::Host),
            (CapKind::Sf, KvmTreatment::Host),
            (CapKind::ScatteredF, KvmTreatment::Host),
            (CapKind::Aliased1EdxF, KvmTreatment::Host),
            (CapKind::X8664F, KvmTreatment::Host64),
            (CapKind::VendorF, KvmTreatment::Vendor),
            (CapKind::RuntimeF, KvmTreatment::Runtime),
        ];
        match lists.into_iter().find(|(kind, _)| has(*kind)) {
            Some((_, treatment)) => treatment,
            None if view.kvm.is_some() || has(CapKind::Clear) => KvmTreatment::NotAdvertised,
            None => KvmTreatment::Unknown,
        }
    }

    /// When KVM advertises it, as documentation says it; none for what it does not advertise.
    #[must_use]
    pub fn when(self) -> Option<&'static str> {
        match self {
            KvmTreatment::Unknown | KvmTreatment::NotAdvertised | KvmTreatment::Runtime => None,
            KvmTreatment::Vendor => Some("if its vendor module says so"),
            KvmTreatment::Host => Some("if the host has it"),
            KvmTreatment::Host64 => Some("if the host has it, in 64-bit kernels"),
            KvmTreatment::Passthrough => Some("if the host's CPUID has it"),
            KvmTreatment::Synthesized => Some("if the host's kernel has it"),
            KvmTreatment::Emulated => Some("always"),
            KvmTreatment::Conditional => Some("on a condition of its own"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CapKind, KvmTreatment, LinuxView};
    use crate::location::{Bit, Word};
    use crate::model::Place;

    #[test]
    fn kinds_combine() {
        let of = |kvm: bool, caps: &[CapKind]| {
            let kvm = kvm.then_some(Place { word: Word(0), bit: Bit(0) });
            KvmTreatment::of(&LinuxView { kvm, caps: caps.to_vec(), ..LinuxView::default() })
        };
        assert_eq!(of(false, &[]), KvmTreatment::Unknown);
        assert_eq!(of(true, &[]), KvmTreatment::NotAdvertised);
        assert_eq!(of(true, &[CapKind::Clear]), KvmTreatment::NotAdvertised);
        assert_eq!(of(true, &[CapKind::F, CapKind::Clear]), KvmTreatment::Host);
        assert_eq!(of(true, &[CapKind::F, CapKind::Set]), KvmTreatment::Conditional);
        assert_eq!(of(true, &[CapKind::Aliased1EdxF, CapKind::F]), KvmTreatment::Host);
        assert_eq!(of(true, &[CapKind::X8664F, CapKind::PassthroughF]), KvmTreatment::Passthrough);
        assert_eq!(of(true, &[CapKind::EmulatedF]), KvmTreatment::Emulated);
        assert_eq!(of(true, &[CapKind::EmulatedF, CapKind::Clear]), KvmTreatment::Conditional);
        // 6.1 sets a bit by its number, without a macro.
        assert_eq!(of(false, &[CapKind::Set]), KvmTreatment::Conditional);
        // Each kind alone comes to something.
        for (kind, name) in CapKind::ALL {
            assert_ne!(of(true, &[kind]), KvmTreatment::Unknown, "{name}");
        }
    }
}
