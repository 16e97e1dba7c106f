//! Where a feature bit is: a leaf, subleaf, register and bit of the CPUID instruction, or a bit of an MSR.
//!
//! Every coordinate is a type of its own, so that no two can be swapped. [`Place`] is what people write, in any of its
//! notations. Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.

mod coordinates;
mod notation;
mod register;

pub use coordinates::{
    Bit, CpuidPlace, CpuidWord, FieldPlace, Leaf, Location, Msr, MsrBit, RegisterIn, Subleaf, Word, WordBit,
    WordSource,
};
pub use notation::{NotAPlace, Place};
pub use register::{Register, Registers};
