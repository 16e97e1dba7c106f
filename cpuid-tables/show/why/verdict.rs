//! The last sentence.

use alloc::format;
use alloc::string::String;

use super::qemu::full_name;
use super::{Machine, Says, Step, Who, cpu, vendor};
use crate::bits::feature::Feature;
use crate::bits::lookup::Named;
use crate::models::cpu_model::CpuModel;
use crate::naming::name_of;

fn step(steps: &[Step], who: Who) -> Option<&Step> {
    steps.iter().find(|step| step.who == who)
}

fn refusal(steps: &[Step], who: Who) -> Option<&str> {
    step(steps, who).filter(|step| step.says == Says::No)?.because.as_deref()
}

fn says(steps: &[Step], who: Who) -> Says {
    step(steps, who).map_or(Says::Nothing, |step| step.says)
}

/// Who says no to a guest having a feature; the first on the way from the processor to the guest.
pub(super) fn of(feature: Feature, machine: &Machine, model: Option<CpuModel>, steps: &[Step]) -> String {
    let name = name_of(feature);
    // What KVM offers, a guest may have, wherever KVM has it from.
    let offered = says(steps, Who::Kvm) == Says::Yes;
    if !offered {
        let refused = match says(steps, Who::Cpu) {
            Says::No => true,
            Says::Yes => false,
            Says::Nothing => says(steps, Who::Kvm) == Says::No,
        };
        if let Some(foreign) = vendor::foreign(feature, machine).filter(|_| refused) {
            return foreign;
        }
        if let Some(because) = refusal(steps, Who::Cpu) {
            let who = match cpu::below(machine) {
                None => "The processor".into(),
                Some(cpu::Below::Kvm) => "KVM".into(),
                Some(cpu::Below::Hypervisor(name)) => format!("The hypervisor below ({name})"),
            };
            return format!("{who} says no to {name}: {because}.");
        }
        if let Some(because) = refusal(steps, Who::Linux) {
            return format!("Linux says no to {name}: {because}.");
        }
        if let Some(because) = refusal(steps, Who::Kvm) {
            return format!("KVM says no to {name}: {because}.");
        }
    }
    if let Some(because) = refusal(steps, Who::Needs) {
        return format!("What it needs says no to {name}: {because}.");
    }
    if let Some(because) = refusal(steps, Who::Qemu) {
        return format!("Only QEMU says no to {name}: {because}.");
    }
    if let Some(model) = model.filter(|_| refusal(steps, Who::Models).is_some()) {
        return format!("Only the model says no to {name}: {} does not have it.", full_name(model));
    }
    nobody(name, machine, steps)
}

fn nobody(name: &str, machine: &Machine, steps: &[Step]) -> String {
    let hidden = match step(steps, Who::Linux) {
        Some(step) if step.says != Says::Yes && machine.linux.is_some() => {
            ", though /proc/cpuinfo does not show it"
        }
        _ => "",
    };
    if machine.kvm.is_some() {
        return format!("Nobody says no to {name}: a guest here can have it{hidden}.");
    }
    format!("Nobody who was asked says no to {name}{hidden}; KVM was not asked.")
}

/// Who decides of what no CPUID register has a bit for.
pub(super) fn of_software(named: Named, machine: &Machine, steps: &[Step]) -> String {
    let name = named.name();
    let linux = says(steps, Who::Linux);
    match named {
        Named::Msr(_) => match (refusal(steps, Who::Qemu), refusal(steps, Who::Models)) {
            (Some(because), _) => format!("QEMU says no to {name}: {because}."),
            (None, Some(because)) => format!("The model says no to {name}: {because}."),
            (None, None) => {
                format!("An MSR tells {name}, not CPUID: what this machine says to it was not asked.")
            }
        },
        _ if machine.linux.is_none() => format!("Linux alone decides about {name}, and was not asked."),
        _ if linux == Says::Yes => format!("Nobody says no to {name}: Linux alone decides, and has set it."),
        _ if linux == Says::No => {
            let because = refusal(steps, Who::Linux).unwrap_or("it has not set it");
            format!("Linux says no to {name}: {because}.")
        }
        _ => format!("Linux alone decides about {name}, and shows nobody whether it is set."),
    }
}
