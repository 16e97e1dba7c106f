//! The rules as data, leaf by leaf, each with its reason.

use core::ops::RangeInclusive;

use super::Rule;
use crate::bits::feature::Feature;
use crate::bits::field::{Field, constant};
use crate::bits::known_fields::{
    leaf_0, leaf_1, leaf_1c, leaf_1d, leaf_4, leaf_5, leaf_6, leaf_7, leaf_10, leaf_12, leaf_14, leaf_20,
    leaf_23, leaf_8000000a, leaf_8000001c, leaf_8000001d, leaf_8000001f, leaf_40000000, leaf_80000000,
    leaf_80000001, leaf_80000005, leaf_80000006, leaf_80000007, leaf_80000008, leaf_80000019, leaf_80000020,
    leaf_80000021, leaf_80000022, leaf_80000023, leaf_a, leaf_c0000000, leaf_d, leaf_f,
};
use crate::bits::location::{CpuidWord, Leaf, Location, Register};
use crate::feature;

use Register::{Eax, Ebx, Ecx, Edx};
use Rule::{And, Equal, Follows, Ignore, Larger, Max, Min, MinNonZero, Or, Smaller};

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

const fn field(field: Field, rule: Rule, reason: &'static str) -> Row {
    Row(About::Bits(field), rule, reason)
}

const fn feature(feature: Feature, rule: Rule, reason: &'static str) -> Row {
    let Location { word: CpuidWord { leaf, subleaf, register }, bit } = feature.location();
    let (subleaves, bits) = (subleaf.0..=subleaf.0, bit.0..=bit.0);
    field(constant(leaf.0, subleaves, register, bits, feature.name()), rule, reason)
}

/// A field of this table: Linux does not describe its bits, or splits them into several fields.
const fn own(leaf: u32, register: Register, bits: RangeInclusive<u8>, name: &'static str) -> Field {
    constant(leaf, 0..=0, register, bits, name)
}

