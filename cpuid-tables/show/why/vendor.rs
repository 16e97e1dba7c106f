//! Whose feature it is: what one vendor's processors have and another's never do.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E: what the one defines and the other reserves.

use alloc::format;
use alloc::string::String;

use super::Machine;
use crate::bits::feature::Feature;
use crate::bits::release::QemuRelease;
use crate::feature;
use crate::naming::name_of;
use crate::table::{CpuidRead, Vendor};

/// Who makes processors with a feature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// AMD and Hygon; Intel never.
    Amd,
    /// Intel and those that follow it; AMD never.
    Intel,
    /// Centaur and Zhaoxin alone.
    Centaur,
    /// Transmeta alone.
    Transmeta,
}

use Maker::{Amd, Centaur, Intel, Transmeta};

/// Leaves whose features are all one maker's.
static LEAVES: &[(u32, Maker)] = &[
    (0x12, Intel),
    (0x14, Intel),
    (0x19, Intel),
    (0x8000_000a, Amd),
    (0x8000_001b, Amd),
    (0x8000_001c, Amd),
    (0x8000_001f, Amd),
    (0x8000_0020, Amd),
    (0x8000_0021, Amd),
    (0x8000_0022, Amd),
    (0x8086_0001, Transmeta),
    (0xc000_0001, Centaur),
];

/// Features that one maker alone has, and the other maker's feature for the same.
static FEATURES: &[(Feature, Maker, Option<Feature>)] = &[
    (feature::SVM, Amd, Some(feature::VMX)),
    (feature::SKINIT, Amd, Some(feature::SMX)),
    (feature::MWAITX, Amd, Some(feature::WAITPKG)),
    (feature::AMD_IBPB, Amd, Some(feature::SPEC_CTRL)),
    (feature::AMD_IBRS, Amd, Some(feature::SPEC_CTRL)),
    (feature::AMD_STIBP, Amd, Some(feature::INTEL_STIBP)),
    (feature::AMD_SSBD, Amd, Some(feature::SPEC_CTRL_SSBD)),
    (feature::VIRT_SSBD, Amd, Some(feature::SPEC_CTRL_SSBD)),
    (feature::AMD_SSB_NO, Amd, None),
    (feature::AMD_PSFD, Amd, Some(feature::INTEL_PSFD)),
    (feature::AMD_PPIN, Amd, Some(feature::INTEL_PPIN)),
    (feature::CLZERO, Amd, None),
    (feature::IRPERF, Amd, None),
    (feature::XSAVEERPTR, Amd, None),
    (feature::RDPRU, Amd, None),
    (feature::CMP_LEGACY, Amd, None),
    (feature::EXTAPIC, Amd, None),
    (feature::CR8_LEGACY, Amd, None),
    (feature::SSE4A, Amd, None),
    (feature::MISALIGNSSE, Amd, None),
    (feature::OSVW, Amd, None),
    (feature::IBS, Amd, None),
    (feature::XOP, Amd, None),
    (feature::WDT, Amd, None),
    (feature::LWP, Amd, None),
    (feature::FMA4, Amd, Some(feature::FMA)),
    (feature::TCE, Amd, None),
    (feature::NODEID_MSR, Amd, None),
    (feature::TBM, Amd, None),
    (feature::TOPOEXT, Amd, None),
    (feature::PERFCTR_CORE, Amd, None),
    (feature::PERFCTR_NB, Amd, None),
    (feature::PERFCTR_LLC, Amd, None),
    (feature::BPEXT, Amd, None),
    (feature::PTSC, Amd, None),
    (feature::MMXEXT, Amd, None),
    (feature::FXSR_OPT, Amd, None),
    (feature::_3DNOW, Amd, None),
    (feature::_3DNOWEXT, Amd, None),
    (feature::VMX, Intel, Some(feature::SVM)),
    (feature::SMX, Intel, Some(feature::SKINIT)),
    (feature::WAITPKG, Intel, Some(feature::MWAITX)),
    (feature::SPEC_CTRL, Intel, Some(feature::AMD_IBPB)),
    (feature::INTEL_STIBP, Intel, Some(feature::AMD_STIBP)),
    (feature::SPEC_CTRL_SSBD, Intel, Some(feature::AMD_SSBD)),
    (feature::INTEL_PSFD, Intel, Some(feature::AMD_PSFD)),
    (feature::INTEL_PPIN, Intel, Some(feature::AMD_PPIN)),
    (feature::DTES64, Intel, None),
    (feature::DSCPL, Intel, None),
    (feature::EST, Intel, None),
    (feature::TM2, Intel, None),
    (feature::CID, Intel, None),
    (feature::SDBG, Intel, None),
    (feature::XTPR, Intel, None),
    (feature::PDCM, Intel, None),
    (feature::DCA, Intel, None),
    (feature::DS, Intel, None),
    (feature::ACPI, Intel, None),
    (feature::PBE, Intel, None),
    (feature::SGX, Intel, None),
    (feature::SGX_LC, Intel, None),
    (feature::HLE, Intel, None),
    (feature::RTM, Intel, None),
    (feature::TSXLDTRK, Intel, None),
    (feature::TSX_FORCE_ABORT, Intel, None),
    (feature::MPX, Intel, None),
    (feature::INTEL_PT, Intel, Some(feature::IBS)),
    (feature::AVX512PF, Intel, None),
    (feature::AVX512ER, Intel, None),
    (feature::AVX512_4VNNIW, Intel, None),
    (feature::AVX512_4FMAPS, Intel, None),
    (feature::TME, Intel, None),
    (feature::MD_CLEAR, Intel, None),
    (feature::HYBRID_CPU, Intel, None),
    (feature::PCONFIG, Intel, None),
    (feature::ARCH_LBR, Intel, None),
    (feature::AMX_BF16, Intel, None),
    (feature::AMX_TILE, Intel, None),
    (feature::AMX_INT8, Intel, None),
    (feature::AMX_FP16, Intel, None),
    (feature::AMX_COMPLEX, Intel, None),
    (feature::CORE_CAPABILITIES, Intel, None),
    (feature::ENQCMD, Intel, None),
];

