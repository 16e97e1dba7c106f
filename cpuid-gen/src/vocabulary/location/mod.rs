//! Where a feature bit is: a leaf, subleaf, register and bit of the CPUID instruction, or a bit of an MSR.
//!
//! Every coordinate is a type of its own, so that no two can be swapped. [`Place`] is what people write, in any of its
//! notations. Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E.
//!
//! ```
//! use cpuid_gen::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf};
//!
//! let avx2 = CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx).bit(Bit(5));
//! assert_eq!(avx2.to_string(), "CPUID.(EAX=7,ECX=0):EBX[5]");
//! assert_eq!("7.0.ebx[5]".parse::<Location>(), Ok(avx2));
//! ```

mod coordinates;
mod notation;
mod register;

pub use coordinates::{
    Bit, CpuidPlace, CpuidWord, FieldPlace, Leaf, Location, Msr, MsrBit, RegisterIn, Subleaf, Word, WordBit,
    WordSource,
};
pub use notation::{NotAPlace, Place};
pub use register::{Register, Registers};
