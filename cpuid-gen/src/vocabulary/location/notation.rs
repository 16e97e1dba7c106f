use core::fmt;
use core::str::FromStr;

use super::coordinates::{
    Bit, CpuidWord, Leaf, Location, Msr, MsrBit, Subleaf, Word, WordBit, write_bits, write_cpuid,
};
use super::register::Register;

impl FromStr for Register {
    type Err = NotAPlace;

    /// Case does not matter.
    fn from_str(name: &str) -> Result<Register, NotAPlace> {
        Register::ALL.into_iter().find(|register| register.name().eq_ignore_ascii_case(name)).ok_or(NotAPlace)
    }
}

impl FromStr for CpuidWord {
    type Err = NotAPlace;

    /// Every form that [`Place`] takes for a register.
    fn from_str(text: &str) -> Result<CpuidWord, NotAPlace> {
        match text.parse()? {
            Place::Register(word) => Ok(word),
            _ => Err(NotAPlace),
        }
    }
}

impl FromStr for Location {
    type Err = NotAPlace;

    /// Every form that [`Place`] takes for one bit of a register.
    fn from_str(text: &str) -> Result<Location, NotAPlace> {
        match text.parse()? {
            Place::Bits(word, low, high) if low == high => Ok(word.bit(low)),
            _ => Err(NotAPlace),
        }
    }
}

/// A place in CPUID, in Linux's words or in an MSR, as people write it.
///
/// | written | meaning |
/// |---|---|
/// | `7`, `0x80000008`, `0xd.1`, `CPUID.(EAX=7,ECX=0)`, `Fn8000_0008` | a leaf, or one of its subleaves |
/// | `7.0.ebx`, `CPUID.07H.0H:EBX`, `Fn8000_0008_EBX` | a register |
/// | `7.0.ebx[5]`, `CPUID.(EAX=7,ECX=0):EBX[5]`, `1.eax[11:8]` | bits of it |
/// | `CPUID.07H:EBX.avx2 [bit 5]`, `CPUID[eax=07h,ecx=00h].EBX.hle [bit 4]` | the same in QEMU's warnings |
/// | `7.0.ebx=0x219c95a9` | a register's value |
/// | `9*32+5`, `( 9*32+ 5)` | a bit of Linux's words |
/// | `MSR 0x10a`, `MSR(48EH)`, `MSRC001_0015` | an MSR |
/// | `0x48c[21]`, `MSR 0x10a[8]` | a bit of an MSR, where no register is named |
/// | `MSR(10AH).taa-no [bit 8]` | the same in QEMU's warnings |
/// | `MSR 0x10a=0x69` | an MSR's value |
///
/// A register named without a subleaf is subleaf 0's. Numbers are decimal, or hexadecimal with `0x` before or `h` after
/// them; after `Fn` they are hexadecimal. Spaces and case do not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// An MSR.
    Msr(Msr),
    /// A bit of an MSR.
    MsrBit(MsrBit),
    /// An MSR and its value.
    MsrValue(Msr, u64),
}

impl fmt::Display for Place {
    /// The manuals' notation, which parses to the same place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Place::Leaf(leaf, subleaf) => {
                write_cpuid(f, leaf, subleaf.map(|subleaf| (subleaf, subleaf)), None)
            }
            Place::Register(word) => word.fmt(f),
            Place::Bits(word, low, high) => {
                write!(f, "{word}[")?;
                write_bits(f, high, low)?;
                f.write_str("]")
            }
            Place::Value(word, value) => write!(f, "{word}={value:#x}"),
            Place::LinuxBit(bit) => bit.fmt(f),
            Place::Msr(msr) => msr.fmt(f),
            Place::MsrBit(bit) => bit.fmt(f),
            Place::MsrValue(msr, value) => write!(f, "{msr}={value:#x}"),
        }
    }
}

/// A text that is not a place. It may well be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPlace;

