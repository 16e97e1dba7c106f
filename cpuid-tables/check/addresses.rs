//! Address widths in leaf 0x80000008.
//!
//! KVM refuses linear address widths other than 0, 48 and 57 (`kvm_check_cpuid()`). It uses the physical width as the
//! guest's MAXPHYADDR, or 36 without the leaf (`cpuid_query_maxphyaddr()`, Linux 7.3).

use alloc::format;

use super::guest::Guest;
use super::{Findings, Input, Kind};
use crate::bits::known_fields::leaf_80000008::{GUEST_PHYS_ADDR_BITS, PHYS_ADDR_BITS, VIRT_ADDR_BITS};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::host::Host;
use crate::table::CpuidRead;

/// The linear address widths that KVM accepts.
const VIRTUAL: [u32; 3] = [0, 48, 57];

/// From the smallest width of a processor with PSE-36 or PAE to the largest that page tables can hold.
const PHYSICAL: core::ops::RangeInclusive<u32> = 32..=52;

/// Widths that KVM refuses, that page tables cannot hold, or that contradict each other.
pub(super) fn widths(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        // For this KVM does not look at the maximum.
        let whole = guest.all.registers(Leaf(0x8000_0008), Subleaf(0));
        let Some(Registers { eax, .. }) = whole else { continue };
        virtual_width(guest, eax, findings);
        physical_width(guest, eax, input.host, findings);
        let at = guest.site_of(0x8000_0008, 0, Register::Eax, GUEST_PHYS_ADDR_BITS.mask());
        let (guest_physical, physical) = (GUEST_PHYS_ADDR_BITS.read(eax), PHYS_ADDR_BITS.read(eax));
        if guest_physical > physical {
            let what = format!(
                "guest-physical addresses have {guest_physical} bits, but physical addresses only {physical}"
            );
            findings.add(Kind::GuestPhysicalWidth, guest, at, what);
        }
    }
}

fn virtual_width(guest: &Guest<'_>, eax: u32, findings: &mut Findings) {
    let at = guest.site_of(0x8000_0008, 0, Register::Eax, VIRT_ADDR_BITS.mask());
    let width = VIRT_ADDR_BITS.read(eax);
    let la57 = guest.has(feature::LA57);
    if !VIRTUAL.contains(&width) {
        let what = format!("linear addresses have {width} bits: KVM accepts 48, 57 or 0");
        findings.add(Kind::VirtualWidth, guest, at, what);
    } else if width != 0 && (width == 57) != la57 {
        let shown = if la57 { "is set" } else { "is not set" };
        let what = format!("linear addresses have {width} bits, but la57 {shown}");
        let other = guest.site_of_feature(feature::LA57);
        findings.add(Kind::VirtualWidthPaging, guest, at, what).feature(feature::LA57).and(other);
    }
}

fn physical_width(guest: &Guest<'_>, eax: u32, host: Option<&Host>, findings: &mut Findings) {
    let at = guest.site_of(0x8000_0008, 0, Register::Eax, PHYS_ADDR_BITS.mask());
    let width = PHYS_ADDR_BITS.read(eax);
    let of_host = host.and_then(|host| host.supported.field(PHYS_ADDR_BITS)).filter(|&bits| bits != 0);
    if !PHYSICAL.contains(&width) {
        let (least, most) = (PHYSICAL.start(), PHYSICAL.end());
        let what = format!("physical addresses have {width} bits: expected {least} to {most}");
        findings.add(Kind::PhysicalWidth, guest, at, what);
    } else if let Some(of_host) = of_host.filter(|&of_host| of_host != width) {
        let kind = if of_host < width { Kind::PhysicalWidthHost } else { Kind::PhysicalWidthLow };
        let what = if of_host < width {
            format!("physical addresses have {width} bits, but this host's only {of_host}")
        } else {
            format!("physical addresses have {width} bits, but this host's have {of_host}")
        };
        findings.add(kind, guest, at, what);
    }
}
