//! Reserved bits of leaves that hold numbers.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E. A bit that both manuals name, or that an older edition
//! named, does not count as reserved. SEV-SNP's firmware compares a guest's CPUID page with what it allows and refuses the launch
//! (SEV-SNP Firmware ABI, "SNP_LAUNCH_UPDATE", CPUID page).
//!
//! [`unknown`](super::unknown) checks registers of features. 0x80000006 and 0x80000008's ECX are not checked for Intel: QEMU
//! writes AMD's numbers there for guests of every vendor, and guests on Intel do not read them.

use alloc::format;
use core::ops::RangeInclusive;

use super::finding::bits_in_words;
use super::guest::Guest;
use super::{Findings, Input, Kind};
use crate::bits::location::{CpuidPlace, CpuidWord, Register};
use crate::table::{CpuidEntry, IndexedLeaf, Vendor};

use Register::{Eax, Ebx, Ecx, Edx};

/// The vendor whose manual reserves the bits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manual {
    Intel,
    Amd,
    Both,
}

/// The manual, the leaf, its subleaves, the register and the reserved bits.
struct Row(Manual, u32, RangeInclusive<u32>, Register, u32);

const ALL: u32 = u32::MAX;
const ANY: RangeInclusive<u32> = 0..=u32::MAX;
const ZERO: RangeInclusive<u32> = 0..=0;

/// By leaf.
static ROWS: &[Row] = &[
    Row(Manual::Both, 0x1, ZERO, Eax, 0xf000_c000),
    Row(Manual::Intel, 0x4, ANY, Eax, 0x3c00),
    Row(Manual::Intel, 0x4, ANY, Edx, !0x7),
    Row(Manual::Both, 0x5, ZERO, Eax, 0xffff_0000),
    Row(Manual::Both, 0x5, ZERO, Ebx, 0xffff_0000),
    Row(Manual::Intel, 0x5, ZERO, Ecx, !0xb),
    Row(Manual::Amd, 0x5, ZERO, Ecx, !0x3),
    Row(Manual::Amd, 0x5, ZERO, Edx, ALL),
    Row(Manual::Intel, 0x6, ZERO, Ebx, !0xf),
    Row(Manual::Amd, 0x6, ZERO, Ebx, ALL),
    Row(Manual::Intel, 0x6, ZERO, Ecx, !0xff0b),
    Row(Manual::Amd, 0x6, ZERO, Ecx, !0x1),
    Row(Manual::Intel, 0x6, ZERO, Edx, 0x0000_f000),
    Row(Manual::Amd, 0x6, ZERO, Edx, ALL),
    Row(Manual::Intel, 0xa, ZERO, Ebx, !0x1fff),
    Row(Manual::Intel, 0xa, ZERO, Edx, 0xfff0_6000),
    Row(Manual::Both, 0xb, ANY, Eax, !0x1f),
    Row(Manual::Both, 0xb, ANY, Ebx, 0xffff_0000),
    Row(Manual::Both, 0xb, ANY, Ecx, 0xffff_0000),
    Row(Manual::Intel, 0xd, 2..=62, Ecx, !0x7),
    Row(Manual::Amd, 0xd, 2..=62, Ecx, !0x7),
    Row(Manual::Both, 0xd, 2..=62, Edx, ALL),
    Row(Manual::Intel, 0xf, ZERO, Eax, ALL),
    Row(Manual::Intel, 0xf, ZERO, Ecx, ALL),
    Row(Manual::Intel, 0x12, ZERO, Ecx, ALL),
    Row(Manual::Intel, 0x12, ZERO, Edx, 0xffff_0000),
    Row(Manual::Intel, 0x12, 2..=u32::MAX, Eax, 0x0ff0),
    Row(Manual::Intel, 0x12, 2..=u32::MAX, Ebx, 0xfff0_0000),
    Row(Manual::Intel, 0x12, 2..=u32::MAX, Ecx, 0x0ff0),
    Row(Manual::Intel, 0x12, 2..=u32::MAX, Edx, 0xfff0_0000),
    Row(Manual::Intel, 0x14, ZERO, Edx, ALL),
    Row(Manual::Intel, 0x14, 1..=1, Eax, 0x0000_f800),
    Row(Manual::Intel, 0x14, 1..=1, Edx, ALL),
    Row(Manual::Intel, 0x15, ZERO, Edx, ALL),
    Row(Manual::Intel, 0x16, ZERO, Eax, 0xffff_0000),
    Row(Manual::Intel, 0x16, ZERO, Ebx, 0xffff_0000),
    Row(Manual::Intel, 0x16, ZERO, Ecx, 0xffff_0000),
    Row(Manual::Intel, 0x16, ZERO, Edx, ALL),
    Row(Manual::Intel, 0x18, ANY, Ebx, 0x0000_f8f0),
    Row(Manual::Intel, 0x18, ANY, Edx, 0xfc00_3e00),
    Row(Manual::Intel, 0x1a, ZERO, Ecx, ALL),
    Row(Manual::Intel, 0x1a, ZERO, Edx, ALL),
    Row(Manual::Intel, 0x1c, ZERO, Edx, ALL),
    Row(Manual::Intel, 0x1d, ZERO, Ebx, ALL),
    Row(Manual::Intel, 0x1d, ZERO, Ecx, ALL),
    Row(Manual::Intel, 0x1d, ZERO, Edx, ALL),
    Row(Manual::Intel, 0x1d, 1..=1, Ecx, 0xffff_0000),
    Row(Manual::Intel, 0x1d, 1..=1, Edx, ALL),
    Row(Manual::Intel, 0x1e, ZERO, Ebx, 0xff00_0000),
    Row(Manual::Intel, 0x1e, ZERO, Ecx, ALL),
    Row(Manual::Intel, 0x1e, ZERO, Edx, ALL),
    Row(Manual::Both, 0x1f, ANY, Eax, !0x1f),
    Row(Manual::Both, 0x1f, ANY, Ebx, 0xffff_0000),
    Row(Manual::Both, 0x1f, ANY, Ecx, 0xffff_0000),
    Row(Manual::Intel, 0x24, ZERO, Ecx, ALL),
    Row(Manual::Intel, 0x24, ZERO, Edx, ALL),
    Row(Manual::Both, 0x8000_0001, ZERO, Eax, 0xf000_c000),
    Row(Manual::Amd, 0x8000_0001, ZERO, Ebx, 0x0fff_0000),
    Row(Manual::Amd, 0x8000_0006, ZERO, Edx, 0x0003_0000),
    Row(Manual::Intel, 0x8000_0007, ZERO, Eax, ALL),
    Row(Manual::Intel, 0x8000_0007, ZERO, Ecx, ALL),
    Row(Manual::Both, 0x8000_0008, ZERO, Eax, 0xff00_0000),
    Row(Manual::Amd, 0x8000_0008, ZERO, Ecx, 0xfffc_0000),
    Row(Manual::Intel, 0x8000_0008, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_000a, ZERO, Eax, 0xffff_ff00),
    Row(Manual::Amd, 0x8000_0019, ZERO, Ecx, ALL),
    Row(Manual::Amd, 0x8000_0019, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_001a, ZERO, Ebx, ALL),
    Row(Manual::Amd, 0x8000_001a, ZERO, Ecx, ALL),
    Row(Manual::Amd, 0x8000_001a, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_001b, ZERO, Ebx, ALL),
    Row(Manual::Amd, 0x8000_001b, ZERO, Ecx, ALL),
    Row(Manual::Amd, 0x8000_001b, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_001d, ANY, Eax, 0xfc00_3c00),
    Row(Manual::Amd, 0x8000_001d, ANY, Edx, !0x3),
    Row(Manual::Amd, 0x8000_001e, ZERO, Ebx, 0xffff_0000),
    Row(Manual::Amd, 0x8000_001e, ZERO, Ecx, 0xffff_f800),
    Row(Manual::Amd, 0x8000_001e, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_001f, ZERO, Ebx, 0x7fff_0000),
    Row(Manual::Amd, 0x8000_0020, ZERO, Eax, ALL),
    Row(Manual::Amd, 0x8000_0020, ZERO, Ecx, ALL),
    Row(Manual::Amd, 0x8000_0020, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_0021, ZERO, Ebx, 0xff00_0000),
    Row(Manual::Amd, 0x8000_0021, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_0022, ZERO, Ebx, 0xffc0_0000),
    Row(Manual::Amd, 0x8000_0022, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_0023, ZERO, Ebx, 0xffff_0000),
    Row(Manual::Amd, 0x8000_0023, ZERO, Ecx, ALL),
    Row(Manual::Amd, 0x8000_0023, ZERO, Edx, ALL),
    Row(Manual::Amd, 0x8000_0026, ANY, Eax, 0x1fff_ffe0),
    Row(Manual::Amd, 0x8000_0026, ANY, Ecx, 0xffff_0000),
];

