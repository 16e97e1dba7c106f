//! The constants that `cpuid-tables` has published, as listed in `upstream/constants.tsv`.
//!
//! A published name keeps its bit in every later build, regardless of the releases that the build uses. Upstream
//! renames and removes names; users' code must still compile:
//!
//! - A constant is never removed and never changes its bit. It remains even if no release has the bit.
//! - When upstream renames a bit, the new name becomes its constant, and the old one stays, deprecated.
//! - If a second bit has the same name, its location is appended; the first bit keeps the name.
//! - A newer cpuid.csv can correct a field's place: the name stays and follows the correction.
//!
//! Invariants of the list: a name is unique within its module; a successor is a name of the same module that has no
//! successor. Of the constants of one bit of a CPUID register or an MSR, exactly one has no successor, and it
//! succeeds the others.

mod read;
#[cfg(feature = "cli")]
mod write;

use std::fmt;

use crate::location::{Bit, FieldPlace, Location, Msr};

#[cfg(feature = "cli")]
pub use write::write;

/// What a constant represents; its kind is the constant's module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PublishedBit {
    /// `feature`: a bit of a CPUID register.
    Feature(Location),
    /// `msr`: a bit of an MSR.
    Msr(Msr, Bit),
    /// `software`: a macro of Linux with the constant's name.
    Software,
    /// `bug`: likewise.
    Bug,
    /// `vmx`: likewise.
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
    /// What it represents.
    pub bit: PublishedBit,
    /// Its name.
    pub name: String,
    /// The constant that replaced it, if it is deprecated.
    pub successor: Option<String>,
}

/// All published constants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The newest release of Linux with names in the list; empty in an empty list.
    pub linux: String,
    /// The newest release of QEMU with names in the list; empty in an empty list.
    pub qemu: String,
    /// By kind and place; for one bit, deprecated constants come first.
    pub constants: Vec<PublishedConstant>,
}
