//! What KVM says: what it supports here, and by which rule.

use alloc::format;
use alloc::string::{String, ToString};

use super::{Machine, Nearest, Says, Step, Who};
use crate::hardware::Feature;
use crate::release::LinuxRelease;
use crate::table::CpuidRead;
use crate::treatment::KvmTreatment;

/// `since 6.12.117`, where older known ones do not advertise it.
fn since(feature: Feature) -> String {
    let mut all = feature.kvm_releases();
    match all.next() {
        None => "no known release's KVM advertises it".to_string(),
        Some(first) if first == LinuxRelease::ALL[0] => format!("every KVM since Linux {first}, if not before, may"),
        Some(first) => format!("KVM may advertise it since Linux {first}"),
    }
}

pub(super) fn step(feature: Feature, machine: &Machine, (cpu, linux): (Says, Says)) -> Step {
    let since = since(feature);
    let Some(kvm) = &machine.kvm else {
        let rule = feature.kvm(LinuxRelease::NEWEST);
        let text = format!("was not asked; Linux {}: {rule}; {since}", LinuxRelease::NEWEST);
        return Step::new(Who::Kvm, Says::Nothing, text);
    };
    let near = machine.linux.as_ref().map(|linux| Nearest::of(&linux.release));
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
        let because = "it has it among what it emulates (KVM_GET_EMULATED_CPUID) and does not offer it otherwise";
        return Step::no(Who::Kvm, "only KVM_GET_EMULATED_CPUID has it: a VMM that wants it must ask there", because);
    }
    let because = reason(feature, rule, near, (cpu, linux));
    Step::no(Who::Kvm, format!("KVM_GET_SUPPORTED_CPUID lacks it: {because}; {since}"), because)
}

/// Why KVM does not offer a feature.
fn reason(feature: Feature, rule: KvmTreatment, near: Nearest, (cpu, linux): (Says, Says)) -> String {
    let release = near.release();
    let newer = near.above.filter(|newer| near.below.is_some() && feature.kvm(*newer) != rule);
    let between = newer.map(|newer| format!(" (in Linux {newer}: {})", feature.kvm(newer))).unwrap_or_default();
    let text = match rule {
        KvmTreatment::Unknown if feature.linux_macro(release).is_none() => {
            format!("the KVM of Linux {release} does not know it")
        }
        KvmTreatment::Unknown => format!("the KVM of Linux {release} has no word for it, or sets it up elsewhere"),
        KvmTreatment::NotAdvertised => {
            format!("the KVM of Linux {release} knows it and does not advertise it")
        }
        KvmTreatment::Runtime => "it follows what the guest switches on, and is never advertised".to_string(),
        KvmTreatment::Vendor => {
            "kvm-intel or kvm-amd decides, and does not offer it here (a module parameter, or no such processor)".to_string()
        }
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