/// A field that only a manual names (`bits/own_fields.rs`).
const fn manuals(
    leaf: u32,
    subleaf: u32,
    register: Register,
    bits: RangeInclusive<u8>,
    name: &'static str,
) -> Field {
    constant(leaf, subleaf..=subleaf, register, bits, name)
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

const MEASURED: &str = "measured when CPUID is executed";

/// In order of leaves; what is said of a part goes before what is said of its leaf.
static ROWS: &[Row] = &[
    field(leaf_0::MAX_STD_LEAF, Min, LEVEL),
    leaf(0x0, Equal, "instructions and MSRs differ from vendor to vendor"),
    field(own(0x1, Eax, 0..=27, "signature"), Smaller, IDENTITY),
    field(leaf_1::BRAND_ID, Ignore, BRAND),
    field(leaf_1::CLFLUSH_SIZE, Min, "a guest flushes line by line, in steps of this size"),
    field(leaf_1::N_LOGICAL_CPU, Ignore, TOPOLOGY),
    field(leaf_1::LOCAL_APIC_ID, Ignore, TOPOLOGY),
    feature(feature::OSXSAVE, Ignore, RUN_TIME),
    feature(feature::HT, Ignore, TOPOLOGY),
    leaf(0x2, Ignore, CACHES),
    field(leaf_4::CACHE_TYPE, Ignore, CACHE_END),
    field(leaf_4::CACHE_LEVEL, Ignore, CACHE_END),
    field(leaf_4::NUM_THREADS_SHARING, Ignore, TOPOLOGY),
    field(leaf_4::NUM_CORES_ON_DIE, Ignore, TOPOLOGY),
    field(leaf_4::CACHE_LINESIZE, Smaller, CACHES),
    field(leaf_4::CACHE_NPARTITIONS, Smaller, CACHES),
    field(leaf_4::CACHE_NWAYS, Smaller, CACHES),
    field(leaf_4::CACHE_NSETS, Smaller, CACHES),
    leaf(0x4, Ignore, CACHES),
    field(leaf_5::MWAIT_EXT, And, "a guest uses what it sees"),
    field(leaf_5::MWAIT_IRQ_BREAK, And, "a guest uses what it sees"),
    field(
        leaf_5::MIN_MON_SIZE,
        Smaller,
        "a guest keeps the data it monitors within this size; a smaller value is safe",
    ),
    field(
        leaf_5::MAX_MON_SIZE,
        Larger,
        "a guest keeps other data this far away; a smaller value causes spurious wake-ups",
    ),
    leaf(0x5, Ignore, "hints for MWAIT; a wrong one costs power or time"),
    field(leaf_6::N_THERM_THRESHOLDS, Min, COUNT),
    field(leaf_6::HW_FEEDBACK_NCLASSES, Min, COUNT),
    field(leaf_6::FEEDBACK_SZ, Equal, "the table in the guest's memory has this size"),
    field(leaf_6::THIS_LCPU_HWFDBK_IDX, Ignore, TOPOLOGY),
    field(leaf_7::LEAF7_N_SUBLEAVES, Min, LEVEL),
    feature(
        feature::FDP_EXCPTN_ONLY,
        Or,
        "if set, the x87 data pointer is updated only on exceptions: something is missing",
    ),
    feature(feature::ZERO_FCS_FDS, Or, "if set, x87's CS and DS are zero: something is missing"),
    feature(feature::OSPKE, Ignore, RUN_TIME),
    field(leaf_7::MAWAU_VAL_LM, Min, "the width of addresses that BNDLDX and BNDSTX use"),
    feature(feature::RTM_ALWAYS_ABORT, Or, "if set, transactions always abort"),
    feature(feature::HYBRID_CPU, Ignore, TOPOLOGY),
    field(leaf_a::PMU_VERSION, Min, LEVEL),
    field(leaf_a::NUM_COUNTERS_GP, Min, COUNT),
    field(leaf_a::BIT_WIDTH_GP, Min, "a guest relies on overflow at this width"),
    field(leaf_a::EVENTS_MASK_LEN, Min, COUNT),
    field(leaf_a::NO_CORE_CYCLE, Or, MISSING),
    field(leaf_a::NO_INSTRUCTION_RETIRED, Or, MISSING),
    field(leaf_a::NO_REFERENCE_CYCLES, Or, MISSING),
    field(leaf_a::NO_LLC_REFERENCE, Or, MISSING),
    field(leaf_a::NO_LLC_MISSES, Or, MISSING),
    field(leaf_a::NO_BR_INSN_RETIRED, Or, MISSING),
    field(leaf_a::NO_BR_MISSES_RETIRED, Or, MISSING),
    field(leaf_a::NO_TOPDOWN_SLOTS, Or, MISSING),
    field(leaf_a::NO_BACKEND_BOUND, Or, MISSING),
    field(leaf_a::NO_BAD_SPECULATION, Or, MISSING),
    field(leaf_a::NO_FRONTEND_BOUND, Or, MISSING),
    field(leaf_a::NO_RETIRING, Or, MISSING),
    field(leaf_a::NO_LBR_INSERTS, Or, MISSING),
    field(leaf_a::PMU_FCOUNTERS_BITMAP, And, COUNT),
    field(leaf_a::NUM_COUNTERS_FIXED, Min, COUNT),
    field(leaf_a::BITWIDTH_FIXED, Min, "a guest relies on overflow at this width"),
    field(leaf_a::ANYTHREAD_DEPRECATION, Or, "if set, counting for both threads is not available"),
    leaf(0xb, Ignore, TOPOLOGY),
    field(leaf_d::XSAVE_SZ_XCR0, Follows, SIZES),
    field(leaf_d::XSAVE_SZ_MAX, Follows, SIZES),
    field(leaf_d::XSAVE_SZ_XCR0_XSS, Follows, SIZES),
    field(leaf_d::XSAVE_SZ, Equal, LAYOUT),
    field(leaf_d::XSAVE_OFFSET, Equal, LAYOUT),
    field(leaf_d::IS_XSS_BIT, Equal, LAYOUT),
    field(leaf_d::COMPACTED_XSAVE_64BYTE_ALIGNED, Equal, LAYOUT),
    field(leaf_f::CORE_RMID_MAX, Min, COUNT),
    field(leaf_f::L3C_QM_BITWIDTH, Min, "a guest relies on overflow at this width"),
    field(leaf_f::L3C_QM_CONVER_FACTOR, Equal, "a guest converts counts to bytes with it"),
    field(leaf_f::L3C_QM_RMID_MAX, Min, COUNT),
    field(leaf_10::CAT_CBM_LEN, Equal, "bit masks for the cache have this length"),
    field(leaf_10::CAT_UNITS_BITMAP, Or, "units that others also use"),
    field(leaf_10::CAT_COS_MAX, Min, COUNT),
    field(leaf_10::MBA_MAX_DELAY, Min, COUNT),
    field(leaf_10::MBA_DELAY_LINEAR, Equal, "it defines how delays are encoded"),
    field(leaf_10::MBA_COS_MAX, Min, COUNT),
    field(manuals(0x10, 5, Eax, 0..=7, "cba_max_delay"), Min, COUNT),
    field(manuals(0x10, 5, Eax, 8..=11, "cba_scope"), Equal, "whose bandwidth an MSR limits"),
    field(manuals(0x10, 5, Ecx, 3..=3, "cba_delay_linear"), Equal, "it defines how delays are encoded"),
    field(manuals(0x10, 5, Edx, 0..=15, "cba_cos_max"), Min, COUNT),
    field(leaf_12::MAX_ENCLAVE_SZ_NOT64, Min, COUNT),
    field(leaf_12::MAX_ENCLAVE_SZ_64, Min, COUNT),
    field(leaf_12::SUBLEAF_TYPE, Ignore, "a guest has its own enclave memory"),
    field(leaf_12::EPC_SEC_BASE_ADDR_0, Ignore, "a guest has its own enclave memory"),
    field(leaf_12::EPC_SEC_BASE_ADDR_1, Ignore, "a guest has its own enclave memory"),
    field(leaf_12::EPC_SEC_TYPE, Ignore, "a guest has its own enclave memory"),
    field(leaf_12::EPC_SEC_SIZE_0, Ignore, "a guest has its own enclave memory"),
    field(leaf_12::EPC_SEC_SIZE_1, Ignore, "a guest has its own enclave memory"),
    field(leaf_14::PT_MAX_SUBLEAF, Min, LEVEL),
    feature(feature::INTEL_PT_LIP, Equal, "it defines the meaning of addresses in a trace"),
    field(leaf_14::NUM_ADDRESS_RANGES, Min, COUNT),
    field(manuals(0x14, 1, Eax, 8..=10, "num_trigger_msrs"), Min, COUNT),
    field(leaf_14::MTC_PERIODS_BMP, And, COUNT),
    field(leaf_14::CYCLE_THRESHOLDS_BMP, And, COUNT),
    field(leaf_14::PSB_PERIODS_BMP, And, COUNT),
    leaf(0x15, Equal, "a guest may derive the frequency of its TSC from it"),
    leaf(0x16, Ignore, "frequencies that are not used for timing"),
    leaf(0x17, Ignore, BRAND),
    leaf(0x18, Ignore, CACHES),
    leaf(0x1a, Ignore, TOPOLOGY),
    leaf(0x1b, Ignore, HOST),
    field(leaf_1c::LBR_DEPTH_MASK, And, COUNT),
    field(leaf_1c::LBR_IP_IS_LIP, Equal, "it defines the meaning of addresses in a record"),
    field(leaf_1c::LBR_EVENTS_GPC_BMP, And, COUNT),
    field(leaf_1d::AMX_MAX_PALETTE, Min, LEVEL),
    leaf(0x1d, Equal, "tiles in the guest's registers and memory have this shape"),
    leaf(0x1e, Equal, "tiles in the guest's registers and memory have this shape"),
    leaf(0x1f, Ignore, TOPOLOGY),
    field(leaf_20::HRESET_NR_SUBLEAVES, Min, LEVEL),
    leaf(0x21, Equal, "it identifies what runs the guest"),
    field(
        manuals(0x23, 0, Ecx, 0..=7, "slots_per_cycle"),
        Ignore,
        "a guest divides counts by it; other events differ between processors, too",
    ),
    field(leaf_23::GP_COUNTERS, And, COUNT),
    field(leaf_23::FIXED_COUNTERS, And, COUNT),
    field(leaf_23::ACR_GP_RELOAD, And, COUNT),
    field(leaf_23::ACR_FIXED_RELOAD, And, COUNT),
    field(leaf_23::ACR_GP_TRIGGER, And, COUNT),
    field(leaf_23::ACR_FIXED_TRIGGER, And, COUNT),
    field(leaf_23::LBR, And, COUNT),
    field(leaf_23::XER, And, COUNT),
    field(leaf_23::PEBS_GP, And, COUNT),
    field(leaf_23::PEBS_PDIST_GP, And, COUNT),
    field(leaf_23::PEBS_FIXED, And, COUNT),
    field(leaf_23::PEBS_PDIST_FIXED, And, COUNT),
    field(own(0x24, Eax, 0..=31, "avx10_max_subleaf"), Min, LEVEL),
    field(own(0x24, Ebx, 0..=7, "avx10_version"), Min, LEVEL),
    field(leaf_40000000::MAX_HYP_LEAF, Min, LEVEL),
    leaf(0x4000_0000, Equal, "the guest's drivers are those of this hypervisor"),
    feature(feature::KVM_HINTS_REALTIME, Ignore, "a hint for speed"),
    field(leaf_80000000::MAX_EXT_LEAF, Min, LEVEL),
    leaf(0x8000_0000, Equal, "instructions and MSRs differ from vendor to vendor"),
    field(own(0x8000_0001, Eax, 0..=27, "signature"), Smaller, IDENTITY),
    field(leaf_80000001::BRAND_ID, Ignore, BRAND),
    field(leaf_80000001::PKG_TYPE, Ignore, HOST),
    feature(feature::CMP_LEGACY, Ignore, TOPOLOGY),
    leaf(0x8000_0002, Ignore, BRAND),
    leaf(0x8000_0003, Ignore, BRAND),
    leaf(0x8000_0004, Ignore, BRAND),
    field(leaf_80000005::L1_ITLB_2M_4M_NENTRIES, Smaller, CACHES),
    field(leaf_80000005::L1_ITLB_2M_4M_ASSOC, Smaller, CACHES),
    field(leaf_80000005::L1_DTLB_2M_4M_NENTRIES, Smaller, CACHES),
    field(leaf_80000005::L1_DTLB_2M_4M_ASSOC, Smaller, CACHES),
    field(leaf_80000005::L1_ITLB_4K_NENTRIES, Smaller, CACHES),
    field(leaf_80000005::L1_ITLB_4K_ASSOC, Smaller, CACHES),
    field(leaf_80000005::L1_DTLB_4K_NENTRIES, Smaller, CACHES),
    field(leaf_80000005::L1_DTLB_4K_ASSOC, Smaller, CACHES),
    field(leaf_80000005::L1_DCACHE_LINE_SIZE, Smaller, CACHES),
    field(leaf_80000005::L1_DCACHE_NLINES, Smaller, CACHES),
    field(leaf_80000005::L1_DCACHE_ASSOC, Smaller, CACHES),
    field(leaf_80000005::L1_DCACHE_SIZE_KB, Smaller, CACHES),
    field(leaf_80000005::L1_ICACHE_LINE_SIZE, Smaller, CACHES),
    field(leaf_80000005::L1_ICACHE_NLINES, Smaller, CACHES),
    field(leaf_80000005::L1_ICACHE_ASSOC, Smaller, CACHES),
    field(leaf_80000005::L1_ICACHE_SIZE_KB, Smaller, CACHES),
    field(leaf_80000006::L2_ITLB_2M_4M_NENTRIES, Smaller, CACHES),
    field(leaf_80000006::L2_ITLB_2M_4M_ASSOC, Smaller, CACHES),
    field(leaf_80000006::L2_DTLB_2M_4M_NENTRIES, Smaller, CACHES),
    field(leaf_80000006::L2_DTLB_2M_4M_ASSOC, Smaller, CACHES),
    field(leaf_80000006::L2_ITLB_4K_NENTRIES, Smaller, CACHES),
    field(leaf_80000006::L2_ITLB_4K_ASSOC, Smaller, CACHES),
    field(leaf_80000006::L2_DTLB_4K_NENTRIES, Smaller, CACHES),
    field(leaf_80000006::L2_DTLB_4K_ASSOC, Smaller, CACHES),
    field(leaf_80000006::L2_LINE_SIZE, Smaller, CACHES),
    field(leaf_80000006::L2_NLINES, Smaller, CACHES),
    field(leaf_80000006::L2_ASSOC, Smaller, CACHES),
    field(leaf_80000006::L2_SIZE_KB, Smaller, CACHES),
    field(leaf_80000006::L3_LINE_SIZE, Smaller, CACHES),
    field(leaf_80000006::L3_NLINES, Smaller, CACHES),
    field(leaf_80000006::L3_ASSOC, Smaller, CACHES),
    field(leaf_80000006::L3_SIZE_RANGE, Smaller, CACHES),
    field(leaf_80000007::CPU_PWR_SAMPLE_RATIO, Ignore, HOST),
    field(leaf_80000008::PHYS_ADDR_BITS, Min, "a guest places memory up to this width"),
    field(leaf_80000008::VIRT_ADDR_BITS, Min, "a guest's pages are mapped up to this width"),
    field(
        leaf_80000008::GUEST_PHYS_ADDR_BITS,
        MinNonZero,
        "a guest places memory up to this width; 0 means phys_addr_bits",
    ),
    feature(feature::EFER_LMSLE_MBZ, Or, "if set, EFER.LMSLE cannot be set: something is missing"),
    field(leaf_80000008::CPU_NTHREADS, Ignore, TOPOLOGY),
    field(leaf_80000008::APICID_COREID_LEN, Ignore, TOPOLOGY),
    field(leaf_80000008::PERF_TSC_LEN, Min, "a guest relies on overflow at this width"),
    field(leaf_80000008::INVLPGB_MAX_PAGES, Min, COUNT),
    field(leaf_80000008::RDPRU_MAX_REG_ID, Min, COUNT),
    field(leaf_8000000a::SVM_VERSION, Min, LEVEL),
    field(leaf_8000000a::SVM_NASID, Min, COUNT),
    field(leaf_80000019::L1_ITLB_1G_NENTRIES, Smaller, CACHES),
    field(leaf_80000019::L1_ITLB_1G_ASSOC, Smaller, CACHES),
    field(leaf_80000019::L1_DTLB_1G_NENTRIES, Smaller, CACHES),
    field(leaf_80000019::L1_DTLB_1G_ASSOC, Smaller, CACHES),
    field(leaf_80000019::L2_ITLB_1G_NENTRIES, Smaller, CACHES),
    field(leaf_80000019::L2_ITLB_1G_ASSOC, Smaller, CACHES),
    field(leaf_80000019::L2_DTLB_1G_NENTRIES, Smaller, CACHES),
    field(leaf_80000019::L2_DTLB_1G_ASSOC, Smaller, CACHES),
    field(leaf_8000001c::LWP_LWPCB_SZ, Equal, "structures in the guest's memory have this layout"),
    field(leaf_8000001c::LWP_EVENT_SZ, Equal, "structures in the guest's memory have this layout"),
    field(leaf_8000001c::LWP_MAX_EVENTS, Min, COUNT),
    field(leaf_8000001c::LWP_EVENT_OFFSET, Equal, "structures in the guest's memory have this layout"),
    field(leaf_8000001c::LWP_LATENCY_MAX, Min, COUNT),
    field(leaf_8000001c::LWP_LATENCY_RND, Equal, "a guest converts counts to cycles with it"),
    field(leaf_8000001c::LWP_VERSION, Min, LEVEL),
    field(leaf_8000001c::LWP_BUF_MIN_SZ, Max, "a smaller buffer is refused"),
    field(leaf_8000001d::CACHE_TYPE, Ignore, CACHE_END),
    field(leaf_8000001d::CACHE_LEVEL, Ignore, CACHE_END),
    field(leaf_8000001d::NUM_THREADS_SHARING, Ignore, TOPOLOGY),
    field(leaf_8000001d::CACHE_LINESIZE, Smaller, CACHES),
    field(leaf_8000001d::CACHE_NPARTITIONS, Smaller, CACHES),
    field(leaf_8000001d::CACHE_NWAYS, Smaller, CACHES),
    field(leaf_8000001d::CACHE_NSETS, Smaller, CACHES),
    leaf(0x8000_001d, Ignore, CACHES),
    leaf(0x8000_001e, Ignore, TOPOLOGY),
    field(leaf_8000001f::PTE_CBIT_POS, Equal, "the guest's page tables have the bit there"),
    field(
        leaf_8000001f::PHYS_ADDR_REDUCTION_NBITS,
        Equal,
        "the guest's page tables use addresses up to this width",
    ),
    field(leaf_8000001f::VMPL_COUNT, Min, COUNT),
    field(leaf_8000001f::ENC_GUESTS_MAX, Min, COUNT),
    field(leaf_8000001f::MIN_SEV_ASID_NO_SEV_ES, Max, "lower ASIDs are refused"),
    field(leaf_80000020::MBA_LIMIT_LEN, Equal, "limits are encoded in this many bits"),
    field(leaf_80000020::MBA_COS_MAX, Min, COUNT),
    field(leaf_80000020::SMBA_LIMIT_LEN, Equal, "limits are encoded in this many bits"),
    field(leaf_80000020::SMBA_COS_MAX, Min, COUNT),
    field(leaf_80000020::BMEC_NUM_EVENTS, Min, COUNT),
    field(
        manuals(0x8000_0020, 5, Eax, 0..=7, "abmc_counter_size"),
        Min,
        "a guest relies on overflow at this width",
    ),
    field(manuals(0x8000_0020, 5, Ebx, 0..=15, "abmc_max_counter_id"), Min, COUNT),
    feature(feature::NO_NESTED_DATA_BP, Or, "if set, nested data breakpoints are ignored"),
    feature(feature::WRMSR_XX_BASE_NS, Or, "if set, writes to segment bases do not serialize"),
    feature(feature::NO_SMM_CTL_MSR, Or, "if set, an MSR is missing"),
    field(leaf_80000021::MICROCODE_PATCH_SIZE, Ignore, HOST),
    field(
        leaf_80000021::RAP_SIZE,
        Max,
        "a guest overwrites this many return addresses; with too few, another context's remain",
    ),
    field(leaf_80000022::N_PMC_CORE, Min, COUNT),
    field(leaf_80000022::LBR_V2_STACK_SIZE, Min, COUNT),
    field(leaf_80000022::N_PMC_NORTHBRIDGE, Min, COUNT),
    field(leaf_80000022::N_PMC_UMC, Min, COUNT),
    field(leaf_80000022::ACTIVE_UMC_BITMASK, And, COUNT),
    field(leaf_80000023::MEM_HMK_AVAIL_KEYS, Min, COUNT),
    leaf(0x8000_0025, Ignore, HOST),
    leaf(0x8000_0026, Ignore, TOPOLOGY),
    leaf(0x8086_0000, Equal, "instructions and MSRs differ from vendor to vendor"),
    leaf(0x8086_0001, Ignore, IDENTITY),
    leaf(0x8086_0002, Ignore, IDENTITY),
    leaf(0x8086_0003, Ignore, BRAND),
    leaf(0x8086_0004, Ignore, BRAND),
    leaf(0x8086_0005, Ignore, BRAND),
    leaf(0x8086_0006, Ignore, BRAND),
    leaf(0x8086_0007, Ignore, HOST),
    field(leaf_c0000000::MAX_CNTR_LEAF, Min, LEVEL),
    leaf(0xc000_0002, Ignore, MEASURED),
    leaf(0xc000_0004, Ignore, MEASURED),
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
        (About::Bits(field), rule @ (Min | MinNonZero | Max)) if field.subleaves().count() == 1 => {
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
    use crate::bits::own_fields;

    /// Fields that are not Linux's: Linux does not describe their bits, or splits them into several fields.
    const OWN: [&str; 3] = ["avx10_max_subleaf", "avx10_version", "signature"];

    #[test]
    fn every_row_is_of_what_its_name_says() {
        for row in ROWS {
            match row.0 {
                About::Leaf(leaf) => {
                    assert!(
                        Field::in_leaf(leaf).chain(own_fields::in_leaf(leaf)).next().is_some(),
                        "{leaf:?}"
                    );
                }
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
        for field in Field::all().chain(own_fields::all()).filter(|field| field.width() > 1) {
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