impl fmt::Display for NotAPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a leaf (`7`, `0xd.1`), a register (`7.0.ebx`), bits of it (`7.0.ebx[5]`), \
             a bit of Linux's words (`9*32+5`), an MSR (`MSR 0x10a`) or a bit of it (`0x48c[21]`)",
        )
    }
}

impl core::error::Error for NotAPlace {}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Place, NotAPlace> {
        // The longest place with a name in it, as QEMU's messages have them, fits.
        let mut buffer = [0; 128];
        let folded = folded(text, &mut buffer).ok_or(NotAPlace)?;
        place(folded).ok_or(NotAPlace)
    }
}

/// The text in lower case, without white space; nothing where white space separates two numbers, as in `1 2`.
fn folded<'b>(text: &str, buffer: &'b mut [u8; 128]) -> Option<&'b str> {
    let (mut length, mut after_space) = (0_usize, false);
    for character in text.chars() {
        if character.is_whitespace() {
            after_space = true;
            continue;
        }
        let before = length.checked_sub(1).and_then(|last| buffer.get(last)).copied();
        let after_number = before.is_some_and(|last| last.is_ascii_hexdigit());
        if after_space && after_number && character.is_ascii_digit() {
            return None;
        }
        *buffer.get_mut(length)? = u8::try_from(character).ok().filter(u8::is_ascii)?.to_ascii_lowercase();
        (length, after_space) = (length + 1, false);
    }
    core::str::from_utf8(buffer.get(..length)?).ok()
}

fn place(folded: &str) -> Option<Place> {
    if let Some((word, bit)) = folded.split_once("*32+") {
        return linux_bit(word.trim_start_matches('('), bit.trim_end_matches(')'));
    }
    if let Some(rest) = folded.strip_prefix("msr") {
        return msr_place(rest.trim_start_matches(['(', ':']));
    }
    let rest = folded.strip_prefix("cpuid").map_or(folded, |rest| rest.trim_start_matches('.'));
    match rest.strip_prefix("fn") {
        Some(amd) => amd_place(amd),
        None => intel_place(rest),
    }
}

fn linux_bit(word: &str, bit: &str) -> Option<Place> {
    let bit = number(bit).filter(|&bit| bit < 32)?;
    let word = Word(u16::try_from(number(word)?).ok()?);
    Some(Place::LinuxBit(WordBit { word, bit: Bit::from_low_byte(bit) }))
}

/// `0x10a`, `48eh)`, `c001_0015`, `0x10a[8]`, `10ah).taa-no[bit8]`, `0x10a=0x69`.
fn msr_place(text: &str) -> Option<Place> {
    let (msr, rest) = amd_msr(text).or_else(|| leading_number(text))?;
    let (msr, rest) = (Msr(msr), rest.trim_start_matches(')'));
    if rest.is_empty() {
        return Some(Place::Msr(msr));
    }
    if let Some(value) = rest.strip_prefix('=') {
        return Some(Place::MsrValue(msr, wide_number(value)?));
    }
    let (name, bit) = rest.strip_suffix(']')?.split_once('[')?;
    if !(name.is_empty() || name.starts_with('.')) {
        return None;
    }
    let bit = number(bit.strip_prefix("bit").unwrap_or(bit)).filter(|&bit| bit < 64)?;
    Some(Place::MsrBit(msr.bit(Bit::from_low_byte(bit))))
}

/// Two groups of four digits, as AMD's manuals write an MSR's number.
fn amd_msr(text: &str) -> Option<(u32, &str)> {
    let (high, low) = (text.get(..4)?, text.get(4..)?.strip_prefix('_')?.get(..4)?);
    Some((hexadecimal(high)? << 16 | hexadecimal(low)?, &text[9..]))
}

