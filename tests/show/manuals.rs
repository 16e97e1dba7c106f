//! What the manuals say of values and bits that no upstream table has.

use cpuid_tables::Register::{Eax, Ebx, Ecx, Edx};
use cpuid_tables::show::{Found, decode, decode_register, find};
use cpuid_tables::{CpuidEntry, CpuidWord, Leaf, Register, Registers, Subleaf};

use crate::common;

fn facts(table: &[CpuidEntry], leaf: u32) -> Vec<String> {
    let of_leaf = decode(table).into_iter().filter(|decoded| decoded.entry.function == Leaf(leaf));
    of_leaf.flat_map(|decoded| decoded.facts).collect()
}

fn plain(leaf: u32, registers: [u32; 4]) -> CpuidEntry {
    CpuidEntry::new(Leaf(leaf), Registers::from_array(registers))
}

#[test]
fn every_byte_of_leaf_2_is_decoded() {
    // A Pentium 4's: EAX's lowest byte is no descriptor, and a register with bit 31 set has none.
    let leaf_2 = plain(2, [0x605b_5101, 0x8000_0066, 0, 0x007b_7040]);
    assert_eq!(
        facts(&[leaf_2], 2),
        [
            "0x51: instruction TLB: 4 KiB and 2 MiB or 4 MiB pages, 128 entries",
            "0x5b: data TLB: 4 KiB and 4 MiB pages, 64 entries",
            "0x60: L1 data cache: 16 KiB, 8 ways, lines of 64 bytes",
            "0x40: no L2 cache or, where there is one, no L3 cache",
            "0x70: trace cache: 12K uops, 8 ways",
            "0x7b: L2 cache: 512 KiB, 8 ways, lines of 64 bytes, 2 lines per sector",
        ]
    );
    let unknown = plain(2, [0x0000_9901, 0, 0, 0]);
    assert_eq!(facts(&[unknown], 2), ["0x99: not in Intel's table"]);
}

#[test]
fn byte_49_is_another_cache_on_the_xeon_mp() {
    let leaf_2 = plain(2, [0x0000_4901, 0, 0, 0]);
    for (signature, level) in [(0xf68, 3), (0xf64, 3), (0xf43, 2), (0x6f6, 2), (0x0002_0f62, 2)] {
        let table = [plain(1, [signature, 0, 0, 0]), leaf_2];
        let expected = format!("0x49: L{level} cache: 4 MiB, 16 ways, lines of 64 bytes");
        assert_eq!(facts(&table, 2), [expected], "{signature:#x}");
    }
}

#[test]
fn compute_units_are_amd_s_before_zen() {
    let node = plain(0x8000_001e, [0x13, 0x0101, 0x0100, 0]);
    for (signature, expected) in [
        (0x0060_0f12, "APIC id 19: compute unit 1 of 2 cores each, node 0 of 2 in the processor"),
        (0x0073_0f01, "APIC id 19: compute unit 1 of 2 cores each, node 0 of 2 in the processor"),
        (0x0080_0f12, "APIC id 19: core 1 of 2 threads each, node 0 of 2 in the processor"),
        (0x00a0_0f11, "APIC id 19: core 1 of 2 threads each, node 0 of 2 in the processor"),
    ] {
        assert_eq!(facts(&[plain(1, [signature, 0, 0, 0]), node], 0x8000_001e), [expected], "{signature:#x}");
    }
}

#[test]
fn a_processor_has_the_name_of_its_family_model_and_stepping() {
    let intel = [0x756e_6547, 0x6c65_746e, 0x4965_6e69];
    let amd = [0x6874_7541, 0x444d_4163, 0x6974_6e65];
    let table =
        |[ebx, ecx, edx]: [u32; 3], signature| [plain(0, [1, ebx, ecx, edx]), plain(1, [signature, 0, 0, 0])];
    for (vendor, signature, expected) in [
        (intel, 0x0008_06f8, "microarchitecture Golden Cove, code name Sapphire Rapids"),
        (intel, 0x0005_0654, "microarchitecture Skylake, code name Skylake-SP"),
        (intel, 0x0005_0657, "microarchitecture Cascade Lake, code name Cascade Lake-SP"),
        (intel, 0x0005_065b, "microarchitecture Cooper Lake, code name Cooper Lake-SP"),
        (amd, 0x0060_0f20, "microarchitecture Piledriver, code name Abu Dhabi, Vishera"),
        (amd, 0x0060_0f12, "microarchitecture Bulldozer"),
        (amd, 0x00a0_0f11, "microarchitecture Zen 3, code name Milan"),
    ] {
        assert_eq!(facts(&table(vendor, signature), 1)[1..], [expected], "{signature:#x}");
    }
    // Another vendor's processor, and one that nobody has named.
    assert_eq!(facts(&table(amd, 0x0008_06f8), 1).len(), 1);
    assert_eq!(facts(&table(intel, 0x000f_0ff0), 1).len(), 1);
    assert_eq!(facts(&[plain(1, [0x0008_06f8, 0, 0, 0])], 1).len(), 1);
}

