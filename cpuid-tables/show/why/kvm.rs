//! What KVM says: what it supports here, and by which rule.

use alloc::format;
use alloc::string::{String, ToString};

use super::{Machine, Nearest, Says, Step, Who, list};
use crate::bits::feature::Feature;
use crate::bits::kvm_treatment::KvmTreatment;
use crate::bits::location::Leaf;
use crate::bits::release::LinuxRelease;
use crate::table::CpuidRead;

/// Which releases' KVM may advertise it.
fn since(feature: Feature) -> String {
    if is_kvms_own(feature) {
        return "KVM sets its own leaf up apart from its lists of features".to_string();
    }
    let (oldest, newest) = (LinuxRelease::ALL[0], LinuxRelease::NEWEST);
    match feature.kvm_releases().next() {
        None => format!("no known release's KVM advertises it, up to Linux {newest}"),
        Some(first) if feature.kvm(first) == KvmTreatment::Vendor => {
            format!("kvm-intel or kvm-amd has it, which KVM's lists say since Linux {first}")
        }
        Some(first) if first == oldest => format!("may be advertised since Linux {first} or before"),
        Some(first) => format!("may be advertised since Linux {first}, or a release after {}", before(first)),
    }
}

/// The known release before one.
fn before(release: LinuxRelease) -> LinuxRelease {
    LinuxRelease::ALL.into_iter().rev().find(|other| *other < release).unwrap_or(release)
}

/// True for KVM's paravirtual features.
fn is_kvms_own(feature: Feature) -> bool {
    feature.leaf().0 >> 16 == Leaf::HYPERVISOR.0 >> 16
}

pub(super) fn step(feature: Feature, machine: &Machine, (cpu, linux): (Says, Says)) -> Step {
    let since = since(feature);
    let Some(kvm) = &machine.kvm else {
        let rule = feature.kvm(LinuxRelease::NEWEST);
        let newest = LinuxRelease::NEWEST;
        let rule = if is_kvms_own(feature) { String::new() } else { format!(" by Linux {newest} {rule};") };
        let text = format!("was not asked;{rule} {since}");
        return Step::new(Who::Kvm, Says::Nothing, text);
    };
    let near = machine.linux.as_ref().map(|linux| Nearest::find(&linux.release));
    let near = near.unwrap_or(Nearest { below: Some(LinuxRelease::NEWEST), above: None });
    let rule = feature.kvm(near.release());
    if kvm.supported.has(feature) {
        let how = match (rule.may_be_advertised(), cpu) {
            (true, _) => format!("; its rule in Linux {}: {rule}", near.release()),
            (false, Says::No) => "; it provides it by itself, as CPUID does not show it".to_string(),
            (false, _) => String::new(),
        };
        return Step::new(Who::Kvm, Says::Yes, format!("KVM_GET_SUPPORTED_CPUID has it{how}"));
    }
    if kvm.emulated.has(feature) {
        let because =
            "it has it among what it emulates (KVM_GET_EMULATED_CPUID) and does not offer it otherwise";
        return Step::no(
            Who::Kvm,
            "only KVM_GET_EMULATED_CPUID has it: a VMM that wants it must ask there",
            because,
        );
    }
    let missing = feature.needs() - kvm.supported.features();
    // What it needs stands before a condition that nobody can name.
    let because = if kvm.nested == Some(false) && is_nested(feature) {
        "the parameter nested of kvm_intel or kvm_amd is off".to_string()
    } else if cpu == Says::Yes && linux != Says::No && rule.may_be_advertised() && !missing.is_empty() {
        format!("it does not support {}, which it needs", list(missing))
    } else {
        reason(feature, rule, near, (cpu, linux))
    };
    Step::no(Who::Kvm, format!("KVM_GET_SUPPORTED_CPUID lacks it: {because}; {since}"), because)
}

/// Features that KVM offers for guests to have guests of their own, by macro (`nested` of kvm_intel and kvm_amd).
static NESTED: [&str; 2] = ["SVM", "VMX"];

fn is_nested(feature: Feature) -> bool {
    NESTED.into_iter().any(|name| Feature::from_linux_macro(name) == Ok(feature))
}

/// Why KVM does not offer a feature.
fn reason(feature: Feature, rule: KvmTreatment, near: Nearest, (cpu, linux): (Says, Says)) -> String {
    let release = near.release();
    let own = is_kvms_own(feature);
    let vendors = feature.kvm(LinuxRelease::NEWEST) == KvmTreatment::Vendor;
    let known = near.below.is_some() && !own && !vendors;
    let newer = near.above.filter(|newer| known && feature.kvm(*newer) != rule);
    let between =
        newer.map(|newer| format!(" (in Linux {newer}: {})", feature.kvm(newer))).unwrap_or_default();
    let text = match rule {
        _ if own => "this KVM is too old for it, or lacks what it takes".to_string(),
        KvmTreatment::NotAdvertised | KvmTreatment::Vendor if vendors => {
            "kvm-intel or kvm-amd decides, and does not offer it here (a module parameter, or no such processor)"
                .to_string()
        }
        KvmTreatment::Unknown if feature.linux_macro(release).is_none() => {
            format!("the KVM of Linux {release} does not know it")
        }
        KvmTreatment::Unknown => format!("the KVM of Linux {release} has no word for it, or sets it up elsewhere"),
        KvmTreatment::NotAdvertised => {
            format!("the KVM of Linux {release} knows it and does not advertise it")
        }
        KvmTreatment::Runtime => "it follows what the guest switches on, and is never advertised".to_string(),
        KvmTreatment::Vendor => "kvm-intel or kvm-amd decides, and does not offer it here".to_string(),
        KvmTreatment::Host | KvmTreatment::Host64 if cpu == Says::No => "it offers it only when the host has it".to_string(),
        KvmTreatment::Host | KvmTreatment::Host64 if linux == Says::No => {
            "it offers only what the host's kernel kept".to_string()
        }
        KvmTreatment::Host | KvmTreatment::Host64 => {
            format!("by its rule, {rule}, it could; a condition of its own or of a module parameter keeps it back")
        }
        KvmTreatment::Passthrough if cpu == Says::No => "it passes through what the host's CPUID has".to_string(),
        KvmTreatment::Passthrough => "it would pass it through; a condition of its own keeps it back".to_string(),
        KvmTreatment::Synthesized => "the host's kernel does not say that it is so".to_string(),
        KvmTreatment::Emulated => {
            format!("the KVM of Linux {release} always emulates it, this one does not")
        }
        KvmTreatment::Conditional => "a condition of its own is not met".to_string(),
    };
    text + &between
}
