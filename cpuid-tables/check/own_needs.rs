//! What features need beyond what Linux and QEMU state, as a table of this crate.
//!
//! Linux and QEMU list the features that they clear together. The manuals state further dependencies: a VEX-encoded instruction
//! raises an invalid-opcode exception unless AVX is present and enabled. Xen's `gen-cpuid.py` also has most of these rows.
//!
//! Intel SDM is the Software Developer's Manual, AMD APM the Architecture Programmer's Manual.

use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::check::Severity;
use crate::feature::*;

/// A need that neither Linux nor QEMU states.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OwnNeed {
    /// The feature.
    pub feature: Feature,
    /// What it needs.
    pub needs: Feature,
    /// An error if software that uses the feature alone fails; a warning if the feature alone is useless, or if no processor
    /// has it alone.
    pub severity: Severity,
    /// The source.
    pub source: &'static str,
}

const fn error(feature: Feature, needs: Feature, source: &'static str) -> OwnNeed {
    OwnNeed { feature, needs, severity: Severity::Error, source }
}

const fn warning(feature: Feature, needs: Feature, source: &'static str) -> OwnNeed {
    OwnNeed { feature, needs, severity: Severity::Warning, source }
}

const VEX: &str =
    "Intel SDM volume 2A, 2.3: VEX-encoded vector instructions are invalid opcodes without AVX in XCR0";
const XOP_ENCODING: &str = "AMD APM volume 6: XOP and FMA4 use AVX's registers";
const TILES: &str = "Intel SDM volume 1, chapter 18: the instruction works on tiles, which AMX-TILE adds";
const ALIAS: &str =
    "Intel SDM volume 2A, CPUID, leaf 1EH: the instruction works on tiles, which AMX-TILE adds";
const LONG_MODE: &str = "Intel SDM volume 3A, 4.1.1 and 10.8.5: it exists only in IA-32e mode";
const SSE: &str = "Intel SDM volume 1, 12.2: software first checks for the earlier extensions";
const COUNTER: &str = "Intel SDM volume 3B, 19.17: it concerns the time-stamp counter";
const LOCAL_APIC: &str =
    "Intel SDM volume 3A, chapter 12: it is part of the local APIC; KVM sets APIC's bit from IA32_APIC_BASE";
const SPECULATION: &str =
    "no Intel processor has another bit of IA32_SPEC_CTRL without IBRS (Xen, gen-cpuid.py)";
const HINTS: &str = "AMD APM volume 3, E.4.8: it describes a detail of the other";
const MMX_FAMILY: &str = "AMD APM volume 1, chapter 5: it extends the other";
const POWER: &str = "Intel SDM volume 3B, 16.4: it is part of HWP";

