//! What makes a kernel clear features: its parameters, its configuration, the firmware.
//!
//! From Linux: the parameters of `arch/x86/kernel/cpu` and `arch/x86/kernel/apic` that lead to `setup_clear_cpu_cap`
//! (7.3.4), and `arch/x86/Kconfig.cpufeatures` (before 6.15 `arch/x86/include/asm/disabled-features.h`) of the pinned
//! releases. A test compares the options with the facts.

use alloc::format;
use alloc::string::String;

use crate::bits::feature::Feature;

/// Parameters that clear a feature, given by its macro; in order.
static PARAMETERS: &[(&str, &str)] = &[
    ("disableapic", "APIC"),
    ("fred=off", "FRED"),
    ("no5lvl", "LA57"),
    ("nofsgsbase", "FSGSBASE"),
    ("noinvpcid", "INVPCID"),
    ("nolapic", "APIC"),
    ("nopcid", "PCID"),
    ("nopku", "PKU"),
    ("nosgx", "SGX"),
    ("nox2apic", "X2APIC"),
    ("noxsave", "XSAVE"),
    ("noxsaveopt", "XSAVEOPT"),
    ("noxsaves", "XSAVES"),
    ("tsx=off", "RTM"),
];

/// A kernel configuration option that a feature depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigOption {
    /// The feature's macro.
    pub linux_macro: &'static str,
    /// The option, without `CONFIG_`.
    pub option: &'static str,
    /// True if setting the option disables the feature, false if unsetting it does.
    pub disables_when_set: bool,
}

const fn without(linux_macro: &'static str, option: &'static str) -> ConfigOption {
    ConfigOption { linux_macro, option, disables_when_set: false }
}

const fn with(linux_macro: &'static str, option: &'static str) -> ConfigOption {
    ConfigOption { linux_macro, option, disables_when_set: true }
}

/// By macro. A renamed option has two rows.
static OPTIONS: &[ConfigOption] = &[
    without("CALL_DEPTH", "MITIGATION_CALL_DEPTH_TRACKING"),
    with("CENTAUR_MCR", "X86_64"),
    with("CYRIX_ARR", "X86_64"),
    without("ENQCMD", "INTEL_IOMMU_SVM"),
    without("FRED", "X86_FRED"),
    without("IBT", "X86_KERNEL_IBT"),
    without("INVLPGB", "BROADCAST_TLB_FLUSH"),
    with("K6_MTRR", "X86_64"),
    without("LA57", "X86_5LEVEL"),
    without("LAM", "ADDRESS_MASKING"),
    with("LASS", "X86_32"),
    without("OSPKE", "X86_INTEL_MEMORY_PROTECTION_KEYS"),
    without("PCID", "X86_64"),
    without("PKU", "X86_INTEL_MEMORY_PROTECTION_KEYS"),
    without("PTI", "MITIGATION_PAGE_TABLE_ISOLATION"),
    without("PTI", "PAGE_TABLE_ISOLATION"),
    without("RETHUNK", "MITIGATION_RETHUNK"),
    without("RETHUNK", "RETHUNK"),
    without("RETPOLINE", "MITIGATION_RETPOLINE"),
    without("RETPOLINE", "RETPOLINE"),
    without("RETPOLINE_LFENCE", "MITIGATION_RETPOLINE"),
    without("RETPOLINE_LFENCE", "RETPOLINE"),
    without("SEV_SNP", "KVM_AMD_SEV"),
    without("SGX", "X86_SGX"),
    without("SYSCALL32", "X86_64"),
    without("TDX_GUEST", "INTEL_TDX_GUEST"),
    without("UMIP", "X86_UMIP"),
    without("UNRET", "CPU_UNRET_ENTRY"),
    without("UNRET", "MITIGATION_UNRET_ENTRY"),
    without("USER_SHSTK", "X86_USER_SHADOW_STACK"),
    with("VME", "X86_64"),
    without("XENPV", "XEN_PV"),
];

/// Features that firmware can disable: the processor shows them, and Linux hides them until it has checked.
static FIRMWARE: &[(&str, &str)] = &[
    ("VMX", "the firmware may have locked VMX (MSR IA32_FEATURE_CONTROL)"),
    ("SMX", "the firmware may have locked SMX (MSR IA32_FEATURE_CONTROL)"),
    ("SGX", "the firmware may have locked SGX (MSR IA32_FEATURE_CONTROL)"),
    ("SVM", "the firmware may have disabled SVM (MSR VM_CR)"),
    ("SME", "the firmware may have disabled memory encryption (MSR SYSCFG)"),
    ("SEV", "the firmware may have disabled memory encryption (MSR SYSCFG)"),
];

/// The kernel command line parameters that clear a feature, with its macro.
pub fn kernel_parameters() -> impl Iterator<Item = (&'static str, &'static str)> {
    PARAMETERS.iter().copied()
}

/// The kernel configuration options that disable a feature.
pub fn config_options() -> impl Iterator<Item = ConfigOption> {
    OPTIONS.iter().copied()
}

/// The given parameters, with the features that they clear.
pub(super) fn found(given: impl Fn(&str) -> bool) -> impl Iterator<Item = (&'static str, Feature)> {
    let given = kernel_parameters().filter(move |(parameter, _)| given(parameter));
    given.filter_map(|(parameter, name)| Some((parameter, Feature::from_linux_macro(name).ok()?)))
}

/// What a kernel's configuration does to a feature, given by its macro.
pub(super) enum Configured {
    /// The configuration disables it, in this way.
    Without(String),
    /// The configuration is unknown; it may disable the feature in this way.
    Perhaps(String),
    /// The configuration does not disable it.
    Kept,
}

/// Evaluates a feature's options; `is_set` returns whether one is set, or `None` without a configuration.
pub(super) fn configured(linux_macro: &str, is_set: impl Fn(&str) -> Option<bool>) -> Configured {
    let mut all = config_options().filter(|option| option.linux_macro == linux_macro).peekable();
    let Some(first) = all.peek().copied() else { return Configured::Kept };
    let how = if first.disables_when_set { "with" } else { "without" };
    let text = format!("{how} CONFIG_{}", first.option);
    // A configuration has only one name of a renamed option.
    let set = all.map(|option| is_set(option.option)).reduce(|a, b| Some(a? || b?)).flatten();
    match set {
        None => Configured::Perhaps(text),
        Some(set) if set == first.disables_when_set => Configured::Without(text),
        Some(_) => Configured::Kept,
    }
}

/// How firmware may have disabled a feature.
pub(super) fn firmware(feature: Feature) -> impl Iterator<Item = &'static str> {
    let fits = move |row: &&(&str, &str)| Feature::from_linux_macro(row.0) == Ok(feature);
    FIRMWARE.iter().filter(fits).map(|row| row.1)
}
