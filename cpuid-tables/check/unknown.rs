//! Bits without a name.

use alloc::format;

use super::finding::bits_in_words;
use super::guest::Guest;
use super::{Findings, Input, Kind};
use crate::bits::description::describe;
use crate::bits::known_places::AMD_ALIASES;
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::bits::own_fields;
use crate::bits::release::{LinuxRelease, QemuRelease};
use crate::host::Host;
use crate::table::CpuidRead;

/// Unknown bits of registers that hold features.
pub(super) fn bits(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        for (word, here, value) in guest.feature_words() {
            let known = describe(word).fold(described(word), |known, part| known | part.mask());
            // No KVM that is known here supports a bit that only a manual names.
            let own = own_fields::at(word).fold(0, |own, field| own | field.mask());
            let known = if input.host.is_some() { known & !own } else { known };
            unnamed(guest, here, value & !known, input.host, findings);
        }
    }
}

/// Bits that are in no table of features or fields, with their meaning.
static DESCRIBED: &[(CpuidWord, u32, &str)] = &[
    (CpuidWord::new(Leaf(0x8000_0001), Subleaf(0), Register::Edx), AMD_ALIASES, "AMD's copies of 1.EDX"),
    (CpuidWord::new(Leaf(0x24), Subleaf(0), Register::Ebx), 0xff, "AVX10's version"),
];

fn described(word: CpuidWord) -> u32 {
    DESCRIBED.iter().filter(|row| row.0 == word).fold(0, |bits, row| bits | row.1)
}

fn unnamed(guest: &Guest<'_>, word: CpuidWord, bits: u32, host: Option<&Host>, findings: &mut Findings) {
    let supported = host.map_or(0, |host| host.supported.word(word));
    // This host's KVM supports these bits.
    let bits = bits & !supported;
    if bits == 0 {
        return;
    }
    let (which, at) = (bits_in_words(bits), guest.site_of_word(word, bits));
    let releases = format!("Linux {} or QEMU {}", LinuxRelease::NEWEST, QemuRelease::NEWEST);
    let what = format!("{word} has {which} set, which no release up to {releases} names");
    if host.is_some() {
        let what = format!("{what} and KVM on this host does not support");
        findings.add(Kind::BitNotSupported, guest, at, what);
    } else {
        findings.add(Kind::UnknownBit, guest, at, what);
    }
}
