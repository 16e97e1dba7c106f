//! The rules as data, leaf by leaf, each with its reason.

use core::ops::RangeInclusive;

use super::Rule;
use crate::bits::field::Field;
use crate::bits::location::{CpuidWord, Leaf, Register};

use Register::{Eax, Ebx, Ecx, Edx};
use Rule::{And, Equal, Follows, Ignore, Larger, Max, Min, MinTold, Or, Smaller};

/// What a row covers.
enum About {
    /// The parts of a leaf that have no row of their own.
    Leaf(Leaf),
    /// Some bits of a register; the field has Linux's name if Linux has one.
    Bits(Field),
}

struct Row(About, Rule, &'static str);

const fn leaf(leaf: u32, rule: Rule, reason: &'static str) -> Row {
    Row(About::Leaf(Leaf(leaf)), rule, reason)
}

const fn at(
    (leaf, subleaves, register): (u32, RangeInclusive<u32>, Register),
    bits: RangeInclusive<u8>,
    name: &'static str,
    rule: Rule,
    reason: &'static str,
) -> Row {
    match Field::new(name, Leaf(leaf), subleaves, register, bits) {
        Some(field) => Row(About::Bits(field), rule, reason),
        None => panic!("bits or subleaves of a row are in reverse order"),
    }
}

const CACHES: &str = "caches and TLBs only affect speed";
const TOPOLOGY: &str = "each vCPU's own position in the topology";
const IDENTITY: &str = "a guest keeps the identity that it was started with; the older of two promises less. Family, model \
                        and stepping are one number: parts of two would describe a processor that does not exist";
const RUN_TIME: &str = "reflects what the guest enables";
const CACHE_END: &str = "caches only affect speed; the list ends where the hosts' caches differ";
const LEVEL: &str = "leaves or subleaves above it would vanish";
const COUNT: &str = "a guest uses as many as it sees";
const SIZES: &str = "follows from the XSAVE components, which are compared themselves";
const LAYOUT: &str = "XSAVE areas in the guest's memory have this layout";
const MISSING: &str = "if set, an event cannot be counted";
const BRAND: &str = "a name for display";
const HOST: &str = "specific to the machine; no guest uses it";

/// In order of leaves; what is said of a part goes before what is said of its leaf.
static ROWS: &[Row] = &[
    at((0x0, 0..=0, Eax), 0..=31, "max_std_leaf", Min, LEVEL),
    leaf(0x0, Equal, "instructions and MSRs differ from vendor to vendor"),
    at((0x1, 0..=0, Eax), 0..=27, "signature", Smaller, IDENTITY),
    at((0x1, 0..=0, Ebx), 0..=7, "brand_id", Ignore, BRAND),
    at((0x1, 0..=0, Ebx), 8..=15, "clflush_size", Min, "a guest flushes line by line, in steps of this size"),
    at((0x1, 0..=0, Ebx), 16..=23, "n_logical_cpu", Ignore, TOPOLOGY),
    at((0x1, 0..=0, Ebx), 24..=31, "local_apic_id", Ignore, TOPOLOGY),
    at((0x1, 0..=0, Ecx), 27..=27, "OSXSAVE", Ignore, RUN_TIME),
    at((0x1, 0..=0, Edx), 28..=28, "HT", Ignore, TOPOLOGY),
    leaf(0x2, Ignore, CACHES),
    at((0x4, 0..=31, Eax), 0..=4, "cache_type", Ignore, CACHE_END),
    at((0x4, 0..=31, Eax), 5..=7, "cache_level", Ignore, CACHE_END),
    at((0x4, 0..=31, Eax), 14..=25, "num_threads_sharing", Ignore, TOPOLOGY),
    at((0x4, 0..=31, Eax), 26..=31, "num_cores_on_die", Ignore, TOPOLOGY),
    at((0x4, 0..=31, Ebx), 0..=11, "cache_linesize", Smaller, CACHES),
    at((0x4, 0..=31, Ebx), 12..=21, "cache_npartitions", Smaller, CACHES),
    at((0x4, 0..=31, Ebx), 22..=31, "cache_nways", Smaller, CACHES),
    at((0x4, 0..=31, Ecx), 0..=30, "cache_nsets", Smaller, CACHES),
    leaf(0x4, Ignore, CACHES),
    at((0x5, 0..=0, Ecx), 0..=0, "mwait_ext", And, "a guest uses what it sees"),
    at((0x5, 0..=0, Ecx), 1..=1, "mwait_irq_break", And, "a guest uses what it sees"),
    at(
        (0x5, 0..=0, Eax),
        0..=15,
        "min_mon_size",
        Smaller,
        "a guest keeps the data it monitors within this size; a smaller value is safe",
    ),
    at(
        (0x5, 0..=0, Ebx),
        0..=15,
        "max_mon_size",
        Larger,
        "a guest keeps other data this far away; a smaller value causes spurious wake-ups",
    ),
    leaf(0x5, Ignore, "hints for MWAIT; a wrong one costs power or time"),
    at((0x6, 0..=0, Ebx), 0..=3, "n_therm_thresholds", Min, COUNT),
    at((0x6, 0..=0, Ecx), 8..=15, "hw_feedback_nclasses", Min, COUNT),
    at((0x6, 0..=0, Edx), 8..=11, "feedback_sz", Equal, "the table in the guest's memory has this size"),
    at((0x6, 0..=0, Edx), 16..=31, "this_lcpu_hwfdbk_idx", Ignore, TOPOLOGY),
    at((0x7, 0..=0, Eax), 0..=31, "leaf7_n_subleaves", Min, LEVEL),
    at(
        (0x7, 0..=0, Ebx),
        6..=6,
        "FDP_EXCPTN_ONLY",
        Or,
        "if set, the x87 data pointer is updated only on exceptions: something is missing",
    ),
    at(
        (0x7, 0..=0, Ebx),
        13..=13,
        "ZERO_FCS_FDS",
        Or,
        "if set, x87's CS and DS are zero: something is missing",
    ),
    at((0x7, 0..=0, Ecx), 4..=4, "OSPKE", Ignore, RUN_TIME),
    at((0x7, 0..=0, Ecx), 17..=21, "mawau_val_lm", Min, "the width of addresses that BNDLDX and BNDSTX use"),
    at((0x7, 0..=0, Edx), 11..=11, "RTM_ALWAYS_ABORT", Or, "if set, transactions always abort"),
    at((0x7, 0..=0, Edx), 15..=15, "HYBRID_CPU", Ignore, TOPOLOGY),
    at((0xa, 0..=0, Eax), 0..=7, "pmu_version", Min, LEVEL),
    at((0xa, 0..=0, Eax), 8..=15, "num_counters_gp", Min, COUNT),
    at((0xa, 0..=0, Eax), 16..=23, "bit_width_gp", Min, "a guest relies on overflow at this width"),
    at((0xa, 0..=0, Eax), 24..=31, "events_mask_len", Min, COUNT),
    at((0xa, 0..=0, Ebx), 0..=0, "no_core_cycle", Or, MISSING),
    at((0xa, 0..=0, Ebx), 1..=1, "no_instruction_retired", Or, MISSING),
    at((0xa, 0..=0, Ebx), 2..=2, "no_reference_cycles", Or, MISSING),
    at((0xa, 0..=0, Ebx), 3..=3, "no_llc_reference", Or, MISSING),
    at((0xa, 0..=0, Ebx), 4..=4, "no_llc_misses", Or, MISSING),
    at((0xa, 0..=0, Ebx), 5..=5, "no_br_insn_retired", Or, MISSING),
    at((0xa, 0..=0, Ebx), 6..=6, "no_br_misses_retired", Or, MISSING),
    at((0xa, 0..=0, Ebx), 7..=7, "no_topdown_slots", Or, MISSING),
    at((0xa, 0..=0, Ebx), 8..=8, "no_backend_bound", Or, MISSING),
    at((0xa, 0..=0, Ebx), 9..=9, "no_bad_speculation", Or, MISSING),
    at((0xa, 0..=0, Ebx), 10..=10, "no_frontend_bound", Or, MISSING),
    at((0xa, 0..=0, Ebx), 11..=11, "no_retiring", Or, MISSING),
    at((0xa, 0..=0, Ebx), 12..=12, "no_lbr_inserts", Or, MISSING),
    at((0xa, 0..=0, Ecx), 0..=31, "pmu_fcounters_bitmap", And, COUNT),
    at((0xa, 0..=0, Edx), 0..=4, "num_counters_fixed", Min, COUNT),
    at((0xa, 0..=0, Edx), 5..=12, "bitwidth_fixed", Min, "a guest relies on overflow at this width"),
    at(
        (0xa, 0..=0, Edx),
        15..=15,
        "anythread_deprecation",
        Or,
        "if set, counting for both threads is not available",
    ),
    leaf(0xb, Ignore, TOPOLOGY),
    at((0xd, 0..=0, Ebx), 0..=31, "xsave_sz_xcr0", Follows, SIZES),
    at((0xd, 0..=0, Ecx), 0..=31, "xsave_sz_max", Follows, SIZES),
    at((0xd, 1..=1, Ebx), 0..=31, "xsave_sz_xcr0_xss", Follows, SIZES),
    at((0xd, 2..=63, Eax), 0..=31, "xsave_sz", Equal, LAYOUT),
    at((0xd, 2..=63, Ebx), 0..=31, "xsave_offset", Equal, LAYOUT),
    at((0xd, 2..=63, Ecx), 0..=0, "is_xss_bit", Equal, LAYOUT),
    at((0xd, 2..=63, Ecx), 1..=1, "compacted_xsave_64byte_aligned", Equal, LAYOUT),
    at((0xf, 0..=0, Ebx), 0..=31, "core_rmid_max", Min, COUNT),
    at((0xf, 1..=1, Eax), 0..=7, "l3c_qm_bitwidth", Min, "a guest relies on overflow at this width"),
    at((0xf, 1..=1, Ebx), 0..=31, "l3c_qm_conver_factor", Equal, "a guest converts counts to bytes with it"),
    at((0xf, 1..=1, Ecx), 0..=31, "l3c_qm_rmid_max", Min, COUNT),
    at((0x10, 1..=2, Eax), 0..=4, "cat_cbm_len", Equal, "bit masks for the cache have this length"),
    at((0x10, 1..=2, Ebx), 0..=31, "cat_units_bitmap", Or, "units that others also use"),
    at((0x10, 1..=2, Edx), 0..=15, "cat_cos_max", Min, COUNT),
    at((0x10, 3..=3, Eax), 0..=11, "mba_max_delay", Min, COUNT),
    at((0x10, 3..=3, Ecx), 2..=2, "mba_delay_linear", Equal, "it defines how delays are encoded"),
    at((0x10, 3..=3, Edx), 0..=15, "mba_cos_max", Min, COUNT),
    at((0x12, 0..=0, Edx), 0..=7, "max_enclave_sz_not64", Min, COUNT),
    at((0x12, 0..=0, Edx), 8..=15, "max_enclave_sz_64", Min, COUNT),
    at((0x12, 2..=31, Eax), 0..=3, "subleaf_type", Ignore, "a guest has its own enclave memory"),
    at((0x12, 2..=31, Eax), 12..=31, "epc_sec_base_addr_0", Ignore, "a guest has its own enclave memory"),
    at((0x12, 2..=31, Ebx), 0..=19, "epc_sec_base_addr_1", Ignore, "a guest has its own enclave memory"),
    at((0x12, 2..=31, Ecx), 0..=3, "epc_sec_type", Ignore, "a guest has its own enclave memory"),
    at((0x12, 2..=31, Ecx), 12..=31, "epc_sec_size_0", Ignore, "a guest has its own enclave memory"),
    at((0x12, 2..=31, Edx), 0..=19, "epc_sec_size_1", Ignore, "a guest has its own enclave memory"),
    at((0x14, 0..=0, Eax), 0..=31, "pt_max_subleaf", Min, LEVEL),
    at((0x14, 0..=0, Ecx), 31..=31, "INTEL_PT_LIP", Equal, "it defines the meaning of addresses in a trace"),
    at((0x14, 1..=1, Eax), 0..=2, "num_address_ranges", Min, COUNT),
    at((0x14, 1..=1, Eax), 16..=31, "mtc_periods_bmp", And, COUNT),
    at((0x14, 1..=1, Ebx), 0..=15, "cycle_thresholds_bmp", And, COUNT),
    at((0x14, 1..=1, Ebx), 16..=31, "psb_periods_bmp", And, COUNT),
    leaf(0x15, Equal, "a guest may derive the frequency of its TSC from it"),
    leaf(0x16, Ignore, "frequencies that are not used for timing"),
    leaf(0x17, Ignore, BRAND),
    leaf(0x18, Ignore, CACHES),
    leaf(0x1a, Ignore, TOPOLOGY),
    leaf(0x1b, Ignore, HOST),
    at((0x1c, 0..=0, Eax), 0..=7, "lbr_depth_mask", And, COUNT),
    at(
        (0x1c, 0..=0, Eax),
        31..=31,
        "lbr_ip_is_lip",
        Equal,
        "it defines the meaning of addresses in a record",
    ),
    at((0x1c, 0..=0, Ecx), 16..=19, "lbr_events_gpc_bmp", And, COUNT),
    at((0x1d, 0..=0, Eax), 0..=31, "amx_max_palette", Min, LEVEL),
    leaf(0x1d, Equal, "tiles in the guest's registers and memory have this shape"),
    leaf(0x1e, Equal, "tiles in the guest's registers and memory have this shape"),
    leaf(0x1f, Ignore, TOPOLOGY),
    at((0x20, 0..=0, Eax), 0..=31, "hreset_nr_subleaves", Min, LEVEL),
    leaf(0x21, Equal, "it identifies what runs the guest"),
    at((0x23, 1..=1, Eax), 0..=31, "gp_counters", And, COUNT),
    at((0x23, 1..=1, Ebx), 0..=31, "fixed_counters", And, COUNT),
    at((0x23, 2..=2, Eax), 0..=31, "acr_gp_reload", And, COUNT),
    at((0x23, 2..=2, Ebx), 0..=31, "acr_fixed_reload", And, COUNT),
    at((0x23, 2..=2, Ecx), 0..=31, "acr_gp_trigger", And, COUNT),
    at((0x23, 2..=2, Edx), 0..=31, "acr_fixed_trigger", And, COUNT),
    at((0x23, 4..=4, Ebx), 8..=9, "lbr", And, COUNT),
    at((0x23, 4..=4, Ebx), 16..=23, "xer", And, COUNT),
    at((0x23, 5..=5, Eax), 0..=31, "pebs_gp", And, COUNT),
    at((0x23, 5..=5, Ebx), 0..=31, "pebs_pdist_gp", And, COUNT),
    at((0x23, 5..=5, Ecx), 0..=31, "pebs_fixed", And, COUNT),
    at((0x23, 5..=5, Edx), 0..=31, "pebs_pdist_fixed", And, COUNT),
    at((0x24, 0..=0, Eax), 0..=31, "avx10_max_subleaf", Min, LEVEL),
    at((0x24, 0..=0, Ebx), 0..=7, "avx10_version", Min, LEVEL),
    at((0x4000_0000, 0..=0, Eax), 0..=31, "max_hyp_leaf", Min, LEVEL),
    leaf(0x4000_0000, Equal, "the guest's drivers are those of this hypervisor"),
    at((0x4000_0001, 0..=0, Edx), 0..=0, "KVM_HINT_DEDICATED", Ignore, "a hint for speed"),
    at((0x8000_0000, 0..=0, Eax), 0..=31, "max_ext_leaf", Min, LEVEL),
    leaf(0x8000_0000, Equal, "instructions and MSRs differ from vendor to vendor"),
    at((0x8000_0001, 0..=0, Eax), 0..=27, "signature", Smaller, IDENTITY),
    at((0x8000_0001, 0..=0, Ebx), 0..=15, "brand_id", Ignore, BRAND),
    at((0x8000_0001, 0..=0, Ebx), 28..=31, "pkg_type", Ignore, HOST),
    at((0x8000_0001, 0..=0, Ecx), 1..=1, "CMP_LEGACY", Ignore, TOPOLOGY),
    leaf(0x8000_0002, Ignore, BRAND),
    leaf(0x8000_0003, Ignore, BRAND),
    leaf(0x8000_0004, Ignore, BRAND),
    at((0x8000_0005, 0..=0, Eax), 0..=7, "l1_itlb_2m_4m_nentries", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Eax), 8..=15, "l1_itlb_2m_4m_assoc", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Eax), 16..=23, "l1_dtlb_2m_4m_nentries", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Eax), 24..=31, "l1_dtlb_2m_4m_assoc", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Ebx), 0..=7, "l1_itlb_4k_nentries", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Ebx), 8..=15, "l1_itlb_4k_assoc", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Ebx), 16..=23, "l1_dtlb_4k_nentries", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Ebx), 24..=31, "l1_dtlb_4k_assoc", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Ecx), 0..=7, "l1_dcache_line_size", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Ecx), 8..=15, "l1_dcache_nlines", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Ecx), 16..=23, "l1_dcache_assoc", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Ecx), 24..=31, "l1_dcache_size_kb", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Edx), 0..=7, "l1_icache_line_size", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Edx), 8..=15, "l1_icache_nlines", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Edx), 16..=23, "l1_icache_assoc", Smaller, CACHES),
    at((0x8000_0005, 0..=0, Edx), 24..=31, "l1_icache_size_kb", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Eax), 0..=11, "l2_itlb_2m_4m_nentries", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Eax), 12..=15, "l2_itlb_2m_4m_assoc", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Eax), 16..=27, "l2_dtlb_2m_4m_nentries", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Eax), 28..=31, "l2_dtlb_2m_4m_assoc", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Ebx), 0..=11, "l2_itlb_4k_nentries", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Ebx), 12..=15, "l2_itlb_4k_assoc", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Ebx), 16..=27, "l2_dtlb_4k_nentries", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Ebx), 28..=31, "l2_dtlb_4k_assoc", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Ecx), 0..=7, "l2_line_size", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Ecx), 8..=11, "l2_nlines", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Ecx), 12..=15, "l2_assoc", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Ecx), 16..=31, "l2_size_kb", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Edx), 0..=7, "l3_line_size", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Edx), 8..=11, "l3_nlines", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Edx), 12..=15, "l3_assoc", Smaller, CACHES),
    at((0x8000_0006, 0..=0, Edx), 18..=31, "l3_size_range", Smaller, CACHES),
    at((0x8000_0007, 0..=0, Ecx), 0..=31, "cpu_pwr_sample_ratio", Ignore, HOST),
    at((0x8000_0008, 0..=0, Eax), 0..=7, "phys_addr_bits", Min, "a guest places memory up to this width"),
    at(
        (0x8000_0008, 0..=0, Eax),
        8..=15,
        "virt_addr_bits",
        Min,
        "a guest's pages are mapped up to this width",
    ),
    at(
        (0x8000_0008, 0..=0, Eax),
        16..=23,
        "guest_phys_addr_bits",
        MinTold,
        "a guest places memory up to this width; 0 means phys_addr_bits",
    ),
    at(
        (0x8000_0008, 0..=0, Ebx),
        20..=20,
        "EFER_LMSLE_MBZ",
        Or,
        "if set, EFER.LMSLE cannot be set: something is missing",
    ),
    at((0x8000_0008, 0..=0, Ecx), 0..=7, "cpu_nthreads", Ignore, TOPOLOGY),
    at((0x8000_0008, 0..=0, Ecx), 12..=15, "apicid_coreid_len", Ignore, TOPOLOGY),
    at((0x8000_0008, 0..=0, Ecx), 16..=17, "perf_tsc_len", Min, "a guest relies on overflow at this width"),
    at((0x8000_0008, 0..=0, Edx), 0..=15, "invlpgb_max_pages", Min, COUNT),
    at((0x8000_0008, 0..=0, Edx), 16..=31, "rdpru_max_reg_id", Min, COUNT),
    at((0x8000_000a, 0..=0, Eax), 0..=7, "svm_version", Min, LEVEL),
    at((0x8000_000a, 0..=0, Ebx), 0..=31, "svm_nasid", Min, COUNT),
    at((0x8000_0019, 0..=0, Eax), 0..=11, "l1_itlb_1g_nentries", Smaller, CACHES),
    at((0x8000_0019, 0..=0, Eax), 12..=15, "l1_itlb_1g_assoc", Smaller, CACHES),
    at((0x8000_0019, 0..=0, Eax), 16..=27, "l1_dtlb_1g_nentries", Smaller, CACHES),
    at((0x8000_0019, 0..=0, Eax), 28..=31, "l1_dtlb_1g_assoc", Smaller, CACHES),
    at((0x8000_0019, 0..=0, Ebx), 0..=11, "l2_itlb_1g_nentries", Smaller, CACHES),
    at((0x8000_0019, 0..=0, Ebx), 12..=15, "l2_itlb_1g_assoc", Smaller, CACHES),
    at((0x8000_0019, 0..=0, Ebx), 16..=27, "l2_dtlb_1g_nentries", Smaller, CACHES),
    at((0x8000_0019, 0..=0, Ebx), 28..=31, "l2_dtlb_1g_assoc", Smaller, CACHES),
    at(
        (0x8000_001c, 0..=0, Ebx),
        0..=7,
        "lwp_lwpcb_sz",
        Equal,
        "structures in the guest's memory have this layout",
    ),
    at(
        (0x8000_001c, 0..=0, Ebx),
        8..=15,
        "lwp_event_sz",
        Equal,
        "structures in the guest's memory have this layout",
    ),
    at((0x8000_001c, 0..=0, Ebx), 16..=23, "lwp_max_events", Min, COUNT),
    at(
        (0x8000_001c, 0..=0, Ebx),
        24..=31,
        "lwp_event_offset",
        Equal,
        "structures in the guest's memory have this layout",
    ),
    at((0x8000_001c, 0..=0, Ecx), 0..=4, "lwp_latency_max", Min, COUNT),
    at(
        (0x8000_001c, 0..=0, Ecx),
        6..=8,
        "lwp_latency_rnd",
        Equal,
        "a guest converts counts to cycles with it",
    ),
    at((0x8000_001c, 0..=0, Ecx), 9..=15, "lwp_version", Min, LEVEL),
    at((0x8000_001c, 0..=0, Ecx), 16..=23, "lwp_buf_min_sz", Max, "a smaller buffer is refused"),
    at((0x8000_001d, 0..=31, Eax), 0..=4, "cache_type", Ignore, CACHE_END),
    at((0x8000_001d, 0..=31, Eax), 5..=7, "cache_level", Ignore, CACHE_END),
    at((0x8000_001d, 0..=31, Eax), 14..=25, "num_threads_sharing", Ignore, TOPOLOGY),
    at((0x8000_001d, 0..=31, Ebx), 0..=11, "cache_linesize", Smaller, CACHES),
    at((0x8000_001d, 0..=31, Ebx), 12..=21, "cache_npartitions", Smaller, CACHES),
    at((0x8000_001d, 0..=31, Ebx), 22..=31, "cache_nways", Smaller, CACHES),
    at((0x8000_001d, 0..=31, Ecx), 0..=30, "cache_nsets", Smaller, CACHES),
    leaf(0x8000_001d, Ignore, CACHES),
    leaf(0x8000_001e, Ignore, TOPOLOGY),
    at((0x8000_001f, 0..=0, Ebx), 0..=5, "pte_cbit_pos", Equal, "the guest's page tables have the bit there"),
    at(
        (0x8000_001f, 0..=0, Ebx),
        6..=11,
        "phys_addr_reduction_nbits",
        Equal,
        "the guest's page tables use addresses up to this width",
    ),
    at((0x8000_001f, 0..=0, Ebx), 12..=15, "vmpl_count", Min, COUNT),
    at((0x8000_001f, 0..=0, Ecx), 0..=31, "enc_guests_max", Min, COUNT),
    at((0x8000_001f, 0..=0, Edx), 0..=31, "min_sev_asid_no_sev_es", Max, "lower ASIDs are refused"),
    at((0x8000_0020, 1..=1, Eax), 0..=31, "mba_limit_len", Equal, "limits are encoded in this many bits"),
    at((0x8000_0020, 1..=1, Edx), 0..=31, "mba_cos_max", Min, COUNT),
    at((0x8000_0020, 2..=2, Eax), 0..=31, "smba_limit_len", Equal, "limits are encoded in this many bits"),
    at((0x8000_0020, 2..=2, Edx), 0..=31, "smba_cos_max", Min, COUNT),
    at((0x8000_0020, 3..=3, Ebx), 0..=7, "bmec_num_events", Min, COUNT),
    at(
        (0x8000_0021, 0..=0, Eax),
        0..=0,
        "NO_NESTED_DATA_BP",
        Or,
        "if set, nested data breakpoints are ignored",
    ),
    at(
        (0x8000_0021, 0..=0, Eax),
        1..=1,
        "WRMSR_XX_BASE_NS",
        Or,
        "if set, writes to segment bases do not serialize",
    ),
    at((0x8000_0021, 0..=0, Eax), 9..=9, "NO_SMM_CTL_MSR", Or, "if set, an MSR is missing"),
    at((0x8000_0021, 0..=0, Ebx), 0..=15, "microcode_patch_size", Ignore, HOST),
    at(
        (0x8000_0021, 0..=0, Ebx),
        16..=23,
        "rap_size",
        Max,
        "a guest overwrites this many return addresses; with too few, another context's remain",
    ),
    at((0x8000_0022, 0..=0, Ebx), 0..=3, "n_pmc_core", Min, COUNT),
    at((0x8000_0022, 0..=0, Ebx), 4..=9, "lbr_v2_stack_size", Min, COUNT),
    at((0x8000_0022, 0..=0, Ebx), 10..=15, "n_pmc_northbridge", Min, COUNT),
    at((0x8000_0022, 0..=0, Ebx), 16..=21, "n_pmc_umc", Min, COUNT),
    at((0x8000_0022, 0..=0, Ecx), 0..=31, "active_umc_bitmask", And, COUNT),
    at((0x8000_0023, 0..=0, Ebx), 0..=15, "mem_hmk_avail_keys", Min, COUNT),
    leaf(0x8000_0026, Ignore, TOPOLOGY),
    leaf(0x8086_0000, Equal, "instructions and MSRs differ from vendor to vendor"),
    leaf(0x8086_0001, Ignore, IDENTITY),
    leaf(0x8086_0002, Ignore, IDENTITY),
    leaf(0x8086_0003, Ignore, BRAND),
    leaf(0x8086_0004, Ignore, BRAND),
    leaf(0x8086_0005, Ignore, BRAND),
    leaf(0x8086_0006, Ignore, BRAND),
    leaf(0x8086_0007, Ignore, HOST),
    at((0xc000_0000, 0..=0, Eax), 0..=31, "max_cntr_leaf", Min, LEVEL),
];

