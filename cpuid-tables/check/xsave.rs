//! Leaf 0xD: which state components a guest may enable, their sizes and offsets, and the size of the whole area.
//!
//! Intel SDM volume 1, chapter 13; AMD APM volume 2, chapter 11. XSETBV's rules: SDM volume 2C, and KVM's `__kvm_set_xcr()`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::guest::Guest;
use super::{Findings, Input, Kind, Site};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::bits::xsave::XsaveComponent;
use crate::feature;
use crate::naming::name_of;
use crate::table::{CpuidRead, LEGACY_AND_HEADER, XsaveSubleaf};

/// AVX's component, directly behind the header: the only offset that the manual defines.
const AVX: (u8, u32) = (2, LEGACY_AND_HEADER);

/// Components below this have no subleaf: x87 and SSE.
const FIRST_DESCRIBED: u8 = 2;

/// A rule of XSETBV: with any of `these`, all of `needed` must be set.
struct Rule {
    these: u64,
    needed: u64,
    reason: &'static str,
}

/// XSETBV's rules, by component.
static RULES: &[Rule] = &[
    Rule { these: !0, needed: 1, reason: "x87 is always set" },
    Rule { these: !1, needed: 0b10, reason: "all other components need SSE" },
    Rule { these: 0b1_1000, needed: 0b1_1000, reason: "MPX's two components belong together" },
    Rule { these: 0xe0, needed: 0xe4, reason: "AVX-512's three components belong together and need AVX's" },
    Rule { these: 0x6_0000, needed: 0x6_0000, reason: "AMX's two components belong together" },
];

/// A table's masks: the components of XCR0 and of IA32_XSS.
struct Masks {
    xcr0: u64,
    xss: u64,
}

impl Masks {
    fn from_guest(guest: &Guest<'_>) -> Masks {
        Masks { xcr0: guest.entries.xcr0(), xss: guest.entries.xss() }
    }

    const fn all(&self) -> u64 {
        self.xcr0 | self.xss
    }
}

/// The register of leaf 0xD that holds a component's bit: XCR0's in subleaf 0, IA32_XSS's in subleaf 1.
pub(super) fn mask_site(guest: &Guest<'_>, subleaf: u32, number: u8) -> Site {
    let low = if subleaf == 0 { Register::Eax } else { Register::Ecx };
    let register = if number < 32 { low } else { Register::Edx };
    guest.site_of(0xd, subleaf, register, 1 << (number % 32))
}

pub(super) fn component_site(guest: &Guest<'_>, number: u8) -> Site {
    guest.site(Leaf(0xd), Subleaf(u32::from(number)))
}

/// The components of a mask.
pub(super) fn numbers(mask: u64) -> impl Iterator<Item = u8> {
    (0..63).filter(move |number| mask >> number & 1 != 0)
}

/// A component as text.
pub(super) fn component_name(number: u8) -> String {
    match XsaveComponent::numbered(number) {
        Some(known) if number >= FIRST_DESCRIBED => {
            format!("component {number} ({})", name_of(known.feature))
        }
        _ => format!("component {number}"),
    }
}

/// XSAVE, its leaf, and XCR0 by XSETBV's rules.
pub(super) fn leaf(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let masks = Masks::from_guest(guest);
        let (bit, at) = (guest.site_of_feature(feature::XSAVE), guest.site(Leaf(0xd), Subleaf(0)));
        if !guest.has(feature::XSAVE) {
            if masks.all() != 0 {
                let what = "leaf 0xD is present, but xsave is not set";
                findings.add(Kind::XsaveLeafAlone, guest, at, what).feature(feature::XSAVE).and(bit);
            }
            continue;
        }
        if masks.xcr0 == 0 {
            let what = "xsave is set, but 0xD.0 has no component";
            findings.add(Kind::NoXsaveLeaf, guest, bit, what).feature(feature::XSAVE).and(at);
            continue;
        }
        for rule in RULES.iter().filter(|rule| masks.xcr0 & rule.these != 0) {
            let missing = rule.needed & !masks.xcr0;
            if let Some(first) = numbers(missing).next() {
                let all: Vec<String> = numbers(missing).map(component_name).collect();
                let what = format!("0xD.0 lacks {}: {}", all.join(", "), rule.reason);
                findings.add(Kind::Xcr0Invalid, guest, mask_site(guest, 0, first), what);
            }
        }
        features(guest, &masks, findings);
    }
}

