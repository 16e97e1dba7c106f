//! The location of a feature bit: a leaf, subleaf, register and bit of the CPUID instruction, or a bit of an MSR.
//! Each coordinate has its own type, so that they cannot be swapped. [`Place`] is what people write, in any of its
//! notations.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

mod coordinates {
    include!(concat!(env!("OUT_DIR"), "/coordinates.rs"));
}

mod notation {
    include!(concat!(env!("OUT_DIR"), "/notation.rs"));
}

mod register {
    include!(concat!(env!("OUT_DIR"), "/register.rs"));
}

pub use coordinates::{
    Bit, CpuidPlace, CpuidWord, FieldPlace, Leaf, Location, Msr, MsrBit, RegisterIn, Subleaf, Word, WordBit,
    WordSource,
};
pub use notation::{NotAPlace, Place};
pub use register::{Register, Registers};

impl WordBit {
    /// Decodes an entry of a location column; 0 is `None`.
    pub(crate) const fn unpack(place: u16) -> Option<WordBit> {
        if place == 0 {
            return None;
        }
        let place = place - 1;
        Some(WordBit { word: Word(place / 32), bit: Bit::from_low_byte(place as u32 % 32) })
    }

    /// Its entry in a column by location; 0 if there is none.
    pub(crate) fn look_up(self, column: &[u16]) -> u16 {
        if self.bit.0 > 31 {
            return 0;
        }
        let at = usize::from(self.word.0) * 32 + usize::from(self.bit.0);
        column.get(at).copied().unwrap_or(0)
    }
}
