//! Registers and bits that Linux prints at boot in a form of its own.
//!
//! ```text
//! Hyper-V: privilege flags low 0x2e7f, high 0x3b8030, hints 0x24e24, misc 0xbed7b2
//! x86/fpu: Supporting XSAVE feature 0x004: 'AVX registers'
//! clearcpuid: force-disabling CPU feature flag: 9:5
//! dependency check failure: CPU0 has '12*32+23' enabled but 'avx512bw' disabled.
//! ```
//!
//! A number of a word without a name is of the running kernel: each release with bits there has its own answer.

use alloc::vec::Vec;

use super::found::Found;
use super::names::by_name;
use super::places::at;
use crate::bits::location::{Bit, CpuidWord, Leaf, Place, Register, Subleaf};
use crate::show::decode::decode_hyperv_register;
use crate::show::enlightenment;

/// The values of a Hyper-V guest's message: what is before a number, and the register that has it.
static OF_HYPERV: &[(&str, u32, Register)] = &[
    ("privilege flags low ", 0x4000_0003, Register::Eax),
    ("features ", 0x4000_0003, Register::Eax),
    ("high ", 0x4000_0003, Register::Ebx),
    ("ext ", 0x4000_0003, Register::Ecx),
    ("hints ", 0x4000_0004, Register::Eax),
    ("misc ", 0x4000_0003, Register::Edx),
];

/// What a line states in one of these forms, and the enlightenments that it names.
pub(super) fn stated_in(text: &str) -> Vec<Found> {
    let mut all = Vec::new();
    for line in text.lines() {
        let folded = line.to_ascii_lowercase();
        all.extend(hyperv_values(&folded));
        all.extend(components(&folded));
        all.extend(differing_names(line));
        all.extend(word_bits(&folded));
        all.extend(enlightenments(&folded));
    }
    all
}

/// The registers of `Hyper-V: privilege flags low 0x2e7f, high ...`.
fn hyperv_values(folded: &str) -> Vec<Found> {
    let Some((_, rest)) = folded.split_once("hyper-v: ") else { return Vec::new() };
    if let Some(value) = rest.strip_prefix("nested features: ").and_then(number) {
        return alloc::vec![hyperv(0x4000_000a, Register::Eax, value)];
    }
    let stated = rest.split(", ").filter_map(|part| {
        let (_, leaf, register) =
            OF_HYPERV.iter().find(|(before, ..)| part.strip_prefix(before).and_then(number).is_some())?;
        let value = part.rsplit(' ').next().and_then(number)?;
        Some(hyperv(*leaf, *register, value))
    });
    stated.collect()
}

fn hyperv(leaf: u32, register: Register, value: u32) -> Found {
    Found::Value(decode_hyperv_register(CpuidWord::new(Leaf(leaf), Subleaf(0), register), value))
}

/// A number in hexadecimal, up to the end of a text.
fn number(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

/// The XSAVE component of `Supporting XSAVE feature 0x004`: a mask with one bit.
fn components(folded: &str) -> Vec<Found> {
    let Some((_, rest)) = folded.split_once("xsave feature ") else { return Vec::new() };
    let mask = rest.split([':', ' ']).next().and_then(number).filter(|mask| mask.is_power_of_two());
    let bit = mask.and_then(|mask| u8::try_from(mask.trailing_zeros()).ok()).map(Bit);
    let Some(bit) = bit else { return Vec::new() };
    // What a supervisor saves is in IA32_XSS; XCR0's register has names of the same bits.
    let words = [(1, Register::Ecx), (0, Register::Eax)];
    let words = words.map(|(subleaf, register)| CpuidWord::new(Leaf(0xd), Subleaf(subleaf), register));
    let found = words.into_iter().map(|word| at(Place::Bits(word, bit, bit)));
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

/// The names of `CPU0 has 'avx512_fp16' enabled but 'avx512bw' disabled`.
fn differing_names(line: &str) -> Vec<Found> {
    if !(line.contains("' enabled but '") && line.contains("' disabled")) {
        return Vec::new();
    }
    line.split('\'').skip(1).step_by(2).flat_map(by_name).collect()
}

/// Bits by their place in Linux's words: `12*32+23`, and `9:5` after `flag:` or `bits:`.
fn word_bits(folded: &str) -> Vec<Found> {
    let mut all = Vec::new();
    for (at_star, _) in folded.match_indices("*32+") {
        let word = folded[..at_star].rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        let after = folded[at_star + 4..].trim_start();
        let bit = after.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        all.extend(word_bit(word, bit));
    }
    for marker in ["flag:", "bits:"] {
        let Some((_, rest)) = folded.split_once(marker) else { continue };
        let pairs = rest.split_whitespace().filter_map(|pair| pair.split_once(':'));
        all.extend(pairs.flat_map(|(word, bit)| word_bit(word, bit)));
    }
    all
}

fn word_bit(word: &str, bit: &str) -> Vec<Found> {
    match alloc::format!("{word}*32+{bit}").parse() {
        Ok(place @ Place::LinuxBit(_)) => at(place),
        _ => Vec::new(),
    }
}

/// The enlightenments that QEMU names in its messages by the properties of `-cpu`: `(hv-stimer)`, `'hv-time'`.
fn enlightenments(folded: &str) -> Vec<Found> {
    let is_around = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let names = folded.split(is_around).filter(|word| word.starts_with("hv-") || word.starts_with("hv_"));
    names.flat_map(|name| enlightenment::named(name, false)).map(Found::Enlightenment).collect()
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::stated_in;

    fn headings(line: &str) -> Vec<String> {
        stated_in(line).iter().map(|one| one.to_string().lines().next().unwrap_or_default().into()).collect()
    }

    #[test]
    fn registers_and_bits_of_boot_messages() {
        if !crate::naming::pinned() {
            return;
        }
        for (line, expected) in [
            ("Hyper-V: Nested features: 0x20000", &["CPUID.(EAX=0x4000000A,ECX=0):EAX"][..]),
            ("x86/fpu: Supporting XSAVE feature 0x004: 'AVX registers'", &["CPUID.(EAX=0xD,ECX=0):EAX[2]"]),
            ("x86/fpu: Supporting XSAVE feature 0x800: 'u'", &["CPUID.(EAX=0xD,ECX=1):ECX[11]"]),
            ("x86/fpu: Supporting XSAVE feature 0x006: 'u'", &[]),
            ("CPU1 has 'avx512f' enabled but 'avx2' disabled.", &["avx512f:", "avx2:"]),
            ("CPU1 has 'no-such' enabled but '9*32+ 5' disabled.", &["9*32+5 of Linux 6.1"; 1]),
            ("clearcpuid: force-disabling CPU feature flag: 4:0", &["4*32+0 of Linux 6.1"; 1]),
            ("a line with 1*32+ and *32+5 and flag: x:y", &[]),
            ("Hyper-V synthetic timers (hv-stimer) requires Hyper-V é (hv-nothing)", &["hv-stimer:"]),
        ] {
            let found = headings(line);
            let first: Vec<&str> = found.iter().map(String::as_str).take(expected.len()).collect();
            assert!(first.len() == expected.len(), "{line}: {found:?}");
            assert!(
                first.iter().zip(expected).all(|(found, part)| found.contains(part)),
                "{line}: {found:?}"
            );
            assert!(!expected.is_empty() || found.is_empty(), "{line}: {found:?}");
        }
        let line =
            "Hyper-V: privilege flags low 0x2e7f, high 0x3b8030, ext 0x2, hints 0x24e24, misc 0xbed7b2";
        let found = stated_in(line);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].to_string().contains("reference_tsc"), "{}", found[0]);
    }
}
