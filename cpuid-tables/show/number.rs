//! How a field's number is read: what it counts, how it is encoded, and its named values.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::bits::field::Field;

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

use How::{AmdL1Ways, AmdWays, Depths, Hex, LessOne, Names, Of, Plus, Power, Text, Times};

const KIB: &str = "KiB";
const BYTES: &str = "bytes";
const MHZ: &str = "MHz";
const BITS: &str = "bits";
const ENTRIES: &str = "entries";
const COUNTERS: &str = "counters";
const PROCESSORS: &str = "processors";
const PER_TAG: &str = "lines per tag";
const CACHE_TYPE: How = Names(&["none", "data", "instruction", "unified"]);

/// By leaf and field name, which is unique within a leaf; in order of leaves.
static NUMBERS: &[(u32, &str, How)] = &[
    (0x0, "max_std_leaf", Hex),
    (0x0, "cpu_vendorid_0", Text),
    (0x0, "cpu_vendorid_1", Text),
    (0x0, "cpu_vendorid_2", Text),
    (0x1, "cpu_type", Names(&["original", "OverDrive", "dual"])),
    (0x1, "clflush_size", Times(8, BYTES)),
    (0x2, "desc1", Hex),
    (0x2, "desc2", Hex),
    (0x2, "desc3", Hex),
    (0x2, "desc4", Hex),
    (0x2, "desc5", Hex),
    (0x2, "desc6", Hex),
    (0x2, "desc7", Hex),
    (0x2, "desc8", Hex),
    (0x2, "desc9", Hex),
    (0x2, "desc10", Hex),
    (0x2, "desc11", Hex),
    (0x2, "desc12", Hex),
    (0x2, "desc13", Hex),
    (0x2, "desc14", Hex),
    (0x2, "desc15", Hex),
    (0x4, "cache_type", CACHE_TYPE),
    (0x4, "num_threads_sharing", LessOne("ids")),
    (0x4, "num_cores_on_die", LessOne("ids")),
    (0x4, "cache_linesize", LessOne(BYTES)),
    (0x4, "cache_npartitions", LessOne("")),
    (0x4, "cache_nways", LessOne("")),
    (0x4, "cache_nsets", LessOne("")),
    (0x5, "min_mon_size", Of(BYTES)),
    (0x5, "max_mon_size", Of(BYTES)),
    (0x6, "feedback_sz", LessOne("pages")),
    (0x6, "n_therm_thresholds", Of("thresholds")),
    (0x7, "mawau_val_lm", Of(BITS)),
    (0xa, "bit_width_gp", Of(BITS)),
    (0xa, "bitwidth_fixed", Of(BITS)),
    (0xa, "pmu_fcounters_bitmap", Hex),
    (0xa, "num_counters_gp", Of(COUNTERS)),
    (0xa, "events_mask_len", Of("events")),
    (0xa, "num_counters_fixed", Of(COUNTERS)),
    (0xb, "domain_type", Names(&["none", "thread", "core"])),
    (0xb, "x2apic_id", Of("")),
    (0xb, "x2apic_id_shift", Of(BITS)),
    (0xb, "domain_lcpus_count", Of(PROCESSORS)),
    (0xd, "xsave_sz_xcr0", Of(BYTES)),
    (0xd, "xsave_sz_max", Of(BYTES)),
    (0xd, "xsave_sz_xcr0_xss", Of(BYTES)),
    (0xd, "xsave_sz", Of(BYTES)),
    (0xd, "xsave_offset", Of("")),
    (0xf, "core_rmid_max", Of("")),
    (0xf, "l3c_qm_conver_factor", Of(BYTES)),
    (0xf, "l3c_qm_rmid_max", Of("")),
    (0xf, "l3c_qm_bitwidth", Plus(24, BITS)),
    (0x10, "cat_cbm_len", LessOne(BITS)),
    (0x10, "cat_cos_max", Of("")),
    (0x10, "cat_units_bitmap", Hex),
    (0x10, "mba_max_delay", LessOne("")),
    (0x12, "max_enclave_sz_not64", Power(BYTES)),
    (0x12, "max_enclave_sz_64", Power(BYTES)),
    (0x14, "num_address_ranges", Of("ranges")),
    (0x14, "mtc_periods_bmp", Hex),
    (0x14, "cycle_thresholds_bmp", Hex),
    (0x14, "psb_periods_bmp", Hex),
    (0x15, "tsc_denominator", Of("")),
    (0x15, "tsc_numerator", Of("")),
    (0x15, "cpu_crystal_hz", Of("Hz")),
    (0x16, "cpu_base_mhz", Of(MHZ)),
    (0x16, "cpu_max_mhz", Of(MHZ)),
    (0x16, "bus_mhz", Of(MHZ)),
    (0x17, "vendor_brand_a", Text),
    (0x17, "vendor_brand_b", Text),
    (0x17, "vendor_brand_c", Text),
    (0x17, "vendor_brand_d", Text),
    (0x18, "n_sets", Of("")),
    (0x18, "tlb_type", Names(&["none", "data", "instruction", "unified", "loads", "stores"])),
    (0x18, "tlb_max_addressable_ids", LessOne("ids")),
    (0x18, "n_way_associative", Of("ways")),
    (0x1a, "core_native_model", Hex),
    (0x1a, "core_type", Hex),
    (0x1c, "lbr_depth_mask", Depths),
    (0x1d, "amx_tile_size", Of(BYTES)),
    (0x1d, "amx_palette_size", Of(BYTES)),
    (0x1d, "amx_tile_row_size", Of(BYTES)),
    (0x1d, "amx_palette_nr_tiles", Of("tiles")),
    (0x1d, "amx_tile_nr_rows", Of("rows")),
    (0x1e, "tmul_maxk", Of("rows")),
    (0x1e, "tmul_maxn", Of(BYTES)),
    (0x1f, "domain_type", Names(&["none", "thread", "core", "module", "tile", "die", "die group"])),
    (0x1f, "x2apic_id", Of("")),
    (0x1f, "x2apic_id_shift", Of(BITS)),
    (0x1f, "domain_lcpus_count", Of(PROCESSORS)),
    (0x21, "tdx_vendorid_0", Text),
    (0x21, "tdx_vendorid_1", Text),
    (0x21, "tdx_vendorid_2", Text),
    (0x4000_0000, "max_hyp_leaf", Hex),
    (0x4000_0000, "hypervisor_id_0", Text),
    (0x4000_0000, "hypervisor_id_1", Text),
    (0x4000_0000, "hypervisor_id_2", Text),
    (0x4000_0001, "interface_signature", Text),
    (0x4000_0010, "tsc_khz", Of("kHz")),
    (0x4000_0010, "bus_khz", Of("kHz")),
    (0x8000_0000, "max_ext_leaf", Hex),
    (0x8000_0000, "cpu_vendorid_0", Text),
    (0x8000_0000, "cpu_vendorid_1", Text),
    (0x8000_0000, "cpu_vendorid_2", Text),
    (0x8000_0002, "cpu_brandid_0", Text),
    (0x8000_0002, "cpu_brandid_1", Text),
    (0x8000_0002, "cpu_brandid_2", Text),
    (0x8000_0002, "cpu_brandid_3", Text),
    (0x8000_0003, "cpu_brandid_4", Text),
    (0x8000_0003, "cpu_brandid_5", Text),
    (0x8000_0003, "cpu_brandid_6", Text),
    (0x8000_0003, "cpu_brandid_7", Text),
    (0x8000_0004, "cpu_brandid_8", Text),
    (0x8000_0004, "cpu_brandid_9", Text),
    (0x8000_0004, "cpu_brandid_10", Text),
    (0x8000_0004, "cpu_brandid_11", Text),
    (0x8000_0005, "l1_itlb_2m_4m_assoc", AmdL1Ways),
    (0x8000_0005, "l1_dtlb_2m_4m_assoc", AmdL1Ways),
    (0x8000_0005, "l1_itlb_4k_assoc", AmdL1Ways),
    (0x8000_0005, "l1_dtlb_4k_assoc", AmdL1Ways),
    (0x8000_0005, "l1_dcache_line_size", Of(BYTES)),
    (0x8000_0005, "l1_dcache_assoc", AmdL1Ways),
    (0x8000_0005, "l1_dcache_size_kb", Of(KIB)),
    (0x8000_0005, "l1_icache_line_size", Of(BYTES)),
    (0x8000_0005, "l1_icache_assoc", AmdL1Ways),
    (0x8000_0005, "l1_icache_size_kb", Of(KIB)),
    (0x8000_0005, "l1_itlb_2m_4m_nentries", Of(ENTRIES)),
    (0x8000_0005, "l1_dtlb_2m_4m_nentries", Of(ENTRIES)),
    (0x8000_0005, "l1_itlb_4k_nentries", Of(ENTRIES)),
    (0x8000_0005, "l1_dtlb_4k_nentries", Of(ENTRIES)),
    (0x8000_0005, "l1_dcache_nlines", Of(PER_TAG)),
    (0x8000_0005, "l1_icache_nlines", Of(PER_TAG)),
    (0x8000_0006, "l2_itlb_2m_4m_assoc", AmdWays),
    (0x8000_0006, "l2_dtlb_2m_4m_assoc", AmdWays),
    (0x8000_0006, "l2_itlb_4k_assoc", AmdWays),
    (0x8000_0006, "l2_dtlb_4k_assoc", AmdWays),
    (0x8000_0006, "l2_line_size", Of(BYTES)),
    (0x8000_0006, "l2_assoc", AmdWays),
    (0x8000_0006, "l2_size_kb", Of(KIB)),
    (0x8000_0006, "l3_line_size", Of(BYTES)),
    (0x8000_0006, "l3_assoc", AmdWays),
    (0x8000_0006, "l3_size_range", Times(512, KIB)),
    (0x8000_0006, "l2_itlb_2m_4m_nentries", Of(ENTRIES)),
    (0x8000_0006, "l2_dtlb_2m_4m_nentries", Of(ENTRIES)),
    (0x8000_0006, "l2_itlb_4k_nentries", Of(ENTRIES)),
    (0x8000_0006, "l2_dtlb_4k_nentries", Of(ENTRIES)),
    (0x8000_0006, "l2_nlines", Of(PER_TAG)),
    (0x8000_0006, "l3_nlines", Of(PER_TAG)),
    (0x8000_0008, "phys_addr_bits", Of(BITS)),
    (0x8000_0008, "virt_addr_bits", Of(BITS)),
    (0x8000_0008, "guest_phys_addr_bits", Of(BITS)),
    (0x8000_0008, "cpu_nthreads", LessOne("threads")),
    (0x8000_0008, "apicid_coreid_len", Of(BITS)),
    (0x8000_0008, "perf_tsc_len", Names(&["40 bits", "48 bits", "56 bits", "64 bits"])),
    (0x8000_0008, "rdpru_max_reg_id", Of("")),
    (0x8000_0008, "invlpgb_max_pages", Of("pages")),
    (0x8000_000a, "svm_nasid", Of("ASIDs")),
    (0x8000_0019, "l1_itlb_1g_assoc", AmdWays),
    (0x8000_0019, "l1_dtlb_1g_assoc", AmdWays),
    (0x8000_0019, "l2_itlb_1g_assoc", AmdWays),
    (0x8000_0019, "l2_dtlb_1g_assoc", AmdWays),
    (0x8000_0019, "l1_itlb_1g_nentries", Of(ENTRIES)),
    (0x8000_0019, "l1_dtlb_1g_nentries", Of(ENTRIES)),
    (0x8000_0019, "l2_itlb_1g_nentries", Of(ENTRIES)),
    (0x8000_0019, "l2_dtlb_1g_nentries", Of(ENTRIES)),
    (0x8000_001c, "lwp_lwpcb_sz", Times(8, BYTES)),
    (0x8000_001c, "lwp_event_sz", Of(BYTES)),
    (0x8000_001c, "lwp_event_offset", Of(BYTES)),
    (0x8000_001c, "lwp_buf_min_sz", Times(32, "records")),
    (0x8000_001d, "cache_type", CACHE_TYPE),
    (0x8000_001d, "num_threads_sharing", LessOne("ids")),
    (0x8000_001d, "cache_linesize", LessOne(BYTES)),
    (0x8000_001d, "cache_npartitions", LessOne("")),
    (0x8000_001d, "cache_nways", LessOne("")),
    (0x8000_001d, "cache_nsets", LessOne("")),
    (0x8000_001e, "ext_apic_id", Of("")),
    (0x8000_001e, "core_nthreads", LessOne("")),
    (0x8000_001e, "nnodes_per_socket", LessOne("nodes")),
    (0x8000_001f, "enc_guests_max", Of("guests")),
    (0x8000_001f, "min_sev_asid_no_sev_es", Of("")),
    (0x8000_001f, "phys_addr_reduction_nbits", Of(BITS)),
    (0x8000_001f, "vmpl_count", Of("levels")),
    (0x8000_0020, "mba_limit_len", Of(BITS)),
    (0x8000_0020, "smba_limit_len", Of(BITS)),
    (0x8000_0021, "microcode_patch_size", Times(16, BYTES)),
    (0x8000_0021, "rap_size", Times(8, ENTRIES)),
    (0x8000_0022, "n_pmc_core", Of(COUNTERS)),
    (0x8000_0022, "lbr_v2_stack_size", Of(ENTRIES)),
    (0x8000_0022, "n_pmc_northbridge", Of(COUNTERS)),
    (0x8000_0022, "n_pmc_umc", Of(COUNTERS)),
    (0x8000_0022, "active_umc_bitmask", Hex),
    (0x8000_0023, "mem_hmk_avail_keys", Of("keys")),
    (0x8000_0026, "domain_type", Names(&["none", "core", "complex", "die", "socket"])),
    (0x8000_0026, "x2apic_id", Of("")),
    (0x8000_0026, "x2apic_id_shift", Of(BITS)),
    (0x8000_0026, "domain_lcpus_count", Of(PROCESSORS)),
    (0x8086_0000, "max_tra_leaf", Hex),
    (0x8086_0000, "cpu_vendorid_0", Text),
    (0x8086_0000, "cpu_vendorid_1", Text),
    (0x8086_0000, "cpu_vendorid_2", Text),
    (0x8086_0001, "cpu_base_mhz", Of(MHZ)),
    (0x8086_0007, "cpu_cur_mhz", Of(MHZ)),
    (0x8086_0007, "cpu_cur_voltage", Of("mV")),
    (0x8086_0007, "cpu_cur_perf_pctg", Of("percent")),
    (0x8086_0007, "cpu_cur_gate_delay", Of("fs")),
    (0xc000_0000, "max_cntr_leaf", Hex),
];

/// A field's value as text: the number, and in parentheses its meaning if that adds anything.
pub(super) fn describe(field: Field, value: u32) -> String {
    let row = NUMBERS.iter().find(|row| row.0 == field.leaf().0 && row.1 == field.name());
    let Some((_, _, how)) = row else {
        return if field.width() > 16 { format!("{value:#x}") } else { value.to_string() };
    };
    match how {
        Hex => format!("{value:#x}"),
        Of("") => value.to_string(),
        Of(unit) => count(u64::from(value), unit),
        LessOne(unit) => with_meaning(value, &count(u64::from(value) + 1, unit)),
        Times(each, unit) => with_meaning(value, &count(u64::from(value) * u64::from(*each), unit)),
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
    use crate::show::hypervisor;

    #[test]
    fn every_row_is_of_a_field() {
        for (leaf, name, _) in NUMBERS {
            let known = Field::all().any(|field| field.leaf().0 == *leaf && field.name() == *name);
            assert!(known || hypervisor::has_field(*leaf, name), "{leaf:#x} {name}");
        }
        assert!(NUMBERS.is_sorted_by_key(|row| row.0));
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
