//! The verdict.

use alloc::format;
use alloc::string::String;

use super::qemu::full_name;
use super::{Machine, Says, Step, Story, Who, cpu, vendor};
use crate::bits::feature::Feature;
use crate::bits::lookup::Named;
use crate::models::cpu_model::CpuModel;
use crate::naming::name_of;
use crate::table::Mirror;

fn step(steps: &[Step], who: Who) -> Option<&Step> {
    steps.iter().find(|step| step.who == who)
}

fn refusal(steps: &[Step], who: Who) -> Option<&str> {
    step(steps, who).filter(|step| step.says == Says::No)?.because.as_deref()
}

fn says(steps: &[Step], who: Who) -> Says {
    step(steps, who).map_or(Says::Nothing, |step| step.says)
}

pub(super) struct Verdict {
    /// Whether a guest can have the feature, where that is known.
    pub(super) available: Option<bool>,
    /// The layer that withholds it, if one does.
    pub(super) withheld_by: Option<Who>,
    /// The sentence that says so.
    pub(super) sentence: String,
}

impl Verdict {
    fn new(available: Option<bool>, sentence: String) -> Verdict {
        Verdict { available, withheld_by: None, sentence }
    }
}

fn withheld(by: Who, sentence: String) -> Verdict {
    Verdict { available: Some(false), withheld_by: Some(by), sentence }
}

/// The first layer, from the processor to the guest, that withholds a feature.
pub(super) fn of_feature(
    feature: Feature,
    machine: &Machine,
    model: Option<CpuModel>,
    steps: &[Step],
) -> Verdict {
    let name = name_of(feature);
    // A guest may have any feature that KVM offers, whatever its source.
    let offered = says(steps, Who::Kvm) == Says::Yes;
    if !offered {
        let refused = match says(steps, Who::Cpu) {
            Says::No => true,
            Says::Yes => false,
            Says::Nothing => says(steps, Who::Kvm) == Says::No,
        };
        if let Some(foreign) = vendor::foreign(feature, machine).filter(|_| refused) {
            return withheld(Who::Cpu, foreign);
        }
        if let Some(because) = refusal(steps, Who::Cpu) {
            let who = match cpu::below(machine) {
                None => "The processor".into(),
                Some(cpu::Below::Kvm) => "KVM".into(),
                Some(cpu::Below::Hypervisor(name)) => format!("This machine's hypervisor ({name})"),
            };
            return withheld(Who::Cpu, format!("{who} withholds {name}: {because}."));
        }
        if let Some(because) = refusal(steps, Who::Linux) {
            return withheld(Who::Linux, format!("Linux withholds {name}: {because}."));
        }
        if let Some(because) = refusal(steps, Who::Kvm) {
            return withheld(Who::Kvm, format!("KVM withholds {name}: {because}."));
        }
    }
    if let Some(because) = refusal(steps, Who::Needs) {
        return withheld(Who::Needs, format!("A missing dependency withholds {name}: {because}."));
    }
    if let Some(because) = refusal(steps, Who::Qemu) {
        return withheld(Who::Qemu, format!("Only QEMU withholds {name}: {because}."));
    }
    if let Some(model) = model.filter(|_| refusal(steps, Who::Models).is_some()) {
        return withheld(
            Who::Models,
            format!("Only the model withholds {name}: {} does not have it.", full_name(model)),
        );
    }
    no_layer(name, machine, steps)
}

fn no_layer(name: &str, machine: &Machine, steps: &[Step]) -> Verdict {
    let hidden = match step(steps, Who::Linux) {
        Some(step) if step.says != Says::Yes && machine.linux.is_some() => {
            ", although /proc/cpuinfo does not show it"
        }
        _ => "",
    };
    if machine.kvm.is_some() {
        return Verdict::new(
            Some(true),
            format!("Nothing withholds {name}: a guest here can have it{hidden}."),
        );
    }
    Verdict::new(None, format!("No queried layer withholds {name}{hidden}; KVM was not queried."))
}

/// The verdict for a bit that shows what the guest has enabled; `needed` explains the feature that it needs for that.
pub(super) fn of_mirror(mirror: &Mirror, machine: &Machine, needed: Option<&Story>) -> Verdict {
    let (name, of) = (name_of(mirror.bit), mirror.of);
    if let Some(needed) = needed.filter(|needed| needed.available == Some(false)) {
        let verdict = &needed.verdict;
        let sentence = format!("{name} mirrors {of}, which the guest cannot set: {verdict}");
        return Verdict::new(Some(false), sentence);
    }
    let known = machine.kvm.as_ref().map(|_| true);
    Verdict::new(
        known,
        format!("Nothing withholds {name}: it mirrors {of}, and KVM updates it while the guest runs."),
    )
}

/// The verdict for a bit that is not in a CPUID register.
pub(super) fn of_software(named: Named, machine: &Machine, steps: &[Step]) -> Verdict {
    let name = named.name();
    let linux = says(steps, Who::Linux);
    // What KVM offers of an MSR a guest can have, whatever Linux shows.
    if step(steps, Who::Kvm).is_some_and(|step| step.says != Says::Nothing) || matches!(named, Named::Msr(_))
    {
        return of_msr(name, machine, steps);
    }
    match named {
        _ if linux == Says::Yes => Verdict::new(
            Some(true),
            format!("Nothing withholds {name}: only Linux decides, and it has set it."),
        ),
        _ if linux == Says::No => {
            let because = refusal(steps, Who::Linux).unwrap_or("it has not set it");
            withheld(Who::Linux, format!("Linux withholds {name}: {because}."))
        }
        _ if machine.linux.is_none() => {
            Verdict::new(None, format!("Only Linux decides about {name}, and it was not queried."))
        }
        _ => Verdict::new(
            None,
            format!("Only Linux decides about {name}, and it does not show whether it is set."),
        ),
    }
}

/// The verdict for a bit of a feature MSR.
fn of_msr(name: &str, machine: &Machine, steps: &[Step]) -> Verdict {
    for (who, title) in [
        (Who::Kvm, "KVM"),
        (Who::Needs, "A missing dependency"),
        (Who::Qemu, "QEMU"),
        (Who::Models, "The model"),
    ] {
        if let Some(because) = refusal(steps, who) {
            return withheld(who, format!("{title} withholds {name}: {because}."));
        }
    }
    if says(steps, Who::Kvm) == Says::Yes {
        return Verdict::new(Some(true), format!("Nothing withholds {name}: a guest here can have it."));
    }
    if let Some(because) = refusal(steps, Who::Cpu) {
        return withheld(Who::Cpu, format!("The processor withholds {name}: {because}."));
    }
    let asked = if says(steps, Who::Cpu) == Says::Yes {
        "KVM was not queried"
    } else if machine.kvm.is_some() {
        "this KVM's feature MSRs are not known"
    } else {
        "this machine's MSRs were not queried"
    };
    Verdict::new(None, format!("{name} is in an MSR, not in CPUID: {asked}."))
}