impl Maker {
    const fn name(self) -> &'static str {
        match self {
            Amd => "AMD",
            Intel => "Intel",
            Centaur => "Centaur and Zhaoxin",
            Transmeta => "Transmeta",
        }
    }

    /// True where a vendor's processors may have what the maker's have.
    fn may_be(self, vendor: Vendor) -> bool {
        match self {
            Amd => vendor != Vendor::INTEL,
            Intel => !vendor.is_amd_compatible(),
            Centaur => vendor == Vendor::CENTAUR || vendor == Vendor::ZHAOXIN,
            Transmeta => vendor == Vendor::TRANSMETA,
        }
    }
}

fn maker(feature: Feature) -> Option<(Maker, Option<Feature>)> {
    let row = FEATURES.iter().find(|(known, ..)| *known == feature).map(|row| (row.1, row.2));
    row.or_else(|| LEAVES.iter().find(|(leaf, _)| *leaf == feature.leaf().0).map(|row| (row.1, None)))
}

/// The vendor, as the CPUID instruction or else KVM has it.
fn vendor(machine: &Machine) -> Option<Vendor> {
    let of_cpu = machine.cpuid.as_deref().and_then(CpuidRead::vendor);
    let of_kvm = || machine.kvm.as_ref().and_then(|kvm| kvm.supported.vendor());
    of_cpu.or_else(of_kvm).filter(|vendor| vendor.0 != [0; 12])
}

/// The last sentence, where the feature is another vendor's.
pub(super) fn foreign(feature: Feature, machine: &Machine) -> Option<String> {
    let vendor = vendor(machine)?;
    let (maker, counterpart) = maker(feature).filter(|(maker, _)| !maker.may_be(vendor))?;
    let (name, owner) = (name_of(feature), maker.name());
    let other = counterpart.map(|other| format!(", whose name for it is {}", name_of(other)));
    let other = other.unwrap_or_default();
    let qemu = feature.qemu_names(QemuRelease::NEWEST).next();
    let remedy = qemu.map(|name| format!("; in QEMU, -cpu host or -{name} after the model ends the warning"));
    let remedy = remedy.unwrap_or_default();
    Some(format!("{name} is {owner}'s, and this is {vendor}{other}: there is nothing to switch on{remedy}."))
}

#[cfg(test)]
mod tests {
    use super::{FEATURES, LEAVES};

    #[test]
    fn a_counterpart_is_the_other_maker_s_and_rows_are_needed() {
        for (feature, maker, counterpart) in FEATURES {
            let other = counterpart.and_then(super::maker).map(|(other, _)| other);
            assert!(other.is_none_or(|other| other != *maker), "{feature}");
            assert!(LEAVES.iter().all(|(leaf, _)| *leaf != feature.leaf().0), "{feature}");
            assert_eq!(FEATURES.iter().filter(|row| row.0 == *feature).count(), 1, "{feature}");
        }
    }
}