#[test]
fn numbers_have_the_unit_that_they_count() {
    let text = |leaf, subleaf, register, value| {
        decode_register(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), value).to_string()
    };
    for (leaf, subleaf, register, value, expected) in [
        (0xf, 1, Eax, 0x0d, "l3c_qm_bitwidth=13 (37 bits)"),
        (
            0x8000_0021,
            0,
            Ebx,
            0x0010_0200,
            "microcode_patch_size=512 (8192 bytes), rap_size=16 (128 entries)",
        ),
        (0x12, 0, Edx, 0x241f, "max_enclave_sz_not64=31 (2147483648 bytes)"),
        (0x8000_0005, 0, Ebx, 0xff40_ff40, "l1_itlb_4k_nentries=64 entries"),
        (0x8000_0022, 0, Ebx, 0x6, "n_pmc_core=6 counters"),
        (0xb, 0, Eax, 0x1, "x2apic_id_shift=1 bit"),
        (0x10, 5, Eax, 0x159, "cba_max_delay=89 (90), cba_scope=1 (logical processor)"),
        (0x14, 1, Eax, 0x402, "num_address_ranges=2 ranges, num_trigger_msrs=4"),
        (0x23, 0, Ecx, 8, "slots_per_cycle=8"),
        (0x8000_0020, 5, Eax, 0x114, "abmc_counter_size=20 (44 bits)"),
        (0x8000_0020, 5, Ebx, 31, "abmc_max_counter_id=31"),
        (0x8000_0025, 0, Eax, 0x924, "rmp_segment_size_max=36 (68719476736 bytes)"),
        (0xc000_0002, 0, Eax, 0x2b80, "core_temperature_fraction=128, core_temperature=43 degrees C"),
        (0xc000_0002, 0, Ebx, 0x0800_0a14, "input_voltage=20 (1020 mV), clock_multiplier=10"),
        (0xc000_0004, 0, Ebx, 0x0800_1014, "current_voltage=20 (1020 mV), current_clock_ratio=16"),
    ] {
        let text = text(leaf, subleaf, register, value);
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

/// Leaf, subleaf, register and bit, and the manual's name.
const NAMED: &[(u32, u32, Register, u8, &str)] = &[
    (0x5, 0, Ecx, 3, "monitorless_mwait"),
    (0x6, 0, Ecx, 1, "acnt2"),
    (0x7, 1, Eax, 3, "rao_int"),
    (0x7, 1, Eax, 30, "invd_disable_post_bios_done"),
    (0x7, 1, Ebx, 1, "pbndkb"),
    (0x7, 1, Ebx, 3, "cpuidmaxval_lim_rmv"),
    (0x7, 1, Edx, 13, "utmr"),
    (0x7, 1, Edx, 15, "user_msr"),
    (0x7, 1, Edx, 17, "uiret_uif"),
    (0x7, 1, Edx, 23, "mwait"),
    (0x7, 1, Edx, 24, "slsm"),
    (0x7, 2, Edx, 7, "monitor_mitg_no"),
    (0xd, 2, Ecx, 2, "xfd_faulting"),
    (0xd, 18, Ecx, 2, "xfd_faulting"),
    (0x10, 0, Ebx, 5, "cba"),
    (0x10, 5, Ecx, 3, "cba_delay_linear"),
    (0x14, 0, Ebx, 9, "trigger_tracing"),
    (0x14, 1, Ecx, 0, "trigger_attribution"),
    (0x14, 1, Ecx, 1, "trigger_pause_resume"),
    (0x14, 1, Ecx, 15, "trigger_dr_match"),
    (0x1e, 1, Eax, 5, "amx_transpose"),
    (0x23, 3, Eax, 12, "lbr_inserts_evt"),
    (0x8000_0001, 0, Ecx, 25, "stream_perf_mon"),
    (0x8000_000a, 0, Edx, 8, "pmc_virt"),
    (0x8000_000a, 0, Edx, 9, "ssse3_sse5_dis"),
    (0x8000_000a, 0, Edx, 31, "enhanced_shutdown_intercept"),
    (0x8000_001a, 0, Eax, 3, "fp_512"),
    (0x8000_001b, 0, Eax, 12, "ibs_load_latency_filtering"),
    (0x8000_001b, 0, Eax, 19, "ibs_updtd_dtlb_stats"),
    (0x8000_001f, 0, Eax, 20, "pmc_virt_guest_ctl"),
    (0x8000_001f, 0, Eax, 22, "guest_intercept_ctl"),
    (0x8000_001f, 0, Eax, 26, "secure_avic"),
    (0x8000_001f, 0, Eax, 31, "ibpb_on_entry"),
    (0x8000_0021, 0, Eax, 14, "l2_tlb_size_x32"),
    (0x8000_0021, 0, Eax, 15, "amd_ermsb"),
    (0x8000_0021, 0, Eax, 19, "fast_rep_scasb"),
    (0x8000_0020, 5, Eax, 8, "abmc_overflow_bit"),
    (0x8000_0020, 5, Ecx, 0, "abmc_select_cos"),
    (0x8000_0021, 0, Eax, 21, "fp512_downgrade"),
    (0x8000_0025, 0, Ebx, 10, "rmp_segments_limited"),
    (0xc000_0002, 0, Ebx, 16, "clock_ratio_transition"),
    (0xc000_0004, 0, Ebx, 31, "xe_operation"),
];

#[test]
fn bits_that_only_a_manual_names_are_shown_and_found() {
    if !common::pinned("bits_that_only_a_manual_names_are_shown_and_found") {
        return;
    }
    for &(leaf, subleaf, register, bit, name) in NAMED {
        let word = CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register);
        let decoded = decode_register(word, 1 << bit);
        assert_eq!(decoded.unknown, 0, "{name}");
        assert!(decoded.to_string().split_whitespace().any(|shown| shown == name), "{decoded}");
        let by_name = find(name);
        let is_field = |found: &Found| matches!(found, Found::Field(field) if field.is_in(word));
        assert!(by_name.iter().any(is_field), "{name}: {by_name:?}");
        let place = format!("{leaf:#x}.{subleaf}.{register}[{bit}]");
        assert!(find(&place).iter().any(is_field), "{place}");
    }
    let [found] = &find("rao-int")[..] else { panic!("one bit has the name") };
    assert!(found.to_string().contains("\n  named by   Intel Architecture Instruction Set Extensions"));
}
