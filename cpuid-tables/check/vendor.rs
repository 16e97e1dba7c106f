//! The vendor, and leaves, features and bits of another vendor.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.4: leaves that one of them defines and the other reserves.

use alloc::format;

use super::finding::bits_in_words;
use super::guest::Guest;
use super::{Findings, Input, Kind};
use crate::bits::feature::Feature;
use crate::bits::known_places::AMD_ALIASES;
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::naming::name_of;
use crate::table::{CpuidRead, Signature, Vendor};

/// Vendors that Linux recognizes by leaf 0 (`arch/x86/kernel/cpu/`), other than AMD and Hygon.
const OTHERS: [Vendor; 4] = [Vendor::INTEL, Vendor::CENTAUR, Vendor::ZHAOXIN, Vendor::TRANSMETA];

/// Processors whose 0x80000000 names another vendor than leaf 0.
static OTHER_NAMES: [(Vendor, Vendor); 1] = [(Vendor::TRANSMETA, Vendor(*b"TransmetaCPU"))];

/// AMD repeats vendor and signature in the extended leaves since this family, K8.
const REPEATING_FAMILY: u32 = 0xf;

/// The vendor of a leaf or a feature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// AMD's and Hygon's.
    Amd,
    /// AMD's first; all vendors but Intel have them.
    AmdAndOthers,
    /// Intel's, and those of vendors that follow Intel.
    Intel,
    /// Centaur's and Zhaoxin's.
    Centaur,
}

impl Maker {
    const fn name(self) -> &'static str {
        match self {
            Maker::Amd | Maker::AmdAndOthers => "AMD",
            Maker::Intel => "Intel",
            Maker::Centaur => "Centaur",
        }
    }

    fn made(self, vendor: Vendor) -> bool {
        match self {
            Maker::Amd => vendor.is_amd_compatible(),
            Maker::AmdAndOthers => vendor != Vendor::INTEL,
            Maker::Intel => !vendor.is_amd_compatible(),
            Maker::Centaur => vendor == Vendor::CENTAUR || vendor == Vendor::ZHAOXIN,
        }
    }
}

/// Leaves that only one vendor defines, with their content. By vendor, then by number.
static LEAVES: &[(Maker, u32, &str)] = &[
    (Maker::AmdAndOthers, 0x8000_0005, "first-level caches and TLBs"),
    (Maker::Amd, 0x8000_000a, "SVM"),
    (Maker::Amd, 0x8000_0019, "TLBs of 1 GiB pages"),
    (Maker::Amd, 0x8000_001a, "performance hints"),
    (Maker::Amd, 0x8000_001b, "instruction-based sampling"),
    (Maker::Amd, 0x8000_001c, "lightweight profiling"),
    (Maker::Amd, 0x8000_001d, "caches"),
    (Maker::Amd, 0x8000_001e, "APIC id, core and node"),
    (Maker::Amd, 0x8000_001f, "memory encryption"),
    (Maker::Amd, 0x8000_0020, "quality of service"),
    (Maker::Amd, 0x8000_0026, "topology"),
    (Maker::Intel, 0x2, "cache descriptors"),
    (Maker::Intel, 0x3, "the serial number"),
    (Maker::Intel, 0x4, "caches"),
    (Maker::Intel, 0x9, "direct cache access"),
    (Maker::Intel, 0xa, "performance monitoring"),
    (Maker::Intel, 0x12, "SGX"),
    (Maker::Intel, 0x14, "processor trace"),
    (Maker::Intel, 0x17, "system on chip"),
    (Maker::Intel, 0x18, "TLBs"),
    (Maker::Intel, 0x19, "key locker"),
    (Maker::Intel, 0x1a, "hybrid cores"),
    (Maker::Intel, 0x1b, "PCONFIG"),
    (Maker::Intel, 0x1c, "last branch records"),
    (Maker::Intel, 0x1d, "tiles"),
    (Maker::Intel, 0x1e, "TMUL"),
    (Maker::Intel, 0x20, "history reset"),
    (Maker::Intel, 0x23, "performance monitoring"),
    (Maker::Centaur, 0xc000_0001, "Centaur's features"),
];

/// Features that only one vendor has, and that only KVM on its hosts offers.
static FEATURES: &[(Maker, Feature)] = &[(Maker::Amd, feature::SVM), (Maker::Intel, feature::VMX)];

