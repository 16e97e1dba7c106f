//! Places of CPUID as people write them.
//!
//! | written | meaning |
//! |---|---|
//! | `7`, `0x80000008`, `0xd.1`, `CPUID.(EAX=7,ECX=0)`, `Fn8000_0008` | a leaf, or one of its subleaves |
//! | `7.0.ebx`, `CPUID.07H.0H:EBX`, `Fn8000_0008_EBX` | a register |
//! | `7.0.ebx[5]`, `CPUID.(EAX=7,ECX=0):EBX[5]`, `CPUID.07H:EBX.avx2 [bit 5]`, `1.eax[11:8]` | bits of it |
//! | `7.0.ebx=0x219c95a9` | a register's value |
//! | `9*32+5`, `( 9*32+ 5)` | a bit of Linux's words |
//! | `0x48c[21]`, `MSR 0x10a[8]` | a bit of an MSR, where no register is named |
//!
//! A register named without a subleaf is subleaf 0's. Numbers are decimal, or hexadecimal with `0x` before or `h` after
//! them; after `Fn` they are hexadecimal.

use alloc::string::{String, ToString};

use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf, Word, WordBit};

/// What a text points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A leaf, or one of its subleaves.
    Leaf(Leaf, Option<Subleaf>),
    /// A register.
    Register(CpuidWord),
    /// Bits of a register: the lowest, then the highest.
    Bits(CpuidWord, Bit, Bit),
    /// A register and its value.
    Value(CpuidWord, u32),
    /// A bit of Linux's words.
    LinuxBit(WordBit),
    /// A bit of an MSR.
    MsrBit(Msr, Bit),
}

impl Place {
    /// Reads one; none if the text is no place, which may well be a name.
    #[must_use]
    pub fn read(text: &str) -> Option<Place> {
        let folded: String =
            text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
        if let Some((word, bit)) = folded.split_once("*32+") {
            return linux_bit(word.trim_start_matches('('), bit.trim_end_matches(')'));
        }
        if let Some(rest) = folded.strip_prefix("msr") {
            return msr_bit(rest.trim_matches(['(', ')', ':']));
        }
        let rest = folded.strip_prefix("cpuid").map_or(folded.as_str(), |rest| rest.trim_start_matches('.'));
        match rest.strip_prefix("fn") {
            Some(amd) => of_amd(amd),
            None => of_intel(rest),
        }
    }
}

fn linux_bit(word: &str, bit: &str) -> Option<Place> {
    let bit = number(bit).filter(|&bit| bit < 32)?;
    let word = Word(u16::try_from(number(word)?).ok()?);
    Some(Place::LinuxBit(WordBit { word, bit: low_byte(bit) }))
}

fn msr_bit(text: &str) -> Option<Place> {
    let (msr, bit) = text.strip_suffix(']')?.split_once('[')?;
    let bit = number(bit).filter(|&bit| bit < 64)?;
    Some(Place::MsrBit(Msr(number(msr)?), low_byte(bit)))
}

/// `8000_0008_ebx[12]`, `8000_001d_eax_x0[4:0]`.
fn of_amd(text: &str) -> Option<Place> {
    let (at, rest) = text.find("_e").map_or((text, ""), |end| (&text[..end], &text[end + 1..]));
    let leaf = Leaf(u32::from_str_radix(&at.replace('_', ""), 16).ok()?);
    if rest.is_empty() {
        return Some(Place::Leaf(leaf, None));
    }
    let (register, mut rest) = register(rest)?;
    let mut subleaf = Subleaf(0);
    if let Some(x) = rest.strip_prefix("_x") {
        let end = x.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(x.len());
        subleaf = Subleaf(u32::from_str_radix(&x[..end], 16).ok()?);
        rest = &x[end..];
    }
    of_register(CpuidWord { leaf, subleaf, register }, rest)
}

