//! Titles of leaves.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E; Linux, `Documentation/virt/kvm/x86/cpuid.rst`; Microsoft's
//! Hypervisor Top Level Functional Specification, "Feature and Interface Discovery".

use super::hypervisor::Kind;
use crate::bits::location::Leaf;

/// In ascending order of leaves.
static TITLES: &[(u32, &str)] = &[
    (0x0, "highest basic leaf, vendor"),
    (0x1, "version, APIC id, features"),
    (0x2, "caches and TLBs by descriptors"),
    (0x3, "serial number"),
    (0x4, "caches"),
    (0x5, "MONITOR and MWAIT"),
    (0x6, "power and temperature"),
    (0x7, "features"),
    (0x9, "direct cache access"),
    (0xa, "performance monitoring"),
    (0xb, "topology"),
    (0xd, "XSAVE components"),
    (0xf, "monitoring of shared resources"),
    (0x10, "allocation of shared resources"),
    (0x12, "SGX enclaves"),
    (0x14, "processor trace"),
    (0x15, "TSC and crystal"),
    (0x16, "frequencies"),
    (0x17, "system on chip"),
    (0x18, "TLBs"),
    (0x19, "Key Locker"),
    (0x1a, "core type"),
    (0x1b, "PCONFIG"),
    (0x1c, "last branch records"),
    (0x1d, "tile palettes"),
    (0x1e, "tile multiplication"),
    (0x1f, "topology, all domains"),
    (0x20, "history reset"),
    (0x21, "trust domain"),
    (0x23, "performance monitoring, extended"),
    (0x24, "AVX10"),
    (0x27, "monitoring of shared resources, asymmetric"),
    (0x28, "allocation of shared resources, asymmetric"),
    (0x8000_0000, "highest extended leaf, vendor"),
    (0x8000_0001, "version, features"),
    (0x8000_0002, "brand, first part"),
    (0x8000_0003, "brand, second part"),
    (0x8000_0004, "brand, last part"),
    (0x8000_0005, "L1 caches and TLBs"),
    (0x8000_0006, "L2 and L3 caches, L2 TLBs"),
    (0x8000_0007, "power, error recovery"),
    (0x8000_0008, "address widths, features, counts of cores"),
    (0x8000_000a, "SVM"),
    (0x8000_0019, "TLBs of 1 GiB pages"),
    (0x8000_001a, "performance hints"),
    (0x8000_001b, "instruction-based sampling"),
    (0x8000_001c, "lightweight profiling"),
    (0x8000_001d, "caches"),
    (0x8000_001e, "topology: APIC id, core, node"),
    (0x8000_001f, "memory encryption"),
    (0x8000_0020, "quality of service"),
    (0x8000_0021, "features"),
    (0x8000_0022, "performance monitoring"),
    (0x8000_0023, "encryption with several keys"),
    (0x8000_0025, "memory encryption, segmented RMP"),
    (0x8000_0026, "topology, all domains"),
    (0x8086_0000, "Transmeta: highest leaf, vendor"),
    (0x8086_0001, "Transmeta: version, features"),
    (0x8086_0002, "Transmeta: software version"),
    (0x8086_0003, "Transmeta: information, first part"),
    (0x8086_0004, "Transmeta: information, second part"),
    (0x8086_0005, "Transmeta: information, third part"),
    (0x8086_0006, "Transmeta: information, last part"),
    (0x8086_0007, "Transmeta: current speed and voltage"),
    (0xc000_0000, "Centaur: highest leaf"),
    (0xc000_0001, "Centaur: features"),
    (0xc000_0002, "Centaur: temperature, voltage and clock"),
    (0xc000_0004, "Centaur: temperature and performance control"),
];

/// Titles of KVM's range, by offset from its first leaf.
static KVM: &[(u32, &str)] = &[
    (0, "hypervisor: highest leaf, signature"),
    (1, "KVM: features, hints"),
    (0x10, "TSC and bus frequencies"),
];

/// Titles of Hyper-V's range.
static HYPERV: &[(u32, &str)] = &[
    (0, "hypervisor: highest leaf, signature"),
    (1, "Hyper-V: interface"),
    (2, "Hyper-V: version"),
    (3, "Hyper-V: features"),
    (4, "Hyper-V: recommendations"),
    (5, "Hyper-V: limits"),
    (6, "Hyper-V: hardware features used"),
    (7, "Hyper-V: CPU management"),
    (8, "Hyper-V: shared virtual memory"),
    (9, "Hyper-V: nested features"),
    (0xa, "Hyper-V: nested optimizations"),
    (0x80, "Hyper-V: debugger, highest leaf, signature"),
    (0x81, "Hyper-V: debugger, interface"),
    (0x82, "Hyper-V: debugger, features"),
];

/// Titles of an unknown hypervisor's range.
static ANY: &[(u32, &str)] = &[(0, "hypervisor: highest leaf, signature"), (0x10, "TSC and bus frequencies")];

/// A leaf's title; `hypervisor` is the hypervisor whose range contains the leaf.
pub(super) fn title(leaf: Leaf, hypervisor: Option<Kind>) -> Option<&'static str> {
    let (table, key) = match hypervisor {
        None => (TITLES, leaf.0),
        Some(Kind::Kvm) => (KVM, leaf.0 & 0xff),
        Some(Kind::Hyperv) => (HYPERV, leaf.0 & 0xff),
        Some(Kind::Other) => (ANY, leaf.0 & 0xff),
    };
    table.iter().find(|row| row.0 == key).map(|row| row.1)
}
