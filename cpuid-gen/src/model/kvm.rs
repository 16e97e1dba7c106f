//! KVM's treatment of a bit, according to its capability set-up (arch/x86/kvm/cpuid.c: `kvm_set_cpu_caps`, named
//! `kvm_initialize_cpu_caps` since 7.0).
//!
//! The set-up names a bit in a list, in a call after the lists, or in both; this module combines them. KVM combines
//! the kinds of lists by a bitwise or, so the least demanding one decides. A call that sets a bit has a condition
//! that facts do not include, so it takes precedence over lists. A call that clears a bit does not change a bit that
//! is advertised only if the host has it, but makes a bit that is always advertised conditional.
//!
//! The vendor modules then set and clear bits. A bit that no list offers and a module sets is the module's to decide, in
//! any release. A module that sets a bit regardless of the host adds a condition to a list that requires the host.
//!
//! Bits set elsewhere are not included: KVM's own leaf 0x40000001, and bits that `__do_cpuid_func` writes by number
//! (ARAT).

use super::linux_view::LinuxView;
use crate::facts::{CapKind, ModuleAction};
use crate::vocabulary::kvm_treatment::KvmTreatment;

impl KvmTreatment {
    /// The treatment according to a release's view of a bit.
    #[must_use]
    pub fn from_view(view: &LinuxView) -> KvmTreatment {
        let has = |kind: CapKind| view.caps.contains(&kind);
        let module = |action: ModuleAction| view.modules.iter().any(|rule| rule.action == action);
        let listed = view
            .caps
            .iter()
            .any(|kind| !matches!(kind, CapKind::VendorF | CapKind::RuntimeF | CapKind::Clear));
        if !listed && (module(ModuleAction::Set) || module(ModuleAction::SetIfHost)) {
            return KvmTreatment::Vendor;
        }
        let emulated = has(CapKind::EmulatedF) && module(ModuleAction::Clear);
        if emulated || (listed && !has(CapKind::EmulatedF) && module(ModuleAction::Set)) {
            return KvmTreatment::Conditional;
        }
        if has(CapKind::Set) || (has(CapKind::EmulatedF) && has(CapKind::Clear)) {
            return KvmTreatment::Conditional;
        }
        // From the least demanding to the most.
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

    /// The condition for advertising it, as a phrase for documentation; `None` if it is not advertised.
    #[must_use]
    pub fn condition(self) -> Option<&'static str> {
        match self {
            KvmTreatment::Unknown | KvmTreatment::NotAdvertised | KvmTreatment::Runtime => None,
            KvmTreatment::Vendor => Some("if its vendor module enables it"),
            KvmTreatment::Host => Some("if the host has it"),
            KvmTreatment::Host64 => Some("if the host has it, in 64-bit kernels"),
            KvmTreatment::Passthrough => Some("if the host's CPUID has it"),
            KvmTreatment::Synthesized => Some("if the host's kernel has it"),
            KvmTreatment::Emulated => Some("always"),
            KvmTreatment::Conditional => Some("under a condition of its own"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CapKind, KvmTreatment, LinuxView, ModuleAction};
    use crate::facts::KvmModule;
    use crate::location::WordBit;
    use crate::location::{Bit, Word};
    use crate::model::ModuleRule;

    fn with_module(caps: &[CapKind], action: ModuleAction) -> KvmTreatment {
        let modules = vec![ModuleRule { module: KvmModule::Amd, action, condition: None }];
        let kvm = Some(WordBit { word: Word(0), bit: Bit(0) });
        KvmTreatment::from_view(&LinuxView { kvm, caps: caps.to_vec(), modules, ..LinuxView::default() })
    }

    #[test]
    fn kinds_combine() {
        let of = |kvm: bool, caps: &[CapKind]| {
            let kvm = kvm.then_some(WordBit { word: Word(0), bit: Bit(0) });
            KvmTreatment::from_view(&LinuxView { kvm, caps: caps.to_vec(), ..LinuxView::default() })
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
        // 6.1 sets a bit by number, without a macro.
        assert_eq!(of(false, &[CapKind::Set]), KvmTreatment::Conditional);
        assert_eq!(with_module(&[], ModuleAction::Set), KvmTreatment::Vendor);
        assert_eq!(with_module(&[CapKind::VendorF], ModuleAction::SetIfHost), KvmTreatment::Vendor);
        assert_eq!(with_module(&[CapKind::F], ModuleAction::SetIfHost), KvmTreatment::Host);
        assert_eq!(with_module(&[CapKind::F], ModuleAction::Set), KvmTreatment::Conditional);
        assert_eq!(with_module(&[CapKind::EmulatedF], ModuleAction::Set), KvmTreatment::Emulated);
        assert_eq!(with_module(&[CapKind::EmulatedF], ModuleAction::Clear), KvmTreatment::Conditional);
        assert_eq!(with_module(&[], ModuleAction::Clear), KvmTreatment::NotAdvertised);
        // Each kind alone has a treatment.
        for (kind, name) in CapKind::ALL {
            assert_ne!(of(true, &[kind]), KvmTreatment::Unknown, "{name}");
        }
    }
}