/// `7.0.ebx[5]`, `(eax=7,ecx=0):ebx[5]`, `07h.0h:ebx.avx2[bit5]`.
fn of_intel(text: &str) -> Option<Place> {
    let (leaf, subleaf, rest) = match text.strip_prefix('(') {
        Some(inside) => {
            let (inside, rest) = inside.split_once(')')?;
            let (leaf, subleaf) = inside.split_once(',').map_or((inside, None), |(a, b)| (a, Some(b)));
            let leaf = number(leaf.strip_prefix("eax=").unwrap_or(leaf))?;
            let subleaf =
                subleaf.map(|text| number(text.strip_prefix("ecx=").unwrap_or(text)).ok_or(())).transpose();
            (leaf, subleaf.ok()?, rest)
        }
        None => {
            let (leaf, rest) = leading_number(text.strip_prefix("eax=").unwrap_or(text))?;
            match rest.strip_prefix(['.', ',']).map(|rest| rest.strip_prefix("ecx=").unwrap_or(rest)) {
                Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => {
                    let (subleaf, rest) = leading_number(after)?;
                    (leaf, Some(subleaf), rest)
                }
                _ => (leaf, None, rest),
            }
        }
    };
    let (leaf, subleaf) = (Leaf(leaf), subleaf.map(Subleaf));
    if rest.is_empty() {
        return Some(Place::Leaf(leaf, subleaf));
    }
    if subleaf.is_none() && rest.starts_with('[') {
        let bit = number(rest.strip_prefix('[')?.strip_suffix(']')?).filter(|&bit| bit < 64)?;
        return Some(Place::MsrBit(Msr(leaf.0), low_byte(bit)));
    }
    let (register, rest) = register(rest.strip_prefix(['.', ':'])?)?;
    of_register(CpuidWord { leaf, subleaf: subleaf.unwrap_or(Subleaf(0)), register }, rest)
}

/// What stands after a register: nothing, bits, or a value.
fn of_register(word: CpuidWord, rest: &str) -> Option<Place> {
    if rest.is_empty() {
        return Some(Place::Register(word));
    }
    if let Some(value) = rest.strip_prefix('=') {
        return Some(Place::Value(word, number(value)?));
    }
    // A name may stand between, as in QEMU's messages and Intel's manual; the bit is what counts.
    let (name, bits) = rest.strip_suffix(']')?.split_once('[')?;
    if !(name.is_empty() || name.starts_with('.')) {
        return None;
    }
    let bits = bits.strip_prefix("bits").or_else(|| bits.strip_prefix("bit")).unwrap_or(bits);
    let (high, low) = bits.split_once([':', '-']).unwrap_or((bits, bits));
    let (high, low) = (number(high)?, number(low)?);
    let (low, high) = (low.min(high), low.max(high));
    (high < 32).then(|| Place::Bits(word, low_byte(low), low_byte(high)))
}

fn register(text: &str) -> Option<(Register, &str)> {
    let name = text.get(..3)?;
    let found = Register::ALL.into_iter().find(|register| register.name().eq_ignore_ascii_case(name))?;
    Some((found, &text[3..]))
}

/// The number that a text starts with.
fn leading_number(text: &str) -> Option<(u32, &str)> {
    let digits = text.strip_prefix("0x").map_or(0, |_| 2);
    let hexadecimal = text[digits..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len() - digits);
    let end = digits + hexadecimal;
    let end = if text[end..].starts_with('h') { end + 1 } else { end };
    Some((number(&text[..end])?, &text[end..]))
}

/// `12`, `0x1f`, `1fh`.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match (text.strip_prefix("0x"), text.strip_suffix('h')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) => (digits, 16),
        (None, None) => (text, 10),
    };
    // `from_str_radix` takes a sign.
    let plain = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain)
}

const fn low_byte(number: u32) -> Bit {
    Bit(number.to_le_bytes()[0])
}

