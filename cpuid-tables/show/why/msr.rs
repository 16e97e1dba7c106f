//! The steps for a bit of a feature MSR: the processor's and KVM's.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Machine, Says, Step, Who, list};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::known_places::ARCH_CAPABILITIES;
use crate::bits::location::{Msr, MsrBit};
use crate::bits::lookup::Named;
use crate::show::vmx_bits::{MsrAnswer, msr_answer, places};
use crate::table::CpuidRead;

/// The processor's, KVM's, and that for the features by which a guest knows that it has the MSR.
pub(super) fn steps(named: Named, machine: &Machine) -> Vec<Step> {
    let places = places(named);
    if places.is_empty() {
        return Vec::new();
    }
    let kvm = match machine.kvm.as_ref().and_then(|kvm| kvm.msrs.as_ref()) {
        Some(msrs) => kvm(&places, msrs),
        None => Step::new(Who::Kvm, Says::Nothing, "its feature MSRs were not queried"),
    };
    cpu(&places, machine).into_iter().chain([kvm]).chain(needs(named, &places, machine)).collect()
}

/// Bits of the processor's MSRs, where all of them are known.
fn cpu(places: &[MsrBit], machine: &Machine) -> Option<Step> {
    let answers: Option<Vec<MsrAnswer>> = places.iter().map(|at| msr_answer(&machine.msrs, *at)).collect();
    let (set, text) = all(places, &answers?);
    let because = "the processor does not have it, or the firmware has disabled it";
    Some(if set { Step::new(Who::Cpu, Says::Yes, text) } else { Step::no(Who::Cpu, text, because) })
}

fn kvm(places: &[MsrBit], msrs: &BTreeMap<Msr, u64>) -> Step {
    let mut answers = Vec::new();
    for at in places {
        let Some(answer) = msr_answer(msrs, *at) else {
            let because = format!("it has no feature {}", at.msr);
            return Step::no(Who::Kvm, format!("KVM_GET_MSR_FEATURE_INDEX_LIST lacks {}", at.msr), because);
        };
        answers.push(answer);
    }
    let (set, text) = all(places, &answers);
    if set {
        return Step::new(Who::Kvm, Says::Yes, text);
    }
    let forced = answers.iter().any(|answer| answer.is_set && answer.is_forced);
    let because = if forced {
        "the control must be 1: a guest hypervisor cannot choose"
    } else {
        "it does not offer it: the processor lacks it, KVM does not know it, or a module parameter is off"
    };
    Step::no(Who::Kvm, text, because)
}

/// Whether all bits are set, and each MSR's value.
fn all(places: &[MsrBit], answers: &[MsrAnswer]) -> (bool, String) {
    let set = answers.iter().all(|answer| answer.is_available());
    let mut values: Vec<String> =
        answers.iter().map(|answer| format!("{} is {:#x}", answer.msr, answer.value)).collect();
    values.dedup();
    let what = if places.len() == 1 { "the bit" } else { "each bit" };
    let set_text = if set { "has" } else { "lacks" };
    (set, format!("{}, which {set_text} {what}", values.join(", ")))
}

/// The features without which a guest does not read the MSR: what QEMU's dependencies name, and the one that announces it.
fn needs(named: Named, places: &[MsrBit], machine: &Machine) -> Option<Step> {
    let announcing = |at: &MsrBit| match at.msr {
        ARCH_CAPABILITIES => Some(crate::feature::ARCH_CAPABILITIES),
        Msr(0x480..=0x492) => Some(crate::feature::VMX),
        _ => None,
    };
    let mut needs: FeatureSet = places.iter().filter_map(announcing).collect();
    if let Named::Msr(bit) = named {
        needs |= bit.needs();
    }
    if needs.is_empty() {
        return None;
    }
    let kvm = machine.kvm.as_ref().map(|kvm| &kvm.supported).filter(|supported| !supported.is_empty());
    let (entries, of) = match (kvm, &machine.cpuid) {
        (Some(supported), _) => (supported, "what KVM supports"),
        (None, Some(cpuid)) => (cpuid, "what CPUID shows"),
        (None, None) => return Some(Step::new(Who::Needs, Says::Nothing, list(needs))),
    };
    let missing: Vec<Feature> = needs.iter().filter(|need| !entries.has(*need)).collect();
    Some(if missing.is_empty() {
        Step::new(Who::Needs, Says::Yes, format!("{}: all in {of}", list(needs)))
    } else {
        let missing = list(missing);
        let because = format!("it needs {missing}, missing in {of}");
        Step::no(Who::Needs, format!("{}; missing in {of}: {missing}", list(needs)), because)
    })
}