/// What features need beyond [`Feature::needs`].
pub const OWN_NEEDS: &[OwnNeed] = &[
    error(F16C, AVX, VEX),
    error(AVX_VNNI_INT8, AVX, VEX),
    error(AVX_VNNI_INT16, AVX, VEX),
    error(AVX_IFMA, AVX, VEX),
    error(AVX_NE_CONVERT, AVX, VEX),
    error(SHA512, AVX, VEX),
    error(SM3, AVX, VEX),
    error(SM4, AVX, VEX),
    error(XOP, AVX, XOP_ENCODING),
    error(FMA4, AVX, XOP_ENCODING),
    error(LWP, XSAVE, "AMD APM volume 2, 13.4: LWP's state is saved by XSAVE"),
    error(AMX_COMPLEX, AMX_TILE, TILES),
    error(AMX_BF16_ALIAS, AMX_TILE, ALIAS),
    error(AMX_INT8_ALIAS, AMX_TILE, ALIAS),
    error(AMX_FP16_ALIAS, AMX_TILE, ALIAS),
    error(AMX_COMPLEX_ALIAS, AMX_TILE, ALIAS),
    error(AMX_FP8, AMX_TILE, ALIAS),
    error(AMX_TF32, AMX_TILE, ALIAS),
    error(AMX_AVX512, AMX_TILE, ALIAS),
    error(AMX_MOVRS, AMX_TILE, ALIAS),
    error(LM, PAE, "Intel SDM volume 3A, 4.1.1: IA-32e paging requires CR4.PAE"),
    error(NX, PAE, "Intel SDM volume 3A, 4.6: bit 63 exists only in PAE page tables"),
    error(GBPAGES, LM, "Intel SDM volume 3A, 4.5: 1-GByte pages exist only in IA-32e paging"),
    error(TSC_DEADLINE_TIMER, TSC, COUNTER),
    error(RDTSCP, TSC, COUNTER),
    error(TSC_ADJUST, TSC, COUNTER),
    error(SEV_ES, SEV, "AMD APM volume 2, 15.35: SEV-ES extends SEV"),
    error(SEV_SNP, SEV_ES, "AMD APM volume 2, 15.36: SEV-SNP extends SEV-ES"),
    warning(CONSTANT_TSC, TSC, COUNTER),
    warning(X2APIC, APIC, LOCAL_APIC),
    warning(TSC_DEADLINE_TIMER, APIC, LOCAL_APIC),
    warning(EXTAPIC, APIC, LOCAL_APIC),
    warning(AVX_VNNI, AVX2, VEX),
    warning(AVX_VNNI_INT8, AVX2, VEX),
    warning(AVX_VNNI_INT16, AVX2, VEX),
    warning(AVX_IFMA, AVX2, VEX),
    warning(SHA512, AVX2, VEX),
    warning(SM4, AVX2, VEX),
    warning(VAES, AES, "Intel SDM volume 1, 12.13: it widens AES's instructions"),
    warning(VPCLMULQDQ, PCLMULQDQ, "Intel SDM volume 1, 12.13: it widens PCLMULQDQ"),
    warning(CX16, LM, "Intel SDM volume 2A, CMPXCHG16B: it can be encoded only in 64-bit mode"),
    warning(PCID, LM, LONG_MODE),
    warning(PKU, LM, LONG_MODE),
    warning(LA57, LM, LONG_MODE),
    warning(FSGSBASE, LM, LONG_MODE),
    warning(LAM, LM, LONG_MODE),
    warning(LASS, LM, LONG_MODE),
    warning(LKGS, LM, LONG_MODE),
    warning(APX, LM, LONG_MODE),
    warning(INVPCID, PCID, "Intel SDM volume 2A, INVPCID: it invalidates by PCID"),
    warning(TSXLDTRK, RTM, "Intel SDM volume 1, 16.3: it is used only in RTM transactions"),
    warning(INTEL_STIBP, SPEC_CTRL, SPECULATION),
    warning(SPEC_CTRL_SSBD, SPEC_CTRL, SPECULATION),
    warning(IPRED_CTRL, SPEC_CTRL, SPECULATION),
    warning(RRSBA_CTRL, SPEC_CTRL, SPECULATION),
    warning(BHI_CTRL, SPEC_CTRL, SPECULATION),
    warning(AMD_STIBP_ALWAYS_ON, AMD_STIBP, HINTS),
    warning(AMD_IBRS_SAME_MODE, AMD_IBRS, HINTS),
    warning(AMD_IBPB_RET, AMD_IBPB, HINTS),
    warning(X2AVIC, AVIC, "AMD APM volume 2, 15.29: x2AVIC extends AVIC"),
    warning(OSXSAVE, XSAVE, "Intel SDM volume 1, 13.2: it states that XSAVE is enabled"),
    warning(OSPKE, PKU, "Intel SDM volume 2A, CPUID, leaf 07H: it states that PKU is enabled"),
    warning(SSSE3, XMM3, SSE),
    warning(XMM4_1, SSSE3, SSE),
    warning(XMM4_2, XMM4_1, SSE),
    warning(SSE4A, XMM3, "AMD APM volume 1, 4.1: it extends SSE3"),
    warning(MISALIGNSSE, XMM, "AMD APM volume 1, 4.3: it is a mode of SSE"),
    warning(_3DNOW, MMX, MMX_FAMILY),
    warning(_3DNOWEXT, _3DNOW, MMX_FAMILY),
    warning(PSE36, PSE, "Intel SDM volume 3A, 4.3: it widens the addresses of PSE's pages"),
    warning(HWP_NOTIFY, HWP, POWER),
    warning(HWP_ACT_WINDOW, HWP, POWER),
    warning(HWP_EPP, HWP, POWER),
    warning(HWP_PKG_REQ, HWP, POWER),
];

/// The needs of a feature according to these rows: those whose absence is an error, and those whose absence is a warning.
pub(super) fn own_needs(feature: Feature) -> [FeatureSet; 2] {
    [Severity::Error, Severity::Warning].map(|severity| {
        let rows = OWN_NEEDS.iter().filter(|row| row.feature == feature && row.severity == severity);
        rows.map(|row| row.needs).collect()
    })
}
