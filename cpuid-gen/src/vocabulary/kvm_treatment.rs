use core::fmt;

/// What KVM does with a feature in one release of Linux, as its capability set-up says.
///
/// The set-up names features in lists, in macros that each say when (`F`, `EMULATED_F` and so on, most of them since
/// 6.14), and changes single ones by calls after the lists. Where a feature is named more than once, the name that asks
/// for the least of the host decides, and a call that sets it comes before all lists. A call that withdraws it
/// (`kvm_cpu_cap_clear`) does not show, since each answer but [`Emulated`](KvmTreatment::Emulated) says "at most when";
/// a feature that lists emulate and a call withdraws is [`Conditional`](KvmTreatment::Conditional).
///
/// What a given host's KVM offers, `KVM_GET_SUPPORTED_CPUID` tells; this tells what to expect, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KvmTreatment {
    /// Unknown: the release has no macro for it, or KVM no word that holds it. Features of KVM's own leaf 0x40000001
    /// are among these, since other code sets that up.
    Unknown,
    /// Known, and not advertised: KVM has a place for it and its set-up does not name it. That includes bits that KVM
    /// writes into a guest's leaf by their numbers (`ARAT`).
    NotAdvertised,
    /// Known, and not advertised, but kept up to date in a guest's table while it runs (`RUNTIME_F`).
    Runtime,
    /// The vendor module (`kvm-intel`, `kvm-amd`) decides: since 6.14 the lists say so (`VENDOR_F`), and in any release
    /// the module sets a bit that no list offers.
    Vendor,
    /// Only when the host has it: its CPUID and, where the kernel has a macro, its kernel (`F`; scattered features:
    /// `SF`, since 6.14 `SCATTERED_F`; `ALIASED_1_EDX_F`, AMD's copy in 0x80000001.EDX, stands for the bit of 1.EDX).
    Host,
    /// The same, and only by 64-bit kernels (`X86_64_F`).
    Host64,
    /// Passed through: when the host's CPUID has it, whatever its kernel does with it (`PASSTHROUGH_F`).
    Passthrough,
    /// When the host's kernel says so, whatever its CPUID (`SYNTHESIZED_F`).
    Synthesized,
    /// Always: KVM emulates it (`EMULATED_F`).
    Emulated,
    /// By a call of its own after the lists (`kvm_cpu_cap_set`), in the common code or in a vendor module, when another
    /// bit, a bug's absence or the paging mode has it so. Before 6.14 the emulated and synthesized features were set like this too.
    Conditional,
}

impl KvmTreatment {
    /// All, in the order of the tables.
    pub const ALL: [KvmTreatment; 10] = [
        KvmTreatment::Unknown,
        KvmTreatment::NotAdvertised,
        KvmTreatment::Runtime,
        KvmTreatment::Vendor,
        KvmTreatment::Host,
        KvmTreatment::Host64,
        KvmTreatment::Passthrough,
        KvmTreatment::Synthesized,
        KvmTreatment::Emulated,
        KvmTreatment::Conditional,
    ];

    /// True when there is a host on which KVM advertises it.
    #[must_use]
    pub const fn may_be_advertised(self) -> bool {
        !matches!(self, KvmTreatment::Unknown | KvmTreatment::NotAdvertised | KvmTreatment::Runtime)
    }
}

impl fmt::Display for KvmTreatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KvmTreatment::Unknown => "unknown",
            KvmTreatment::NotAdvertised => "known, not advertised",
            KvmTreatment::Runtime => "kept up to date, not advertised",
            KvmTreatment::Vendor => "left to the vendor module",
            KvmTreatment::Host => "only when the host has it",
            KvmTreatment::Host64 => "only when the host has it, in 64-bit kernels",
            KvmTreatment::Passthrough => "passed through",
            KvmTreatment::Synthesized => "synthesized",
            KvmTreatment::Emulated => "emulated",
            KvmTreatment::Conditional => "on a condition of its own",
        })
    }
}
