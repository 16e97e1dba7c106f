//! KVM's step: whether it supports the feature here, and by which rule.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Machine, Nearest, Says, Step, Who, list};
use crate::bits::feature::Feature;
use crate::bits::kvm_module::{KvmModuleRule, KvmParameter, ModuleAction};
use crate::bits::kvm_treatment::KvmTreatment;
use crate::bits::location::Leaf;
use crate::bits::release::LinuxRelease;
use crate::table::CpuidRead;
use crate::table::Mirror;

/// Which releases of KVM may advertise the feature.
fn since(feature: Feature) -> String {
    if is_kvms_own(feature) {
        return "KVM fills its own leaf separately from its feature lists".to_string();
    }
    let (oldest, newest) = (LinuxRelease::ALL[0], LinuxRelease::NEWEST);
    match feature.kvm_releases().next() {
        None => format!("no known release's KVM advertises it, up to Linux {newest}"),
        Some(first) if feature.kvm(first) == KvmTreatment::Vendor => {
            let decides = deciders(feature, first);
            let earlier = if first == oldest { " or earlier" } else { "" };
            format!("{decides} decides, since Linux {first}{earlier}")
        }
        Some(first) if first == oldest => format!("may be advertised since Linux {first} or earlier"),
        Some(first) => format!("may be advertised since Linux {first}, or a release after {}", before(first)),
    }
}

/// The vendor modules that may advertise a feature.
fn deciders(feature: Feature, release: LinuxRelease) -> String {
    let mut modules: Vec<&str> = offers(feature, release).map(|rule| rule.module.name()).collect();
    modules.dedup();
    if modules.is_empty() { "kvm_intel or kvm_amd".to_string() } else { modules.join(" or ") }
}

fn offers(feature: Feature, release: LinuxRelease) -> impl Iterator<Item = KvmModuleRule> {
    feature.kvm_modules(release).filter(|rule| rule.action != ModuleAction::Clear)
}

/// The rules of the vendor modules, with the defaults of the parameters that they name: ` (kvm_amd advertises it if
/// kvm_amd.nested; by default kvm_amd.nested=1)`.
fn rules(feature: Feature, release: LinuxRelease) -> String {
    let rules: Vec<KvmModuleRule> = feature.kvm_modules(release).collect();
    if rules.is_empty() {
        return String::new();
    }
    let named = |parameter: &KvmParameter| rules.iter().any(|rule| rule.depends_on(parameter));
    let defaults: Vec<String> = release.kvm_parameters().filter(named).map(|one| one.to_string()).collect();
    let text: Vec<String> = rules.iter().map(ToString::to_string).collect();
    let defaults =
        if defaults.is_empty() { String::new() } else { format!("; by default {}", defaults.join(" ")) };
    format!(" ({}{defaults})", text.join("; "))
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
        let text = format!("not queried;{rule} {since}");
        return Step::new(Who::Kvm, Says::Nothing, text);
    };
    let near = machine.linux.as_ref().map(|linux| Nearest::find(&linux.release));
    let near = near.unwrap_or(Nearest { below: Some(LinuxRelease::NEWEST), above: None });
    let rule = feature.kvm(near.release());
    if kvm.supported.has(feature) {
        let how = match (rule.may_be_advertised(), cpu) {
            (true, _) => format!("; its rule in Linux {}: {rule}", near.release()),
            (false, Says::No) => "; KVM provides it itself, since CPUID does not show it".to_string(),
            (false, _) => String::new(),
        };
        return Step::new(Who::Kvm, Says::Yes, format!("KVM_GET_SUPPORTED_CPUID has it{how}"));
    }
    if kvm.emulated.has(feature) {
        let because = "it only emulates it (KVM_GET_EMULATED_CPUID) and does not advertise it";
        return Step::no(
            Who::Kvm,
            "only KVM_GET_EMULATED_CPUID has it: a VMM must query that for it",
            because,
        );
    }
    let missing = feature.needs() - kvm.supported.features();
    // A missing dependency is reported before an unknown condition.
    let because = if kvm.nested == Some(false) && is_nested(feature, near.release()) {
        "the parameter nested of kvm_intel or kvm_amd is off".to_string()
    } else if cpu == Says::Yes && linux != Says::No && rule.may_be_advertised() && !missing.is_empty() {
        format!("it does not support {}, on which the feature depends", list(missing))
    } else {
        reason(feature, rule, near, (cpu, linux))
    };
    Step::no(Who::Kvm, format!("KVM_GET_SUPPORTED_CPUID lacks it: {because}; {since}"), because)
}

