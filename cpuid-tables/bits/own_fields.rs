//! Bits and numbers that the vendors' manuals name, and that no pinned release of Linux, KVM or QEMU has.
//!
//! What always holds: a bit that a release describes is that release's, and its row here is not used.

use core::ops::RangeInclusive;

use super::field::{Field, constant};
use super::location::{CpuidWord, Leaf, Register};
use super::packed_fields::{PackedFields, packed};

use Register::{Eax, Ebx, Ecx, Edx};

/// A bit or number and the manual that names it.
struct Row(Field, &'static str);

const SDM: &str = "Intel SDM volume 2A, CPUID";
const EXTENSIONS: &str = "Intel Architecture Instruction Set Extensions and Future Features";
const AP_485: &str = "Intel application note 485, Processor Identification and the CPUID Instruction";
const APM: &str = "AMD APM volume 3, appendix E";
const PPR: &str = "AMD Processor Programming Reference, family 1Ah";
const SSE5: &str = "AMD64 Technology: 128-Bit and 256-Bit XOP, FMA4 and CVT16 Instructions";
const BKDG: &str = "AMD BIOS and Kernel Developer's Guide, family 15h";
const AMD_CPUID: &str = "AMD CPUID Specification, publication 25481";
const RDT: &str = "Intel Resource Director Technology Architecture Specification, publication 356688";
const PQOS: &str = "AMD64 Technology Platform Quality of Service Extensions, publication 56375";
/// VIA's own documents are not public.
const VIA: &str = "the program cpuid, release 20250316";

const fn bit(
    leaf: u32,
    subleaf: u32,
    register: Register,
    bit: u8,
    name: &'static str,
    source: &'static str,
) -> Row {
    Row(constant(leaf, subleaf..=subleaf, register, bit..=bit, name), source)
}

const fn number(
    leaf: u32,
    subleaf: u32,
    register: Register,
    bits: RangeInclusive<u8>,
    name: &'static str,
    source: &'static str,
) -> Row {
    Row(constant(leaf, subleaf..=subleaf, register, bits, name), source)
}

/// By leaf, subleaf, register and bit; names are the manual's, as short as cpuid.csv's.
static ROWS: &[Row] = &[
    bit(0x5, 0, Ecx, 3, "monitorless_mwait", SDM),
    bit(0x6, 0, Ecx, 1, "acnt2", AP_485),
    bit(0x7, 1, Eax, 3, "rao_int", EXTENSIONS),
    bit(0x7, 1, Eax, 30, "invd_disable_post_bios_done", SDM),
    bit(0x7, 1, Ebx, 1, "pbndkb", SDM),
    bit(0x7, 1, Ebx, 3, "cpuidmaxval_lim_rmv", SDM),
    bit(0x7, 1, Edx, 13, "utmr", EXTENSIONS),
    bit(0x7, 1, Edx, 15, "user_msr", EXTENSIONS),
    bit(0x7, 1, Edx, 17, "uiret_uif", SDM),
    bit(0x7, 1, Edx, 23, "mwait", EXTENSIONS),
    bit(0x7, 1, Edx, 24, "slsm", EXTENSIONS),
    bit(0x7, 2, Edx, 7, "monitor_mitg_no", SDM),
    Row(constant(0xd, 2..=63, Ecx, 2..=2, "xfd_faulting"), SDM),
    bit(0x10, 0, Ebx, 5, "cba", RDT),
    number(0x10, 5, Eax, 0..=7, "cba_max_delay", RDT),
    number(0x10, 5, Eax, 8..=11, "cba_scope", RDT),
    bit(0x10, 5, Ecx, 3, "cba_delay_linear", RDT),
    number(0x10, 5, Edx, 0..=15, "cba_cos_max", RDT),
    bit(0x14, 0, Ebx, 9, "trigger_tracing", SDM),
    number(0x14, 1, Eax, 8..=10, "num_trigger_msrs", SDM),
    bit(0x14, 1, Ecx, 0, "trigger_attribution", SDM),
    bit(0x14, 1, Ecx, 1, "trigger_pause_resume", SDM),
    bit(0x14, 1, Ecx, 15, "trigger_dr_match", SDM),
    bit(0x1e, 1, Eax, 5, "amx_transpose", EXTENSIONS),
    number(0x23, 0, Ecx, 0..=7, "slots_per_cycle", SDM),
    bit(0x23, 3, Eax, 12, "lbr_inserts_evt", SDM),
    bit(0x8000_0001, 0, Ecx, 18, "cvt16", SSE5),
    bit(0x8000_0001, 0, Ecx, 25, "stream_perf_mon", BKDG),
    bit(0x8000_0007, 0, Ebx, 4, "pfeh", PPR),
    bit(0x8000_000a, 0, Edx, 8, "pmc_virt", APM),
    bit(0x8000_000a, 0, Edx, 9, "ssse3_sse5_dis", AMD_CPUID),
    bit(0x8000_000a, 0, Edx, 31, "enhanced_shutdown_intercept", PPR),
    bit(0x8000_001a, 0, Eax, 3, "fp_512", PPR),
    bit(0x8000_001b, 0, Eax, 12, "ibs_load_latency_filtering", APM),
    bit(0x8000_001b, 0, Eax, 13, "ibs_dis", APM),
    bit(0x8000_001b, 0, Eax, 14, "ibs_fetch_latency_filtering", APM),
    bit(0x8000_001b, 0, Eax, 15, "ibs_addr_bit63_filtering", APM),
    bit(0x8000_001b, 0, Eax, 16, "ibs_strm_st_and_rmt_socket", APM),
    bit(0x8000_001b, 0, Eax, 19, "ibs_updtd_dtlb_stats", APM),
    bit(0x8000_001f, 0, Eax, 20, "pmc_virt_guest_ctl", APM),
    bit(0x8000_001f, 0, Eax, 22, "guest_intercept_ctl", APM),
    bit(0x8000_001f, 0, Eax, 26, "secure_avic", APM),
    bit(0x8000_001f, 0, Eax, 31, "ibpb_on_entry", APM),
    number(0x8000_0020, 5, Eax, 0..=7, "abmc_counter_size", PQOS),
    bit(0x8000_0020, 5, Eax, 8, "abmc_overflow_bit", PQOS),
    number(0x8000_0020, 5, Ebx, 0..=15, "abmc_max_counter_id", PQOS),
    bit(0x8000_0020, 5, Ecx, 0, "abmc_select_cos", PQOS),
    bit(0x8000_0021, 0, Eax, 14, "l2_tlb_size_x32", APM),
    bit(0x8000_0021, 0, Eax, 15, "amd_ermsb", APM),
    bit(0x8000_0021, 0, Eax, 19, "fast_rep_scasb", APM),
    bit(0x8000_0021, 0, Eax, 21, "fp512_downgrade", APM),
    number(0x8000_0025, 0, Eax, 0..=5, "rmp_segment_size_min", APM),
    number(0x8000_0025, 0, Eax, 6..=11, "rmp_segment_size_max", APM),
    number(0x8000_0025, 0, Ebx, 0..=9, "rmp_cacheable_segments", APM),
    bit(0x8000_0025, 0, Ebx, 10, "rmp_segments_limited", APM),
    number(0xc000_0002, 0, Eax, 0..=7, "core_temperature_fraction", VIA),
    number(0xc000_0002, 0, Eax, 8..=31, "core_temperature", VIA),
    number(0xc000_0002, 0, Ebx, 0..=7, "input_voltage", VIA),
    number(0xc000_0002, 0, Ebx, 8..=15, "clock_multiplier", VIA),
    bit(0xc000_0002, 0, Ebx, 16, "clock_ratio_transition", VIA),
    bit(0xc000_0002, 0, Ebx, 17, "voltage_transition", VIA),
    number(0xc000_0002, 0, Ebx, 18..=19, "thermal_monitor_2_transition", VIA),
    number(0xc000_0002, 0, Ebx, 20..=21, "perf_ctl_transition", VIA),
    number(0xc000_0002, 0, Ebx, 24..=31, "lowest_clock_ratio", VIA),
    number(0xc000_0002, 0, Ecx, 0..=7, "highest_voltage", VIA),
    number(0xc000_0002, 0, Ecx, 8..=15, "highest_clock_multiplier", VIA),
    number(0xc000_0002, 0, Ecx, 16..=23, "lowest_voltage", VIA),
    number(0xc000_0002, 0, Ecx, 24..=31, "lowest_clock_multiplier", VIA),
    bit(0xc000_0002, 0, Edx, 14, "reset_vector_below_1m", VIA),
    number(0xc000_0002, 0, Edx, 16..=17, "apic_cluster_id", VIA),
    number(0xc000_0002, 0, Edx, 18..=19, "front_side_bus_clock", VIA),
    number(0xc000_0002, 0, Edx, 20..=21, "apic_agent_id", VIA),
    number(0xc000_0002, 0, Edx, 22..=26, "power_on_clock_multiplier", VIA),
    number(0xc000_0004, 0, Eax, 0..=7, "thermal_monitor_temperature", VIA),
    number(0xc000_0004, 0, Ebx, 0..=7, "current_voltage", VIA),
    number(0xc000_0004, 0, Ebx, 8..=15, "current_clock_ratio", VIA),
    bit(0xc000_0004, 0, Ebx, 16, "clock_ratio_transition", VIA),
    bit(0xc000_0004, 0, Ebx, 17, "voltage_transition", VIA),
    number(0xc000_0004, 0, Ebx, 18..=19, "thermal_monitor_2_transition", VIA),
    number(0xc000_0004, 0, Ebx, 20..=21, "perf_ctl_transition", VIA),
    number(0xc000_0004, 0, Ebx, 24..=30, "lowest_clock_ratio", VIA),
    bit(0xc000_0004, 0, Ebx, 31, "xe_operation", VIA),
    number(0xc000_0004, 0, Ecx, 0..=7, "highest_voltage", VIA),
    number(0xc000_0004, 0, Ecx, 8..=15, "highest_clock_ratio", VIA),
    number(0xc000_0004, 0, Ecx, 16..=23, "lowest_voltage", VIA),
    number(0xc000_0004, 0, Ecx, 24..=31, "lowest_supported_clock_ratio", VIA),
];

/// The fields alone, without their manuals.
const FIELDS: [Field; ROWS.len()] = {
    let (mut fields, mut at) = ([ROWS[0].0; ROWS.len()], 0);
    while at < ROWS.len() {
        fields[at] = ROWS[at].0;
        at += 1;
    }
    fields
};

static PACKED: PackedFields = packed!(&[&FIELDS]);

/// All of them, by place.
pub(crate) fn all() -> impl Iterator<Item = Field> {
    PACKED.all()
}

/// Those of one leaf.
pub(crate) fn in_leaf(leaf: Leaf) -> impl Iterator<Item = Field> {
    PACKED.in_leaf(leaf)
}

/// Those of one register.
pub(crate) fn at(word: CpuidWord) -> impl Iterator<Item = Field> {
    in_leaf(word.leaf).filter(move |field| field.is_in(word))
}

/// The manual that names a bit of this table.
#[allow(dead_code, reason = "only `show` prints it")]
pub(crate) fn source(field: Field) -> Option<&'static str> {
    ROWS.iter().find(|row| row.0 == field).map(|row| row.1)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::{ROWS, all};
    use crate::bits::description::{Part, describe};
    use crate::bits::field::Field;
    use crate::bits::location::{CpuidWord, Subleaf};

    #[test]
    fn rows_ascend_and_each_has_a_source() {
        assert!(ROWS.is_sorted_by(|one, other| one.0 < other.0));
        assert!(ROWS.iter().all(|row| !row.1.is_empty()));
    }

    #[test]
    fn each_row_is_described_and_its_name_is_alone_in_its_leaf() {
        for field in all() {
            let word = CpuidWord::new(field.leaf(), Subleaf(*field.subleaves().start()), field.register());
            let there: Vec<Part> = describe(word).filter(|part| part.mask() == field.mask()).collect();
            assert_eq!(there, [Part::Field(field)], "{field:?}");
            let same = Field::named(field.name()).filter(|other| other.leaf() == field.leaf());
            assert_eq!(same.collect::<Vec<_>>(), [field]);
        }
    }
}