/// Components whose features programs use only after asking the kernel, by `XGETBV` or a system call: MPX's and
/// AMX's.
const ASKED_FOR: u64 = 0x6_0018;

/// Features without their components of XCR0, and components without their features.
fn features(guest: &Guest<'_>, masks: &Masks, findings: &mut Findings) {
    // A guest may lack a supervisor component: last branch records do not need XSAVES.
    for known in XsaveComponent::all().filter(|known| known.number >= FIRST_DESCRIBED) {
        // One of several features is enough.
        let set = known.features().find(|feature| guest.has(*feature));
        let (shown, one) = (set.is_some(), set.unwrap_or(known.feature));
        let enabled = masks.xcr0 >> known.number & 1 != 0;
        if shown == enabled || is_supervisor(known.number) {
            continue;
        }
        let (number, name) = (known.number, name_of(one));
        let (feature, mask) = (guest.site_of_feature(one), mask_site(guest, 0, known.number));
        let finding = if shown {
            let what = format!("{name} is set, but its component {number} is not in 0xD.0");
            let asked_for = ASKED_FOR >> number & 1 != 0;
            let kind = if asked_for { Kind::FeatureUnusable } else { Kind::FeatureWithoutComponent };
            findings.add(kind, guest, feature, what).and(mask)
        } else {
            let what = format!("component {number} is in 0xD.0, but its feature {name} is not set");
            findings.add(Kind::ComponentWithoutFeature, guest, mask, what).and(feature)
        };
        finding.feature(one);
    }
}

/// Last branch records, which Linux saves separately (`XFEATURE_MASK_INDEPENDENT`).
const SAVED_APART: u8 = 15;

/// Components that only IA32_XSS may have: PT, PASID, CET, HDC, UINTR, LBR, HWP.
const fn is_supervisor(number: u8) -> bool {
    0x1fd00_u64 >> number & 1 != 0
}

/// Each component of the masks has a subleaf, and no other component has one.
pub(super) fn components(input: &Input<'_>, findings: &mut Findings) {
    for guest in input.guests.iter().filter(|guest| guest.has(feature::XSAVE)) {
        let masks = Masks::from_guest(guest);
        if masks.xcr0 == 0 {
            continue;
        }
        let described: Vec<XsaveSubleaf> = guest.entries.xsave_components().collect();
        for number in numbers(masks.all()).filter(|&number| number >= FIRST_DESCRIBED) {
            if !described.iter().any(|component| component.number == number) {
                let (subleaf, mask) =
                    if masks.xcr0 >> number & 1 != 0 { (0, "XCR0") } else { (1, "IA32_XSS") };
                let what = format!(
                    "{} is in {mask}, but 0xD.{number} does not give its size",
                    component_name(number)
                );
                let at = component_site(guest, number);
                let apart = number == SAVED_APART;
                let kind = if apart { Kind::ComponentSizeUnknown } else { Kind::ComponentNotDescribed };
                findings.add(kind, guest, at, what).and(mask_site(guest, subleaf, number));
            }
        }
        for component in &described {
            each_component(guest, &masks, *component, findings);
        }
        overlaps(guest, &masks, &described, findings);
    }
}

fn each_component(guest: &Guest<'_>, masks: &Masks, component: XsaveSubleaf, findings: &mut Findings) {
    let (number, size) = (component.number, component.size());
    let at = component_site(guest, number);
    let in_xcr0 = masks.xcr0 >> number & 1 != 0;
    if masks.all() >> number & 1 == 0 {
        let what =
            format!("{} has a subleaf, but is neither in XCR0 nor in IA32_XSS", component_name(number));
        let other = mask_site(guest, u32::from(component.is_supervisor()), number);
        findings.add(Kind::ComponentNotEnabled, guest, at, what).and(other);
    } else if component.is_supervisor() == in_xcr0 {
        let (mask, bit) = if in_xcr0 { ("XCR0", 1) } else { ("IA32_XSS", 0) };
        let what =
            format!("{} is in {mask}, but bit 0 of 0xD.{number}'s ECX is {bit}", component_name(number));
        let at = Site { register: Some(Register::Ecx), bits: 1, ..at };
        findings.add(Kind::ComponentMask, guest, at, what).and(mask_site(guest, u32::from(!in_xcr0), number));
    }
    let (avx, place) = AVX;
    if number == avx && in_xcr0 && component.offset() != place {
        let what = format!("{} is at {}: expected {place}", component_name(number), component.offset());
        findings.add(Kind::ComponentOffset, guest, at.bits(Register::Ebx, 0), what);
    }
    // Zen 2 reports 64 bytes for PKRU's component, and has no PKU.
    let has = |known: &XsaveComponent| known.features().any(|feature| guest.has(feature));
    let wrong = |known: &XsaveComponent| known.size != size && has(known);
    if let Some(known) = component.component().filter(wrong) {
        let what = format!("{} has {size} bytes: expected {}", component_name(number), known.size);
        findings.add(Kind::ComponentSize, guest, at.bits(Register::Eax, 0), what);
    }
}

