//! What KVM's vendor modules do with a feature (`vmx_set_cpu_caps` and `svm_set_cpu_caps`), and their parameters.

include!(concat!(env!("OUT_DIR"), "/kvm_module.rs"));

/// What a vendor module does with a feature in one release of Linux, after KVM's common lists.
///
/// ```
/// use cpuid_tables::{LinuxRelease, ModuleAction, feature};
///
/// let rule = feature::NPT.kvm_modules(LinuxRelease::NEWEST).next();
/// // A tree without the vendor modules has no rules.
/// if let Some(rule) = rule {
///     assert_eq!(rule.action, ModuleAction::Set);
///     assert_eq!(rule.to_string(), "kvm_amd advertises it if kvm_amd.nested && kvm_amd.npt");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvmModuleRule {
    /// The module.
    pub module: KvmModule,
    /// What it does.
    pub action: ModuleAction,
    /// The condition; `None` if unconditional. An expression with `!`, `&&`, `||` and comparisons over parameters
    /// (`kvm_amd.npt`), features of the host's kernel (`host:NRIPS`) and of KVM (`kvm:PERFCTR_CORE`), and otherwise
    /// names of KVM's own functions and variables.
    pub condition: Option<&'static str>,
}

impl KvmModuleRule {
    /// True if the condition names this parameter: `kvm_amd.npt`.
    #[must_use]
    pub fn depends_on(&self, parameter: &KvmParameter) -> bool {
        let name = |part: &str| {
            let rest = part.strip_prefix(parameter.module.name()).and_then(|rest| rest.strip_prefix('.'));
            rest == Some(parameter.name)
        };
        let separates = |c: char| !(c.is_ascii_alphanumeric() || "_.:".contains(c));
        self.condition.is_some_and(|condition| condition.split(separates).any(name))
    }
}

impl fmt::Display for KvmModuleRule {
    /// `kvm_amd advertises it if kvm_amd.nested`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = match self.action {
            ModuleAction::Set => "advertises it",
            ModuleAction::SetIfHost => "advertises the host's",
            ModuleAction::Clear => "withdraws it",
        };
        match self.condition {
            Some(condition) => write!(f, "{} {does} if {condition}", self.module),
            None => write!(f, "{} {does}", self.module),
        }
    }
}

/// A module parameter on which features depend, in one release of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvmParameter {
    /// The module.
    pub module: KvmModule,
    /// Its name.
    pub name: &'static str,
    /// Its value without options: `true`, `false`, a number, or the name of an enumerator or configuration option. A
    /// module can lower it when the processor lacks what it needs.
    pub default: &'static str,
}

impl fmt::Display for KvmParameter {
    /// `kvm_amd.npt=true`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}={}", self.module, self.name, self.default)
    }
}
