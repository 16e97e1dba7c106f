//! How a field's number is read: what it counts, how it is encoded, and its named values.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use core::ops::RangeInclusive;

use super::hypervisor;
use crate::bits::field::{Field, constant};
use crate::bits::known_fields::{
    leaf_0, leaf_1, leaf_1a, leaf_1c, leaf_1d, leaf_1e, leaf_1f, leaf_2, leaf_4, leaf_5, leaf_6, leaf_7,
    leaf_10, leaf_12, leaf_14, leaf_15, leaf_16, leaf_17, leaf_18, leaf_21, leaf_8000000a, leaf_8000001c,
    leaf_8000001d, leaf_8000001e, leaf_8000001f, leaf_40000000, leaf_80000000, leaf_80000002, leaf_80000003,
    leaf_80000004, leaf_80000005, leaf_80000006, leaf_80000008, leaf_80000019, leaf_80000020, leaf_80000021,
    leaf_80000022, leaf_80000023, leaf_80000026, leaf_80860000, leaf_80860001, leaf_80860007, leaf_a, leaf_b,
    leaf_c0000000, leaf_d, leaf_f,
};
use crate::bits::location::Register;

use Register::{Eax, Ebx, Ecx};

/// How a number is encoded.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// In hexadecimal: an address, a mask, an id.
    Hex,
    /// A count of these.
    Of(&'static str),
    /// A count of these, minus one.
    LessOne(&'static str),
    /// A count of units of this many.
    Times(u32, &'static str),
    /// The number, and this many more.
    Plus(u32, &'static str),
    /// This many times the number, and this many more.
    Linear(u32, u32, &'static str),
    /// Two to the power of the number.
    Power(&'static str),
    /// A bit for each multiple of eight.
    Depths,
    /// A code with named values; larger numbers have no name.
    Names(&'static [&'static str]),
    /// AMD's associativity code of leaves 0x80000006 and 0x80000019.
    AmdWays,
    /// Ways; 0xFF for fully associative.
    AmdL1Ways,
    /// Four characters.
    Text,
}

use How::{AmdL1Ways, AmdWays, Depths, Hex, LessOne, Linear, Names, Of, Plus, Power, Text, Times};

const KIB: &str = "KiB";
const BYTES: &str = "bytes";
const MHZ: &str = "MHz";
const BITS: &str = "bits";
const ENTRIES: &str = "entries";
const COUNTERS: &str = "counters";
const PROCESSORS: &str = "processors";
const PER_TAG: &str = "lines per tag";
const CACHE_TYPE: How = Names(&["none", "data", "instruction", "unified"]);

/// A number that only a manual names (`bits/own_fields.rs`).
const fn manuals(leaf: u32, subleaf: u32, register: Register, bits: RangeInclusive<u8>) -> Field {
    constant(leaf, subleaf..=subleaf, register, bits, "")
}

/// VIA's voltages begin at 700 mV, in steps of 16 mV.
const VOLTAGE: How = Linear(16, 700, "mV");

/// In order of leaves.
static NUMBERS: &[(Field, How)] = &[
    (leaf_0::MAX_STD_LEAF, Hex),
    (leaf_0::CPU_VENDORID_0, Text),
    (leaf_0::CPU_VENDORID_1, Text),
    (leaf_0::CPU_VENDORID_2, Text),
    (leaf_1::CPU_TYPE, Names(&["original", "OverDrive", "dual"])),
    (leaf_1::CLFLUSH_SIZE, Times(8, BYTES)),
    (leaf_2::DESC1, Hex),
    (leaf_2::DESC2, Hex),
    (leaf_2::DESC3, Hex),
    (leaf_2::DESC4, Hex),
    (leaf_2::DESC5, Hex),
    (leaf_2::DESC6, Hex),
    (leaf_2::DESC7, Hex),
    (leaf_2::DESC8, Hex),
    (leaf_2::DESC9, Hex),
    (leaf_2::DESC10, Hex),
    (leaf_2::DESC11, Hex),
    (leaf_2::DESC12, Hex),
    (leaf_2::DESC13, Hex),
    (leaf_2::DESC14, Hex),
    (leaf_2::DESC15, Hex),
    (leaf_4::CACHE_TYPE, CACHE_TYPE),
    (leaf_4::NUM_THREADS_SHARING, LessOne("ids")),
    (leaf_4::NUM_CORES_ON_DIE, LessOne("ids")),
    (leaf_4::CACHE_LINESIZE, LessOne(BYTES)),
    (leaf_4::CACHE_NPARTITIONS, LessOne("")),
    (leaf_4::CACHE_NWAYS, LessOne("")),
    (leaf_4::CACHE_NSETS, LessOne("")),
    (leaf_5::MIN_MON_SIZE, Of(BYTES)),
    (leaf_5::MAX_MON_SIZE, Of(BYTES)),
    (leaf_6::FEEDBACK_SZ, LessOne("pages")),
    (leaf_6::N_THERM_THRESHOLDS, Of("thresholds")),
    (leaf_7::MAWAU_VAL_LM, Of(BITS)),
    (leaf_a::BIT_WIDTH_GP, Of(BITS)),
    (leaf_a::BITWIDTH_FIXED, Of(BITS)),
    (leaf_a::PMU_FCOUNTERS_BITMAP, Hex),
    (leaf_a::NUM_COUNTERS_GP, Of(COUNTERS)),
    (leaf_a::EVENTS_MASK_LEN, Of("events")),
    (leaf_a::NUM_COUNTERS_FIXED, Of(COUNTERS)),
    (leaf_b::DOMAIN_TYPE, Names(&["none", "thread", "core"])),
    (leaf_b::X2APIC_ID, Of("")),
    (leaf_b::X2APIC_ID_SHIFT, Of(BITS)),
    (leaf_b::DOMAIN_LCPUS_COUNT, Of(PROCESSORS)),
    (leaf_d::XSAVE_SZ_XCR0, Of(BYTES)),
    (leaf_d::XSAVE_SZ_MAX, Of(BYTES)),
    (leaf_d::XSAVE_SZ_XCR0_XSS, Of(BYTES)),
    (leaf_d::XSAVE_SZ, Of(BYTES)),
    (leaf_d::XSAVE_OFFSET, Of("")),
    (leaf_f::CORE_RMID_MAX, Of("")),
    (leaf_f::L3C_QM_CONVER_FACTOR, Of(BYTES)),
    (leaf_f::L3C_QM_RMID_MAX, Of("")),
    (leaf_f::L3C_QM_BITWIDTH, Plus(24, BITS)),
    (leaf_10::CAT_CBM_LEN, LessOne(BITS)),
    (leaf_10::CAT_COS_MAX, Of("")),
    (leaf_10::CAT_UNITS_BITMAP, Hex),
    (leaf_10::MBA_MAX_DELAY, LessOne("")),
    (manuals(0x10, 5, Eax, 0..=7), LessOne("")),
    (manuals(0x10, 5, Eax, 8..=11), Names(&["reserved", "logical processor"])),
    (leaf_12::MAX_ENCLAVE_SZ_NOT64, Power(BYTES)),
    (leaf_12::MAX_ENCLAVE_SZ_64, Power(BYTES)),
    (leaf_14::NUM_ADDRESS_RANGES, Of("ranges")),
    (leaf_14::MTC_PERIODS_BMP, Hex),
    (leaf_14::CYCLE_THRESHOLDS_BMP, Hex),
    (leaf_14::PSB_PERIODS_BMP, Hex),
    (leaf_15::TSC_DENOMINATOR, Of("")),
    (leaf_15::TSC_NUMERATOR, Of("")),
    (leaf_15::CPU_CRYSTAL_HZ, Of("Hz")),
    (leaf_16::CPU_BASE_MHZ, Of(MHZ)),
    (leaf_16::CPU_MAX_MHZ, Of(MHZ)),
    (leaf_16::BUS_MHZ, Of(MHZ)),
    (leaf_17::VENDOR_BRAND_A, Text),
    (leaf_17::VENDOR_BRAND_B, Text),
    (leaf_17::VENDOR_BRAND_C, Text),
    (leaf_17::VENDOR_BRAND_D, Text),
    (leaf_18::N_SETS, Of("")),
    (leaf_18::TLB_TYPE, Names(&["none", "data", "instruction", "unified", "loads", "stores"])),
    (leaf_18::TLB_MAX_ADDRESSABLE_IDS, LessOne("ids")),
    (leaf_18::N_WAY_ASSOCIATIVE, Of("ways")),
    (leaf_1a::CORE_NATIVE_MODEL, Hex),
    (leaf_1a::CORE_TYPE, Hex),
    (leaf_1c::LBR_DEPTH_MASK, Depths),
    (leaf_1d::AMX_TILE_SIZE, Of(BYTES)),
    (leaf_1d::AMX_PALETTE_SIZE, Of(BYTES)),
    (leaf_1d::AMX_TILE_ROW_SIZE, Of(BYTES)),
    (leaf_1d::AMX_PALETTE_NR_TILES, Of("tiles")),
    (leaf_1d::AMX_TILE_NR_ROWS, Of("rows")),
    (leaf_1e::TMUL_MAXK, Of("rows")),
    (leaf_1e::TMUL_MAXN, Of(BYTES)),
    (leaf_1f::DOMAIN_TYPE, Names(&["none", "thread", "core", "module", "tile", "die", "die group"])),
    (leaf_1f::X2APIC_ID, Of("")),
    (leaf_1f::X2APIC_ID_SHIFT, Of(BITS)),
    (leaf_1f::DOMAIN_LCPUS_COUNT, Of(PROCESSORS)),
    (leaf_21::TDX_VENDORID_0, Text),
    (leaf_21::TDX_VENDORID_1, Text),
    (leaf_21::TDX_VENDORID_2, Text),
    (leaf_40000000::MAX_HYP_LEAF, Hex),
    (leaf_40000000::HYPERVISOR_ID_0, Text),
    (leaf_40000000::HYPERVISOR_ID_1, Text),
    (leaf_40000000::HYPERVISOR_ID_2, Text),
    (hypervisor::INTERFACE_SIGNATURE, Text),
    (hypervisor::TSC_KHZ, Of("kHz")),
    (hypervisor::BUS_KHZ, Of("kHz")),
    (leaf_80000000::MAX_EXT_LEAF, Hex),
    (leaf_80000000::CPU_VENDORID_0, Text),
    (leaf_80000000::CPU_VENDORID_1, Text),
    (leaf_80000000::CPU_VENDORID_2, Text),
    (leaf_80000002::CPU_BRANDID_0, Text),
    (leaf_80000002::CPU_BRANDID_1, Text),
    (leaf_80000002::CPU_BRANDID_2, Text),
    (leaf_80000002::CPU_BRANDID_3, Text),
    (leaf_80000003::CPU_BRANDID_4, Text),
    (leaf_80000003::CPU_BRANDID_5, Text),
    (leaf_80000003::CPU_BRANDID_6, Text),
    (leaf_80000003::CPU_BRANDID_7, Text),
    (leaf_80000004::CPU_BRANDID_8, Text),
    (leaf_80000004::CPU_BRANDID_9, Text),
    (leaf_80000004::CPU_BRANDID_10, Text),
    (leaf_80000004::CPU_BRANDID_11, Text),
    (leaf_80000005::L1_ITLB_2M_4M_ASSOC, AmdL1Ways),
    (leaf_80000005::L1_DTLB_2M_4M_ASSOC, AmdL1Ways),
    (leaf_80000005::L1_ITLB_4K_ASSOC, AmdL1Ways),
    (leaf_80000005::L1_DTLB_4K_ASSOC, AmdL1Ways),
    (leaf_80000005::L1_DCACHE_LINE_SIZE, Of(BYTES)),
    (leaf_80000005::L1_DCACHE_ASSOC, AmdL1Ways),
    (leaf_80000005::L1_DCACHE_SIZE_KB, Of(KIB)),
    (leaf_80000005::L1_ICACHE_LINE_SIZE, Of(BYTES)),
    (leaf_80000005::L1_ICACHE_ASSOC, AmdL1Ways),
    (leaf_80000005::L1_ICACHE_SIZE_KB, Of(KIB)),
    (leaf_80000005::L1_ITLB_2M_4M_NENTRIES, Of(ENTRIES)),
    (leaf_80000005::L1_DTLB_2M_4M_NENTRIES, Of(ENTRIES)),
    (leaf_80000005::L1_ITLB_4K_NENTRIES, Of(ENTRIES)),
    (leaf_80000005::L1_DTLB_4K_NENTRIES, Of(ENTRIES)),
    (leaf_80000005::L1_DCACHE_NLINES, Of(PER_TAG)),
    (leaf_80000005::L1_ICACHE_NLINES, Of(PER_TAG)),
    (leaf_80000006::L2_ITLB_2M_4M_ASSOC, AmdWays),
    (leaf_80000006::L2_DTLB_2M_4M_ASSOC, AmdWays),
    (leaf_80000006::L2_ITLB_4K_ASSOC, AmdWays),
    (leaf_80000006::L2_DTLB_4K_ASSOC, AmdWays),
    (leaf_80000006::L2_LINE_SIZE, Of(BYTES)),
    (leaf_80000006::L2_ASSOC, AmdWays),
    (leaf_80000006::L2_SIZE_KB, Of(KIB)),
    (leaf_80000006::L3_LINE_SIZE, Of(BYTES)),
    (leaf_80000006::L3_ASSOC, AmdWays),
    (leaf_80000006::L3_SIZE_RANGE, Times(512, KIB)),
    (leaf_80000006::L2_ITLB_2M_4M_NENTRIES, Of(ENTRIES)),
    (leaf_80000006::L2_DTLB_2M_4M_NENTRIES, Of(ENTRIES)),
    (leaf_80000006::L2_ITLB_4K_NENTRIES, Of(ENTRIES)),
    (leaf_80000006::L2_DTLB_4K_NENTRIES, Of(ENTRIES)),
    (leaf_80000006::L2_NLINES, Of(PER_TAG)),
    (leaf_80000006::L3_NLINES, Of(PER_TAG)),
    (leaf_80000008::PHYS_ADDR_BITS, Of(BITS)),
    (leaf_80000008::VIRT_ADDR_BITS, Of(BITS)),
    (leaf_80000008::GUEST_PHYS_ADDR_BITS, Of(BITS)),
    (leaf_80000008::CPU_NTHREADS, LessOne("threads")),
    (leaf_80000008::APICID_COREID_LEN, Of(BITS)),
    (leaf_80000008::PERF_TSC_LEN, Names(&["40 bits", "48 bits", "56 bits", "64 bits"])),
    (leaf_80000008::RDPRU_MAX_REG_ID, Of("")),
    (leaf_80000008::INVLPGB_MAX_PAGES, Of("pages")),
    (leaf_8000000a::SVM_NASID, Of("ASIDs")),
    (leaf_80000019::L1_ITLB_1G_ASSOC, AmdWays),
    (leaf_80000019::L1_DTLB_1G_ASSOC, AmdWays),
    (leaf_80000019::L2_ITLB_1G_ASSOC, AmdWays),
    (leaf_80000019::L2_DTLB_1G_ASSOC, AmdWays),
    (leaf_80000019::L1_ITLB_1G_NENTRIES, Of(ENTRIES)),
    (leaf_80000019::L1_DTLB_1G_NENTRIES, Of(ENTRIES)),
    (leaf_80000019::L2_ITLB_1G_NENTRIES, Of(ENTRIES)),
    (leaf_80000019::L2_DTLB_1G_NENTRIES, Of(ENTRIES)),
    (leaf_8000001c::LWP_LWPCB_SZ, Times(8, BYTES)),
    (leaf_8000001c::LWP_EVENT_SZ, Of(BYTES)),
    (leaf_8000001c::LWP_EVENT_OFFSET, Of(BYTES)),
    (leaf_8000001c::LWP_BUF_MIN_SZ, Times(32, "records")),
    (leaf_8000001d::CACHE_TYPE, CACHE_TYPE),
    (leaf_8000001d::NUM_THREADS_SHARING, LessOne("ids")),
    (leaf_8000001d::CACHE_LINESIZE, LessOne(BYTES)),
    (leaf_8000001d::CACHE_NPARTITIONS, LessOne("")),
    (leaf_8000001d::CACHE_NWAYS, LessOne("")),
    (leaf_8000001d::CACHE_NSETS, LessOne("")),
    (leaf_8000001e::EXT_APIC_ID, Of("")),
    (leaf_8000001e::CORE_NTHREADS, LessOne("")),
    (leaf_8000001e::NNODES_PER_SOCKET, LessOne("nodes")),
    (leaf_8000001f::ENC_GUESTS_MAX, Of("guests")),
    (leaf_8000001f::MIN_SEV_ASID_NO_SEV_ES, Of("")),
    (leaf_8000001f::PHYS_ADDR_REDUCTION_NBITS, Of(BITS)),
    (leaf_8000001f::VMPL_COUNT, Of("levels")),
    (leaf_80000020::MBA_LIMIT_LEN, Of(BITS)),
    (leaf_80000020::SMBA_LIMIT_LEN, Of(BITS)),
    (manuals(0x8000_0020, 5, Eax, 0..=7), Plus(24, BITS)),
    (leaf_80000021::MICROCODE_PATCH_SIZE, Times(16, BYTES)),
    (leaf_80000021::RAP_SIZE, Times(8, ENTRIES)),
    (leaf_80000022::N_PMC_CORE, Of(COUNTERS)),
    (leaf_80000022::LBR_V2_STACK_SIZE, Of(ENTRIES)),
    (leaf_80000022::N_PMC_NORTHBRIDGE, Of(COUNTERS)),
    (leaf_80000022::N_PMC_UMC, Of(COUNTERS)),
    (leaf_80000022::ACTIVE_UMC_BITMASK, Hex),
    (leaf_80000023::MEM_HMK_AVAIL_KEYS, Of("keys")),
    (manuals(0x8000_0025, 0, Eax, 0..=5), Power(BYTES)),
    (manuals(0x8000_0025, 0, Eax, 6..=11), Power(BYTES)),
    (leaf_80000026::DOMAIN_TYPE, Names(&["none", "core", "complex", "die", "socket"])),
    (leaf_80000026::X2APIC_ID, Of("")),
    (leaf_80000026::X2APIC_ID_SHIFT, Of(BITS)),
    (leaf_80000026::DOMAIN_LCPUS_COUNT, Of(PROCESSORS)),
    (leaf_80860000::MAX_TRA_LEAF, Hex),
    (leaf_80860000::CPU_VENDORID_0, Text),
    (leaf_80860000::CPU_VENDORID_1, Text),
    (leaf_80860000::CPU_VENDORID_2, Text),
    (leaf_80860001::CPU_BASE_MHZ, Of(MHZ)),
    (leaf_80860007::CPU_CUR_MHZ, Of(MHZ)),
    (leaf_80860007::CPU_CUR_VOLTAGE, Of("mV")),
    (leaf_80860007::CPU_CUR_PERF_PCTG, Of("percent")),
    (leaf_80860007::CPU_CUR_GATE_DELAY, Of("fs")),
    (leaf_c0000000::MAX_CNTR_LEAF, Hex),
    (manuals(0xc000_0002, 0, Eax, 8..=31), Of("degrees C")),
    (manuals(0xc000_0002, 0, Ebx, 0..=7), VOLTAGE),
    (manuals(0xc000_0002, 0, Ecx, 0..=7), VOLTAGE),
    (manuals(0xc000_0002, 0, Ecx, 16..=23), VOLTAGE),
    (manuals(0xc000_0004, 0, Ebx, 0..=7), VOLTAGE),
];

/// A field's value as text: the number, and in parentheses its meaning if that adds anything.
pub(super) fn describe(field: Field, value: u32) -> String {
    // By place: a release may have another name for it.
    let row = NUMBERS.iter().find(|row| row.0.place() == field.place());
    let Some((_, how)) = row else {
        return if field.width() > 16 { format!("{value:#x}") } else { value.to_string() };
    };
    match how {
        Hex => format!("{value:#x}"),
        Of("") => value.to_string(),
        Of(unit) => count(u64::from(value), unit),
        LessOne(unit) => with_meaning(value, &count(u64::from(value) + 1, unit)),
        Times(each, unit) => with_meaning(value, &count(u64::from(value) * u64::from(*each), unit)),
        Linear(each, more, unit) => {
            with_meaning(value, &count(u64::from(value) * u64::from(*each) + u64::from(*more), unit))
        }
        Plus(more, unit) => with_meaning(value, &count(u64::from(value) + u64::from(*more), unit)),
        Power(_) if value > 63 => format!("{value} (reserved)"),
        Power(unit) => with_meaning(value, &count(1 << value, unit)),
        Depths => with_meaning(value, &depths(value)),
        Names(names) => match usize::try_from(value).ok().and_then(|value| names.get(value)) {
            Some(name) => with_meaning(value, name),
            None => format!("{value} (reserved)"),
        },
        AmdWays => with_meaning(value, amd_ways(value)),
        AmdL1Ways if value == 0xff => with_meaning(value, "full"),
        AmdL1Ways => value.to_string(),
        Text => text(value),
    }
}

/// Intel SDM volume 2A, "CPUID", leaf 1CH: bit n is for a depth of 8 * (n + 1).
fn depths(mask: u32) -> String {
    let set = (0..32_u32).filter(|bit| mask >> bit & 1 != 0).map(|bit| (8 * (bit + 1)).to_string());
    let all: Vec<String> = set.collect();
    if all.is_empty() { "none".into() } else { all.join(", ") }
}

/// `1 bit`, `2 bits`.
fn count(number: u64, unit: &str) -> String {
    let unit = match (number, unit) {
        (1, ENTRIES) => "entry",
        (1, PER_TAG) => "line per tag",
        (1, _) => unit.strip_suffix('s').unwrap_or(unit),
        _ => unit,
    };
    format!("{number} {unit}")
}

fn with_meaning(value: u32, meaning: &str) -> String {
    format!("{value} ({})", meaning.trim_end())
}

/// AMD APM volume 3, table E-4; Intel SDM volume 2A, "CPUID", leaf 80000006H, for code 7.
fn amd_ways(code: u32) -> &'static str {
    match code {
        0 => "disabled",
        1 => "direct mapped",
        2 => "2 ways",
        3 => "3 ways",
        4 => "4 ways",
        5 => "6 ways",
        6 => "8 ways",
        8 => "16 ways",
        7 | 9 => "in another leaf",
        0xa => "32 ways",
        0xb => "48 ways",
        0xc => "64 ways",
        0xd => "96 ways",
        0xe => "128 ways",
        0xf => "full",
        _ => "reserved",
    }
}

/// Four characters if all are printable or 0, else the number.
fn text(value: u32) -> String {
    let bytes = value.to_le_bytes();
    if value != 0 && bytes.iter().all(|byte| *byte == 0 || byte.is_ascii_graphic() || *byte == b' ') {
        format!("\"{}\"", bytes.escape_ascii())
    } else {
        format!("{value:#x}")
    }
}

#[cfg(test)]
mod tests {
    use super::{NUMBERS, describe};
    use crate::bits::field::Field;
    use crate::field::{leaf_0, leaf_1, leaf_4, leaf_80000006, leaf_80000008};

    #[test]
    fn leaves_ascend_and_no_field_has_two_rows() {
        assert!(NUMBERS.is_sorted_by_key(|row| row.0.leaf()));
        for (at, row) in NUMBERS.iter().enumerate() {
            assert!(NUMBERS[at + 1..].iter().all(|later| later.0.place() != row.0.place()), "{:?}", row.0);
        }
    }

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(describe(leaf_0::MAX_STD_LEAF, 0x1f), "0x1f");
        assert_eq!(describe(leaf_0::CPU_VENDORID_0, 0x756e_6547), "\"Genu\"");
        assert_eq!(describe(leaf_0::CPU_VENDORID_0, 0x0100_6547), "0x1006547");
        assert_eq!(describe(leaf_1::STEPPING, 8), "8");
        assert_eq!(describe(leaf_1::CLFLUSH_SIZE, 8), "8 (64 bytes)");
        assert_eq!(describe(leaf_4::CACHE_TYPE, 1), "1 (data)");
        assert_eq!(describe(leaf_4::CACHE_TYPE, 4), "4 (reserved)");
        assert_eq!(describe(leaf_4::CACHE_NSETS, 0x7fff_ffff), "2147483647 (2147483648)");
        assert_eq!(describe(leaf_80000006::L2_ASSOC, 6), "6 (8 ways)");
        assert_eq!(describe(leaf_80000006::L3_SIZE_RANGE, 64), "64 (32768 KiB)");
        assert_eq!(describe(leaf_80000008::PHYS_ADDR_BITS, 46), "46 bits");
        let named = |name: &str, leaf: u32, value: u32| {
            let field = Field::named(name).find(|field| field.leaf().0 == leaf);
            field.map(|field| describe(field, value))
        };
        for (name, leaf, value, expected) in [
            ("l3c_qm_bitwidth", 0xf, 38, "38 (62 bits)"),
            ("mba_max_delay", 0x10, 89, "89 (90)"),
            ("max_enclave_sz_64", 0x12, 56, "56 (72057594037927936 bytes)"),
            ("max_enclave_sz_64", 0x12, 64, "64 (reserved)"),
            ("lbr_depth_mask", 0x1c, 0xb, "11 (8, 16, 32)"),
            ("microcode_patch_size", 0x8000_0021, 2, "2 (32 bytes)"),
            ("rap_size", 0x8000_0021, 4, "4 (32 entries)"),
            ("lwp_lwpcb_sz", 0x8000_001c, 19, "19 (152 bytes)"),
        ] {
            assert_eq!(named(name, leaf, value).as_deref(), Some(expected), "{name}");
        }
    }
}
