//! The constants that `cpuid-tables` has published, as `upstream/constants.tsv` lists them.
//!
//! A published name keeps its bit in every later build, whichever releases that build is made from. Upstream renames and
//! drops names; users' code must not break when it does:
//!
//! - A constant never disappears and never means another bit. Where no release has the bit, the constant stays.
//! - When upstream renames a bit, the new name becomes its constant, and the old one stays, deprecated.
//! - A second bit of one name gets its location appended; the first one keeps the name.
//! - A field's place is a fact that a newer cpuid.csv can correct: the name stays, and follows the correction.
//!
//! What always holds of the list: a name stands once in its module; a successor is a name of the same module that has
//! none itself. Of one bit of a CPUID register or an MSR, one constant has no successor, and it succeeds the others.

mod read;
#[cfg(feature = "cli")]
mod write;

use std::fmt;

use crate::location::{Bit, FieldPlace, Location, Msr};

#[cfg(feature = "cli")]
pub use write::write;

/// What a constant stands for; its sort is the module that the constant is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PublishedBit {
    /// `feature`: a bit of a CPUID register.
    Feature(Location),
    /// `msr`: a bit of an MSR.
    Msr(Msr, Bit),
    /// `software`: a macro of Linux's, which the constant is called after.
    Software,
    /// `bug`: the same.
    Bug,
    /// `vmx`: the same.
    Vmx,
    /// `field::leaf_*`: a field of a leaf, with its short name in cpuid.csv.
    Field(FieldPlace, String),
}

impl PublishedBit {
    /// The path of the module that the constant is in.
    #[must_use]
    pub fn module(&self) -> String {
        match self {
            PublishedBit::Feature(_) => "feature".to_owned(),
            PublishedBit::Msr(..) => "msr".to_owned(),
            PublishedBit::Software => "software".to_owned(),
            PublishedBit::Bug => "bug".to_owned(),
            PublishedBit::Vmx => "vmx".to_owned(),
            PublishedBit::Field(place, _) => format!("field::leaf_{:x}", place.leaf.0),
        }
    }
}

impl fmt::Display for PublishedBit {
    /// A location, a bit of an MSR, or `a macro of Linux`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishedBit::Feature(location) => location.fmt(f),
            PublishedBit::Msr(msr, bit) => write!(f, "MSR {:#x}[{}]", msr.0, bit.0),
            PublishedBit::Software | PublishedBit::Bug | PublishedBit::Vmx => f.write_str("a macro of Linux"),
            PublishedBit::Field(place, _) => place.fmt(f),
        }
    }
}

/// One published constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedConstant {
    /// What it stands for.
    pub bit: PublishedBit,
    /// Its name.
    pub name: String,
    /// The constant that took its place: it is deprecated then.
    pub successor: Option<String>,
}

/// All published constants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The newest release of Linux that names were taken from; empty in an empty list.
    pub linux: String,
    /// The newest release of QEMU that names were taken from; empty in an empty list.
    pub qemu: String,
    /// By sort and place; of one bit, the deprecated ones first.
    pub constants: Vec<PublishedConstant>,
}
