//! Fields that this crate reads itself, defined by location, so that it does not depend on the names in `cpuid.csv`.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

use super::field::{Field, constant};
use super::location::Register;

/// Fields by leaf, each with its subleaves, register and bits.
macro_rules! fields {
    ($($leaf:literal $module:ident { $($name:ident: $subleaves:expr, $register:ident $bits:expr, $text:literal;)+ })+) => {
        $(
            #[allow(dead_code, reason = "each room uses some")]
            pub(crate) mod $module {
                use super::{Field, Register, constant};
                $(pub(crate) const $name: Field = constant($leaf, $subleaves, Register::$register, $bits, $text);)+
            }
        )+

        #[cfg(test)]
        const ALL: &[(&str, Field)] = &[$($((stringify!($name), $module::$name),)+)+];
    };
}

fields! {
    0 leaf_0 {
        MAX_STD_LEAF: 0..=0, Eax 0..=31, "max_std_leaf";
        CPU_VENDORID_0: 0..=0, Ebx 0..=31, "cpu_vendorid_0";
        CPU_VENDORID_2: 0..=0, Ecx 0..=31, "cpu_vendorid_2";
        CPU_VENDORID_1: 0..=0, Edx 0..=31, "cpu_vendorid_1";
    }
    1 leaf_1 {
        STEPPING: 0..=0, Eax 0..=3, "stepping";
        BASE_MODEL: 0..=0, Eax 4..=7, "base_model";
        BASE_FAMILY_ID: 0..=0, Eax 8..=11, "base_family_id";
        CPU_TYPE: 0..=0, Eax 12..=13, "cpu_type";
        EXT_MODEL: 0..=0, Eax 16..=19, "ext_model";
        EXT_FAMILY: 0..=0, Eax 20..=27, "ext_family";
        BRAND_ID: 0..=0, Ebx 0..=7, "brand_id";
        CLFLUSH_SIZE: 0..=0, Ebx 8..=15, "clflush_size";
        N_LOGICAL_CPU: 0..=0, Ebx 16..=23, "n_logical_cpu";
        LOCAL_APIC_ID: 0..=0, Ebx 24..=31, "local_apic_id";
    }
    2 leaf_2 {
        DESC1: 0..=0, Eax 8..=15, "desc1";
        DESC2: 0..=0, Eax 16..=23, "desc2";
        DESC3: 0..=0, Eax 24..=30, "desc3";
        DESC4: 0..=0, Ebx 0..=7, "desc4";
        DESC5: 0..=0, Ebx 8..=15, "desc5";
        DESC6: 0..=0, Ebx 16..=23, "desc6";
        DESC7: 0..=0, Ebx 24..=30, "desc7";
        DESC8: 0..=0, Ecx 0..=7, "desc8";
        DESC9: 0..=0, Ecx 8..=15, "desc9";
        DESC10: 0..=0, Ecx 16..=23, "desc10";
        DESC11: 0..=0, Ecx 24..=30, "desc11";
        DESC12: 0..=0, Edx 0..=7, "desc12";
        DESC13: 0..=0, Edx 8..=15, "desc13";
        DESC14: 0..=0, Edx 16..=23, "desc14";
        DESC15: 0..=0, Edx 24..=30, "desc15";
    }
    4 leaf_4 {
        CACHE_TYPE: 0..=31, Eax 0..=4, "cache_type";
        CACHE_LEVEL: 0..=31, Eax 5..=7, "cache_level";
        FULLY_ASSOCIATIVE: 0..=31, Eax 9..=9, "fully_associative";
        NUM_THREADS_SHARING: 0..=31, Eax 14..=25, "num_threads_sharing";
        NUM_CORES_ON_DIE: 0..=31, Eax 26..=31, "num_cores_on_die";
        CACHE_LINESIZE: 0..=31, Ebx 0..=11, "cache_linesize";
        CACHE_NPARTITIONS: 0..=31, Ebx 12..=21, "cache_npartitions";
        CACHE_NWAYS: 0..=31, Ebx 22..=31, "cache_nways";
        CACHE_NSETS: 0..=31, Ecx 0..=30, "cache_nsets";
    }
    5 leaf_5 {
        MIN_MON_SIZE: 0..=0, Eax 0..=15, "min_mon_size";
        MAX_MON_SIZE: 0..=0, Ebx 0..=15, "max_mon_size";
        MWAIT_EXT: 0..=0, Ecx 0..=0, "mwait_ext";
        MWAIT_IRQ_BREAK: 0..=0, Ecx 1..=1, "mwait_irq_break";
    }
    6 leaf_6 {
        N_THERM_THRESHOLDS: 0..=0, Ebx 0..=3, "n_therm_thresholds";
        HW_FEEDBACK_NCLASSES: 0..=0, Ecx 8..=15, "hw_feedback_nclasses";
        FEEDBACK_SZ: 0..=0, Edx 8..=11, "feedback_sz";
        THIS_LCPU_HWFDBK_IDX: 0..=0, Edx 16..=31, "this_lcpu_hwfdbk_idx";
    }
    7 leaf_7 {
        LEAF7_N_SUBLEAVES: 0..=0, Eax 0..=31, "leaf7_n_subleaves";
        MAWAU_VAL_LM: 0..=0, Ecx 17..=21, "mawau_val_lm";
    }
    0xa leaf_a {
        PMU_VERSION: 0..=0, Eax 0..=7, "pmu_version";
        NUM_COUNTERS_GP: 0..=0, Eax 8..=15, "num_counters_gp";
        BIT_WIDTH_GP: 0..=0, Eax 16..=23, "bit_width_gp";
        EVENTS_MASK_LEN: 0..=0, Eax 24..=31, "events_mask_len";
        NO_CORE_CYCLE: 0..=0, Ebx 0..=0, "no_core_cycle";
        NO_INSTRUCTION_RETIRED: 0..=0, Ebx 1..=1, "no_instruction_retired";
        NO_REFERENCE_CYCLES: 0..=0, Ebx 2..=2, "no_reference_cycles";
        NO_LLC_REFERENCE: 0..=0, Ebx 3..=3, "no_llc_reference";
        NO_LLC_MISSES: 0..=0, Ebx 4..=4, "no_llc_misses";
        NO_BR_INSN_RETIRED: 0..=0, Ebx 5..=5, "no_br_insn_retired";
        NO_BR_MISSES_RETIRED: 0..=0, Ebx 6..=6, "no_br_misses_retired";
        NO_TOPDOWN_SLOTS: 0..=0, Ebx 7..=7, "no_topdown_slots";
        NO_BACKEND_BOUND: 0..=0, Ebx 8..=8, "no_backend_bound";
        NO_BAD_SPECULATION: 0..=0, Ebx 9..=9, "no_bad_speculation";
        NO_FRONTEND_BOUND: 0..=0, Ebx 10..=10, "no_frontend_bound";
        NO_RETIRING: 0..=0, Ebx 11..=11, "no_retiring";
        NO_LBR_INSERTS: 0..=0, Ebx 12..=12, "no_lbr_inserts";
        PMU_FCOUNTERS_BITMAP: 0..=0, Ecx 0..=31, "pmu_fcounters_bitmap";
        NUM_COUNTERS_FIXED: 0..=0, Edx 0..=4, "num_counters_fixed";
        BITWIDTH_FIXED: 0..=0, Edx 5..=12, "bitwidth_fixed";
        ANYTHREAD_DEPRECATION: 0..=0, Edx 15..=15, "anythread_deprecation";
    }
    0xb leaf_b {
        X2APIC_ID_SHIFT: 0..=1, Eax 0..=4, "x2apic_id_shift";
        DOMAIN_LCPUS_COUNT: 0..=1, Ebx 0..=15, "domain_lcpus_count";
        DOMAIN_TYPE: 0..=1, Ecx 8..=15, "domain_type";
        X2APIC_ID: 0..=1, Edx 0..=31, "x2apic_id";
    }
    0xd leaf_d {
        XSAVE_SZ_XCR0: 0..=0, Ebx 0..=31, "xsave_sz_xcr0";
        XSAVE_SZ_MAX: 0..=0, Ecx 0..=31, "xsave_sz_max";
        XSAVE_SZ_XCR0_XSS: 1..=1, Ebx 0..=31, "xsave_sz_xcr0_xss";
        XSAVE_SZ: 2..=63, Eax 0..=31, "xsave_sz";
        XSAVE_OFFSET: 2..=63, Ebx 0..=31, "xsave_offset";
        IS_XSS_BIT: 2..=63, Ecx 0..=0, "is_xss_bit";
        COMPACTED_XSAVE_64BYTE_ALIGNED: 2..=63, Ecx 1..=1, "compacted_xsave_64byte_aligned";
    }
    0xf leaf_f {
        CORE_RMID_MAX: 0..=0, Ebx 0..=31, "core_rmid_max";
        L3C_QM_BITWIDTH: 1..=1, Eax 0..=7, "l3c_qm_bitwidth";
        L3C_QM_CONVER_FACTOR: 1..=1, Ebx 0..=31, "l3c_qm_conver_factor";
        L3C_QM_RMID_MAX: 1..=1, Ecx 0..=31, "l3c_qm_rmid_max";
    }
    0x10 leaf_10 {
        CAT_CBM_LEN: 1..=2, Eax 0..=4, "cat_cbm_len";
        CAT_UNITS_BITMAP: 1..=2, Ebx 0..=31, "cat_units_bitmap";
        CAT_COS_MAX: 1..=2, Edx 0..=15, "cat_cos_max";
        MBA_MAX_DELAY: 3..=3, Eax 0..=11, "mba_max_delay";
        MBA_DELAY_LINEAR: 3..=3, Ecx 2..=2, "mba_delay_linear";
        MBA_COS_MAX: 3..=3, Edx 0..=15, "mba_cos_max";
    }
    0x12 leaf_12 {
        MAX_ENCLAVE_SZ_NOT64: 0..=0, Edx 0..=7, "max_enclave_sz_not64";
        MAX_ENCLAVE_SZ_64: 0..=0, Edx 8..=15, "max_enclave_sz_64";
        SUBLEAF_TYPE: 2..=31, Eax 0..=3, "subleaf_type";
        EPC_SEC_BASE_ADDR_0: 2..=31, Eax 12..=31, "epc_sec_base_addr_0";
        EPC_SEC_BASE_ADDR_1: 2..=31, Ebx 0..=19, "epc_sec_base_addr_1";
        EPC_SEC_TYPE: 2..=31, Ecx 0..=3, "epc_sec_type";
        EPC_SEC_SIZE_0: 2..=31, Ecx 12..=31, "epc_sec_size_0";
        EPC_SEC_SIZE_1: 2..=31, Edx 0..=19, "epc_sec_size_1";
    }
    0x14 leaf_14 {
        PT_MAX_SUBLEAF: 0..=0, Eax 0..=31, "pt_max_subleaf";
        NUM_ADDRESS_RANGES: 1..=1, Eax 0..=2, "num_address_ranges";
        MTC_PERIODS_BMP: 1..=1, Eax 16..=31, "mtc_periods_bmp";
        CYCLE_THRESHOLDS_BMP: 1..=1, Ebx 0..=15, "cycle_thresholds_bmp";
        PSB_PERIODS_BMP: 1..=1, Ebx 16..=31, "psb_periods_bmp";
    }
    0x15 leaf_15 {
        TSC_DENOMINATOR: 0..=0, Eax 0..=31, "tsc_denominator";
        TSC_NUMERATOR: 0..=0, Ebx 0..=31, "tsc_numerator";
        CPU_CRYSTAL_HZ: 0..=0, Ecx 0..=31, "cpu_crystal_hz";
    }
    0x16 leaf_16 {
        CPU_BASE_MHZ: 0..=0, Eax 0..=15, "cpu_base_mhz";
        CPU_MAX_MHZ: 0..=0, Ebx 0..=15, "cpu_max_mhz";
        BUS_MHZ: 0..=0, Ecx 0..=15, "bus_mhz";
    }
    0x17 leaf_17 {
        VENDOR_BRAND_A: 1..=3, Eax 0..=31, "vendor_brand_a";
        VENDOR_BRAND_B: 1..=3, Ebx 0..=31, "vendor_brand_b";
        VENDOR_BRAND_C: 1..=3, Ecx 0..=31, "vendor_brand_c";
        VENDOR_BRAND_D: 1..=3, Edx 0..=31, "vendor_brand_d";
    }
    0x18 leaf_18 {
        N_WAY_ASSOCIATIVE: 0..=31, Ebx 16..=31, "n_way_associative";
        N_SETS: 0..=31, Ecx 0..=31, "n_sets";
        TLB_TYPE: 0..=31, Edx 0..=4, "tlb_type";
        TLB_MAX_ADDRESSABLE_IDS: 0..=31, Edx 14..=25, "tlb_max_addressable_ids";
    }
    0x1a leaf_1a {
        CORE_NATIVE_MODEL: 0..=0, Eax 0..=23, "core_native_model";
        CORE_TYPE: 0..=0, Eax 24..=31, "core_type";
    }
    0x1c leaf_1c {
        LBR_DEPTH_MASK: 0..=0, Eax 0..=7, "lbr_depth_mask";
        LBR_IP_IS_LIP: 0..=0, Eax 31..=31, "lbr_ip_is_lip";
        LBR_EVENTS_GPC_BMP: 0..=0, Ecx 16..=19, "lbr_events_gpc_bmp";
    }
    0x1d leaf_1d {
        AMX_MAX_PALETTE: 0..=0, Eax 0..=31, "amx_max_palette";
        AMX_PALETTE_SIZE: 1..=1, Eax 0..=15, "amx_palette_size";
        AMX_TILE_SIZE: 1..=1, Eax 16..=31, "amx_tile_size";
        AMX_TILE_ROW_SIZE: 1..=1, Ebx 0..=15, "amx_tile_row_size";
        AMX_PALETTE_NR_TILES: 1..=1, Ebx 16..=31, "amx_palette_nr_tiles";
        AMX_TILE_NR_ROWS: 1..=1, Ecx 0..=15, "amx_tile_nr_rows";
    }
    0x1e leaf_1e {
        TMUL_MAXK: 0..=0, Ebx 0..=7, "tmul_maxk";
        TMUL_MAXN: 0..=0, Ebx 8..=23, "tmul_maxn";
    }
    0x1f leaf_1f {
        X2APIC_ID_SHIFT: 0..=5, Eax 0..=4, "x2apic_id_shift";
        DOMAIN_LCPUS_COUNT: 0..=5, Ebx 0..=15, "domain_lcpus_count";
        DOMAIN_LEVEL: 0..=5, Ecx 0..=7, "domain_level";
        DOMAIN_TYPE: 0..=5, Ecx 8..=15, "domain_type";
        X2APIC_ID: 0..=5, Edx 0..=31, "x2apic_id";
    }
    0x20 leaf_20 {
        HRESET_NR_SUBLEAVES: 0..=0, Eax 0..=31, "hreset_nr_subleaves";
    }
    0x21 leaf_21 {
        TDX_VENDORID_0: 0..=0, Ebx 0..=31, "tdx_vendorid_0";
        TDX_VENDORID_2: 0..=0, Ecx 0..=31, "tdx_vendorid_2";
        TDX_VENDORID_1: 0..=0, Edx 0..=31, "tdx_vendorid_1";
    }
    0x23 leaf_23 {
        GP_COUNTERS: 1..=1, Eax 0..=31, "gp_counters";
        FIXED_COUNTERS: 1..=1, Ebx 0..=31, "fixed_counters";
        ACR_GP_RELOAD: 2..=2, Eax 0..=31, "acr_gp_reload";
        ACR_FIXED_RELOAD: 2..=2, Ebx 0..=31, "acr_fixed_reload";
        ACR_GP_TRIGGER: 2..=2, Ecx 0..=31, "acr_gp_trigger";
        ACR_FIXED_TRIGGER: 2..=2, Edx 0..=31, "acr_fixed_trigger";
        LBR: 4..=4, Ebx 8..=9, "lbr";
        XER: 4..=4, Ebx 16..=23, "xer";
        PEBS_GP: 5..=5, Eax 0..=31, "pebs_gp";
        PEBS_PDIST_GP: 5..=5, Ebx 0..=31, "pebs_pdist_gp";
        PEBS_FIXED: 5..=5, Ecx 0..=31, "pebs_fixed";
        PEBS_PDIST_FIXED: 5..=5, Edx 0..=31, "pebs_pdist_fixed";
    }
    0x4000_0000 leaf_40000000 {
        MAX_HYP_LEAF: 0..=0, Eax 0..=31, "max_hyp_leaf";
        HYPERVISOR_ID_0: 0..=0, Ebx 0..=31, "hypervisor_id_0";
        HYPERVISOR_ID_1: 0..=0, Ecx 0..=31, "hypervisor_id_1";
        HYPERVISOR_ID_2: 0..=0, Edx 0..=31, "hypervisor_id_2";
    }
    0x8000_0000 leaf_80000000 {
        MAX_EXT_LEAF: 0..=0, Eax 0..=31, "max_ext_leaf";
        CPU_VENDORID_0: 0..=0, Ebx 0..=31, "cpu_vendorid_0";
        CPU_VENDORID_2: 0..=0, Ecx 0..=31, "cpu_vendorid_2";
        CPU_VENDORID_1: 0..=0, Edx 0..=31, "cpu_vendorid_1";
    }
    0x8000_0001 leaf_80000001 {
        BRAND_ID: 0..=0, Ebx 0..=15, "brand_id";
        PKG_TYPE: 0..=0, Ebx 28..=31, "pkg_type";
    }
    0x8000_0002 leaf_80000002 {
        CPU_BRANDID_0: 0..=0, Eax 0..=31, "cpu_brandid_0";
        CPU_BRANDID_1: 0..=0, Ebx 0..=31, "cpu_brandid_1";
        CPU_BRANDID_2: 0..=0, Ecx 0..=31, "cpu_brandid_2";
        CPU_BRANDID_3: 0..=0, Edx 0..=31, "cpu_brandid_3";
    }
    0x8000_0003 leaf_80000003 {
        CPU_BRANDID_4: 0..=0, Eax 0..=31, "cpu_brandid_4";
        CPU_BRANDID_5: 0..=0, Ebx 0..=31, "cpu_brandid_5";
        CPU_BRANDID_6: 0..=0, Ecx 0..=31, "cpu_brandid_6";
        CPU_BRANDID_7: 0..=0, Edx 0..=31, "cpu_brandid_7";
    }
    0x8000_0004 leaf_80000004 {
        CPU_BRANDID_8: 0..=0, Eax 0..=31, "cpu_brandid_8";
        CPU_BRANDID_9: 0..=0, Ebx 0..=31, "cpu_brandid_9";
        CPU_BRANDID_10: 0..=0, Ecx 0..=31, "cpu_brandid_10";
        CPU_BRANDID_11: 0..=0, Edx 0..=31, "cpu_brandid_11";
    }
    0x8000_0005 leaf_80000005 {
        L1_ITLB_2M_4M_NENTRIES: 0..=0, Eax 0..=7, "l1_itlb_2m_4m_nentries";
        L1_ITLB_2M_4M_ASSOC: 0..=0, Eax 8..=15, "l1_itlb_2m_4m_assoc";
        L1_DTLB_2M_4M_NENTRIES: 0..=0, Eax 16..=23, "l1_dtlb_2m_4m_nentries";
        L1_DTLB_2M_4M_ASSOC: 0..=0, Eax 24..=31, "l1_dtlb_2m_4m_assoc";
        L1_ITLB_4K_NENTRIES: 0..=0, Ebx 0..=7, "l1_itlb_4k_nentries";
        L1_ITLB_4K_ASSOC: 0..=0, Ebx 8..=15, "l1_itlb_4k_assoc";
        L1_DTLB_4K_NENTRIES: 0..=0, Ebx 16..=23, "l1_dtlb_4k_nentries";
        L1_DTLB_4K_ASSOC: 0..=0, Ebx 24..=31, "l1_dtlb_4k_assoc";
        L1_DCACHE_LINE_SIZE: 0..=0, Ecx 0..=7, "l1_dcache_line_size";
        L1_DCACHE_NLINES: 0..=0, Ecx 8..=15, "l1_dcache_nlines";
        L1_DCACHE_ASSOC: 0..=0, Ecx 16..=23, "l1_dcache_assoc";
        L1_DCACHE_SIZE_KB: 0..=0, Ecx 24..=31, "l1_dcache_size_kb";
        L1_ICACHE_LINE_SIZE: 0..=0, Edx 0..=7, "l1_icache_line_size";
        L1_ICACHE_NLINES: 0..=0, Edx 8..=15, "l1_icache_nlines";
        L1_ICACHE_ASSOC: 0..=0, Edx 16..=23, "l1_icache_assoc";
        L1_ICACHE_SIZE_KB: 0..=0, Edx 24..=31, "l1_icache_size_kb";
    }
    0x8000_0006 leaf_80000006 {
        L2_ITLB_2M_4M_NENTRIES: 0..=0, Eax 0..=11, "l2_itlb_2m_4m_nentries";
        L2_ITLB_2M_4M_ASSOC: 0..=0, Eax 12..=15, "l2_itlb_2m_4m_assoc";
        L2_DTLB_2M_4M_NENTRIES: 0..=0, Eax 16..=27, "l2_dtlb_2m_4m_nentries";
        L2_DTLB_2M_4M_ASSOC: 0..=0, Eax 28..=31, "l2_dtlb_2m_4m_assoc";
        L2_ITLB_4K_NENTRIES: 0..=0, Ebx 0..=11, "l2_itlb_4k_nentries";
        L2_ITLB_4K_ASSOC: 0..=0, Ebx 12..=15, "l2_itlb_4k_assoc";
        L2_DTLB_4K_NENTRIES: 0..=0, Ebx 16..=27, "l2_dtlb_4k_nentries";
        L2_DTLB_4K_ASSOC: 0..=0, Ebx 28..=31, "l2_dtlb_4k_assoc";
        L2_LINE_SIZE: 0..=0, Ecx 0..=7, "l2_line_size";
        L2_NLINES: 0..=0, Ecx 8..=11, "l2_nlines";
        L2_ASSOC: 0..=0, Ecx 12..=15, "l2_assoc";
        L2_SIZE_KB: 0..=0, Ecx 16..=31, "l2_size_kb";
        L3_LINE_SIZE: 0..=0, Edx 0..=7, "l3_line_size";
        L3_NLINES: 0..=0, Edx 8..=11, "l3_nlines";
        L3_ASSOC: 0..=0, Edx 12..=15, "l3_assoc";
        L3_SIZE_RANGE: 0..=0, Edx 18..=31, "l3_size_range";
    }
    0x8000_0007 leaf_80000007 {
        CPU_PWR_SAMPLE_RATIO: 0..=0, Ecx 0..=31, "cpu_pwr_sample_ratio";
    }
    0x8000_0008 leaf_80000008 {
        PHYS_ADDR_BITS: 0..=0, Eax 0..=7, "phys_addr_bits";
        VIRT_ADDR_BITS: 0..=0, Eax 8..=15, "virt_addr_bits";
        GUEST_PHYS_ADDR_BITS: 0..=0, Eax 16..=23, "guest_phys_addr_bits";
        CPU_NTHREADS: 0..=0, Ecx 0..=7, "cpu_nthreads";
        APICID_COREID_LEN: 0..=0, Ecx 12..=15, "apicid_coreid_len";
        PERF_TSC_LEN: 0..=0, Ecx 16..=17, "perf_tsc_len";
        INVLPGB_MAX_PAGES: 0..=0, Edx 0..=15, "invlpgb_max_pages";
        RDPRU_MAX_REG_ID: 0..=0, Edx 16..=31, "rdpru_max_reg_id";
    }
    0x8000_000a leaf_8000000a {
        SVM_VERSION: 0..=0, Eax 0..=7, "svm_version";
        SVM_NASID: 0..=0, Ebx 0..=31, "svm_nasid";
    }
    0x8000_0019 leaf_80000019 {
        L1_ITLB_1G_NENTRIES: 0..=0, Eax 0..=11, "l1_itlb_1g_nentries";
        L1_ITLB_1G_ASSOC: 0..=0, Eax 12..=15, "l1_itlb_1g_assoc";
        L1_DTLB_1G_NENTRIES: 0..=0, Eax 16..=27, "l1_dtlb_1g_nentries";
        L1_DTLB_1G_ASSOC: 0..=0, Eax 28..=31, "l1_dtlb_1g_assoc";
        L2_ITLB_1G_NENTRIES: 0..=0, Ebx 0..=11, "l2_itlb_1g_nentries";
        L2_ITLB_1G_ASSOC: 0..=0, Ebx 12..=15, "l2_itlb_1g_assoc";
        L2_DTLB_1G_NENTRIES: 0..=0, Ebx 16..=27, "l2_dtlb_1g_nentries";
        L2_DTLB_1G_ASSOC: 0..=0, Ebx 28..=31, "l2_dtlb_1g_assoc";
    }
    0x8000_001c leaf_8000001c {
        LWP_LWPCB_SZ: 0..=0, Ebx 0..=7, "lwp_lwpcb_sz";
        LWP_EVENT_SZ: 0..=0, Ebx 8..=15, "lwp_event_sz";
        LWP_MAX_EVENTS: 0..=0, Ebx 16..=23, "lwp_max_events";
        LWP_EVENT_OFFSET: 0..=0, Ebx 24..=31, "lwp_event_offset";
        LWP_LATENCY_MAX: 0..=0, Ecx 0..=4, "lwp_latency_max";
        LWP_LATENCY_RND: 0..=0, Ecx 6..=8, "lwp_latency_rnd";
        LWP_VERSION: 0..=0, Ecx 9..=15, "lwp_version";
        LWP_BUF_MIN_SZ: 0..=0, Ecx 16..=23, "lwp_buf_min_sz";
    }
    0x8000_001d leaf_8000001d {
        CACHE_TYPE: 0..=31, Eax 0..=4, "cache_type";
        CACHE_LEVEL: 0..=31, Eax 5..=7, "cache_level";
        NUM_THREADS_SHARING: 0..=31, Eax 14..=25, "num_threads_sharing";
        CACHE_LINESIZE: 0..=31, Ebx 0..=11, "cache_linesize";
        CACHE_NPARTITIONS: 0..=31, Ebx 12..=21, "cache_npartitions";
        CACHE_NWAYS: 0..=31, Ebx 22..=31, "cache_nways";
        CACHE_NSETS: 0..=31, Ecx 0..=30, "cache_nsets";
    }
    0x8000_001e leaf_8000001e {
        EXT_APIC_ID: 0..=0, Eax 0..=31, "ext_apic_id";
        CORE_ID: 0..=0, Ebx 0..=7, "core_id";
        CORE_NTHREADS: 0..=0, Ebx 8..=15, "core_nthreads";
        NODE_ID: 0..=0, Ecx 0..=7, "node_id";
        NNODES_PER_SOCKET: 0..=0, Ecx 8..=10, "nnodes_per_socket";
    }
    0x8000_001f leaf_8000001f {
        PTE_CBIT_POS: 0..=0, Ebx 0..=5, "pte_cbit_pos";
        PHYS_ADDR_REDUCTION_NBITS: 0..=0, Ebx 6..=11, "phys_addr_reduction_nbits";
        VMPL_COUNT: 0..=0, Ebx 12..=15, "vmpl_count";
        ENC_GUESTS_MAX: 0..=0, Ecx 0..=31, "enc_guests_max";
        MIN_SEV_ASID_NO_SEV_ES: 0..=0, Edx 0..=31, "min_sev_asid_no_sev_es";
    }
    0x8000_0020 leaf_80000020 {
        MBA_LIMIT_LEN: 1..=1, Eax 0..=31, "mba_limit_len";
        MBA_COS_MAX: 1..=1, Edx 0..=31, "mba_cos_max";
        SMBA_LIMIT_LEN: 2..=2, Eax 0..=31, "smba_limit_len";
        SMBA_COS_MAX: 2..=2, Edx 0..=31, "smba_cos_max";
        BMEC_NUM_EVENTS: 3..=3, Ebx 0..=7, "bmec_num_events";
    }
    0x8000_0021 leaf_80000021 {
        MICROCODE_PATCH_SIZE: 0..=0, Ebx 0..=15, "microcode_patch_size";
        RAP_SIZE: 0..=0, Ebx 16..=23, "rap_size";
    }
    0x8000_0022 leaf_80000022 {
        N_PMC_CORE: 0..=0, Ebx 0..=3, "n_pmc_core";
        LBR_V2_STACK_SIZE: 0..=0, Ebx 4..=9, "lbr_v2_stack_size";
        N_PMC_NORTHBRIDGE: 0..=0, Ebx 10..=15, "n_pmc_northbridge";
        N_PMC_UMC: 0..=0, Ebx 16..=21, "n_pmc_umc";
        ACTIVE_UMC_BITMASK: 0..=0, Ecx 0..=31, "active_umc_bitmask";
    }
    0x8000_0023 leaf_80000023 {
        MEM_HMK_AVAIL_KEYS: 0..=0, Ebx 0..=15, "mem_hmk_avail_keys";
    }
    0x8000_0026 leaf_80000026 {
        X2APIC_ID_SHIFT: 0..=3, Eax 0..=4, "x2apic_id_shift";
        DOMAIN_LCPUS_COUNT: 0..=3, Ebx 0..=15, "domain_lcpus_count";
        DOMAIN_TYPE: 0..=3, Ecx 8..=15, "domain_type";
        X2APIC_ID: 0..=3, Edx 0..=31, "x2apic_id";
    }
    0x8086_0000 leaf_80860000 {
        MAX_TRA_LEAF: 0..=0, Eax 0..=31, "max_tra_leaf";
        CPU_VENDORID_0: 0..=0, Ebx 0..=31, "cpu_vendorid_0";
        CPU_VENDORID_2: 0..=0, Ecx 0..=31, "cpu_vendorid_2";
        CPU_VENDORID_1: 0..=0, Edx 0..=31, "cpu_vendorid_1";
    }
    0x8086_0001 leaf_80860001 {
        CPU_BASE_MHZ: 0..=0, Ecx 0..=31, "cpu_base_mhz";
    }
    0x8086_0007 leaf_80860007 {
        CPU_CUR_MHZ: 0..=0, Eax 0..=31, "cpu_cur_mhz";
        CPU_CUR_VOLTAGE: 0..=0, Ebx 0..=31, "cpu_cur_voltage";
        CPU_CUR_PERF_PCTG: 0..=0, Ecx 0..=31, "cpu_cur_perf_pctg";
        CPU_CUR_GATE_DELAY: 0..=0, Edx 0..=31, "cpu_cur_gate_delay";
    }
    0xc000_0000 leaf_c0000000 {
        MAX_CNTR_LEAF: 0..=0, Eax 0..=31, "max_cntr_leaf";
    }
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::bits::field::Field;

    #[test]
    fn each_is_described_like_this() {
        for (name, field) in ALL {
            assert_eq!(field.name().to_ascii_uppercase(), *name);
            let known = Field::in_leaf(field.leaf()).find(|known| known.name() == field.name());
            assert_eq!(known, Some(*field), "{field:?}");
        }
    }
}