/// Components of XCR0 that overlap in the standard format.
fn overlaps(guest: &Guest<'_>, masks: &Masks, described: &[XsaveSubleaf], findings: &mut Findings) {
    let mut own: Vec<XsaveSubleaf> =
        described.iter().copied().filter(|component| masks.xcr0 >> component.number & 1 != 0).collect();
    own.sort_by_key(XsaveSubleaf::offset);
    let place = |component: &XsaveSubleaf| {
        let end = component.offset().saturating_add(component.size());
        format!("{} at {} to {end}", component_name(component.number), component.offset())
    };
    let site = |component: &XsaveSubleaf| component_site(guest, component.number).bits(Register::Ebx, 0);
    for component in own.iter().filter(|component| component.offset() < LEGACY_AND_HEADER) {
        let what = format!(
            "{} begins in the legacy region and header, which end at {LEGACY_AND_HEADER}",
            place(component)
        );
        findings.add(Kind::ComponentOverlap, guest, site(component), what);
    }
    for (first, second) in own.iter().zip(own.iter().skip(1)) {
        if first.offset().saturating_add(first.size()) > second.offset() {
            let what = format!("{} overlaps {}", place(second), place(first));
            findings.add(Kind::ComponentOverlap, guest, site(second), what).and(site(first));
        }
    }
}

/// The sizes of the whole area.
pub(super) fn sizes(input: &Input<'_>, findings: &mut Findings) {
    for guest in input.guests.iter().filter(|guest| guest.has(feature::XSAVE)) {
        let masks = Masks::from_guest(guest);
        let Some(Registers { ebx, ecx, .. }) = guest.registers(0xd, 0).filter(|_| masks.xcr0 != 0) else {
            continue;
        };
        let needed = guest.entries.xsave_size(masks.xcr0, false);
        let site = |subleaf: u32, register: Register| guest.site_of(0xd, subleaf, register, 0);
        if ecx < needed {
            let what = format!("0xD.0 gives {ecx} bytes for all components, but they end at {needed}");
            findings.add(Kind::XsaveSize, guest, site(0, Register::Ecx), what);
        } else if ecx > needed {
            let what = format!("0xD.0 gives {ecx} bytes for all components, but they end at {needed}");
            findings.add(Kind::XsaveSizeLarge, guest, site(0, Register::Ecx), what);
        }
        if !(LEGACY_AND_HEADER..=ecx.max(needed)).contains(&ebx) {
            let what = format!(
                "0xD.0 gives {ebx} bytes for the enabled components: expected {LEGACY_AND_HEADER} to {ecx}"
            );
            findings.add(Kind::XsaveCurrentSize, guest, site(0, Register::Ebx), what);
        }
        let compacts = guest.has(feature::XSAVEC) || guest.has(feature::XSAVES);
        let Some(Registers { ebx: compacted, .. }) = guest.registers(0xd, 1).filter(|_| compacts) else {
            continue;
        };
        let of_all = guest.entries.xsave_size(masks.all(), true);
        if !(LEGACY_AND_HEADER..=of_all).contains(&compacted) {
            let what = format!("0xD.1 gives {compacted} bytes: expected {LEGACY_AND_HEADER} to {of_all}");
            findings.add(Kind::XsaveCompactedSize, guest, site(1, Register::Ebx), what);
        }
    }
}
