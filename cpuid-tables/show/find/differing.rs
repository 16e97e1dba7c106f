//! Bits of a register that a line gives two values for: what a guest needs, and what a host has.
//!
//! Cloud Hypervisor prints both values, VMware 32 binary digits of each, with `x` for what does not matter:
//!
//! ```text
//! leaf=0x07 (subleaf=0x00), register='EBX', ..., source VM feature='0x219c07ab', destination VM feature='0x219c07a9'.
//! CPUID details: incompatibility at level 0x1 register 'ecx'. Host bits: 0000:...:0001 Required: 1000:...:x00x
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::found::Found;
use super::places::at;
use crate::bits::location::{Bit, CpuidWord, Place};

/// The bits of a line's register that differ, or the register where it has no values.
pub(super) fn differing_in(text: &str) -> Vec<Found> {
    let folded = text.to_ascii_lowercase();
    let of_vmware = || {
        let word = register(&folded, "level ", "register")?;
        Some((word, needed_digits(&folded).unwrap_or_default()))
    };
    let of_cloud_hypervisor = || {
        let (_, after) = folded.split_once("leaf=")?;
        let word = register(after, "", "register=")?;
        let mut values = after.split("feature=").skip(1).map(number);
        let lost = values.next()?? & !values.next()??;
        Some((word, lost))
    };
    let Some((word, lost)) = of_cloud_hypervisor().or_else(of_vmware) else { return Vec::new() };
    let bits = (0..32).map(Bit).filter(|bit| lost >> bit.0 & 1 != 0);
    let found: Vec<Found> = bits.flat_map(|bit| at(Place::Bits(word, bit, bit))).collect();
    if found.is_empty() { at(Place::Register(word)) } else { found }
}

/// The words of a text, without what surrounds them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\'', '"', '.', ',', '(', ')', '\n', '\t']).filter(|word| !word.is_empty())
}

/// A number in hexadecimal, behind a quote.
fn number(text: &str) -> Option<u32> {
    u32::from_str_radix(words(text).next()?.strip_prefix("0x")?, 16).ok()
}

/// The register after a leaf, a subleaf if there is one, and a word.
fn register(folded: &str, before: &str, word: &str) -> Option<CpuidWord> {
    let (_, after) = folded.split_once(before)?;
    let mut words = words(after);
    let leaf = words.next()?;
    let mut next = words.next()?;
    let mut subleaf = "0";
    if let Some(index) = next.strip_prefix("subleaf=") {
        (subleaf, next) = (index, words.next()?);
    }
    let register = if next == word { words.next()? } else { next.strip_prefix(word)? };
    match format!("{leaf}.{subleaf}.{register}").parse() {
        Ok(Place::Register(word)) => Some(word),
        _ => None,
    }
}

/// Bits that are required to be 1 or 0, and are not.
fn needed_digits(folded: &str) -> Option<u32> {
    let digits = |after: &str| -> Option<String> {
        let (_, rest) = folded.split_once(after)?;
        let digits = rest.trim_start().chars().take_while(|c| matches!(c, '0' | '1' | 'x' | ':'));
        Some(digits.filter(|c| *c != ':').collect()).filter(|digits: &String| digits.len() == 32)
    };
    let (host, required) = (digits("host bits:")?, digits("required:")?);
    let differ =
        host.chars().zip(required.chars()).map(|(host, required)| required != 'x' && host != required);
    Some(differ.fold(0, |bits, differs| bits << 1 | u32::from(differs)))
}

#[cfg(test)]
mod tests {
    use super::differing_in;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn bits_that_a_host_lacks() {
        if !crate::naming::pinned() {
            return;
        }
        let host = "Host bits: 0000:0000:0000:0000:0000:0000:0000:0001";
        let vmware = "CPUID details: incompatibility at level 0x1 register 'ecx'.";
        let needs = "Required: xx0x:0010:0000:xxx0:0000:000x:xxxx:x0x1";
        for (line, expected) in [
            (format!("{vmware} {host} {needs}"), &["aes"][..]),
            (format!("{vmware}\n{host}\n{needs}"), &["aes"]),
            (
                "leaf=0x07 (subleaf=0x00), register='EBX', compatible_check='BitwiseSubset', source VM \
                 feature='0x219c07ab', destination VM feature='0x219c0789'."
                    .to_string(),
                &["tsc_adjust", "avx2"],
            ),
            (vmware.to_string(), &["CPUID.(EAX=1,ECX=0):ECX"]),
            ("leaf=7, register='EBX'".to_string(), &[]),
            ("a level of register ecx".to_string(), &[]),
        ] {
            let found: Vec<_> = differing_in(&line).iter().map(ToString::to_string).collect();
            assert_eq!(found.len(), expected.len(), "{line}: {found:?}");
            assert!(found.iter().zip(expected).all(|(found, name)| found.starts_with(name)), "{found:?}");
        }
    }

    use alloc::format;
}
