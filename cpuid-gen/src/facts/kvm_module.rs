//! Records of KVM's vendor modules: the capabilities that they change, and the parameters on which these depend.

use crate::source::Span;
use crate::vocabulary::kvm_module::{KvmModule, ModuleAction};

/// The modules with their names in facts.
pub(crate) const MODULES: [(KvmModule, &str); 3] = [
    (KvmModule::Kvm, KvmModule::Kvm.name()),
    (KvmModule::Intel, KvmModule::Intel.name()),
    (KvmModule::Amd, KvmModule::Amd.name()),
];

/// The actions with their names in facts.
pub(crate) const ACTIONS: [(ModuleAction, &str); 3] = [
    (ModuleAction::Set, ModuleAction::Set.name()),
    (ModuleAction::SetIfHost, ModuleAction::SetIfHost.name()),
    (ModuleAction::Clear, ModuleAction::Clear.name()),
];

/// A change that a vendor module makes to KVM's capabilities.
#[derive(Clone, Debug)]
pub struct KvmModuleCap {
    /// The module.
    pub module: KvmModule,
    /// What it does.
    pub action: ModuleAction,
    /// The feature's macro without its prefix.
    pub name: String,
    /// The condition in the text form of [`Condition`](super::Condition); `None` if unconditional. It names parameters
    /// (`kvm_amd.npt`), features of the host's kernel (`host:NRIPS`) and of KVM (`kvm:PERFCTR_CORE`), and otherwise the
    /// functions and variables of the source, which can be compared with a number or with each other.
    pub condition: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A module parameter that a capability depends on.
#[derive(Clone, Debug)]
pub struct KvmParam {
    /// The module.
    pub module: KvmModule,
    /// Its name.
    pub name: String,
    /// Its value without options: `true`, `false`, a number, or the name of an enumerator or configuration option.
    pub default: String,
    /// Its place.
    pub at: Span,
}

impl KvmParam {
    /// `kvm_amd.npt`, as in the kernel's command line.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }
}