/// The step for a bit that shows what the guest has enabled.
pub(super) fn mirror_step(mirror: &Mirror, machine: &Machine) -> Step {
    let text = format!("it mirrors {} (Intel SDM, CPUID): KVM updates it while the guest runs", mirror.of);
    let says = if machine.kvm.is_some() { Says::Yes } else { Says::Nothing };
    Step::new(Who::Kvm, says, text)
}

/// True if every vendor module that offers the feature does so only with its parameter `nested`.
fn is_nested(feature: Feature, release: LinuxRelease) -> bool {
    let nested = |rule: KvmModuleRule| {
        let parts = rule.condition.unwrap_or_default().split(" && ");
        parts.into_iter().any(|part| part.strip_prefix(rule.module.name()) == Some(".nested"))
    };
    let mut offers = offers(feature, release).peekable();
    offers.peek().is_some() && offers.all(nested)
}

/// Why KVM does not offer a feature.
fn reason(feature: Feature, rule: KvmTreatment, near: Nearest, (cpu, linux): (Says, Says)) -> String {
    let release = near.release();
    let own = is_kvms_own(feature);
    let known = near.below.is_some() && !own;
    let newer = near.above.filter(|newer| known && feature.kvm(*newer) != rule);
    let between =
        newer.map(|newer| format!(" (in Linux {newer}: {})", feature.kvm(newer))).unwrap_or_default();
    let text = match rule {
        _ if own => "this KVM is too old for it, or lacks what it needs".to_string(),
        KvmTreatment::Unknown if feature.linux_macro(release).is_none() => {
            format!("KVM in Linux {release} does not know it")
        }
        KvmTreatment::Unknown => {
            format!("KVM in Linux {release} has no word for it, or handles it elsewhere")
        }
        KvmTreatment::NotAdvertised => {
            format!("KVM in Linux {release} knows it but does not advertise it")
        }
        KvmTreatment::Runtime => "it reflects what the guest enables, and is never advertised".to_string(),
        KvmTreatment::Vendor => {
            let (decides, rules) = (deciders(feature, release), rules(feature, release));
            format!("{decides} decides, and does not offer it here{rules}")
        }
        KvmTreatment::Host | KvmTreatment::Host64 if cpu == Says::No => {
            "it offers it only if the host has it".to_string()
        }
        KvmTreatment::Host | KvmTreatment::Host64 if linux == Says::No => {
            "it offers it only if the host's kernel uses it".to_string()
        }
        KvmTreatment::Host | KvmTreatment::Host64 => {
            let rules = match rules(feature, release) {
                rules if rules.is_empty() => " (a module parameter or an internal condition)".to_string(),
                rules => rules,
            };
            format!("by its rule ({rule}) it could offer it, but withholds it here{rules}")
        }
        KvmTreatment::Passthrough if cpu == Says::No => {
            "it passes it through only if the host's CPUID has it".to_string()
        }
        KvmTreatment::Passthrough => {
            "it passes it through, but withholds it here (an internal condition)".to_string()
        }
        KvmTreatment::Synthesized => "the host's kernel does not set it".to_string(),
        KvmTreatment::Emulated => {
            format!("KVM in Linux {release} always emulates it, but this one does not")
        }
        KvmTreatment::Conditional => {
            format!("an internal condition is not met{}", rules(feature, release))
        }
    };
    text + &between
}
