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
    1 leaf_1 {
        STEPPING: 0..=0, Eax 0..=3, "stepping";
        BASE_MODEL: 0..=0, Eax 4..=7, "base_model";
        BASE_FAMILY_ID: 0..=0, Eax 8..=11, "base_family_id";
        EXT_MODEL: 0..=0, Eax 16..=19, "ext_model";
        EXT_FAMILY: 0..=0, Eax 20..=27, "ext_family";
        N_LOGICAL_CPU: 0..=0, Ebx 16..=23, "n_logical_cpu";
        LOCAL_APIC_ID: 0..=0, Ebx 24..=31, "local_apic_id";
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
    0xb leaf_b {
        X2APIC_ID: 0..=1, Edx 0..=31, "x2apic_id";
    }
    0xd leaf_d {
        XSAVE_SZ_XCR0: 0..=0, Ebx 0..=31, "xsave_sz_xcr0";
        XSAVE_SZ_XCR0_XSS: 1..=1, Ebx 0..=31, "xsave_sz_xcr0_xss";
        XSAVE_SZ: 2..=63, Eax 0..=31, "xsave_sz";
        XSAVE_OFFSET: 2..=63, Ebx 0..=31, "xsave_offset";
        IS_XSS_BIT: 2..=63, Ecx 0..=0, "is_xss_bit";
        COMPACTED_XSAVE_64BYTE_ALIGNED: 2..=63, Ecx 1..=1, "compacted_xsave_64byte_aligned";
    }
    0x12 leaf_12 {
        SUBLEAF_TYPE: 2..=31, Eax 0..=3, "subleaf_type";
    }
    0x15 leaf_15 {
        TSC_DENOMINATOR: 0..=0, Eax 0..=31, "tsc_denominator";
        TSC_NUMERATOR: 0..=0, Ebx 0..=31, "tsc_numerator";
        CPU_CRYSTAL_HZ: 0..=0, Ecx 0..=31, "cpu_crystal_hz";
    }
    0x1f leaf_1f {
        X2APIC_ID_SHIFT: 0..=5, Eax 0..=4, "x2apic_id_shift";
        DOMAIN_LCPUS_COUNT: 0..=5, Ebx 0..=15, "domain_lcpus_count";
        DOMAIN_LEVEL: 0..=5, Ecx 0..=7, "domain_level";
        DOMAIN_TYPE: 0..=5, Ecx 8..=15, "domain_type";
        X2APIC_ID: 0..=5, Edx 0..=31, "x2apic_id";
    }
    0x8000_0008 leaf_80000008 {
        PHYS_ADDR_BITS: 0..=0, Eax 0..=7, "phys_addr_bits";
        VIRT_ADDR_BITS: 0..=0, Eax 8..=15, "virt_addr_bits";
        GUEST_PHYS_ADDR_BITS: 0..=0, Eax 16..=23, "guest_phys_addr_bits";
        CPU_NTHREADS: 0..=0, Ecx 0..=7, "cpu_nthreads";
        APICID_COREID_LEN: 0..=0, Ecx 12..=15, "apicid_coreid_len";
    }
    0x8000_001d leaf_8000001d {
        NUM_THREADS_SHARING: 0..=31, Eax 14..=25, "num_threads_sharing";
    }
    0x8000_001e leaf_8000001e {
        EXT_APIC_ID: 0..=0, Eax 0..=31, "ext_apic_id";
        CORE_ID: 0..=0, Ebx 0..=7, "core_id";
        CORE_NTHREADS: 0..=0, Ebx 8..=15, "core_nthreads";
        NODE_ID: 0..=0, Ecx 0..=7, "node_id";
        NNODES_PER_SOCKET: 0..=0, Ecx 8..=10, "nnodes_per_socket";
    }
    0x8000_0026 leaf_80000026 {
        X2APIC_ID: 0..=3, Edx 0..=31, "x2apic_id";
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
