//! The hypervisor of each leaf from 0x40000000: the signature in the first leaf of each range of 0x100 defines it.

use alloc::vec::Vec;

use crate::bits::field::Field;
use crate::bits::known_places::{FREQUENCIES, KVM_FEATURES};
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::table::{CpuidRead, Hypervisor, IndexedLeaf, Signature, Terminator, Vendor};

/// A known hypervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Kvm,
    Hyperv,
    Other,
}

/// A table's hypervisor ranges, and its processor.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges {
    hypervisors: Vec<(Leaf, Kind)>,
    processor: (Option<Vendor>, Option<Signature>),
}

impl Ranges {
    pub(super) fn from_table<C: CpuidRead + ?Sized>(table: &C) -> Ranges {
        let kind = |signature| match signature {
            Hypervisor::KVM => Kind::Kvm,
            Hypervisor::HYPERV => Kind::Hyperv,
            _ => Kind::Other,
        };
        Ranges {
            hypervisors: table.hypervisors().map(|found| (found.base, kind(found.signature))).collect(),
            processor: (table.vendor(), table.signature().filter(|signature| signature.0 != 0)),
        }
    }

    /// Those of a table whose hypervisor is Hyper-V.
    pub(super) fn of_hyperv() -> Ranges {
        Ranges { hypervisors: alloc::vec![(Leaf(0x4000_0000), Kind::Hyperv)], ..Ranges::default() }
    }

    /// Vendor, and family, model and stepping, as far as the table tells: some leaves mean something else on some processors.
    pub(super) const fn processor(&self) -> (Option<Vendor>, Option<Signature>) {
        self.processor
    }

    /// The hypervisor that defines a leaf; `None` outside hypervisor ranges. A leaf whose range lacks its first leaf
    /// is decoded as KVM's, so that a single register can be decoded.
    pub(super) fn kind(&self, leaf: Leaf) -> Option<Kind> {
        if leaf.0 >> 16 != 0x4000 {
            return None;
        }
        let base = Leaf(leaf.0 & !0xff);
        Some(self.hypervisors.iter().find(|range| range.0 == base).map_or(Kind::Kvm, |range| range.1))
    }

    /// Where the tables describe a register: KVM's leaves may be at a higher base, and a topology leaf may have more
    /// levels than the tables.
    pub(super) fn described_at(&self, word: CpuidWord) -> CpuidWord {
        match self.kind(word.leaf) {
            Some(_) => CpuidWord { leaf: Leaf(0x4000_0000 | word.leaf.0 & 0xff), ..word },
            None => CpuidWord { subleaf: word.subleaf.min(last_level(word.leaf)), ..word },
        }
    }
}

/// The last described subleaf of a leaf whose subleaves are levels of the same layout.
fn last_level(leaf: Leaf) -> Subleaf {
    let levels = IndexedLeaf::get(leaf).is_some_and(|leaf| leaf.terminator == Terminator::LevelType);
    let last = Field::in_leaf(leaf).map(|field| *field.subleaves().end()).max();
    last.filter(|_| levels).map_or(Subleaf(u32::MAX), Subleaf)
}

const fn field(leaf: u32, register: Register, low: u8, high: u8, name: &'static str) -> Field {
    match Field::new(name, Leaf(leaf), 0..=0, register, low..=high) {
        Some(field) => field,
        None => panic!("bits of a field are in reverse order"),
    }
}

use Register::{Eax, Ebx, Ecx, Edx};

pub(super) const TSC_KHZ: Field = field(FREQUENCIES.0, Eax, 0, 31, "tsc_khz");
pub(super) const BUS_KHZ: Field = field(FREQUENCIES.0, Ebx, 0, 31, "bus_khz");
pub(super) const INTERFACE_SIGNATURE: Field = field(0x4000_0001, Eax, 0, 31, "interface_signature");

/// Leaves that hypervisors define alike by convention.
static COMMON: &[Field] = &[
    // KVM's bits without a QEMU name.
    field(KVM_FEATURES.0, Eax, 16, 16, "hc_map_gpa_range"),
    field(KVM_FEATURES.0, Eax, 17, 17, "migration_control"),
    TSC_KHZ,
    BUS_KHZ,
];