/// Bits in words: `3, 17-19`.
#[must_use]
pub fn bit_list(bits: u32) -> String {
    let mut text = String::new();
    let mut left = bits;
    while left != 0 {
        let low = left.trailing_zeros();
        let run = (left >> low).trailing_ones();
        if !text.is_empty() {
            text += ", ";
        }
        text += &low.to_string();
        if run > 1 {
            text += "-";
            text += &(low + run - 1).to_string();
        }
        left &= u32::MAX.checked_shl(low + run).unwrap_or(0);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Place, bit_list};
    use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf, Word, WordBit};

    #[test]
    fn every_way_of_writing_a_place() {
        let ebx = CpuidWord::new(7, 0, Register::Ebx);
        let avx2 = Some(Place::Bits(ebx, Bit(5), Bit(5)));
        for text in [
            "7.0.ebx[5]",
            "7.ebx[5]",
            "0x7.0.EBX[5]",
            "7.0:ebx[5]",
            "CPUID.(EAX=7,ECX=0):EBX[5]",
            "(eax=7, ecx=0):ebx[5]",
            "CPUID.(EAX=07H,ECX=0H):EBX.AVX2[bit 5]",
            "CPUID.07H:EBX.avx2 [bit 5]",
            "CPUID.07H.0H:EBX[5]",
            "Fn0000_0007_EBX[5]",
            "CPUID Fn0000_0007_EBX_x0[5]",
        ] {
            assert_eq!(Place::read(text), avx2, "{text}");
        }
        let eax = CpuidWord::new(0x8000_001d, 2, Register::Eax);
        for text in ["0x8000001d.2.eax[4:0]", "Fn8000_001D_EAX_x2[4:0]", "8000001Dh.2.eax[bits 0-4]"] {
            assert_eq!(Place::read(text), Some(Place::Bits(eax, Bit(0), Bit(4))), "{text}");
        }
        assert_eq!(Place::read("7.0.ebx"), Some(Place::Register(ebx)));
        assert_eq!(Place::read("CPUID.(EAX=7,ECX=0):EBX = 0x21"), Some(Place::Value(ebx, 0x21)));
        assert_eq!(Place::read("0x80000008"), Some(Place::Leaf(Leaf(0x8000_0008), None)));
        assert_eq!(Place::read("Fn8000_0008"), Some(Place::Leaf(Leaf(0x8000_0008), None)));
        assert_eq!(Place::read("0xd.1"), Some(Place::Leaf(Leaf(0xd), Some(Subleaf(1)))));
        assert_eq!(Place::read("13"), Some(Place::Leaf(Leaf(13), None)));
        let bit = WordBit { word: Word(9), bit: Bit(5) };
        assert_eq!(Place::read("( 9*32+ 5)"), Some(Place::LinuxBit(bit)));
        assert_eq!(Place::read("MSR 0x10a[8]"), Some(Place::MsrBit(Msr(0x10a), Bit(8))));
        assert_eq!(Place::read("0x48c[41]"), Some(Place::MsrBit(Msr(0x48c), Bit(41))));
    }

    #[test]
    fn what_is_no_place() {
        for text in [
            "",
            "avx2",
            "sse4.1",
            "7.0.ebx[32]",
            "7.0.eex[1]",
            "7.0.ebx[",
            "7.0.ebx=",
            "7.0.ebx=+5",
            "(eax=7",
            "7.",
            "fn",
            "fn8000_zz",
            "9*32+32",
            "x*32+1",
            "msr",
            "msr[1]",
            "0x48c[64]",
            "7.0.ebx]5[",
            "0x",
            "h",
            "cpuid",
            "1ffffffffh",
            "7.0.ebx+5",
            "é",
            "7.0.é",
            "7.0.eé",
        ] {
            assert_eq!(Place::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn bits_in_words() {
        assert_eq!(bit_list(0), "");
        assert_eq!(bit_list(1 << 3 | 7 << 17), "3, 17-19");
        assert_eq!(bit_list(u32::MAX), "0-31");
        assert_eq!(bit_list(1 << 31 | 1), "0, 31");
    }
}
