//! The last sentence.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::qemu::full_name;
use super::{Machine, Says, Step, Who, cpu};
use crate::cpu_model::CpuModel;
use crate::hardware::Feature;
use crate::names::Named;
use crate::show::name_of;

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
        if let Some(because) = refusal(steps, Who::Cpu) {
            let below = machine.cpuid.as_deref().and_then(cpu::hypervisor);
            let who = if below.is_some() { "The hypervisor below" } else { "The processor" };
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
    let asked = [
        machine.cpuid.as_ref().map(|_| "the processor"),
        machine.linux.as_ref().map(|_| "Linux"),
        machine.kvm.as_ref().map(|_| "KVM"),
    ];
    let asked: Vec<&str> = asked.into_iter().flatten().collect();
    let who = if asked.is_empty() { String::new() } else { format!(" of {} and QEMU", asked.join(", ")) };
    let guest = if machine.kvm.is_some() { "a guest here can have it" } else { "what KVM says was not asked" };
    let hidden = match step(steps, Who::Linux) {
        Some(step) if step.says != Says::Yes && machine.linux.is_some() => ", though /proc/cpuinfo does not show it",
        _ => "",
    };
    format!("Nobody{who} says no to {name}: {guest}{hidden}.")
}

/// Who decides of what no CPUID register has a bit for.
pub(super) fn of_software(named: Named, machine: &Machine, steps: &[Step]) -> String {
    let name = named.name();
    let linux = says(steps, Who::Linux);
    match named {
        Named::Msr(_) => match refusal(steps, Who::Models).or(refusal(steps, Who::Qemu)) {
            Some(because) => format!("QEMU says no to {name}: {because}."),
            None => format!("An MSR tells {name}, not CPUID: what this machine says to it was not asked."),
        },
        _ if machine.linux.is_none() => format!("Linux alone decides about {name}, and was not asked."),
        _ if linux == Says::Yes => format!("Nobody says no to {name}: Linux alone decides, and has set it."),
        _ if linux == Says::No => format!("Linux says no to {name}: no CPUID bit tells it, Linux alone decides."),
        _ => format!("Linux alone decides about {name}, and shows nobody whether it is set."),
    }
}
