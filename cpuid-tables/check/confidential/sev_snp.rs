//! The CPUID page of an SEV-SNP guest. The hypervisor passes it to the firmware with `SNP_LAUNCH_UPDATE`; the firmware refuses it
//! unless every value is one that the processor could have, and the launch fails.
//!
//! "SEV Secure Nested Paging Firmware ABI", CPUID page and `SNP_LAUNCH_UPDATE` (at most 64 functions, and which leaves are
//! checked: as Linux's arch/x86/include/asm/sev.h cites it, and as the published firmware does). The rules of leaf 0xD's
//! EBX are not here: QEMU and other VMMs write 0x240 there for XCR0_IN 1, whatever the table has (target/i386/sev.c).

use alloc::format;

use super::super::finding::bits_in_words;
use super::super::guest::Guest;
use super::super::{Findings, Input, Kind};
use super::rows::{PageRow, PageRule};
use super::sev_snp_rows::ROWS;
use crate::bits::location::{Leaf, Register, Subleaf};
use crate::host::Host;
use crate::table::{CpuidEntry, Vendor, find_entry};

/// The most functions of a page.
const MOST: usize = 64;
/// The leaf that informs a guest that it is encrypted, and the bits of SEV, SEV-ES and SEV-SNP in its EAX.
const ENCRYPTION: Leaf = Leaf(0x8000_001f);
const ENCRYPTED: u32 = 0x1a;
/// Leaf 1's and 0x80000001's signature.
const SIGNATURES: [Leaf; 2] = [Leaf(1), Leaf(0x8000_0001)];

/// Only these ranges are checked.
fn is_checked(leaf: Leaf) -> bool {
    matches!(leaf.0, 0..=0xffff | 0x8000_0000..=0x8000_ffff)
}

/// The page of each vCPU's table. The hypervisor makes one page of the first vCPU's, which every vCPU reads.
pub(super) fn page(input: &Input<'_>, findings: &mut Findings) {
    let Some(guest) = input.guests.first() else { return };
    if guest.vendor != Some(Vendor::AMD) {
        let at = guest.site(Leaf(0), Subleaf(0));
        findings.add(Kind::SevSnpRefused, guest, at, "the vendor is not AuthenticAMD: SEV-SNP is AMD's");
        return;
    }
    if guest.all.len() > MOST {
        let what = format!("the table has {} entries, but the page holds at most {MOST}", guest.all.len());
        findings.add(Kind::SevSnpRefused, guest, guest.site_of_entry(MOST), what);
    }
    let host = input.host.filter(|host| is_amd(host));
    for entry in guest.all.iter().filter(|entry| is_checked(entry.function)) {
        let place = (entry.function, entry.subleaf());
        let mut rows = ROWS.iter().filter(|row| (row.word.leaf, row.word.subleaf) == place).peekable();
        if rows.peek().is_none() {
            unknown(guest, entry, findings);
        }
        for row in rows {
            check(guest, entry, row, host, findings);
        }
        if let Some(host) = host.filter(|_| SIGNATURES.contains(&entry.function)) {
            signature(guest, entry, host, findings);
        }
    }
    let sev = guest.registers(ENCRYPTION.0, 0).map_or(0, |registers| registers.eax);
    if sev & ENCRYPTED != ENCRYPTED {
        let what = "0x8000001F.EAX lacks SEV, SEV-ES or SEV-SNP: QEMU and Linux's guests expect them";
        let at = guest.site_of(ENCRYPTION.0, 0, Register::Eax, ENCRYPTED);
        findings.add(Kind::SevSnpDiffers, guest, at, what);
    }
}

fn is_amd(host: &Host) -> bool {
    let first = find_entry(&host.instruction, Leaf(0), Subleaf(0));
    first.is_some_and(|entry| Vendor::from_registers(entry.registers) == Vendor::AMD)
}

/// A leaf that the firmware does not know.
fn unknown(guest: &Guest<'_>, entry: &CpuidEntry, findings: &mut Findings) {
    if entry.registers.to_array() == [0; 4] {
        return;
    }
    let (leaf, subleaf) = (entry.function, entry.subleaf());
    let what = format!(
        "the firmware does not know leaf 0x{:X}, subleaf {}: it must be all zeros",
        leaf.0, subleaf.0
    );
    findings.add(Kind::SevSnpRefused, guest, guest.site(leaf, subleaf), what);
}

/// One rule. With a host, the processor's own value takes the place of the firmware's number.
fn check(guest: &Guest<'_>, entry: &CpuidEntry, row: &PageRow, host: Option<&Host>, findings: &mut Findings) {
    let PageRow { word, rule, bits, value } = *row;
    let given = entry.register(word.register) & bits;
    let of_host = host.and_then(|host| find_entry(&host.instruction, word.leaf, word.subleaf));
    let of_host = of_host.map(|entry| entry.register(word.register) & bits);
    // A value that must be zero is zero on every processor.
    let (value, whose) = match of_host.filter(|_| rule != PageRule::Exact || value != 0) {
        Some(value) => (value, "the host's processor"),
        None => (value, "the firmware of Genoa"),
    };
    let name = format!("0x{:X}.{}.{}", word.leaf.0, word.subleaf.0, word.register);
    let (wrong, what) = match rule {
        PageRule::Unchecked => return,
        PageRule::Subset => {
            let more = given & !value;
            (more, format!("{name} has {}, which {whose} does not have", bits_in_words(more)))
        }
        PageRule::Exact if value == 0 => {
            (given, format!("{name} has {}, which must be 0", bits_in_words(given)))
        }
        PageRule::Exact => {
            let wrong = if given == value { 0 } else { bits };
            (wrong, format!("{name} is {given:#x}, but {whose} has {value:#x}"))
        }
        PageRule::AtMost => {
            let wrong = if given > value { bits } else { 0 };
            let shift = bits.trailing_zeros();
            (wrong, format!("{name} is {:#x}, but {whose} has {:#x}", given >> shift, value >> shift))
        }
    };
    if wrong != 0 {
        let finding = findings.add(Kind::SevSnpRefused, guest, guest.site_of_word(word, wrong), what);
        if word.leaf == Leaf(0x8000_001d) && wrong == 4 {
            finding.help_by(super::super::reserved::COMPLEX_INDEXING);
        }
    }
}

/// The signature is not newer than the processor's: family, then model, then stepping.
fn signature(guest: &Guest<'_>, entry: &CpuidEntry, host: &Host, findings: &mut Findings) {
    let Some(own) = find_entry(&host.instruction, entry.function, Subleaf(0)) else { return };
    let parts = |eax: u32| {
        let (family, model) = ((eax >> 8 & 0xf) + (eax >> 20 & 0xff), (eax >> 4 & 0xf) + (eax >> 16 & 0xf));
        (family, model, eax & 0xf)
    };
    let (given, own) = (entry.registers.eax, own.registers.eax);
    if parts(given) > parts(own) {
        let leaf = entry.function.0;
        let what = format!("0x{leaf:X}.0.EAX is {given:#x}, a newer processor than the host's {own:#x}");
        let at = guest.site_of(leaf, 0, Register::Eax, 0);
        findings.add(Kind::SevSnpRefused, guest, at, what);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::PageRule;
    use super::ROWS;

    #[test]
    fn each_rule_has_its_bits_and_a_value_among_them() {
        assert!(ROWS.iter().all(|row| (row.rule == PageRule::Unchecked) == (row.bits == 0)));
        assert!(ROWS.iter().all(|row| row.value & !row.bits == 0));
    }
}
