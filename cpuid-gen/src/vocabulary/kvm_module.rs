use core::fmt;

/// A kernel module of KVM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KvmModule {
    /// `kvm`, which both vendor modules use.
    Kvm,
    /// `kvm-intel`.
    Intel,
    /// `kvm-amd`.
    Amd,
}

impl KvmModule {
    /// All.
    pub const ALL: [KvmModule; 3] = [KvmModule::Kvm, KvmModule::Intel, KvmModule::Amd];

    /// Its name in the kernel's command line: `kvm_intel`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            KvmModule::Kvm => "kvm",
            KvmModule::Intel => "kvm_intel",
            KvmModule::Amd => "kvm_amd",
        }
    }
}

impl fmt::Display for KvmModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a vendor module does with a feature, after KVM's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModuleAction {
    /// Advertises it, whether or not the host has it (`kvm_cpu_cap_set`).
    Set,
    /// Advertises it if the host has it (`kvm_cpu_cap_check_and_set`).
    SetIfHost,
    /// Withdraws it (`kvm_cpu_cap_clear`).
    Clear,
}

impl ModuleAction {
    /// All.
    pub const ALL: [ModuleAction; 3] = [ModuleAction::Set, ModuleAction::SetIfHost, ModuleAction::Clear];

    /// Its name in the facts files: `set`, `set-if-host`, `clear`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ModuleAction::Set => "set",
            ModuleAction::SetIfHost => "set-if-host",
            ModuleAction::Clear => "clear",
        }
    }
}

impl fmt::Display for ModuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
