//! KVM capabilities that affect a guest's table, or that QEMU queries before it builds one: `KVM_CAP_*` of Linux's
//! `include/uapi/linux/kvm.h`, queried with `KVM_CHECK_EXTENSION`.

/// A capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability {
    /// Its number.
    pub number: u32,
    /// Its name in Linux: `KVM_CAP_XSAVE2`.
    pub name: &'static str,
}

macro_rules! capabilities {
    ($($name:ident = $number:literal,)*) => {
        impl Capability {
            $(
                #[doc = concat!("`KVM_CAP_", stringify!($name), "`, ", stringify!($number), ".")]
                pub const $name: Capability =
                    Capability { number: $number, name: concat!("KVM_CAP_", stringify!($name)) };
            )*
            /// All capabilities that are queried, by number.
            pub const ALL: &[Capability] = &[$(Capability::$name,)*];
        }
    };
}

capabilities! {
    IRQCHIP = 0,
    USER_MEMORY = 3,
    SET_TSS_ADDR = 4,
    EXT_CPUID = 7,
    NR_VCPUS = 9,
    NR_MEMSLOTS = 10,
    MP_STATE = 14,
    COALESCED_MMIO = 15,
    SYNC_MMU = 16,
    DESTROY_MEMORY_REGION_WORKS = 21,
    SET_GUEST_DEBUG = 23,
    IRQ_ROUTING = 25,
    IRQ_INJECT_STATUS = 26,
    JOIN_MEMORY_REGIONS_WORKS = 30,
    MCE = 31,
    IRQFD = 32,
    PIT2 = 33,
    PIT_STATE2 = 35,
    IOEVENTFD = 36,
    SET_IDENTITY_MAP_ADDR = 37,
    ADJUST_CLOCK = 39,
    INTERNAL_ERROR_DATA = 40,
    VCPU_EVENTS = 41,
    HYPERV = 44,
    INTR_SHADOW = 49,
    DEBUGREGS = 50,
    X86_ROBUST_SINGLESTEP = 51,
    XSAVE = 55,
    XCRS = 56,
    TSC_CONTROL = 60,
    GET_TSC_KHZ = 61,
    MAX_VCPUS = 66,
    TSC_DEADLINE_TIMER = 72,
    PCI_2_3 = 75,
    SIGNAL_MSI = 77,
    READONLY_MEM = 81,
    IRQFD_RESAMPLE = 82,
    HYPERV_TIME = 96,
    VM_ATTRIBUTES = 101,
    DISABLE_QUIRKS = 116,
    X86_SMM = 117,
    MULTI_ADDRESS_SPACE = 118,
    IOEVENTFD_ANY_LENGTH = 122,
    HYPERV_SYNIC = 123,
    MAX_VCPU_ID = 128,
    X2APIC_API = 129,
    IMMEDIATE_EXIT = 136,
    X86_DISABLE_EXITS = 143,
    HYPERV_SYNIC2 = 148,
    HYPERV_VP_INDEX = 149,
    GET_MSR_FEATURES = 153,
    HYPERV_EVENTFD = 154,
    HYPERV_TLBFLUSH = 155,
    NESTED_STATE = 157,
    HYPERV_SEND_IPI = 161,
    COALESCED_PIO = 162,
    HYPERV_ENLIGHTENED_VMCS = 163,
    EXCEPTION_PAYLOAD = 164,
    HYPERV_CPUID = 167,
    MANUAL_DIRTY_LOG_PROTECT2 = 168,
    HYPERV_DIRECT_TLBFLUSH = 175,
    X86_USER_SPACE_MSR = 188,
    ENFORCE_PV_FEATURE_CPUID = 190,
    SYS_HYPERV_CPUID = 191,
    X86_BUS_LOCK_EXIT = 193,
    SET_GUEST_DEBUG2 = 195,
    HYPERV_ENFORCE_CPUID = 199,
    SREGS2 = 200,
    BINARY_STATS_FD = 203,
    XSAVE2 = 208,
    SYS_ATTRIBUTES = 209,
    PMU_CAPABILITY = 212,
    DISABLE_QUIRKS2 = 213,
    VM_TSC_CONTROL = 214,
    X86_TRIPLE_FAULT_EVENT = 218,
    X86_NOTIFY_VMEXIT = 219,
    USER_MEMORY2 = 231,
    MEMORY_ATTRIBUTES = 233,
    GUEST_MEMFD = 234,
    PRE_FAULT_MEMORY = 236,
}

impl Capability {
    /// The capability with a number; `None` if it is not in the list.
    #[must_use]
    pub fn numbered(number: u32) -> Option<Capability> {
        Capability::ALL.iter().copied().find(|capability| capability.number == number)
    }
}