impl Row {
    const fn leaf(&self) -> Leaf {
        match self.0 {
            About::Leaf(leaf) => leaf,
            About::Bits(field) => field.leaf(),
        }
    }
}

fn of_leaf(leaf: Leaf) -> &'static [Row] {
    let from = ROWS.partition_point(|row| row.leaf() < leaf);
    let rows = ROWS.get(from..).unwrap_or_default();
    rows.get(..rows.partition_point(|row| row.leaf() == leaf)).unwrap_or_default()
}

/// The rule for some bits of a register; a leaf's row does not apply to features.
pub(super) fn find(word: CpuidWord, mask: u32, feature: bool) -> Option<(Rule, &'static str)> {
    let row = of_leaf(word.leaf).iter().find(|row| match row.0 {
        About::Leaf(_) => !feature,
        About::Bits(field) => field.is_in(word) && field.mask() == mask,
    })?;
    Some((row.1, row.2))
}

/// The fields of a register that have a row.
pub(super) fn fields(word: CpuidWord) -> impl Iterator<Item = Field> {
    of_leaf(word.leaf).iter().filter_map(move |row| match row.0 {
        About::Bits(field) if field.is_in(word) => Some(field),
        _ => None,
    })
}

/// The rows of numbers that are in a single subleaf and limit a guest.
#[cfg(feature = "fleet")]
pub(super) fn limits() -> impl Iterator<Item = (Field, Rule)> {
    ROWS.iter().filter_map(|row| match (&row.0, row.1) {
        (About::Bits(field), rule @ (Min | MinTold | Max)) if field.subleaves().count() == 1 => {
            Some((*field, rule))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::{About, ROWS, Row, fields, find};
    use crate::bits::description::{Part, describe};
    use crate::bits::feature::Feature;
    use crate::bits::field::Field;
    use crate::bits::location::{CpuidWord, Leaf, Subleaf};
    use crate::bits::name_hash::fold_eq;

    /// Fields that are not Linux's: Linux does not describe their bits, or splits them into several fields.
    const OWN: [&str; 3] = ["avx10_max_subleaf", "avx10_version", "signature"];

    #[test]
    fn every_row_is_of_what_its_name_says() {
        for row in ROWS {
            match row.0 {
                About::Leaf(leaf) => assert!(Field::in_leaf(leaf).next().is_some(), "{leaf:?}"),
                About::Bits(field) => {
                    let leaf = field.leaf().0;
                    let word =
                        CpuidWord::new(Leaf(leaf), Subleaf(*field.subleaves().start()), field.register());
                    let part = describe(word).find(|part| part.mask() == field.mask());
                    match part {
                        Some(Part::Field(known)) => assert_eq!(known, field),
                        Some(Part::Feature(known)) => {
                            assert!(fold_eq(known.name(), field.name()), "{field:?} is {known}");
                        }
                        None => assert!(OWN.contains(&field.name()), "{field:?}"),
                    }
                }
            }
        }
    }

    #[test]
    fn every_wide_field_has_a_row() {
        for field in Field::all().filter(|field| field.width() > 1) {
            let word = CpuidWord::new(field.leaf(), Subleaf(*field.subleaves().start()), field.register());
            let covered = |own: Field| own.mask() & field.mask() == field.mask();
            let found = find(word, field.mask(), false).is_some() || fields(word).any(covered);
            assert!(found, "{field:?}");
        }
    }

    #[test]
    fn no_row_is_shadowed_and_leaves_ascend() {
        assert!(ROWS.is_sorted_by_key(Row::leaf));
        for (at, row) in ROWS.iter().enumerate() {
            let later: Vec<Leaf> = ROWS[at + 1..].iter().map(Row::leaf).collect();
            if matches!(row.0, About::Leaf(_)) {
                assert!(!later.contains(&row.leaf()), "rows of {:?} after its own", row.leaf());
            }
        }
    }

    #[test]
    fn immune_is_a_promise() {
        // A guest that skips a mitigation needs every host to be immune.
        for name in ["MCDT_NO", "BTC_NO", "AMD_SSB_NO", "SRSO_NO", "TSA_SQ_NO"] {
            let Some(feature) = Feature::all().find(|feature| feature.name() == name) else { continue };
            assert!(find(feature.location().word, feature.mask(), true).is_none(), "{name}");
        }
    }
}
