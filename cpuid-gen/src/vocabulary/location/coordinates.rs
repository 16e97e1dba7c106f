use core::fmt;

use super::register::Register;

/// CPUID's input EAX. KVM and AMD call it the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub u32);

impl fmt::Display for Leaf {
    /// As the manuals' notation has it: decimal below 10, else hexadecimal: `7`, `0xD`, `0x80000008`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            leaf @ 0..=9 => write!(f, "{leaf}"),
            leaf => write!(f, "0x{leaf:X}"),
        }
    }
}

/// CPUID's input ECX; 0 where a leaf has no subleaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subleaf(pub u32);

impl fmt::Display for Subleaf {
    /// Decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A bit of a 32-bit word, or of a 64-bit MSR; 0 is the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bit(pub u8);

impl Bit {
    /// From a number that is known to be below 256.
    pub(crate) const fn from_low_byte(number: u32) -> Bit {
        Bit(number.to_le_bytes()[0])
    }
}

/// A register that CPUID returns: 32 feature bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuidWord {
    /// Input EAX.
    pub leaf: Leaf,
    /// Input ECX.
    pub subleaf: Subleaf,
    /// Which of the four.
    pub register: Register,
}

impl CpuidWord {
    /// A register by its coordinates.
    #[must_use]
    pub const fn new(leaf: Leaf, subleaf: Subleaf, register: Register) -> CpuidWord {
        CpuidWord { leaf, subleaf, register }
    }

    /// A bit of this register.
    #[must_use]
    pub const fn bit(self, bit: Bit) -> Location {
        Location { word: self, bit }
    }
}

impl fmt::Display for CpuidWord {
    /// The manuals' notation: `CPUID.(EAX=7,ECX=0):EBX`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CpuidWord { leaf, subleaf, register } = *self;
        write_cpuid(f, leaf, Some((subleaf, subleaf)), Some(register))
    }
}

/// The notation of everything in CPUID: `CPUID.(EAX=7,ECX=0):EBX`, `CPUID.(EAX=7)`, `CPUID.(EAX=4,ECX=0-31):EAX`.
pub(super) fn write_cpuid(
    f: &mut fmt::Formatter<'_>,
    leaf: Leaf,
    subleaves: Option<(Subleaf, Subleaf)>,
    register: Option<Register>,
) -> fmt::Result {
    write!(f, "CPUID.(EAX={leaf}")?;
    if let Some((first, last)) = subleaves {
        write!(f, ",ECX={first}")?;
        if last > first {
            write!(f, "-{last}")?;
        }
    }
    f.write_str(")")?;
    register.map_or(Ok(()), |register| write!(f, ":{register}"))
}

/// Bits of a register, from the highest to the lowest, without brackets: `5`, `11:8`.
pub(super) fn write_bits(f: &mut fmt::Formatter<'_>, high: Bit, low: Bit) -> fmt::Result {
    match high > low {
        true => write!(f, "{}:{}", high.0, low.0),
        false => write!(f, "{}", low.0),
    }
}

/// A part of what CPUID returns, as precise as it is known: a leaf, a subleaf, a register, some bits of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuidPlace {
    /// Input EAX.
    pub leaf: Leaf,
    /// Input ECX; `None` for the whole leaf, or if the leaf has no subleaves.
    pub subleaf: Option<Subleaf>,
    /// Which of the four; `None` for all.
    pub register: Option<Register>,
    /// The bits of the register, as a mask; 0 for all.
    pub bits: u32,
}

impl fmt::Display for CpuidPlace {
    /// The manuals' notation: `CPUID.(EAX=7)`, `CPUID.(EAX=7,ECX=0):EBX`, `CPUID.(EAX=1):EAX[27:16, 11:8]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_cpuid(f, self.leaf, self.subleaf.map(|subleaf| (subleaf, subleaf)), self.register)?;
        let (mut left, mut before) = (self.bits, "[");
        while left != 0 {
            let high = 31 - left.leading_zeros();
            let run = (left << (31 - high)).leading_ones();
            let low = high + 1 - run;
            f.write_str(before)?;
            write_bits(f, Bit::from_low_byte(high), Bit::from_low_byte(low))?;
            left &= !(u32::MAX >> (32 - run) << low);
            before = ", ";
        }
        if self.bits == 0 { Ok(()) } else { f.write_str("]") }
    }
}

