//! The whole story of a feature on a machine: who has it, who shows it, who keeps it from a guest, and why.
//!
//! Nothing is asked here: a [`Machine`] is what was gathered, and where something was not, the story says so.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::About;
use super::styled::{Style, Styled};
use crate::bits::feature::Feature;
use crate::bits::lookup::Named;
use crate::models::cpu_model::CpuModel;
use crate::naming::name_of;
use crate::table::CpuidEntry;

mod cpu;
mod kvm;
mod linux;
mod parameters;
mod qemu;
mod vendor;
mod verdict;

pub use linux::{Nearest, RunningLinux};
pub use parameters::{ConfigOption, config_options, kernel_parameters};

/// What was gathered of a machine.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// What the CPUID instruction answers on it.
    pub cpuid: Option<Vec<CpuidEntry>>,
    /// Its kernel.
    pub linux: Option<RunningLinux>,
    /// Its KVM.
    pub kvm: Option<RunningKvm>,
}

/// What was gathered of a KVM.
#[derive(Clone, Debug, Default)]
pub struct RunningKvm {
    /// `KVM_GET_SUPPORTED_CPUID`.
    pub supported: Vec<CpuidEntry>,
    /// `KVM_GET_EMULATED_CPUID`.
    pub emulated: Vec<CpuidEntry>,
    /// The parameter `nested` of kvm_intel or kvm_amd, where it can be read.
    pub nested: Option<bool>,
}

/// Who has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The processor, as the CPUID instruction tells.
    Cpu,
    /// The kernel, by `/proc/cpuinfo`.
    Linux,
    /// The kernel's KVM.
    Kvm,
    /// QEMU, by its names.
    Qemu,
    /// QEMU's CPU models.
    Models,
    /// The features that it needs.
    Needs,
}

impl Who {
    /// In a word.
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

/// What someone says to a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    /// It is there, or may be.
    Yes,
    /// It is not there.
    No,
    /// It was not asked, or has no say.
    Nothing,
}

/// A part of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who.
    pub who: Who,
    /// Yes or no.
    pub says: Says,
    /// How, and why.
    pub text: String,
    /// The reason alone, where it says no, for the last sentence.
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

/// The story of a bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What the tables know of it.
    pub about: About,
    /// Who says what, from the processor up.
    pub steps: Vec<Step>,
    /// Who says no, in one sentence.
    pub verdict: String,
}

/// Tells the story of a bit on a machine; `model` is a CPU model that a guest is to have.
#[must_use]
pub fn why(named: Named, machine: &Machine, model: Option<CpuModel>) -> Story {
    let about = About::new(named);
    let Named::Feature(feature) = named else {
        let steps: Vec<Step> =
            linux::of_software(named, machine).into_iter().chain(qemu::of_msr(named, model)).collect();
        let verdict = verdict::of_software(named, machine, &steps);
        return Story { about, steps, verdict };
    };
    let cpu = cpu::step(feature, machine);
    let linux = linux::step(feature, machine, cpu.says);
    let kvm = kvm::step(feature, machine, (cpu.says, linux.says));
    let steps: Vec<Step> = [cpu, linux, kvm, qemu::step(feature)]
        .into_iter()
        .chain([qemu::models(feature, model), cpu::needs(feature, machine)].into_iter().flatten())
        .collect();
    let verdict = verdict::of(feature, machine, model, &steps);
    Story { about, steps, verdict }
}

/// Names of features, as in a sentence.
fn list(features: impl IntoIterator<Item = Feature>) -> String {
    let names: Vec<&str> = features.into_iter().map(name_of).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_string(),
        [all @ .., last] => all.join(", ") + " and " + last,
    }
}

impl Story {
    /// A heading, a line for each who has a say, and the last sentence.
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