/// Hyper-V's leaves, from its Top Level Functional Specification, "Feature and Interface Discovery".
static HYPERV: &[Field] = &[
    INTERFACE_SIGNATURE,
    field(0x4000_0002, Eax, 0, 31, "build_number"),
    field(0x4000_0002, Ebx, 0, 15, "minor_version"),
    field(0x4000_0002, Ebx, 16, 31, "major_version"),
    field(0x4000_0002, Ecx, 0, 31, "service_pack"),
    field(0x4000_0002, Edx, 0, 23, "service_number"),
    field(0x4000_0002, Edx, 24, 31, "service_branch"),
    field(0x4000_0003, Eax, 0, 0, "vp_runtime"),
    field(0x4000_0003, Eax, 1, 1, "reference_counter"),
    field(0x4000_0003, Eax, 2, 2, "synic"),
    field(0x4000_0003, Eax, 3, 3, "synthetic_timers"),
    field(0x4000_0003, Eax, 4, 4, "apic_access"),
    field(0x4000_0003, Eax, 5, 5, "hypercall"),
    field(0x4000_0003, Eax, 6, 6, "vp_index"),
    field(0x4000_0003, Eax, 7, 7, "reset"),
    field(0x4000_0003, Eax, 8, 8, "statistics"),
    field(0x4000_0003, Eax, 9, 9, "reference_tsc"),
    field(0x4000_0003, Eax, 10, 10, "guest_idle"),
    field(0x4000_0003, Eax, 11, 11, "frequencies"),
    field(0x4000_0003, Eax, 12, 12, "debug_registers"),
    field(0x4000_0003, Eax, 13, 13, "reenlightenment"),
    field(0x4000_0003, Eax, 15, 15, "invariant_tsc"),
    field(0x4000_0003, Ebx, 0, 0, "create_partitions"),
    field(0x4000_0003, Ebx, 1, 1, "access_partition_id"),
    field(0x4000_0003, Ebx, 2, 2, "access_memory_pool"),
    field(0x4000_0003, Ebx, 4, 4, "post_messages"),
    field(0x4000_0003, Ebx, 5, 5, "signal_events"),
    field(0x4000_0003, Ebx, 6, 6, "create_port"),
    field(0x4000_0003, Ebx, 7, 7, "connect_port"),
    field(0x4000_0003, Ebx, 8, 8, "access_stats"),
    field(0x4000_0003, Ebx, 11, 11, "debugging"),
    field(0x4000_0003, Ebx, 12, 12, "cpu_power_management"),
    field(0x4000_0003, Edx, 0, 0, "mwait"),
    field(0x4000_0003, Edx, 1, 1, "guest_debugging"),
    field(0x4000_0003, Edx, 2, 2, "performance_monitor"),
    field(0x4000_0003, Edx, 3, 3, "cpu_dynamic_partitioning"),
    field(0x4000_0003, Edx, 4, 4, "hypercall_xmm_input"),
    field(0x4000_0003, Edx, 5, 5, "guest_idle_state"),
    field(0x4000_0003, Edx, 8, 8, "frequency_msrs"),
    field(0x4000_0003, Edx, 10, 10, "guest_crash_msrs"),
    field(0x4000_0003, Edx, 11, 11, "debug_msrs"),
    field(0x4000_0003, Edx, 15, 15, "hypercall_xmm_output"),
    field(0x4000_0003, Edx, 19, 19, "direct_synthetic_timers"),
    field(0x4000_0004, Eax, 0, 0, "hypercall_address_switch"),
    field(0x4000_0004, Eax, 1, 1, "hypercall_local_flush"),
    field(0x4000_0004, Eax, 2, 2, "hypercall_remote_flush"),
    field(0x4000_0004, Eax, 3, 3, "apic_msrs"),
    field(0x4000_0004, Eax, 4, 4, "reset_msr"),
    field(0x4000_0004, Eax, 5, 5, "relaxed_timing"),
    field(0x4000_0004, Eax, 6, 6, "dma_remapping"),
    field(0x4000_0004, Eax, 7, 7, "interrupt_remapping"),
    field(0x4000_0004, Eax, 9, 9, "no_auto_eoi"),
    field(0x4000_0004, Eax, 10, 10, "hypercall_cluster_ipi"),
    field(0x4000_0004, Eax, 11, 11, "extended_processor_masks"),
    field(0x4000_0004, Eax, 12, 12, "nested_hyperv"),
    field(0x4000_0004, Eax, 14, 14, "enlightened_vmcs"),
    field(0x4000_0004, Eax, 18, 18, "no_nonarch_core_sharing"),
    field(0x4000_0004, Ebx, 0, 31, "spinlock_retries"),
    field(0x4000_0004, Ecx, 0, 6, "physical_address_bits"),
    field(0x4000_0005, Eax, 0, 31, "max_virtual_processors"),
    field(0x4000_0005, Ebx, 0, 31, "max_logical_processors"),
    field(0x4000_0005, Ecx, 0, 31, "max_interrupt_vectors"),
    field(0x4000_000a, Eax, 0, 7, "evmcs_version_low"),
    field(0x4000_000a, Eax, 8, 15, "evmcs_version_high"),
    field(0x4000_000a, Eax, 17, 17, "direct_flush"),
    field(0x4000_000a, Eax, 18, 18, "flush_guest_physical"),
    field(0x4000_000a, Eax, 19, 19, "enlightened_msr_bitmap"),
    field(0x4000_0080, Eax, 0, 31, "max_debugger_leaf"),
    field(0x4000_0081, Eax, 0, 31, "debugger_interface"),
    field(0x4000_0082, Eax, 1, 1, "kernel_debugging"),
];

/// The fields of a hypervisor leaf's register that the tables leave out.
pub(super) fn fields(kind: Kind, described_at: CpuidWord) -> impl Iterator<Item = Field> {
    let own: &[Field] = if kind == Kind::Hyperv { HYPERV } else { COMMON };
    own.iter().copied().filter(move |field| field.is_in(described_at))
}

/// Hyper-V's fields of a register.
pub(super) fn hyperv_fields(word: CpuidWord) -> impl Iterator<Item = Field> {
    HYPERV.iter().copied().filter(move |field| field.is_in(word))
}

/// Every field of a hypervisor's leaf that the tables leave out, with whose it is.
pub(super) fn all_fields() -> impl Iterator<Item = (Kind, Field)> {
    let common = COMMON.iter().map(|field| (Kind::Kvm, *field));
    common.chain(HYPERV.iter().map(|field| (Kind::Hyperv, *field)))
}

/// Whose a field is, if it is one of those.
pub(super) fn whose(field: Field) -> Option<Kind> {
    all_fields().find(|(_, known)| *known == field).map(|(kind, _)| kind)
}