/// The location of a hardware feature's bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The register.
    pub word: CpuidWord,
    /// The bit in it, 0 to 31.
    pub bit: Bit,
}

impl fmt::Display for Location {
    /// The manuals' notation: `CPUID.(EAX=7,ECX=0):EBX[5]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.word, self.bit.0)
    }
}

/// The location of a field: bits of a register, in one subleaf or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPlace {
    /// Input EAX.
    pub leaf: Leaf,
    /// The first subleaf that has it.
    pub first: Subleaf,
    /// The last one.
    pub last: Subleaf,
    /// Which of the four.
    pub register: Register,
    /// Lowest bit.
    pub low: Bit,
    /// Highest bit, 31 at most.
    pub high: Bit,
}

/// The register of a field, in one subleaf or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegisterIn {
    /// Input EAX.
    pub leaf: Leaf,
    /// The first subleaf.
    pub first: Subleaf,
    /// The last one.
    pub last: Subleaf,
    /// Which of the four.
    pub register: Register,
}

impl fmt::Display for RegisterIn {
    /// The manuals' notation: `CPUID.(EAX=4,ECX=0-31):EAX`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_cpuid(f, self.leaf, Some((self.first, self.last)), Some(self.register))
    }
}

impl FieldPlace {
    /// Its register.
    #[must_use]
    pub const fn register_in(&self) -> RegisterIn {
        RegisterIn { leaf: self.leaf, first: self.first, last: self.last, register: self.register }
    }

    /// True when the two have a bit of a subleaf in common.
    #[must_use]
    pub fn overlaps(&self, other: &FieldPlace) -> bool {
        let register = self.leaf == other.leaf && self.register == other.register;
        let subleaves = self.first <= other.last && other.first <= self.last;
        register && subleaves && self.low <= other.high && other.low <= self.high
    }
}

impl fmt::Display for FieldPlace {
    /// The manuals' notation: `CPUID.(EAX=4,ECX=0-31):EAX[4:0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", self.register_in())?;
        write_bits(f, self.high, self.low)?;
        f.write_str("]")
    }
}

/// An MSR's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msr(pub u32);

impl Msr {
    /// A bit of this MSR.
    #[must_use]
    pub const fn bit(self, bit: Bit) -> MsrBit {
        MsrBit { msr: self, bit }
    }
}

impl fmt::Display for Msr {
    /// `MSR 0x10a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MSR {:#x}", self.0)
    }
}

/// A bit of an MSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsrBit {
    /// The MSR.
    pub msr: Msr,
    /// The bit in it, 0 to 63.
    pub bit: Bit,
}

impl fmt::Display for MsrBit {
    /// `MSR 0x10a[8]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.msr, self.bit.0)
    }
}

/// What 32 or 64 feature bits are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordSource {
    /// A register that CPUID returns.
    Cpuid(CpuidWord),
    /// A model-specific register.
    Msr(Msr),
}

impl fmt::Display for WordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WordSource::Cpuid(word) => word.fmt(f),
            WordSource::Msr(msr) => msr.fmt(f),
        }
    }
}

/// The index of a word among those of one release: in Linux's `x86_capability[]`, in its bug or VMX words, among KVM's
/// words, or in QEMU's `FeatureWord`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(pub u16);

/// A bit among the words of one Linux release. In another release it means something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WordBit {
    /// Which word.
    pub word: Word,
    /// Which bit of it.
    pub bit: Bit,
}

impl WordBit {
    /// Linux's own number for it: `word * 32 + bit`.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.word.0 as u32 * 32 + self.bit.0 as u32
    }
}

impl fmt::Display for WordBit {
    /// As the kernel's headers write it: `9*32+5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}*32+{}", self.word.0, self.bit.0)
    }
}
