//! What one Linux release states about a location.

use crate::facts::{CapKind, KvmModule, ModuleAction};
use crate::location::WordBit;

/// One Linux release's view of a location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinuxView {
    /// The macro without `X86_FEATURE_`, the kernel's own or KVM's; of KVM's own leaf the whole macro, `KVM_FEATURE_*` or
    /// `KVM_HINTS_*`.
    pub name: Option<String>,
    /// The name in `/proc/cpuinfo`.
    pub flag: Option<String>,
    /// The kernel's bit; `None` if only KVM has it. For a scattered feature, this is its bit in a software-defined
    /// word.
    pub kernel: Option<WordBit>,
    /// The bit among KVM's words, which include the kernel's hardware words.
    pub kvm: Option<WordBit>,
    /// The mentions in KVM's capability set-up, sorted.
    pub caps: Vec<CapKind>,
    /// What the vendor modules do with it after the lists, in the order of their code.
    pub modules: Vec<ModuleRule>,
}

/// What a vendor module does with a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleRule {
    /// The module.
    pub module: KvmModule,
    /// What it does.
    pub action: ModuleAction,
    /// The condition; `None` if unconditional.
    pub condition: Option<String>,
}
