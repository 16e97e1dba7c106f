//! The list of constants and its entries.

use std::fmt;

use crate::location::{Bit, FieldPlace, Location, Msr};

/// What a constant represents; its kind is the constant's module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
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
            PublishedBit::Msr(msr, bit) => msr.bit(*bit).fmt(f),
            PublishedBit::Software | PublishedBit::Bug | PublishedBit::Vmx => f.write_str("a macro of Linux"),
            PublishedBit::Field(place, _) => place.fmt(f),
        }
    }
}

/// One published constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Published {
    /// The newest release of Linux with names in the list; empty in an empty list.
    pub linux: String,
    /// The newest release of QEMU with names in the list; empty in an empty list.
    pub qemu: String,
    /// By kind and place; for one bit, deprecated constants come first.
    pub constants: Vec<PublishedConstant>,
}
