//! The one question that every reader of a table asks.

use crate::bits::location::{Leaf, Registers, Subleaf};

/// Returns the registers of a leaf and subleaf; none where nothing answers.
pub(crate) trait CpuidFn: Fn(Leaf, Subleaf) -> Option<Registers> {}

impl<F: Fn(Leaf, Subleaf) -> Option<Registers>> CpuidFn for F {}
