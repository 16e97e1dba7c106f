//! Why a table cannot be normalised.

use core::fmt;

use crate::bits::field::TooLarge;
use crate::bits::location::{Leaf, Subleaf};
use crate::table::{TableFull, Vendor};

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NormalizeError {
    /// The step needs an entry that the table lacks.
    Missing {
        /// The step's name.
        step: &'static str,
        /// The entry's leaf.
        leaf: Leaf,
        /// Its subleaf.
        subleaf: Subleaf,
    },
    /// The step needs the host's CPUID instruction: [`Normalizer::host`](super::Normalizer::host).
    NoHost(&'static str),
    /// The step rejects processors of this vendor.
    Vendor {
        /// The step's name.
        step: &'static str,
        /// The vendor; `None` without leaf 0.
        vendor: Option<Vendor>,
    },
    /// A value of the step does not fit its field.
    TooLarge {
        /// The step's name.
        step: &'static str,
        /// The field and the value.
        error: TooLarge,
    },
    /// The table would have more entries than KVM accepts.
    Full(&'static str),
}

impl NormalizeError {
    /// For a step that adds entries.
    pub(super) fn full(step: &'static str) -> impl Fn(TableFull) -> NormalizeError {
        move |TableFull| NormalizeError::Full(step)
    }
}

impl fmt::Display for NormalizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NormalizeError::Missing { step, leaf, subleaf } => {
                write!(f, "step {step}: the table has no entry for leaf {leaf}, subleaf {subleaf}")
            }
            NormalizeError::NoHost(step) => {
                write!(f, "step {step} reads the host's CPUID: give it to the normaliser with `host`")
            }
            NormalizeError::Vendor { step, vendor: Some(vendor) } => {
                write!(f, "step {step}: processors of `{vendor}` are not supported")
            }
            NormalizeError::Vendor { step, vendor: None } => {
                write!(f, "step {step}: the table has no leaf 0, which names the vendor")
            }
            NormalizeError::TooLarge { step, error } => write!(f, "step {step}: {error}"),
            NormalizeError::Full(step) => write!(f, "step {step}: {TableFull}"),
        }
    }
}

impl core::error::Error for NormalizeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            NormalizeError::TooLarge { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// No step has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownStep {
    /// The name.
    pub name: alloc::string::String,
    /// The names of the steps.
    pub known: alloc::vec::Vec<&'static str>,
}

impl fmt::Display for UnknownStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no step is named `{}`: the steps are {}", self.name, self.known.join(", "))
    }
}

impl core::error::Error for UnknownStep {}