/// What to do about "complex indexing" in 0x8000001D.
pub(super) const COMPLEX_INDEXING: &str = "clear it; QEMU before 10.0 writes Intel's \"complex indexing\" there: use EPYC-v4, EPYC-Rome-v4, EPYC-Milan-v2, or a newer version of the model";

/// Bits with a known cause: leaf, register, bits, and what to do.
static WRITERS: &[(u32, Register, u32, &str)] = &[(0x8000_001d, Edx, 0x4, COMPLEX_INDEXING)];

/// Reserved bits that are set, by the manual of the table's vendor.
pub(super) fn bits(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let manual = match guest.vendor {
            Some(Vendor::INTEL) => Manual::Intel,
            Some(_) if guest.is_amd() => Manual::Amd,
            _ => continue,
        };
        for (at, entry) in guest.entries.iter().enumerate() {
            // An entry that KVM never uses has no effect.
            let first = guest.entries.iter().position(|other| other.answers(entry.function, entry.subleaf()));
            if first == Some(at) {
                of_entry(guest, manual, entry, findings);
            }
        }
    }
}

fn of_entry(guest: &Guest<'_>, manual: Manual, entry: &CpuidEntry, findings: &mut Findings) {
    let (leaf, subleaf) = (entry.function.0, entry.subleaf());
    let by = if manual == Manual::Intel { "Intel" } else { "AMD" };
    for Row(_, _, _, register, reserved) in ROWS.iter().filter(|row| {
        (row.0 == manual || row.0 == Manual::Both) && row.1 == leaf && row.2.contains(&subleaf.0)
    }) {
        let set = entry.register(*register) & reserved;
        if set == 0 {
            continue;
        }
        let subleaf_if_any = IndexedLeaf::get(entry.function).map(|_| subleaf);
        let place =
            CpuidPlace { leaf: entry.function, subleaf: subleaf_if_any, register: Some(*register), bits: 0 };
        let what = format!("{place} has {}, reserved by {by}'s manual", bits_in_words(set));
        let at = guest.site_of_word(CpuidWord::new(entry.function, subleaf, *register), set);
        let finding = findings.add(Kind::ReservedBits, guest, at, what);
        let writer = WRITERS.iter().find(|row| row.0 == leaf && row.1 == *register && row.2 == set);
        if let Some(writer) = writer {
            finding.help_by(writer.3);
        }
    }
}