/// `8000_0008_ebx[12]`, `8000_001d_eax_x0[4:0]`.
fn amd_place(text: &str) -> Option<Place> {
    let (at, rest) = text.find("_e").map_or((text, ""), |end| (&text[..end], &text[end + 1..]));
    let leaf = match at.split_once('_') {
        // Two groups of four digits.
        Some((high, low)) if low.len() == 4 => hexadecimal(high)? << 16 | hexadecimal(low)?,
        Some(_) => return None,
        None => hexadecimal(at)?,
    };
    if rest.is_empty() {
        return Some(Place::Leaf(Leaf(leaf), None));
    }
    let (register, mut rest) = register(rest)?;
    let mut subleaf = Subleaf(0);
    if let Some(x) = rest.strip_prefix("_x") {
        let end = x.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(x.len());
        subleaf = Subleaf(hexadecimal(&x[..end])?);
        rest = &x[end..];
    }
    after_register(CpuidWord::new(Leaf(leaf), subleaf, register), rest)
}

/// `7.0.ebx[5]`, `(eax=7,ecx=0):ebx[5]`, `07h.0h:ebx.avx2[bit5]`, `[eax=07h,ecx=00h].ebx.hle[bit4]`.
fn intel_place(text: &str) -> Option<Place> {
    let (leaf, subleaf, rest) = match text.strip_prefix(['(', '[']) {
        Some(inside) => {
            let (inside, rest) = inside.split_once([')', ']'])?;
            let (leaf, subleaf) = inside.split_once(',').map_or((inside, None), |(a, b)| (a, Some(b)));
            let leaf = number(leaf.strip_prefix("eax=").unwrap_or(leaf))?;
            let subleaf =
                subleaf.map(|text| number(text.strip_prefix("ecx=").unwrap_or(text)).ok_or(())).transpose();
            (leaf, subleaf.ok()?, rest)
        }
        None => {
            let (leaf, rest) = leading_number(text.strip_prefix("eax=").unwrap_or(text))?;
            // `1.ecx=0x200` is a register's value.
            let comma = rest.strip_prefix(',').map(|rest| rest.strip_prefix("ecx=").unwrap_or(rest));
            match comma.or_else(|| rest.strip_prefix('.')) {
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
        return Some(Place::MsrBit(Msr(leaf.0).bit(Bit::from_low_byte(bit))));
    }
    let (register, rest) = register(rest.strip_prefix(['.', ':'])?)?;
    after_register(CpuidWord::new(leaf, subleaf.unwrap_or(Subleaf(0)), register), rest)
}

/// What follows a register: nothing, bits, or a value.
fn after_register(word: CpuidWord, rest: &str) -> Option<Place> {
    if rest.is_empty() {
        return Some(Place::Register(word));
    }
    if let Some(value) = rest.strip_prefix('=') {
        return Some(Place::Value(word, number(value)?));
    }
    // A name may come between, as in QEMU's messages and Intel's manual; the bit is what counts.
    let (name, bits) = rest.strip_suffix(']')?.split_once('[')?;
    if !(name.is_empty() || name.starts_with('.')) {
        return None;
    }
    let bits = bits.strip_prefix("bits").or_else(|| bits.strip_prefix("bit")).unwrap_or(bits);
    let (high, low) = bits.split_once([':', '-']).unwrap_or((bits, bits));
    let (high, low) = (number(high)?, number(low)?);
    let (low, high) = (low.min(high), low.max(high));
    (high < 32).then(|| Place::Bits(word, Bit::from_low_byte(low), Bit::from_low_byte(high)))
}

fn register(text: &str) -> Option<(Register, &str)> {
    Some((text.get(..3)?.parse().ok()?, &text[3..]))
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
    u32::try_from(wide_number(text)?).ok()
}

/// The same of 64 bits.
fn wide_number(text: &str) -> Option<u64> {
    match (text.strip_prefix("0x"), text.strip_suffix('h')) {
        (Some(digits), _) | (None, Some(digits)) => u64::from_str_radix(digits, 16)
            .ok()
            .filter(|_| digits.starts_with(|c: char| c.is_ascii_hexdigit())),
        (None, None) => text.parse().ok().filter(|_| text.starts_with(|c: char| c.is_ascii_digit())),
    }
}

fn hexadecimal(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16).ok().filter(|_| digits.starts_with(|c: char| c.is_ascii_hexdigit()))
}
