//! FreeBSD's specialreg.h: macros, each family of which mirrors a register.
//!
//! sys/x86/include/specialreg.h. The register of a prefix is stated in comments, in prose; the table below has the
//! same information as data.

use std::collections::BTreeMap;

use super::families::{self, Family, Prefix, cpuid, msr, shared};
use super::reader::Reader;
use super::tree::WitnessTree;
use crate::diagnostic::Diagnostic;
use crate::facts::{BitPlace, WitnessBit};
use crate::location::Register::{Eax, Ebx, Ecx, Edx};

/// The macros that are about CPUID, or about an MSR that enumerates features.
const ROOTS: [&str; 8] =
    ["CPUID", "CPUPT", "CPUTPM", "AMDID", "AMDFEID", "AMDPM", "AMDRAS", "IA32_ARCH_CAP_"];

const PREFIXES: [Prefix; 55] = [
    ("CPUID_", cpuid(1, 0, Edx)),
    ("CPUID2_", cpuid(1, 0, Ecx)),
    ("CPUID_B10", Family::Other), // a reserved bit
    ("CPUID_B20", Family::Other), // a reserved bit
    ("CPUID_XMM", Family::Other), // the same as CPUID_SSE
    // The signature in leaf 1's EAX.
    ("CPUID_STEPPING", Family::Other),
    ("CPUID_MODEL", Family::Other),
    ("CPUID_FAMILY", Family::Other),
    ("CPUID_EXT_", Family::Other),
    ("CPUID_TO_", Family::Other),
    // Fields of leaf 1's EBX.
    ("CPUID_BRAND_INDEX", Family::Other),
    ("CPUID_CLFUSH_SIZE", Family::Other),
    ("CPUID_HTT_CORES", Family::Other),
    ("CPUID_LOCAL_APIC_ID", Family::Other),
    // Leaf 5: fields, and two flags.
    ("CPUID5_MON_MIN_SIZE", Family::Other),
    ("CPUID5_MON_MAX_SIZE", Family::Other),
    ("CPUID5_MON_", shared(5, 0, Ecx, "")),
    ("CPUID5_MWAIT_", shared(5, 0, Ecx, "")),
    // Leaf 6.
    ("CPUTPM1_", cpuid(6, 0, Eax)),
    ("CPUTPM2_", Family::Other),  // power.h's name of a field
    ("CPUTPM_B_", Family::Other), // a count
    ("CPUID_PERF_", shared(6, 0, Ecx, "")),
    ("CPUID_PERF_TD_CLASSES", Family::Other),
    ("CPUID_HF_", shared(6, 0, Edx, "")),
    ("CPUID_TD_", Family::Other),   // fields
    ("CPUID_TYPE_", Family::Other), // the level types of leaf 0xB
    ("CPUID_EXTSTATE_", cpuid(0xd, 1, Eax)),
    // Subleafs 2 and above of leaf 0xD.
    ("CPUID_EXTSTATE_SUPERVISOR", Family::Other),
    ("CPUID_EXTSTATE_ALIGNED", Family::Other),
    ("CPUID_EXTSTATE_XFD_SUPPORTED", Family::Other),
    ("CPUID_STDEXT_", cpuid(7, 0, Ebx)),
    ("CPUID_STDEXT2_", cpuid(7, 0, Ecx)),
    ("CPUID_STDEXT3_", cpuid(7, 0, Edx)),
    ("CPUID_STDEXT4_", cpuid(7, 1, Eax)),
    ("CPUID_HYBRID_", Family::Other), // values
    // Leaf 0x14: subleaf 0's EBX and ECX share a prefix.
    ("CPUPT_", shared(0x14, 0, Ebx, "")),
    ("CPUPT_TOPA", shared(0x14, 0, Ecx, "")),
    ("CPUPT_SINGLE", shared(0x14, 0, Ecx, "")),
    ("CPUPT_TT_OUT", shared(0x14, 0, Ecx, "")),
    ("CPUPT_LINEAR_IP", shared(0x14, 0, Ecx, "")),
    ("CPUPT_NADDR_", Family::Other),      // a count
    ("CPUPT_MTC_BITMAP_", Family::Other), // a field
    ("CPUPT_CT_BITMAP_", Family::Other),  // a field
    ("CPUPT_PFE_BITMAP_", Family::Other), // a field
    ("AMDID_", cpuid(0x8000_0001, 0, Edx)),
    ("AMDID2_", cpuid(0x8000_0001, 0, Ecx)),
    // Fields of leaf 0x80000008.
    ("AMDID_CMP_CORES", Family::Other),
    ("AMDID_COREID_SIZE", Family::Other),
    ("AMDID_INVLPGB_MAXCNT", Family::Other),
    ("AMDID_RDPRU_", Family::Other),
    ("AMDRAS_", cpuid(0x8000_0007, 0, Ebx)),
    ("AMDPM_", cpuid(0x8000_0007, 0, Edx)),
    ("AMDFEID_", cpuid(0x8000_0008, 0, Ebx)),
    ("AMDFEID2_", cpuid(0x8000_0021, 0, Eax)),
    ("IA32_ARCH_CAP_", msr(0x10a)),
];

pub(super) fn read(reader: &mut Reader<'_, '_>, tree: &WitnessTree) {
    let unit = reader.read(tree.header);
    families::read(reader, &unit, &ROOTS, &PREFIXES);
    check_unique(reader);
}

/// One bit with two names: the header has no aliases beyond the prefixes above, so one of them is of another register.
fn check_unique(reader: &mut Reader<'_, '_>) {
    let mut seen: BTreeMap<BitPlace, &WitnessBit> = BTreeMap::new();
    for bit in &reader.facts.bits {
        let Some(first) = seen.insert(bit.place, bit) else { continue };
        let message = format!("`{}` is the same bit as `{}`", bit.name, first.name);
        let found = Diagnostic::error(bit.at, message).with_label(first.at, "the other name");
        reader
            .diagnostics
            .push(found.with_help("expected one name for each bit: which register is this one of?"));
    }
}
