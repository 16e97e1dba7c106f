//! Explains a feature on a machine: which layer has it, which layer withholds it from a guest, and why.
//!
//! This module queries nothing: a [`Machine`] holds the gathered data, and the explanation names what was not
//! gathered.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::About;
use super::styled::{Style, Styled};
use crate::bits::feature::Feature;
use crate::bits::location::Msr;
use crate::bits::lookup::Named;
use crate::bits::release::QemuRelease;
use crate::models::cpu_model::CpuModel;
use crate::naming::name_of;
use crate::table::CpuidEntry;
use crate::table::Mirror;

mod cpu;
mod kvm;
mod linux;
mod msr;
mod parameters;
mod qemu;
mod vendor;
mod verdict;

use verdict::Verdict;

pub use linux::{Nearest, RunningLinux};
pub use parameters::{ConfigOption, config_options, kernel_parameters};

/// Data gathered from a machine.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The table that its CPUID instruction returns.
    pub cpuid: Option<Vec<CpuidEntry>>,
    /// Its kernel.
    pub linux: Option<RunningLinux>,
    /// Its KVM.
    pub kvm: Option<RunningKvm>,
    /// Feature MSRs that are known of its processor; not necessarily all.
    pub msrs: BTreeMap<Msr, u64>,
    /// The QEMU there; `None` for the newest release.
    pub qemu: Option<QemuRelease>,
}

/// Data gathered from a KVM.
#[derive(Clone, Debug, Default)]
pub struct RunningKvm {
    /// `KVM_GET_SUPPORTED_CPUID`.
    pub supported: Vec<CpuidEntry>,
    /// `KVM_GET_EMULATED_CPUID`.
    pub emulated: Vec<CpuidEntry>,
    /// The parameter `nested` of kvm_intel or kvm_amd, if readable.
    pub nested: Option<bool>,
    /// All its feature MSRs (`KVM_GET_MSR_FEATURE_INDEX_LIST`), if they were queried.
    pub msrs: Option<BTreeMap<Msr, u64>>,
}

/// A layer between the processor and the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Who {
    /// The processor, by the CPUID instruction.
    Cpu,
    /// The kernel, by `/proc/cpuinfo`.
    Linux,
    /// The kernel's KVM.
    Kvm,
    /// QEMU, by its feature names.
    Qemu,
    /// QEMU's CPU models.
    Models,
    /// The feature's dependencies.
    Needs,
}

impl Who {
    /// Its name in the output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Who::Cpu => "CPU",
            Who::Linux => "Linux",
            Who::Kvm => "KVM",
            Who::Qemu => "QEMU",
            Who::Models => "models",
            Who::Needs => "needs",
        }
    }
}

/// Whether a layer has a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Says {
    /// The layer has it, or may have it.
    Yes,
    /// The layer does not have it.
    No,
    /// The layer was not queried, or does not decide.
    Nothing,
}

/// One layer's part of the explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The layer.
    pub who: Who,
    /// Whether it has the feature.
    pub says: Says,
    /// How and why.
    pub text: String,
    /// For `No`, the reason alone, for the verdict.
    pub because: Option<String>,
}

impl Step {
    fn new(who: Who, says: Says, text: impl Into<String>) -> Step {
        Step { who, says, text: text.into(), because: None }
    }

    fn no(who: Who, text: impl Into<String>, because: impl Into<String>) -> Step {
        Step { who, says: Says::No, text: text.into(), because: Some(because.into()) }
    }
}

/// The explanation of a bit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Story {
    /// What the tables know about it.
    pub about: About,
    /// The layers, from the processor up.
    pub steps: Vec<Step>,
    /// Whether a guest there can have it; for a bit outside CPUID, whether it is set. `None` if the queried layers do not
    /// decide that.
    pub available: Option<bool>,
    /// The first layer that withholds it; `None` if none does, and for a bit that mirrors what the guest has enabled.
    pub withheld_by: Option<Who>,
    /// Which layer withholds it, in one sentence.
    pub verdict: String,
}

/// Explains a bit on a machine; `model` is the guest's CPU model.
#[must_use]
pub fn why(named: Named, machine: &Machine, model: Option<CpuModel>) -> Story {
    let about = About::new(named);
    let Named::Feature(feature) = named else {
        let steps: Vec<Step> = linux::of_software(named, machine)
            .into_iter()
            .chain(msr::steps(named, machine))
            .chain(qemu::of_msr(named, machine, model))
            .collect();
        let verdict = verdict::of_software(named, machine, &steps);
        return Story::new(about, steps, verdict);
    };
    if let Some(mirror) = Mirror::find(feature) {
        return mirrored(mirror, about, machine, model);
    }
    let cpu = cpu::step(feature, machine);
    let linux = linux::step(feature, machine, cpu.says);
    let kvm = kvm::step(feature, machine, (cpu.says, linux.says));
    let steps: Vec<Step> = [cpu, linux, kvm, qemu::step(feature, machine)]
        .into_iter()
        .chain([qemu::models(feature, machine, model), cpu::needs(feature, machine)].into_iter().flatten())
        .collect();
    let verdict = verdict::of_feature(feature, machine, model, &steps);
    Story::new(about, steps, verdict)
}

/// Explains a bit that shows what the guest has enabled: no layer withholds it, but one may withhold what the guest needs
/// to enable it.
fn mirrored(mirror: &Mirror, about: About, machine: &Machine, model: Option<CpuModel>) -> Story {
    let cpu = cpu::step(mirror.bit, machine);
    let linux = linux::step(mirror.bit, machine, cpu.says);
    let steps = Vec::from([cpu, linux, kvm::mirror_step(mirror, machine), qemu::mirror_step()]);
    let needed = mirror.needs.map(|needed| why(Named::Feature(needed), machine, model));
    let verdict = verdict::of_mirror(mirror, machine, needed.as_ref());
    Story::new(about, steps, verdict)
}

/// Names of features as a list in a sentence.
fn list(features: impl IntoIterator<Item = Feature>) -> String {
    let names: Vec<&str> = features.into_iter().map(name_of).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_string(),
        [all @ .., last] => all.join(", ") + " and " + last,
    }
}

impl Story {
    fn new(about: About, steps: Vec<Step>, verdict: Verdict) -> Story {
        let Verdict { available, withheld_by, sentence } = verdict;
        Story { about, steps, available, withheld_by, verdict: sentence }
    }

    /// A heading, a line for each layer, and the verdict.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let name = match self.about.named {
            Named::Feature(feature) => name_of(feature),
            other => other.name(),
        };
        let mut text = Styled::new();
        text.line(Style::Heading, format_args!("{name}: {}", self.about.place()));
        for step in &self.steps {
            let (style, says) = match step.says {
                Says::Yes => (Style::Good, "yes"),
                Says::No => (Style::Error, "no"),
                Says::Nothing => (Style::Plain, "-"),
            };
            let padding = 4 - says.len();
            text.plain("  ").push(style, says);
            text.plain(format_args!("{:padding$}{:7} {}\n", "", step.who.name(), step.text));
        }
        text.line(Style::Heading, &self.verdict);
        text
    }
}

impl fmt::Display for Story {
    /// The text of [`Story::styled`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled().fmt(f)
    }
}
