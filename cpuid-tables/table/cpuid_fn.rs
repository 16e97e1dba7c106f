//! The function through which every reader of a table reads it.

use crate::bits::location::{Leaf, Registers, Subleaf};

/// Returns the registers of a leaf and subleaf; `None` if the leaf is missing.
pub(crate) trait CpuidFn: Fn(Leaf, Subleaf) -> Option<Registers> {}

impl<F: Fn(Leaf, Subleaf) -> Option<Registers>> CpuidFn for F {}
