//! Leaf 0xD against a host: which components its KVM supports, and their sizes and offsets on its processor.

use alloc::format;

use super::guest::Guest;
use super::xsave::{component_name, component_site, mask_site, numbers};
use super::{Findings, Input, Kind};
use crate::bits::location::Register;
use crate::bits::xsave::XsaveComponent;
use crate::feature;
use crate::host::Host;
use crate::table::CpuidRead;

/// Components that the host lacks, and those with a different offset or size.
pub(super) fn support(input: &Input<'_>, findings: &mut Findings) {
    let Some(host) = input.host else { return };
    for guest in input.guests.iter().filter(|guest| guest.has(feature::XSAVE)) {
        masks(guest, host, findings);
        places(guest, host, findings);
    }
}

fn masks(guest: &Guest<'_>, host: &Host, findings: &mut Findings) {
    let permitted = host.supported.xcr0();
    let possible = permitted | host.guest_xcomponents.unwrap_or(0);
    for number in numbers(guest.entries.xcr0() & !permitted) {
        let at = mask_site(guest, 0, number);
        let name = component_name(number);
        if possible >> number & 1 != 0 {
            let what = format!(
                "{name} is in XCR0, but KVM on this host grants it only to a process that requests it"
            );
            let advice = format!(
                "call arch_prctl(ARCH_REQ_XCOMP_GUEST_PERM, {number}) before the first vCPU is created"
            );
            findings.add(Kind::ComponentPermission, guest, at, what).help_by(advice);
        } else {
            let what = format!("{name} is in XCR0, but KVM on this host does not support it");
            findings.add(Kind::ComponentNotSupported, guest, at, what);
        }
    }
    // KVM that supports a feature also supports the feature's supervisor component.
    let implied = |number: &u8| {
        XsaveComponent::numbered(*number)
            .is_some_and(|known| known.features().any(|feature| host.supported.has(feature)))
    };
    let beyond = guest.entries.xss() & !host.supported.xss();
    for number in numbers(beyond).filter(|number| !implied(number)) {
        let what =
            format!("{} is in IA32_XSS, but KVM on this host does not support it", component_name(number));
        findings.add(Kind::ComponentNotSupported, guest, mask_site(guest, 1, number), what);
    }
}

/// The processor's component offsets and sizes are fixed. KVM reports the processor's own values.
fn places(guest: &Guest<'_>, host: &Host, findings: &mut Findings) {
    for component in guest.entries.xsave_components().filter(|component| !component.is_supervisor()) {
        let same = |real: &crate::table::XsaveSubleaf| real.number == component.number;
        let of_processor = host.instruction.xsave_components().find(same);
        let Some(real) = of_processor.or_else(|| host.supported.xsave_components().find(same)) else {
            continue;
        };
        if (real.offset(), real.size()) == (component.offset(), component.size()) {
            continue;
        }
        let what = format!(
            "{} has {} bytes at {}, but on this host {} bytes at {}",
            component_name(component.number),
            component.size(),
            component.offset(),
            real.size(),
            real.offset()
        );
        let at = component_site(guest, component.number).bits(Register::Ebx, 0);
        findings.add(Kind::ComponentPlace, guest, at, what);
    }
}
