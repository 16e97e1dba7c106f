//! The CPUID of a TDX guest. The TDX module answers most leaves itself: some bits are always set, some follow the TD's
//! ATTRIBUTES and XFAM, and the rest are configured with `KVM_TDX_INIT_VM`, as far as the module and KVM allow.
//!
//! QEMU's target/i386/kvm/tdx.c; Linux's arch/x86/kvm/vmx/tdx.c (`KVM_SUPPORTED_TDX_TD_ATTRS`,
//! `setup_tdparams_eptp_controls`, `tdx_unsupported_cpuid`). Which bits a module
//! allows to be configured is known only from `KVM_TDX_CAPABILITIES` on the host, so they are not checked.

use alloc::format;

use super::super::finding::bits_in_words;
use super::super::guest::{Guest, kvm_base};
use super::super::{Findings, Input, Kind};
use super::rows::{number, rows, word};
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::table::Vendor;

static FACTS: &str = include_str!("tdx.tsv");

/// The bits of ATTRIBUTES that KVM allows for a TD and that a CPUID bit depends on: `SEPT_VE_DISABLE`, which turns EPT
/// violations into exceptions. The other allowed bit, for debugging, has no CPUID bit.
const ATTRIBUTES: u64 = 1 << 28;
/// The width of guest-physical addresses that a TD can have.
const WIDTHS: [u32; 2] = [48, 52];

/// The guest's first vCPU: the module has one CPUID for all of them.
pub(super) fn guest(input: &Input<'_>, findings: &mut Findings) {
    let Some(guest) = input.guests.first() else { return };
    if guest.vendor != Some(Vendor::INTEL) {
        let at = guest.site(Leaf(0), Subleaf(0));
        findings.add(Kind::TdxRefused, guest, at, "the vendor is not GenuineIntel: TDX is Intel's");
        return;
    }
    for mut columns in rows(FACTS) {
        let kind = columns.next().unwrap_or_default();
        let Some((word, bits)) = word(&mut columns).zip(number(columns.next())) else { continue };
        row(guest, kind, word, bits, findings);
    }
    let width = guest.registers(0x8000_0008, 0).map_or(0, |registers| registers.eax >> 16 & 0xff);
    if !WIDTHS.contains(&width) {
        let what =
            format!("guest-physical addresses have {width} bits, but KVM accepts only 48 and 52 for a TD");
        let at = guest.site_of(0x8000_0008, 0, Register::Eax, 0x00ff_0000);
        findings.add(Kind::TdxRefused, guest, at, what);
    }
    if guest.registers(0x1f, 0).is_none() {
        let at = guest.site_of_leaf(Leaf(0x1f));
        findings.add(Kind::TdxDiffers, guest, at, "leaf 0x1F is missing: QEMU gives it to every TD");
    }
}

/// One row of the facts.
fn row(guest: &Guest<'_>, kind: &str, word: CpuidWord, bits: u32, findings: &mut Findings) {
    let here = if kind == "kvm" { of_kvm(guest, word) } else { Some(word) };
    let Some(word) = here else { return };
    let (leaf, subleaf) = (word.leaf, word.subleaf);
    let value = guest.registers(leaf.0, subleaf.0).map_or(0, |registers| registers[word.register]);
    let name = format!("0x{:X}.{}.{}", leaf.0, subleaf.0, word.register);
    let mut add = |kind, bits, what| {
        findings.add(kind, guest, guest.site_of_word(word, bits), what);
    };
    let of = |prefix: &str| kind.strip_prefix(prefix).and_then(|bit| bit.parse::<u32>().ok());
    match kind {
        "fixed" if bits & !value != 0 => {
            let lacks = bits & !value;
            let what = format!("{name} lacks {}, which TDX sets", bits_in_words(lacks));
            add(Kind::TdxForced, lacks, what);
        }
        "refused" if bits & value != 0 => {
            let set = bits & value;
            let what = format!("{name} has {}, which KVM refuses for a TD", bits_in_words(set));
            add(Kind::TdxRefused, set, what);
        }
        "kvm" if value & !bits != 0 => {
            let more = value & !bits;
            let what = format!("{name} has {}, KVM features that QEMU clears for a TD", bits_in_words(more));
            add(Kind::TdxDiffers, more, what);
        }
        _ => {}
    }
    if let Some(bit) = of("attribute:").filter(|bit| value & bits != 0 && ATTRIBUTES >> bit & 1 == 0) {
        let set = bits_in_words(value & bits);
        let what = format!("{name} has {set}, which needs bit {bit} of ATTRIBUTES, but KVM does not set it");
        add(Kind::TdxWithheld, value & bits, what);
    }
    if let Some(bit) = of("xfam:").filter(|bit| value & bits != 0 && !has_component(guest, *bit)) {
        let set = bits_in_words(value & bits);
        let what = format!("{name} has {set}, which needs XSAVE component {bit}, but 0xD lacks it");
        add(Kind::TdxWithheld, value & bits, what);
    }
}

/// A word of KVM's leaves, which may begin elsewhere.
fn of_kvm(guest: &Guest<'_>, word: CpuidWord) -> Option<CpuidWord> {
    let base = kvm_base(&guest.all)?;
    Some(CpuidWord::new(Leaf(base.0 + (word.leaf.0 & 0xff)), word.subleaf, word.register))
}

/// A component that the guest's XFAM, which follows leaf 0xD, has.
fn has_component(guest: &Guest<'_>, bit: u32) -> bool {
    let [user, supervisor] = [0, 1].map(|subleaf| guest.registers(0xd, subleaf).unwrap_or_default());
    (user.eax | supervisor.ecx) >> bit & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::FACTS;
    use crate::check::confidential::rows::{number, rows, word};

    #[test]
    fn every_row_is_read() {
        for mut columns in rows(FACTS) {
            let kind = columns.next().unwrap_or_default();
            let first = kind.split(':').next().unwrap_or_default();
            assert!(["fixed", "attribute", "xfam", "kvm", "refused"].contains(&first), "{kind}");
            assert!(word(&mut columns).is_some() && number(columns.next()).is_some_and(|bits| bits != 0));
        }
    }
}
