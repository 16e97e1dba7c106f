//! Where bits stand: each coordinate is a type of its own, so that no two can be swapped.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

use core::fmt;

/// CPUID's input EAX, called function by KVM and AMD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub u32);

/// CPUID's input ECX; 0 where a leaf has no subleaves.
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
    pub const fn name(self) -> &'static str {
        ["EAX", "EBX", "ECX", "EDX"][self as usize]
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A bit of a 32-bit word, or of a 64-bit MSR; 0 is the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bit(pub u8);

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
    pub const fn new(leaf: u32, subleaf: u32, register: Register) -> CpuidWord {
        CpuidWord { leaf: Leaf(leaf), subleaf: Subleaf(subleaf), register }
    }

    /// A bit of this register.
    #[must_use]
    pub const fn bit(self, bit: u8) -> Location {
        Location { word: self, bit: Bit(bit) }
    }
}

impl fmt::Display for CpuidWord {
    /// The manuals' notation: `CPUID.(EAX=7,ECX=0):EBX`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.leaf.0 {
            leaf @ 0..=9 => write!(f, "CPUID.(EAX={leaf}")?,
            leaf => write!(f, "CPUID.(EAX=0x{leaf:X}")?,
        }
        write!(f, ",ECX={}):{}", self.subleaf.0, self.register)
    }
}

/// A hardware feature bit's location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The register.
    pub word: CpuidWord,
    /// The bit in it.
    pub bit: Bit,
}

impl fmt::Display for Location {
    /// The manuals' notation: `CPUID.(EAX=7,ECX=0):EBX[5]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.word, self.bit.0)
    }
}

/// An MSR's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msr(pub u32);

/// What 32 or 64 feature bits are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordSource {
    /// A register that CPUID returns.
    Cpuid(CpuidWord),
    /// A model-specific register.
    Msr(Msr),
}

/// Index of a word among those of one release: Linux's, KVM's or QEMU's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(pub u16);

/// A bit among the words of one Linux release; means nothing in another.
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

    /// From a place column: 0 is none.
    pub(crate) const fn unpack(place: u16) -> Option<WordBit> {
        if place == 0 {
            return None;
        }
        let place = place - 1;
        Some(WordBit { word: Word(place / 32), bit: Bit((place % 32).to_le_bytes()[0]) })
    }

    /// Its entry in a column by place, 0 if there is none.
    pub(crate) fn look_up(self, column: &[u16]) -> u16 {
        if self.bit.0 > 31 {
            return 0;
        }
        let at = usize::from(self.word.0) * 32 + usize::from(self.bit.0);
        column.get(at).copied().unwrap_or(0)
    }
}

impl fmt::Display for WordBit {
    /// As the kernel's headers write it: `9*32+5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}*32+{}", self.word.0, self.bit.0)
    }
}