/// The vendor itself, and where AMD repeats it and the signature.
pub(super) fn identity(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let Some(vendor) = guest.vendor else { continue };
        let leaf_zero = guest.site(Leaf::BASIC, Subleaf(0));
        if !vendor.is_amd_compatible() && !OTHERS.contains(&vendor) {
            let what = format!("the vendor is \"{vendor}\", which is unknown to KVM and Linux");
            findings.add(Kind::UnknownVendor, guest, leaf_zero, what);
        }
        if let Some(registers) = guest.registers(0x8000_0000, 0) {
            let at = guest.site(Leaf::EXTENDED, Subleaf(0));
            let repeated = Vendor::from_registers(registers);
            if repeated.0 == [0; 12] {
                if repeats(guest) {
                    let what = format!("leaf 0 has vendor \"{vendor}\", but 0x80000000 does not repeat it");
                    findings.add(Kind::VendorNotRepeated, guest, at, what).and(leaf_zero);
                }
            } else if repeated != vendor && !OTHER_NAMES.contains(&(vendor, repeated)) {
                let what = format!("leaf 0 has vendor \"{vendor}\", but 0x80000000 \"{repeated}\"");
                findings.add(Kind::VendorsDiffer, guest, at, what).and(leaf_zero);
            }
        }
        if repeats(guest) {
            signature(guest, findings);
        }
    }
}

fn repeats(guest: &Guest<'_>) -> bool {
    let family = guest.entries.signature().map(Signature::family);
    guest.is_amd() && family.is_some_and(|family| family >= REPEATING_FAMILY)
}

fn signature(guest: &Guest<'_>, findings: &mut Findings) {
    let eax = |leaf: u32| guest.registers(leaf, 0).map(|Registers { eax, .. }| eax);
    if let (Some(basic), Some(extended)) = (eax(1), eax(0x8000_0001)) {
        if basic != extended {
            let what = format!("1.EAX is {basic:#x}, but 0x80000001.EAX {extended:#x}");
            let other = guest.site_of(1, 0, Register::Eax, 0);
            let at = guest.site_of(0x8000_0001, 0, Register::Eax, 0);
            findings.add(Kind::SignaturesDiffer, guest, at, what).and(other);
        }
    }
}

/// Non-zero leaves, and features, of another vendor.
pub(super) fn leaves(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let Some(vendor) = guest.vendor else { continue };
        let leaf_zero = guest.site(Leaf::BASIC, Subleaf(0));
        for &(maker, leaf, holds) in LEAVES.iter().filter(|(maker, ..)| !maker.made(vendor)) {
            let mut own = guest.entries.iter().enumerate().filter(|(_, entry)| entry.function.0 == leaf);
            if let Some((at, _)) = own.find(|(_, entry)| entry.registers != Registers::ZERO) {
                let (leaf, maker) = (Leaf(leaf), maker.name());
                let what = format!("leaf {leaf} ({holds}) is {maker}'s, but the vendor is \"{vendor}\"");
                findings.add(Kind::VendorLeaf, guest, guest.site_of_entry(at), what).and(leaf_zero);
            }
        }
        for &(maker, feature) in FEATURES {
            if guest.has(feature) && !maker.made(vendor) {
                let name = name_of(feature);
                let what = format!("{name} is {}'s, but the vendor is \"{vendor}\"", maker.name());
                let at = guest.site_of_feature(feature);
                findings.add(Kind::VendorFeature, guest, at, what).feature(feature).and(leaf_zero);
            }
        }
    }
}

/// AMD's copies of 1.EDX in 0x80000001.EDX.
pub(super) fn aliases(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let edx = |leaf: u32| guest.registers(leaf, 0).map(|Registers { edx, .. }| edx & AMD_ALIASES);
        let (Some(vendor), Some(basic), Some(copies)) = (guest.vendor, edx(1), edx(0x8000_0001)) else {
            continue;
        };
        let site = |bits: u32| guest.site_of(0x8000_0001, 0, Register::Edx, bits);
        // While the guest runs, KVM clears and sets only the bit in 1.EDX.
        let differing = (basic ^ copies) & !feature::APIC.mask();
        if guest.is_amd() && differing != 0 {
            let which = bits_in_words(differing);
            let what =
                format!("0x80000001.EDX differs from 1.EDX in {which}, which AMD's processors repeat there");
            let other = guest.site_of(1, 0, Register::Edx, differing);
            findings.add(Kind::AliasesDiffer, guest, site(differing), what).and(other);
        } else if vendor == Vendor::INTEL && copies != 0 {
            let which = bits_in_words(copies);
            let what =
                format!("0x80000001.EDX has {which}, AMD's copies of 1.EDX, but the vendor is \"{vendor}\"");
            findings.add(Kind::AliasesReserved, guest, site(copies), what);
        }
    }
}
