//! The processor's step, by the CPUID instruction.

use alloc::format;
use alloc::string::String;

use super::{Machine, Says, Step, Who, list};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::kvm_treatment::KvmTreatment;
use crate::bits::location::Leaf;
use crate::bits::lookup::{Named, lookup};
use crate::bits::release::LinuxRelease;
use crate::show::Summary;
use crate::table::{CpuidEntry, CpuidRead, Hypervisor};

pub(super) fn step(feature: Feature, machine: &Machine) -> Step {
    let Some(cpuid) = &machine.cpuid else {
        return Step::new(Who::Cpu, Says::Nothing, "not queried");
    };
    if cpuid.has(feature) {
        let under = match below(machine) {
            None => String::new(),
            Some(Below::Kvm) => String::from("; leaf 0x40000000 is KVM's"),
            Some(Below::Hypervisor(name)) => format!(", under the hypervisor {name}"),
        };
        return Step::new(Who::Cpu, Says::Yes, format!("CPUID shows it{under}"));
    }
    let what = match missing_leaf(feature, cpuid) {
        Some(highest) => {
            format!("CPUID ends at leaf {highest}, below the feature's leaf {}", feature.leaf())
        }
        None => String::from("CPUID does not show it"),
    };
    if feature.kvm(LinuxRelease::NEWEST) == KvmTreatment::Runtime {
        let because = "the operating system has not enabled it";
        return Step::no(
            Who::Cpu,
            format!("{what}; the bit reflects what the operating system has enabled"),
            because,
        );
    }
    match below(machine) {
        Some(Below::Kvm) => {
            let text = format!(
                "{what}; leaf 0x40000000 is KVM's: this is what KVM supports (KVM_GET_SUPPORTED_CPUID), or a guest of it"
            );
            Step::no(Who::Cpu, text, "it does not offer the bit here, or the processor lacks it")
        }
        Some(Below::Hypervisor(name)) => {
            let text = format!(
                "{what}; this machine is itself a guest ({name}), and its hypervisor decides which bits it sees"
            );
            Step::no(Who::Cpu, text, "it hides the bit, or its own processor lacks it")
        }
        None => Step::no(Who::Cpu, what, "the processor does not have it, or the firmware has disabled it"),
    }
}

/// The highest leaf, if a feature's leaf is above it.
fn missing_leaf(feature: Feature, cpuid: &[CpuidEntry]) -> Option<Leaf> {
    let base = Leaf(feature.leaf().0 & 0xffff_0000);
    cpuid.highest_leaf(base).filter(|highest| *highest < feature.leaf())
}

/// What runs below a machine or a guest's table.
pub(super) enum Below {
    /// KVM, by its leaf in a table alone: a guest's, or KVM's answer to what it supports, where nothing is below KVM.
    Kvm,
    /// A hypervisor.
    Hypervisor(String),
}

/// The hypervisor of a machine or a table, if it has a signature.
pub(super) fn below(machine: &Machine) -> Option<Below> {
    let cpuid = machine.cpuid.as_deref()?;
    let alone = machine.linux.is_none() && machine.kvm.is_none();
    let kvm = cpuid.hypervisors().any(|found| found.signature == Hypervisor::KVM);
    let name = hypervisor(cpuid)?;
    Some(if alone && kvm { Below::Kvm } else { Below::Hypervisor(name) })
}

/// The hypervisor that runs this machine, if it has a signature; the signature if that is text.
fn hypervisor(cpuid: &[CpuidEntry]) -> Option<String> {
    let Ok(Named::Feature(bit)) = lookup("X86_FEATURE_HYPERVISOR") else { return None };
    if !cpuid.has(bit) {
        return None;
    }
    let name = Summary::from_entries(cpuid).hypervisor_names().next();
    Some(name.unwrap_or_else(|| String::from("unnamed")))
}

/// The feature's dependencies, and which are missing in KVM's supported table or, without it, in CPUID.
pub(super) fn needs(feature: Feature, machine: &Machine) -> Option<Step> {
    let needs = feature.needs();
    if needs.is_empty() {
        return None;
    }
    let missing = |entries: &[CpuidEntry]| -> FeatureSet { needs - entries.features() };
    let (missing, of) = match (&machine.kvm, &machine.cpuid) {
        (Some(kvm), _) => (missing(&kvm.supported), "what KVM supports"),
        (None, Some(cpuid)) => (missing(cpuid), "what CPUID shows"),
        (None, None) => return Some(Step::new(Who::Needs, Says::Nothing, list(needs))),
    };
    Some(if missing.is_empty() {
        Step::new(Who::Needs, Says::Yes, format!("{}: all in {of}", list(needs)))
    } else {
        let because = format!("it needs {}, missing in {of}", list(missing));
        Step::no(Who::Needs, format!("{}; missing in {of}: {}", list(needs), list(missing)), because)
    })
}
