//! The location of a feature bit: leaf, subleaf, register and bit of the CPUID instruction, or a bit of an MSR.
//!
//! Every coordinate has a type of its own, so that no two can be swapped. Intel SDM volume 2A, "CPUID"; AMD APM
//! volume 3, appendix E.

use std::fmt;
use std::str::FromStr;

/// CPUID's input EAX, which KVM and AMD call the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub u32);

/// CPUID's input ECX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subleaf(pub u32);

/// One of CPUID's four output registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Register {
    /// EAX
    Eax,
    /// EBX
    Ebx,
    /// ECX
    Ecx,
    /// EDX
    Edx,
}

impl Register {
    /// All four, in the order of KVM's `struct kvm_cpuid_entry2`.
    pub const ALL: [Register; 4] = [Register::Eax, Register::Ebx, Register::Ecx, Register::Edx];

    /// The upper-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["EAX", "EBX", "ECX", "EDX"][self as usize]
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Register {
    type Err = ();
    /// Case is ignored.
    fn from_str(name: &str) -> Result<Register, ()> {
        Register::ALL.into_iter().find(|register| register.name().eq_ignore_ascii_case(name)).ok_or(())
    }
}

/// A bit of a 32- or 64-bit word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bit(pub u8);

/// Index of a word in Linux's `x86_capability[]`, in its bug or VMX words, or in QEMU's `FeatureWord`. Only
/// meaningful within one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(pub u16);

/// A register that CPUID returns: 32 feature bits. `subleaf` is 0 for leaves without subleaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuidWord {
    /// Input EAX.
    pub leaf: Leaf,
    /// Input ECX.
    pub subleaf: Subleaf,
    /// The output register.
    pub register: Register,
}

impl CpuidWord {
    /// The register that a Linux word's name states: `CPUID_7_1_EAX`, `CPUID_8000_0007_EBX`. `None` for any other
    /// form, such as a software-defined word's name.
    #[must_use]
    pub fn from_leaf_name(name: &str) -> Option<CpuidWord> {
        CpuidWord::from_stem(name.strip_prefix("CPUID_")?)
    }

    /// Like [`from_leaf_name`](Self::from_leaf_name), without the prefix, which also covers QEMU's `FEAT_7_1_EAX`.
    /// All numbers are hexadecimal; a leaf above 0xFFFF is written as two groups of four digits.
    #[must_use]
    pub fn from_stem(stem: &str) -> Option<CpuidWord> {
        let (head, register) = stem.rsplit_once('_')?;
        let register: Register = register.parse().ok().filter(|found: &Register| found.name() == register)?;
        let groups: Vec<&str> = head.split('_').collect();
        let (leaf, rest) = match groups.as_slice() {
            [high, low, rest @ ..] if high.len() == 4 && low.len() == 4 => {
                (group(high)? << 16 | group(low)?, rest)
            }
            [leaf, rest @ ..] => (group(leaf)?, rest),
            [] => return None,
        };
        let subleaf = match rest {
            [] => 0,
            [subleaf] => group(subleaf)?,
            _ => return None,
        };
        Some(CpuidWord { leaf: Leaf(leaf), subleaf: Subleaf(subleaf), register })
    }
}

/// One to four hexadecimal digits.
fn group(digits: &str) -> Option<u32> {
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, 16).ok())?
}

impl fmt::Display for CpuidWord {
    /// Intel's notation: `CPUID.(EAX=7,ECX=0):EBX`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CPUID.(EAX={},ECX={}):{}", hex(self.leaf.0), self.subleaf.0, self.register)
    }
}

/// A feature bit's hardware location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The register.
    pub word: CpuidWord,
    /// The bit in it, 0 to 31.
    pub bit: Bit,
}

impl fmt::Display for Location {
    /// Intel's notation: `CPUID.(EAX=7,ECX=0):EBX[5]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.word, self.bit.0)
    }
}

/// The location of a field of a leaf: some bits of a register, in one subleaf or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPlace {
    /// Input EAX.
    pub leaf: Leaf,
    /// The first subleaf that has the field.
    pub first: Subleaf,
    /// The last subleaf that has the field.
    pub last: Subleaf,
    /// The output register.
    pub register: Register,
    /// Lowest bit.
    pub low: Bit,
    /// Highest bit, 31 at most.
    pub high: Bit,
}

impl FieldPlace {
    /// True if the two share a bit of a subleaf.
    #[must_use]
    pub fn overlaps(&self, other: &FieldPlace) -> bool {
        let register = self.leaf == other.leaf && self.register == other.register;
        let subleaves = self.first <= other.last && other.first <= self.last;
        register && subleaves && self.low <= other.high && other.low <= self.high
    }
}

impl fmt::Display for FieldPlace {
    /// Intel's notation: `CPUID.(EAX=4,ECX=0-31):EAX[4:0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CPUID.(EAX={},ECX={}", hex(self.leaf.0), self.first.0)?;
        if self.last > self.first {
            write!(f, "-{}", self.last.0)?;
        }
        write!(f, "):{}[{}", self.register, self.high.0)?;
        if self.high > self.low {
            write!(f, ":{}", self.low.0)?;
        }
        f.write_str("]")
    }
}

/// An MSR's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msr(pub u32);

/// A leaf in Intel's notation: with `0x` from 10 on.
pub(crate) fn hex(value: u32) -> String {
    if value < 10 { value.to_string() } else { format!("{value:#X}").replace("0X", "0x") }
}
