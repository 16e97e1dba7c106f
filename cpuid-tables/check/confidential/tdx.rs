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
use super::rows::{TdRow, TdRule};
use super::tdx_rows::ROWS;
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::table::Vendor;

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
    for row in ROWS {
        check(guest, *row, findings);
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

/// One rule.
fn check(guest: &Guest<'_>, row: TdRow, findings: &mut Findings) {
    let here = if row.rule == TdRule::Kvm { of_kvm(guest, row.word) } else { Some(row.word) };
    let Some(word) = here else { return };
    let (leaf, subleaf, bits) = (word.leaf, word.subleaf, row.bits);
    let value = guest.registers(leaf.0, subleaf.0).map_or(0, |registers| registers[word.register]);
    let (set, lacks, more) = (bits & value, bits & !value, value & !bits);
    let (kind, wrong, what) = match row.rule {
        TdRule::Fixed => (Kind::TdxForced, lacks, format!("lacks {}, which TDX sets", bits_in_words(lacks))),
        TdRule::Refused => {
            (Kind::TdxRefused, set, format!("has {}, which KVM refuses for a TD", bits_in_words(set)))
        }
        TdRule::Kvm => {
            let more_in_words = bits_in_words(more);
            (Kind::TdxDiffers, more, format!("has {more_in_words}, KVM features that QEMU clears for a TD"))
        }
        TdRule::Attribute(bit) if ATTRIBUTES >> bit & 1 == 0 => {
            let set_in_words = bits_in_words(set);
            let what =
                format!("has {set_in_words}, which needs bit {bit} of ATTRIBUTES, but KVM does not set it");
            (Kind::TdxWithheld, set, what)
        }
        TdRule::Xfam(bit) if !has_component(guest, bit) => {
            let set_in_words = bits_in_words(set);
            let what = format!("has {set_in_words}, which needs XSAVE component {bit}, but 0xD lacks it");
            (Kind::TdxWithheld, set, what)
        }
        TdRule::Attribute(_) | TdRule::Xfam(_) => return,
    };
    if wrong != 0 {
        let what = format!("0x{:X}.{}.{} {what}", leaf.0, subleaf.0, word.register);
        findings.add(kind, guest, guest.site_of_word(word, wrong), what);
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
    use super::ROWS;

    #[test]
    fn each_rule_has_bits() {
        assert!(ROWS.iter().all(|row| row.bits != 0));
    }
}
