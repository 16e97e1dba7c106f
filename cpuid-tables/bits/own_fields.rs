//! Bits that the vendors' manuals name, and that no pinned release of Linux, KVM or QEMU has.
//!
//! What always holds: a bit that a release describes is that release's, and its row here is not used.

use super::field::{Field, constant};
use super::location::{CpuidWord, Register};

use Register::{Eax, Ebx, Ecx, Edx};

/// A bit and the manual that names it.
struct Row(Field, &'static str);

const SDM: &str = "Intel SDM volume 2A, CPUID";
const EXTENSIONS: &str = "Intel Architecture Instruction Set Extensions and Future Features";
const AP_485: &str = "Intel application note 485, Processor Identification and the CPUID Instruction";
const APM: &str = "AMD APM volume 3, appendix E";
const PPR: &str = "AMD Processor Programming Reference, family 1Ah";
const SSE5: &str = "AMD64 Technology: 128-Bit and 256-Bit XOP, FMA4 and CVT16 Instructions";
const BKDG: &str = "AMD BIOS and Kernel Developer's Guide, family 15h";

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

/// By leaf, subleaf, register and bit; names are the manual's, as short as cpuid.csv's.
static ROWS: &[Row] = &[
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
    bit(0x8000_0001, 0, Ecx, 18, "cvt16", SSE5),
    bit(0x8000_0001, 0, Ecx, 25, "stream_perf_mon", BKDG),
    bit(0x8000_0007, 0, Ebx, 4, "pfeh", PPR),
    bit(0x8000_000a, 0, Edx, 8, "pmc_virt", APM),
    bit(0x8000_000a, 0, Edx, 31, "enhanced_shutdown_intercept", PPR),
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
    bit(0x8000_0021, 0, Eax, 14, "l2_tlb_size_x32", APM),
    bit(0x8000_0021, 0, Eax, 15, "amd_ermsb", APM),
    bit(0x8000_0021, 0, Eax, 19, "fast_rep_scasb", APM),
    bit(0x8000_0021, 0, Eax, 21, "fp512_downgrade", APM),
];

/// All of them, by place.
pub(super) fn all() -> impl Iterator<Item = Field> {
    ROWS.iter().map(|row| row.0)
}

/// Those of one register.
pub(crate) fn at(word: CpuidWord) -> impl Iterator<Item = Field> {
    let from = ROWS.partition_point(|row| row.0.leaf() < word.leaf);
    let of_leaf = ROWS.iter().skip(from).map(|row| row.0).take_while(move |field| field.leaf() == word.leaf);
    of_leaf.filter(move |field| field.is_in(word))
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
